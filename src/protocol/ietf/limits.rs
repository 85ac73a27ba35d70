//! The limits that a server announces in `Upload-Limit`.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::http::Response;

/// The limits of a server; 0 for none.
#[derive(Debug, Default)]
pub(super) struct Limits {
    size: AtomicU64,
    append: AtomicU64,
}

impl Limits {
    /// Notes the limits in a response. A value that is no number is passed over.
    pub(super) fn note(&self, response: &Response) {
        for list in response.values("upload-limit") {
            for member in list.split(',') {
                let member = member.split(';').next().unwrap_or_default();
                let Some((key, value)) = member.split_once('=') else {
                    continue;
                };
                let limit = match key.trim() {
                    "max-size" => &self.size,
                    "max-append-size" => &self.append,
                    _ => continue,
                };
                if let Ok(value) = value.trim().parse() {
                    limit.store(value, Relaxed);
                }
            }
        }
    }

    /// Gives the size of the largest file.
    pub(super) fn max_size(&self) -> Option<u64> {
        Some(self.size.load(Relaxed)).filter(|limit| *limit > 0)
    }

    /// Gives the most bytes of one request.
    pub(super) fn max_append(&self) -> Option<u64> {
        Some(self.append.load(Relaxed)).filter(|limit| *limit > 0)
    }
}

impl Clone for Limits {
    fn clone(&self) -> Self {
        Limits {
            size: AtomicU64::new(self.size.load(Relaxed)),
            append: AtomicU64::new(self.append.load(Relaxed)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderMap, HeaderValue};

    #[test]
    fn limits_are_members_of_a_dictionary() {
        let limits = Limits::default();
        let mut headers = HeaderMap::new();
        let value = "max-age=60, max-append-size=1000;x=1, min-size=1, max-size=lots, odd";
        headers.insert("upload-limit", HeaderValue::from_static(value));
        limits.note(&Response {
            headers,
            ..Response::default()
        });
        assert_eq!((limits.max_append(), limits.max_size()), (Some(1000), None));
    }
}
