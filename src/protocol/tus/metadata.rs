//! The description of a file, as tus sends it when an upload is created.

use base64::prelude::{Engine as _, BASE64_STANDARD};

use crate::error::Error;
use crate::http::limited;
use crate::protocol::Job;

/// Writes the value of `Upload-Metadata`. The names of the first two are those that servers know; the
/// others are named as in the form protocol. A field of the program's stands in place of ours.
pub(super) fn write(job: &Job) -> Result<String, Error> {
    let mut pairs = vec![
        ("filename".to_owned(), job.name.clone()),
        ("filetype".to_owned(), job.content_type.clone()),
    ];
    let mut add = |name: &str, value: String| pairs.push((name.to_owned(), value));
    if let Some(mtime) = job.mtime {
        add("mtime", mtime.to_string());
    }
    if !job.dir.is_empty() {
        add("dir", job.dir.clone());
    }
    if let Some(user) = &job.user {
        add("user", user.clone());
    }
    for digest in &job.digests {
        add(digest.algorithm().name(), digest.hex());
    }
    for (name, value) in &job.fields {
        if !name
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b',')
            || name.is_empty()
        {
            return Err(Error::InvalidArgument {
                what: "field",
                why: format!(
                    "\"{}\" cannot be a name in tus: it takes printable ASCII without blanks and commas",
                    limited(name)
                ),
            });
        }
        // No name may be there twice.
        pairs.retain(|(other, _)| other != name);
        pairs.push((name.clone(), value.clone()));
    }
    let pairs = pairs.iter().map(|(name, value)| match value.as_str() {
        "" => name.clone(),
        value => format!("{name} {}", BASE64_STANDARD.encode(value)),
    });
    Ok(pairs.collect::<Vec<_>>().join(","))
}
