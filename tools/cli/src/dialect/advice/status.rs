//! What the status of a response tells.

use resup::dialect::{Purpose, Received, Step};

use super::answer;
use super::finding::{finding, is_success, replaced, set, Finding};

/// Makes the finding that the server wants to know who the user is.
pub(super) fn login(response: &Received) -> Option<Finding> {
    let what = match response.status {
        300..=399 => "the answer is a redirect to where people log in",
        _ => "the answer is a page at which people log in",
    };
    finding(
        "login",
        format!("{what}: give --basic, --token, --login, --header or --cookie"),
        None,
    )
}

/// Tells by the status what is wrong. `object` is the key of the question, or empty for a chunk.
pub(super) fn by_status(step: &Step, response: &Received, object: &str) -> Option<Finding> {
    let key = |name: &str| match object {
        "" => name.to_owned(),
        object => format!("{object}.{name}"),
    };
    let status = response.status;
    let allow = answer::header(response, "allow");
    match status {
        401 | 403 | 407 => finding(
            "login",
            format!("the server answers {status}: give --basic, --token, --login, --header or --cookie, or allow the upload there"),
            None,
        ),
        404 | 410 => finding(
            &key("url"),
            format!("the server answers {status}: nothing takes this {} at this address", step.method),
            None,
        ),
        405 | 501 => {
            let other = ["POST", "PUT", "GET"].into_iter().find(|it| {
                let allowed = allow.is_some_and(|allow| allow.split([',', ' ']).any(|one| one == *it));
                allowed && *it != step.method && !(object.is_empty() && *it == "GET")
            });
            let none = (object == "test").then(|| "\"test\": null, if it cannot be asked".to_owned());
            finding(
                &key("method"),
                format!(
                    "the server answers {status}: it takes no {} at this address{}",
                    step.method,
                    allow.map_or(String::new(), |allow| format!(", but {allow}"))
                ),
                other.map(|other| set(&key("method"), other)).or(none),
            )
        }
        413 => {
            let length = step.bytes.1;
            match step.chunk.1 {
                1 => finding("chunk_size", format!("a request with {length} bytes is too large for the server"), None),
                _ => finding(
                    "chunk_size",
                    format!("a chunk of {length} bytes is too large for the server; --chunk-size tries smaller ones"),
                    format!("\"chunk_size\": {}", (length / 2).max(1)),
                ),
            }
        }
        300..=399 => redirect(step, response, &key("url")),
        400..=499 => finding(
            &key("fields"),
            format!(
                "the server answers {status}: something in the request is not as it wants it; compare \"file_field\", \"fields\" \
                 and \"headers\" with what its page or widget sends"
            ),
            None,
        ),
        500..=599 => finding(
            &key("fields"),
            format!(
                "the server has failed ({status}); its log says why. A server may fail so where a field is missing: compare \
                 \"file_field\" and \"fields\" with what its page or widget sends"
            ),
            None,
        ),
        _ => None,
    }
}

fn redirect(step: &Step, response: &Received, key: &str) -> Option<Finding> {
    let status = response.status;
    let to = answer::header(response, "location").unwrap_or("nowhere");
    let path = |url: &str| -> String {
        let rest = url
            .split_once("://")
            .map_or(url, |(_, rest)| rest.find('/').map_or("", |at| &rest[at..]));
        let rest = rest.split('?').next().unwrap_or_default();
        rest.trim_end_matches('/').to_owned()
    };
    if path(to) == path(&step.url) || step.purpose != Purpose::Send {
        return finding(
            key,
            format!("the server answers {status}, a redirect to {to}: the address is that one"),
            None,
        );
    }
    let verdict = step
        .verdicts
        .iter()
        .find(|it| !it.is_met && is_success(it.key))?;
    finding(
        verdict.key,
        format!("the server answers {status}, a redirect to {to}: many forms answer so when they have the file"),
        replaced(step, verdict, &format!("{} {status}", verdict.rule)),
    )
}
