//! What a server says about a session.

use base64::prelude::{Engine as _, BASE64_STANDARD};
use resup_digests::Algorithm;
use serde_json::Value;

use crate::error::Error;
use crate::http::{limited, Response};
use crate::protocol::Job;

/// The members of an answer's JSON object, in the names that different services have for them.
pub(super) struct Members(Value);

impl Members {
    /// Reads the body of a response; `None` if it is no JSON object.
    pub(super) fn of(response: &Response) -> Option<Self> {
        let value: Value = serde_json::from_slice(&response.body).ok()?;
        value.is_object().then_some(Members(value))
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.as_str()
    }

    /// Gives the URL of a session that was created, as Graph has it.
    pub(super) fn upload_url(&self) -> Option<&str> {
        self.text("uploadUrl")
    }

    /// Gives the offset of the first byte that is wanted, as Graph has it.
    pub(super) fn next_expected(&self) -> Option<u64> {
        let ranges = self.0.get("nextExpectedRanges")?.as_array()?;
        let begins = ranges.iter().filter_map(|range| {
            let (begin, _) = range.as_str()?.split_once('-')?;
            begin.parse::<u64>().ok()
        });
        begins.min()
    }

    /// Whether they describe a finished file. Google Drive tells its kind and id, and no size.
    pub(super) fn are_of_a_file(&self) -> bool {
        self.have_one(&["size", "md5Hash", "kind", "id"]) && !self.deny_a_file()
    }

    /// Whether they say that there is no finished file.
    pub(super) fn deny_a_file(&self) -> bool {
        self.have_one(&["error", "nextExpectedRanges"])
    }

    fn have_one(&self, names: &[&str]) -> bool {
        let mut values = names.iter().filter_map(|name| self.0.get(*name));
        values.any(|value| !value.is_null())
    }

    /// Gives the size of the finished file. Google writes numbers as texts.
    pub(super) fn size(&self) -> Option<u64> {
        let size = self.0.get("size")?;
        size.as_u64().or_else(|| size.as_str()?.parse().ok())
    }

    /// Gives where a person finds the finished file.
    pub(super) fn location(&self) -> Option<String> {
        let found = ["webUrl", "selfLink"]
            .into_iter()
            .find_map(|name| self.text(name));
        found.map(limited)
    }

    /// Compares the MD5 of the finished file with that of the source, where both are known.
    pub(super) fn check_md5(&self, job: &Job) -> Result<(), Error> {
        let ours = job
            .digests
            .iter()
            .find(|it| it.algorithm() == Algorithm::Md5);
        let theirs = self.text("md5Hash");
        let theirs = theirs.and_then(|theirs| BASE64_STANDARD.decode(theirs).ok());
        match (ours, theirs) {
            (Some(ours), Some(theirs)) if ours.bytes() != theirs => {
                let hex: String = theirs.iter().map(|byte| format!("{byte:02x}")).collect();
                Err(Error::DigestMismatch {
                    why: format!("its MD5 is {hex}, that of the file is {}", ours.hex()),
                })
            }
            _ => Ok(()),
        }
    }
}

/// Reads how many bytes a session has from `Range: bytes=0-N`, which is left out where it has none.
pub(super) fn received(response: &Response, size: u64) -> Result<u64, Error> {
    let Some(range) = response.values("range").next() else {
        return Ok(0);
    };
    let range = range.trim();
    // Google writes the first form, and its own documents the second one.
    let last = range
        .strip_prefix("bytes=0-")
        .or_else(|| range.strip_prefix("0-"));
    let offset = match last {
        // uploadx says that of no bytes at all.
        Some("-1") => 0,
        // An emulator says this of no bytes, and nobody else of one.
        Some("0") => 0,
        Some(last) if last.bytes().all(|byte| byte.is_ascii_digit()) => match last.parse::<u64>() {
            Ok(last) => last.saturating_add(1),
            Err(_) => return Err(odd(range)),
        },
        _ => return Err(odd(range)),
    };
    if offset > size {
        return Err(Error::BadOffset {
            why: format!("{offset} of {size} bytes"),
        });
    }
    // It has all of them, and is not complete: the last byte once more makes it so.
    Ok(offset.min(size.saturating_sub(1)))
}

fn odd(range: &str) -> Error {
    Error::bad_response(format!(
        "its Range \"{}\" is no range from 0 on",
        limited(range)
    ))
}
