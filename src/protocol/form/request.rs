//! The fields of a request.

use std::borrow::Cow;

use super::multipart::Field;
use crate::error::Error;
use crate::http::with_query;
use crate::protocol::Job;

/// The protocol's own field names.
const FIELDS: [&str; 29] = [
    "action",
    "id",
    "name",
    "size",
    "mtime",
    "dir",
    "user",
    "md5",
    "prefix",
    "prefix_md5",
    "offset",
    "length",
    "file",
    "restart",
    "sha256",
    "blake3",
    "digest",
    "digests",
    "prefix_sha256",
    "prefix_blake3",
    "part",
    "part_md5",
    "part_sha256",
    "part_blake3",
    "discard",
    "ts",
    "nonce",
    "sign",
    "sign_tail",
];

/// Whether the protocol uses this name, so that the program's own fields cannot.
pub(crate) fn is_reserved(name: &str) -> bool {
    FIELDS.contains(&name)
}

/// The longest URL of a `GET`. (The crate `http` allows 65534 bytes, and `ureq` writes the
/// request's head into 64 KiB; the rest of it is for the headers.)
const LONGEST_URL: usize = 60_000;

/// Gives `form` back, unless the URL of a `GET` with it is too long.
pub(super) fn check_length(url: &str, form: String) -> Result<String, Error> {
    let length = with_query(url, &form).len();
    if length <= LONGEST_URL {
        return Ok(form);
    }
    Err(Error::InvalidArgument {
        what: "locate method",
        why: format!(
            "GET would make a URL of {length} bytes; the limit is {LONGEST_URL}: \
             set it to POST, or send fewer fields"
        ),
    })
}

/// Gives the fields that locate and send share, the program's own ones included.
pub(super) fn common_fields<'a>(job: &'a Job, action: &str) -> Vec<Field<'a>> {
    let mut fields = vec![
        ("action".into(), action.to_owned()),
        ("name".into(), with_crlf(&job.name).into_owned()),
        ("size".into(), job.size.to_string()),
    ];
    if let Some(mtime) = job.mtime {
        fields.push(("mtime".into(), mtime.to_string()));
    }
    fields.push(("dir".into(), job.dir.clone()));
    if let Some(user) = &job.user {
        fields.push(("user".into(), user.clone()));
    }
    let own = job.fields.iter();
    fields.extend(own.map(|(name, value)| (with_crlf(name), with_crlf(value).into_owned())));
    fields
}

/// Gives the digests of the whole file that are known.
pub(super) fn digest_fields(job: &Job) -> impl Iterator<Item = Field<'_>> {
    let digests = job.digests.iter();
    digests.map(|digest| (digest.algorithm().name().into(), digest.hex()))
}

/// Replaces every line break by CR LF, as both encodings of forms require (WHATWG HTML, "converting
/// an entry list to a list of name-value pairs").
pub(in crate::protocol) fn with_crlf(text: &str) -> Cow<'_, str> {
    if !text.contains(['\r', '\n']) {
        return Cow::Borrowed(text);
    }
    let unix = text.replace("\r\n", "\n").replace('\r', "\n");
    Cow::Owned(unix.replace('\n', "\r\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_breaks_are_the_same_in_both_requests() {
        assert_eq!(with_crlf("a\nb\rc\r\nd"), "a\r\nb\r\nc\r\nd");
        let odd = Job {
            name: "a\nb".to_owned(),
            size: 10,
            is_passed: false,
            mtime: None,
            offer: &[],
            digests: Vec::new(),
            dir: String::new(),
            user: None,
            content_type: "text/plain".to_owned(),
            connections: 0,
            fields: Vec::new(),
        };
        assert_eq!(common_fields(&odd, "locate")[1].1, "a\r\nb");
        assert_eq!(common_fields(&odd, "send")[1].1, "a\r\nb");
    }
}
