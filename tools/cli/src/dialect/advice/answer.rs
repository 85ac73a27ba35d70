//! What a server's answer shows of itself.

use resup::dialect::Received;
use serde_json::Value;

/// The names of members that say whether a request has succeeded.
const SUCCESS: [&str; 6] = ["success", "ok", "uploaded", "done", "status", "result"];

/// Texts that say so.
const YES: [&str; 8] = [
    "true", "ok", "success", "done", "stored", "yes", "uploaded", "1",
];

/// Texts that say the reverse.
const NO: [&str; 6] = ["false", "error", "fail", "failed", "no", "failure"];

/// Gives the value of a header field.
pub fn header<'r>(response: &'r Received, name: &str) -> Option<&'r str> {
    let field = response.headers.iter().find(|field| field.name == name)?;
    field.value.as_deref()
}

/// Gives the body's JSON.
pub fn json(response: &Received) -> Option<Value> {
    serde_json::from_str(response.body.trim_start_matches('\u{feff}')).ok()
}

/// Whether the body is a page. (Some servers call every text one.)
pub fn is_page(response: &Received) -> bool {
    response.body.trim_start().starts_with("<!") || lower(response).contains("<html")
}

/// Whether it is a page at which people log in, or the way to one.
pub fn is_login(response: &Received) -> bool {
    let asks = is_page(response) && {
        let page = lower(response);
        page.contains("type=\"password\"") || page.contains("type='password'")
    };
    let leads = header(response, "location").is_some_and(|to| {
        let to = to.to_ascii_lowercase();
        let words = [
            "login", "logon", "signin", "sign_in", "sign-in", "/auth", "sso",
        ];
        words.iter().any(|word| to.contains(word))
    });
    asks || (leads && (300..400).contains(&response.status))
}

fn lower(response: &Received) -> String {
    response.body.to_ascii_lowercase()
}

/// Gives the first words of a body, to look for in the next one.
pub fn first_words(response: &Received) -> Option<String> {
    let line = response
        .body
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty())?;
    let words: Vec<_> = line.split_whitespace().take(3).collect();
    let words = words.join(" ");
    let is_usable = !words.contains(" and ") && words.len() <= 60 && line.contains(&words);
    is_usable.then_some(words)
}

/// Gives all values that are no objects and lists, with their pointers.
fn leaves(json: &Value) -> Vec<(String, &Value)> {
    let step = |name: &str, value| -> Vec<_> {
        let name = name.replace('~', "~0").replace('/', "~1");
        let inner = leaves(value).into_iter();
        inner
            .map(|(at, value)| (format!("/{name}{at}"), value))
            .collect()
    };
    match json {
        Value::Object(map) => map
            .iter()
            .flat_map(|(name, value)| step(name, value))
            .collect(),
        Value::Array(list) => {
            let items = list.iter().enumerate();
            items
                .flat_map(|(index, value)| step(&index.to_string(), value))
                .collect()
        }
        value => vec![(String::new(), value)],
    }
}

/// Gives the pointer to a number.
pub fn number_at(json: &Value, number: u64) -> Option<String> {
    let found = leaves(json)
        .into_iter()
        .find(|(_, value)| value.as_u64() == Some(number));
    found.map(|(at, _)| at).filter(|at| !at.is_empty())
}

/// Gives the condition that a body meets and that seems to mean success.
pub fn condition(json: &Value) -> Option<String> {
    let name = |at: &str| {
        at.rsplit('/')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase()
    };
    let leaves = leaves(json).into_iter();
    let found = leaves.filter(|(at, value)| SUCCESS.contains(&&*name(at)) && says_yes(value));
    found
        .map(|(at, value)| format!("json:{at}={}", text(value)))
        .next()
}

/// Gives the member by which a body says that the request has failed, as `NAME is VALUE`.
pub fn failure(json: &Value) -> Option<(String, String)> {
    let map = json.as_object()?;
    let says_no = |(name, value): (&String, &Value)| {
        let name_is = |names: &[&str]| names.contains(&&*name.to_ascii_lowercase());
        let is_no = match value {
            Value::Bool(is_true) => !is_true,
            Value::String(text) => NO.contains(&&*text.to_ascii_lowercase()),
            _ => false,
        };
        let is_error = match value {
            Value::Null | Value::Bool(false) => false,
            Value::String(text) => !text.is_empty(),
            Value::Number(number) => number.as_u64() != Some(0),
            Value::Array(list) => !list.is_empty(),
            _ => true,
        };
        (name_is(&SUCCESS) && is_no) || (name_is(&["error", "errors"]) && is_error)
    };
    let found = map.iter().find(|it| says_no(*it))?;
    Some((found.0.clone(), text(found.1)))
}

fn says_yes(value: &Value) -> bool {
    match value {
        Value::Bool(is_true) => *is_true,
        Value::Null => false,
        value => YES.contains(&&*text(value).to_ascii_lowercase()),
    }
}

/// Writes a value as an expression has it.
pub fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}
