//! Lists of an owner's uploads, in several orders, page by page.

use std::time::Instant;

use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query as Statement;
use sqlx::{Any, AssertSqlSafe, Row};

use crate::storage::database::{is_storable, signed};
use crate::storage::error::StoreError;
use crate::storage::names::folded;
use crate::storage::record::Record;
use crate::storage::store::{record, Store};

/// How many uploads are looked at together at most, where not all that are looked at are listed.
const MOST: u64 = 8192;

/// The directory in which an upload is stored, as the index `uploads_by_dir` has it.
pub(super) const DIR: &str = "CASE WHEN as_name = '' THEN dir ELSE as_dir END";

/// The uploads that a list has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    /// All of them.
    All,
    /// The finished ones.
    Complete,
    /// The others.
    Unfinished,
}

/// What a list is ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// The time of the last progress.
    Time,
    /// The name, without its capitals.
    Name,
    /// The size.
    Size,
}

impl Key {
    fn column(self) -> &'static str {
        match self {
            Key::Time => "changed",
            Key::Name => "folded",
            Key::Size => "size",
        }
    }
}

/// An order of uploads. Those that are equal in it are ordered by their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// What counts.
    pub key: Key,
    /// Whether it begins with the newest, the last or the largest one.
    pub descends: bool,
}

impl Order {
    /// The order of lists by default: last changed first.
    pub const NEWEST: Self = Self {
        key: Key::Time,
        descends: true,
    };

    fn sql(self) -> (&'static str, &'static str, &'static str) {
        match self.descends {
            true => ("<", ">=", "DESC"),
            false => (">", "<=", "ASC"),
        }
    }
}

/// The value of an upload in an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A time or a size.
    Number(i64),
    /// A name.
    Text(String),
}

/// A place in an order. It stays where it is when the upload that was there changes or goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The value there.
    pub value: Value,
    /// The id of the upload.
    pub id: String,
}

impl Position {
    fn read(row: &AnyRow, order: Order) -> sqlx::Result<Self> {
        Ok(Self {
            value: match order.key {
                Key::Name => Value::Text(row.try_get("value")?),
                Key::Time | Key::Size => Value::Number(row.try_get("value")?),
            },
            id: row.try_get("id")?,
        })
    }
}

/// What a list shall have.
#[derive(Debug, Clone)]
pub struct Query {
    /// Whose uploads.
    pub owner: String,
    /// Which of them.
    pub filter: Filter,
    /// The directory in which they are; `None` for all.
    pub dir: Option<String>,
    /// Words that the name has, in any order, whatever their capitals.
    pub words: Vec<String>,
    /// In which order.
    pub order: Order,
}

impl Query {
    /// Lists all uploads of a kind, last changed first.
    pub fn new(owner: &str, filter: Filter) -> Self {
        Self {
            owner: owner.to_owned(),
            filter,
            dir: None,
            words: Vec::new(),
            order: Order::NEWEST,
        }
    }

    /// Whether an index has the unfinished uploads in this order.
    fn is_of_unfinished(&self) -> bool {
        self.filter == Filter::Unfinished && self.order.key == Key::Time
    }

    /// Whether all uploads that are looked at are listed.
    fn takes_all(&self) -> bool {
        let takes = self.filter == Filter::All || self.is_of_unfinished();
        takes && self.dir.is_none() && self.words.is_empty()
    }
}

/// A part of a list.
#[derive(Default)]
pub struct Page {
    /// The uploads, but for those that are gone.
    pub records: Vec<Record>,
    /// Where the next part begins, behind this place; `None` at the end.
    pub next: Option<Position>,
}

impl Store {
    /// Lists at most `limit` uploads, one or more, beginning behind a place. Looks for no more when `until` has come: then the list may
    /// have fewer of them, or none, and goes on all the same.
    pub async fn list(
        &self,
        query: &Query,
        mut after: Option<Position>,
        limit: u32,
        until: Instant,
    ) -> Result<Page, StoreError> {
        let dir = query.dir.as_deref().unwrap_or("");
        if !is_storable(dir) || !query.words.iter().all(|word| is_storable(word)) {
            return Ok(Page::default());
        }
        let mut records = Vec::new();
        let mut step = u64::from(limit);
        loop {
            let end = match query.takes_all() {
                true => None,
                false => self.position(query, after.as_ref(), step).await?,
            };
            let room = limit - records.len() as u32;
            // One more, which tells whether the list goes on.
            let found = self.between(query, after.as_ref(), end.as_ref(), room + 1);
            let found = found.await?;
            let is_full = found.len() > room as usize;
            let mut last = None;
            for (record, position) in found.into_iter().take(room as usize) {
                records.push(record);
                last = Some(position);
            }
            let next = match is_full {
                true => last,
                false => end,
            };
            let is_done = records.len() == limit as usize || next.is_none();
            if is_done || Instant::now() >= until {
                return Ok(Page { records, next });
            }
            after = next;
            step = (2 * step).min(MOST);
        }
    }

