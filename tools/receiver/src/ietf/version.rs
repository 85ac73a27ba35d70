//! The versions of draft-ietf-httpbis-resumable-upload, and what differs between them.

use axum::http::{HeaderMap, HeaderName, StatusCode};

use crate::http::reply::{excerpt, Reply};
use crate::resource::headers::{bad, one};

/// The header by which drafts tell their version.
pub const HEADER: HeaderName = HeaderName::from_static("upload-draft-interop-version");
/// The header that says whether an upload is complete.
pub const COMPLETE: HeaderName = HeaderName::from_static("upload-complete");
const INCOMPLETE: HeaderName = HeaderName::from_static("upload-incomplete");

/// A version.
#[derive(Debug, PartialEq, Eq)]
pub struct Version {
    /// The interop version; none in the RFC that is to come.
    pub number: Option<&'static str>,
    /// Whether the header is Upload-Incomplete, which says the contrary of Upload-Complete.
    says_incomplete: bool,
    /// Whether an append has the type application/partial-upload.
    pub has_type: bool,
    /// What Upload-Limit calls the time that an upload is kept; empty where there is no such header.
    pub age: &'static str,
}

impl Version {
    const fn new(number: &'static str) -> Self {
        Self {
            number: Some(number),
            says_incomplete: false,
            has_type: true,
            age: "max-age",
        }
    }
}

/// All versions, the newest first.
const VERSIONS: [Version; 8] = [
    Version {
        number: None,
        ..Version::new("")
    },
    Version::new("9"),
    Version::new("8"),
    Version::new("7"),
    // Drafts -04 and -05.
    Version {
        age: "expires",
        ..Version::new("6")
    },
    // Draft -03.
    Version {
        has_type: false,
        age: "",
        ..Version::new("5")
    },
    // Draft -02.
    Version {
        has_type: false,
        age: "",
        ..Version::new("4")
    },
    // Draft -01, which Apple's URLSession speaks.
    Version {
        says_incomplete: true,
        has_type: false,
        age: "",
        ..Version::new("3")
    },
];

impl Version {
    /// The newest version.
    pub fn newest() -> &'static Self {
        &VERSIONS[0]
    }

    /// Finds the version of a request.
    pub fn of(headers: &HeaderMap) -> Result<&'static Self, Reply> {
        let named = one(headers, HEADER.as_str())?;
        let found = VERSIONS.iter().find(|version| version.number == named);
        found.ok_or_else(|| {
            let known: Vec<_> = VERSIONS.iter().filter_map(|it| it.number).collect();
            let message = format!(
                "the draft's interop version '{}' is not spoken here: {} are",
                excerpt(named.unwrap_or("")).escape_debug(),
                known.join(", ")
            );
            Reply::refusal(StatusCode::PRECONDITION_FAILED, message)
        })
    }

    /// Reads whether a request ends the file.
    pub fn is_last(&self, headers: &HeaderMap) -> Result<bool, Reply> {
        let name = self.header();
        let Some(text) = one(headers, name.as_str())? else {
            let message = format!("the header {name} is missing");
            return Err(Reply::bad_request(message));
        };
        match bare(text) {
            "?1" => Ok(!self.says_incomplete),
            "?0" => Ok(self.says_incomplete),
            _ => Err(bad(name.as_str(), text)),
        }
    }

    /// Adds whether the upload is complete.
    pub fn add_complete(&self, reply: Reply, is_complete: bool) -> Reply {
        let value = match is_complete != self.says_incomplete {
            true => "?1",
            false => "?0",
        };
        let reply = reply.with_header(self.header(), value);
        match self.number {
            Some(number) => reply.with_header(HEADER, number),
            None => reply,
        }
    }

    /// Whether a reply says that already.
    pub fn is_told(&self, reply: &Reply) -> bool {
        reply.has_header(&self.header())
    }

    fn header(&self) -> HeaderName {
        match self.says_incomplete {
            true => INCOMPLETE,
            false => COMPLETE,
        }
    }
}

/// Reads a structured number (RFC 9651, 3.3.1) that is not negative.
pub fn number(headers: &HeaderMap, name: &str) -> Result<Option<u64>, Reply> {
    let Some(text) = one(headers, name)? else {
        return Ok(None);
    };
    let digits = bare(text);
    let is_plain = (1..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    match digits.parse() {
        Ok(number) if is_plain => Ok(Some(number)),
        _ => Err(bad(name, text)),
    }
}

/// Returns a structured value without its parameters, none of which is defined here.
fn bare(text: &str) -> &str {
    let (value, _) = text.split_once(';').unwrap_or((text, ""));
    value.trim()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = lines.iter();
        pairs
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn the_oldest_version_says_the_contrary() {
        let new = Version::newest();
        let old = Version::of(&headers(&[("upload-draft-interop-version", "3")])).unwrap();
        assert_eq!((old.number, old.has_type), (Some("3"), false));
        assert_eq!(
            new.is_last(&headers(&[("upload-complete", "?1")])).ok(),
            Some(true)
        );
        assert_eq!(
            new.is_last(&headers(&[("upload-complete", "?0;a=1")])).ok(),
            Some(false)
        );
        assert_eq!(
            old.is_last(&headers(&[("upload-incomplete", "?1")])).ok(),
            Some(false)
        );
        assert_eq!(
            old.is_last(&headers(&[("upload-incomplete", "?0")])).ok(),
            Some(true)
        );
        for lines in [
            &[][..],
            &[("upload-complete", "1")],
            &[("upload-incomplete", "?0")],
        ] {
            assert!(new.is_last(&headers(lines)).is_err(), "{lines:?}");
        }
    }

    #[test]
    fn versions_that_are_not_known_are_refused() {
        for number in ["2", "10", "", "3, 3", "none"] {
            let refused = Version::of(&headers(&[("upload-draft-interop-version", number)]));
            assert!(refused.is_err(), "{number}");
        }
        assert_eq!(Version::of(&HeaderMap::new()).ok(), Some(Version::newest()));
    }

    #[test]
    fn structured_numbers_have_at_most_15_digits() {
        let read = |value| number(&headers(&[("upload-length", value)]), "upload-length");
        assert_eq!(read("100;a").ok(), Some(Some(100)));
        assert_eq!(
            read("999999999999999").ok(),
            Some(Some(999_999_999_999_999))
        );
        for bad in ["1000000000000000", "-1", "1.0", "", "?1", "\"1\""] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
