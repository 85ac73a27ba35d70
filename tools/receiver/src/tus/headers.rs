//! What responses say about an upload, and about this receiver.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::http::HeaderName;
use base64::prelude::{Engine as _, BASE64_STANDARD};
use resup_digests::Algorithm;

use crate::http::reply::Reply;
use crate::storage::database::now;
use crate::storage::record::{Record, State};
use crate::tus::checksum::NAMES;
use crate::wire::endpoint::Endpoint;

/// The version that is spoken here.
pub const VERSION: &str = "1.0.0";
/// The header that each request and each response has, but for OPTIONS.
pub const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
/// The header that says where an upload stands.
pub const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");
const DEFER: HeaderName = HeaderName::from_static("upload-defer-length");
const CONCAT: HeaderName = HeaderName::from_static("upload-concat");
/// The digest of the bytes that are here, which a client compares with the file's: an extension of this receiver.
const HELD_DIGEST: HeaderName = HeaderName::from_static("upload-held-digest");
const METADATA: HeaderName = HeaderName::from_static("upload-metadata");
const EXPIRES: HeaderName = HeaderName::from_static("upload-expires");
const EXTENSIONS: &str =
    "creation,creation-with-upload,creation-defer-length,checksum,expiration,termination";

/// Adds the offset, and when the upload expires.
pub fn add_offset(reply: Reply, endpoint: &Endpoint, record: &Record) -> Reply {
    let reply = reply.with_header(OFFSET, record.offset.to_string());
    add_expiry(reply, endpoint, record)
}

/// Adds when the upload expires.
pub fn add_expiry(reply: Reply, endpoint: &Endpoint, record: &Record) -> Reply {
    match endpoint.config.expire {
        Some(age) if record.state != State::Complete => {
            // It begins anew with each request that brings bytes, and a new record has no time yet.
            let since = match record.changed {
                0 => now(),
                changed => changed,
            };
            let end = Duration::from_millis(since.unsigned_abs()).saturating_add(age);
            match UNIX_EPOCH.checked_add(end) {
                Some(end) => reply.with_header(EXPIRES, date(end)),
                None => reply,
            }
        }
        _ => reply,
    }
}

/// Writes a time, up to the end of the year 9999.
fn date(time: SystemTime) -> String {
    let latest = UNIX_EPOCH + Duration::from_secs(253_402_300_799);
    httpdate::fmt_http_date(time.min(latest))
}

/// Adds all that is known of an upload.
pub fn add_state(reply: Reply, endpoint: &Endpoint, record: &Record) -> Reply {
    let file = &record.identity;
    let reply = add_offset(reply, endpoint, record);
    let reply = match record.is_open {
        true => reply.with_header(DEFER, "1"),
        false => reply.with_header(LENGTH, file.size.to_string()),
    };
    let by = [Algorithm::Blake3, Algorithm::Sha256, Algorithm::Md5];
    let reply = match by.into_iter().find_map(|it| record.digests.get(it)) {
        Some(digest) if record.offset > 0 => {
            let (name, value) = (
                digest.algorithm().name(),
                BASE64_STANDARD.encode(digest.bytes()),
            );
            reply.with_header(HELD_DIGEST, format!("{name} {value}"))
        }
        _ => reply,
    };
    let reply = match record.concat.text() {
        "" => reply,
        text => reply.with_header(CONCAT, text.to_owned()),
    };
    let mut pairs = vec![("filename", file.name.as_str())];
    pairs.extend([("dir", &*file.dir), ("mtime", &*file.mtime)]);
    let pairs = pairs.into_iter().filter(|(_, value)| !value.is_empty());
    let metadata: Vec<_> = pairs
        .map(|(key, value)| format!("{key} {}", BASE64_STANDARD.encode(value)))
        .collect();
    reply.with_header(METADATA, metadata.join(","))
}

/// Adds what an OPTIONS asks for.
pub fn add_abilities(reply: Reply, endpoint: &Endpoint) -> Reply {
    let header = HeaderName::from_static;
    let extensions = match endpoint.uploads.objects {
        None => format!("{EXTENSIONS},concatenation"),
        Some(_) => EXTENSIONS.to_owned(),
    };
    let reply = reply
        .with_header(RESUMABLE, VERSION)
        .with_header(header("tus-version"), VERSION)
        .with_header(header("tus-extension"), extensions)
        .with_header(header("tus-checksum-algorithm"), NAMES.join(","));
    match endpoint.config.max_size {
        Some(most) => reply.with_header(header("tus-max-size"), most.to_string()),
        None => reply,
    }
}
