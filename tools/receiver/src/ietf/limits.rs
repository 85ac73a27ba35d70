//! The header Upload-Limit.

use std::time::Duration;

use axum::http::HeaderName;

use crate::http::reply::Reply;
use crate::ietf::version::Version;
use crate::storage::database::now;
use crate::storage::record::{Record, State};
use crate::wire::endpoint::Endpoint;

/// The header.
pub const HEADER: HeaderName = HeaderName::from_static("upload-limit");
/// The largest structured number.
const LARGEST: u64 = 999_999_999_999_999;

/// Adds what this receiver takes at most, and how long it keeps an upload that gets no further.
pub fn add(reply: Reply, endpoint: &Endpoint, version: &Version, record: Option<&Record>) -> Reply {
    match text(endpoint, version, record) {
        Some(limits) => reply.with_header(HEADER, limits),
        None => reply,
    }
}

/// Writes the header's value; `None` where the version has no such header.
pub fn text(endpoint: &Endpoint, version: &Version, record: Option<&Record>) -> Option<String> {
    match version.age {
        "" => None,
        name => Some(write(endpoint, name, record)),
    }
}

fn write(endpoint: &Endpoint, age_name: &str, record: Option<&Record>) -> String {
    let config = &endpoint.config;
    let age = config.expire.filter(|_| !is_complete(record));
    let limits = [
        ("max-size", config.max_size.map(Into::into)),
        ("max-append-size", endpoint.max_segment()),
        (age_name, age.map(|age| left(age, record))),
    ];
    let given = limits
        .into_iter()
        .filter_map(|(name, limit)| Some(format!("{name}={}", limit?.min(LARGEST))));
    let given: Vec<_> = given.collect();
    match given.is_empty() {
        true => "min-size=0".to_owned(),
        false => given.join(", "),
    }
}

fn is_complete(record: Option<&Record>) -> bool {
    record.is_some_and(|record| record.state == State::Complete)
}

/// The seconds that an upload is still kept. They begin anew with each request that brings bytes.
fn left(age: Duration, record: Option<&Record>) -> u64 {
    let changed = record.map_or(0, |record| record.changed);
    let idle = match changed {
        0 => 0,
        changed => now().saturating_sub(changed).max(0).unsigned_abs(),
    };
    age.saturating_sub(Duration::from_millis(idle)).as_secs()
}
