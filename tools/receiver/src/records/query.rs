//! What a request wants listed.

use base64::prelude::{Engine as _, BASE64_URL_SAFE_NO_PAD};

use crate::http::fields::{too_long, Fields};
use crate::http::reply::Reply;
use crate::storage::list::{Filter, Key, Order, Position, Query, Value};

/// The number of uploads in a list, unless the request has a `limit`.
const DEFAULT_LIMIT: u32 = 100;
/// The largest `limit`.
const MAX_LIMIT: u32 = 1000;
/// The largest number of bytes in a search.
const MAX_SEARCH: usize = 1024;
/// The largest number of words in it.
const MAX_WORDS: usize = 16;

/// Reads the query of a list.
pub fn query(fields: &Fields, owner: String) -> Result<Query, Reply> {
    let filter = match fields.text("state") {
        None => Filter::All,
        Some("complete") => Filter::Complete,
        Some("partial") => Filter::Unfinished,
        Some(other) => return Err(Reply::bad_field("state", other)),
    };
    let order = match fields.text("sort") {
        None => Order::NEWEST,
        Some(text) => order(text).ok_or_else(|| Reply::bad_field("sort", text))?,
    };
    let search = fields.text("search").unwrap_or("");
    if search.len() > MAX_SEARCH {
        return Err(too_long("search", MAX_SEARCH));
    }
    let words: Vec<_> = search.split_whitespace().map(str::to_owned).collect();
    if words.len() > MAX_WORDS {
        let message = format!("the field 'search' has more than {MAX_WORDS} words");
        return Err(Reply::bad_request(message));
    }
    let dir = match fields.text("dir") {
        None => None,
        Some(_) => Some(fields.dir()?.to_owned()),
    };
    Ok(Query {
        owner,
        filter,
        dir,
        words,
        order,
    })
}

/// Reads how many uploads the list has at most.
pub fn limit(fields: &Fields) -> Result<u32, Reply> {
    match fields.text("limit") {
        None => Ok(DEFAULT_LIMIT),
        Some(text) => match text.parse() {
            Ok(limit @ 1..=MAX_LIMIT) => Ok(limit),
            _ => Err(Reply::bad_field("limit", text)),
        },
    }
}

fn order(text: &str) -> Option<Order> {
    let (key, descends) = match text.strip_prefix('-') {
        Some(key) => (key, true),
        None => (text, false),
    };
    let key = match key {
        "name" => Key::Name,
        "size" => Key::Size,
        "time" => Key::Time,
        _ => return None,
    };
    Some(Order { key, descends })
}

/// Writes a place in an order for a URL.
pub fn cursor(position: &Position) -> String {
    let value = match &position.value {
        Value::Number(number) => number.to_string(),
        Value::Text(text) => BASE64_URL_SAFE_NO_PAD.encode(text),
    };
    format!("{}.{value}", position.id)
}

/// Reads such a place; `None` if it is none of this order.
pub fn position(text: &str, order: Order) -> Option<Position> {
    let (id, value) = text.split_once('.')?;
    let value = match order.key {
        Key::Time | Key::Size => Value::Number(value.parse().ok()?),
        Key::Name => {
            let bytes = BASE64_URL_SAFE_NO_PAD.decode(value).ok()?;
            Value::Text(String::from_utf8(bytes).ok()?)
        }
    };
    let is_plain = |text: &str| !text.contains('\0');
    let fits = is_plain(id) && !matches!(&value, Value::Text(text) if !is_plain(text));
    let id = id.to_owned();
    fits.then_some(Position { value, id })
}
