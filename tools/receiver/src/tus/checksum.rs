//! The header Upload-Checksum.

use axum::http::HeaderMap;
use base64::prelude::{Engine as _, BASE64_STANDARD};
use resup_digests::Algorithm;

use crate::http::reply::{excerpt, Reply};
use crate::resource::check::Check;
use crate::resource::headers::{bad, one};

/// The names of the algorithms.
pub const NAMES: [&str; 4] = ["sha1", "md5", "sha256", "blake3"];
const HEADER: &str = "upload-checksum";

/// Reads the digest of a request's body.
pub fn read(headers: &HeaderMap) -> Result<Option<Check>, Reply> {
    let Some(text) = one(headers, HEADER)? else {
        return Ok(None);
    };
    let (name, value) = text.split_once(' ').unwrap_or((text, ""));
    let name = name.to_ascii_lowercase();
    if !NAMES.contains(&&*name) {
        let message = format!(
            "the checksum algorithm '{}' is not known here: {} are",
            excerpt(&name).escape_debug(),
            NAMES.join(", ")
        );
        return Err(Reply::bad_request(message));
    }
    let digest = BASE64_STANDARD.decode(value.trim()).ok();
    let check = digest.and_then(|digest| Check::new(Algorithm::of_name(&name), digest));
    check.map(Some).ok_or_else(|| bad(HEADER, text))
}
