//! The limits that a server announces in `Upload-Limit`.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::fields::integer;
use crate::error::{Error, RefusalKind};
use crate::http::{refusal_of, Response};
use crate::protocol::Job;

/// The limits of a server; 0 for none. What a later response says of one goes before.
#[derive(Debug, Default)]
pub(super) struct Limits {
    size: AtomicU64,
    append: AtomicU64,
    least_append: AtomicU64,
    age: AtomicU64,
}

impl Limits {
    /// Notes the limits in a response. A value that is no number is passed over. Gives what is new for the log.
    pub(super) fn note(&self, response: &Response) -> Option<String> {
        let mut new = None;
        for (key, value) in members(response) {
            let limit = match &*key {
                "max-size" => &self.size,
                "max-append-size" => &self.append,
                "min-append-size" => &self.least_append,
                "max-age" => {
                    if self.age.swap(value, Relaxed) != value {
                        new = Some(format!(
                            "the server keeps an unfinished upload for {value} s"
                        ));
                    }
                    continue;
                }
                _ => continue,
            };
            limit.store(value, Relaxed);
        }
        new
    }

    /// Gives the size of the largest file.
    pub(super) fn max_size(&self) -> Option<u64> {
        some(&self.size)
    }

    /// Gives the most bytes of one request.
    pub(super) fn max_append(&self) -> Option<u64> {
        some(&self.append)
    }

    /// Gives the least bytes of each request but the last one.
    pub(super) fn min_append(&self) -> Option<u64> {
        some(&self.least_append)
    }
}

fn some(limit: &AtomicU64) -> Option<u64> {
    Some(limit.load(Relaxed)).filter(|limit| *limit > 0)
}

/// Fails if the file is larger or smaller than a response allows.
pub(super) fn check(response: &Response, job: &Job) -> Result<(), Error> {
    if !job.has_size() {
        return Ok(());
    }
    let size = job.size;
    for (key, limit) in members(response) {
        let (bound, kind) = match &*key {
            "max-size" if size > limit => ("most", RefusalKind::TooLarge),
            "min-size" if size < limit => ("least", RefusalKind::Other),
            _ => continue,
        };
        let hint = format!("it takes files of at {bound} {limit} bytes, and this one has {size}");
        return Err(refusal_of(response, Some(hint)).with_kind(kind));
    }
    Ok(())
}

/// Gives the members of the dictionary that are numbers.
fn members(response: &Response) -> Vec<(String, u64)> {
    let mut members = Vec::new();
    for list in response.values("upload-limit") {
        members.extend(list.split(',').filter_map(|member| {
            let (key, value) = member.split_once('=')?;
            Some((key.trim().to_owned(), integer(value)?))
        }));
    }
    members
}

impl Clone for Limits {
    fn clone(&self) -> Self {
        let copy = |limit: &AtomicU64| AtomicU64::new(limit.load(Relaxed));
        Limits {
            size: copy(&self.size),
            append: copy(&self.append),
            least_append: copy(&self.least_append),
            age: copy(&self.age),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderMap, HeaderValue};

    fn response(value: &'static str) -> Response {
        let mut headers = HeaderMap::new();
        headers.insert("upload-limit", HeaderValue::from_static(value));
        Response {
            headers,
            ..Response::default()
        }
    }

    #[test]
    fn limits_are_members_of_a_dictionary() {
        let limits = Limits::default();
        let value = "max-age=60, max-append-size=1000;x=1, min-append-size=10,min-size=1, max-size=lots, odd";
        let new = limits.note(&response(value));
        assert!(new.is_some_and(|line| line.contains("for 60 s")));
        assert_eq!((limits.max_append(), limits.max_size()), (Some(1000), None));
        assert_eq!(limits.min_append(), Some(10));
        assert_eq!(
            limits.note(&response("max-age=60, max-append-size=500")),
            None
        );
        assert_eq!(
            (limits.max_append(), limits.min_append()),
            (Some(500), Some(10))
        );
    }
}