    /// Finds the place so many uploads behind another one; `None` where there are fewer.
    async fn position(
        &self,
        query: &Query,
        after: Option<&Position>,
        step: u64,
    ) -> Result<Option<Position>, StoreError> {
        let mut bound = Bound::new(query, after, None);
        let step = bound.next(signed(step.saturating_sub(1)));
        let (column, (_, _, way)) = (query.order.key.column(), query.order.sql());
        let text = format!(
            "SELECT {column} AS value, id FROM uploads WHERE {}
             ORDER BY {column} {way}, id {way} LIMIT 1 OFFSET {step}",
            bound.conditions.join(" AND ")
        );
        let row = bound.statement(text).fetch_optional(self.lists()).await?;
        let position = row.map(|row| Position::read(&row, query.order));
        Ok(position.transpose()?)
    }

    /// Lists the uploads between two places, the second one included.
    async fn between(
        &self,
        query: &Query,
        after: Option<&Position>,
        end: Option<&Position>,
        limit: u32,
    ) -> Result<Vec<(Record, Position)>, StoreError> {
        let mut bound = Bound::new(query, after, end);
        bound.filter(query);
        let limit = bound.next(i64::from(limit));
        let (column, (_, _, way)) = (query.order.key.column(), query.order.sql());
        let text = format!(
            "SELECT *, {column} AS value FROM uploads WHERE {}
             ORDER BY {column} {way}, id {way} LIMIT {limit}",
            bound.conditions.join(" AND ")
        );
        let rows = bound.statement(text).fetch_all(self.lists()).await?;
        rows.iter()
            .map(|row| Ok((record(row)?, Position::read(row, query.order)?)))
            .collect()
    }

    /// Finds the place of an owner's upload in an order.
    pub async fn place_of(
        &self,
        owner: &str,
        id: &str,
        order: Order,
    ) -> Result<Option<Position>, StoreError> {
        if !is_storable(id) {
            return Ok(None);
        }
        let column = order.key.column();
        let text =
            format!("SELECT {column} AS value, id FROM uploads WHERE owner = $1 AND id = $2");
        let row = sqlx::query(AssertSqlSafe(text))
            .bind(owner)
            .bind(id)
            .fetch_optional(self.lists())
            .await?;
        let position = row.map(|row| Position::read(&row, order));
        Ok(position.transpose()?)
    }
}

/// The conditions of a statement, and the values in them.
struct Bound {
    conditions: Vec<String>,
    values: Vec<Value>,
}

impl Bound {
    /// Begins with the uploads of the owner between two places: an index has them in this order.
    fn new(query: &Query, after: Option<&Position>, end: Option<&Position>) -> Self {
        let mut bound = Self {
            conditions: Vec::new(),
            values: Vec::new(),
        };
        if query.order.key == Key::Time {
            // As the index has it. The others have those that are gone, too: to leave them out takes their rows.
            bound.conditions.push("gone = 0".to_owned());
        }
        let owner = bound.next(query.owner.as_str());
        bound.conditions.push(format!("owner = {owner}"));
        if query.is_of_unfinished() {
            bound.conditions.push("state <> 'complete'".to_owned());
        }
        let (column, (behind, until, _)) = (query.order.key.column(), query.order.sql());
        for (position, comparison) in [(after, behind), (end, until)] {
            let Some(position) = position else { continue };
            let value = bound.next(position.value.clone());
            let id = bound.next(position.id.as_str());
            let condition = format!("({column}, id) {comparison} ({value}, {id})");
            bound.conditions.push(condition);
        }
        bound
    }

    /// Adds what chooses among these.
    fn filter(&mut self, query: &Query) {
        if query.order.key != Key::Time {
            self.conditions.push("gone = 0".to_owned());
        }
        match query.filter {
            Filter::All => {}
            Filter::Complete => self.conditions.push("state = 'complete'".to_owned()),
            // Not as the index of unfinished uploads has it, which has another order.
            Filter::Unfinished => self.conditions.push("NOT (state = 'complete')".to_owned()),
        }
        if let Some(dir) = &query.dir {
            let dir = self.next(dir.as_str());
            self.conditions.push(format!("{DIR} = {dir}"));
        }
        for word in &query.words {
            let pattern = self.next(&*pattern(word));
            let condition = format!("folded LIKE {pattern} ESCAPE '\\'");
            self.conditions.push(condition);
        }
    }

    /// Adds a value. Returns its name in the statement.
    fn next(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }

    fn statement(self, text: String) -> Statement<'static, Any, AnyArguments> {
        let mut statement = sqlx::query(AssertSqlSafe(text));
        for value in self.values {
            statement = match value {
                Value::Number(number) => statement.bind(number),
                Value::Text(text) => statement.bind(text),
            };
        }
        statement
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// Writes what a name with this word is like.
fn pattern(word: &str) -> String {
    let mut pattern = "%".to_owned();
    for c in folded(word).chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern + "%"
}
