//! The types of refusals (RFC 9457).

use crate::http::{without_bom, Response};
use crate::protocol::resource::Problem;

/// What the types of the protocol begin with.
const TYPES: &str = "https://iana.org/assignments/http-problem-types#";

#[derive(serde::Deserialize)]
struct Body {
    #[serde(rename = "type")]
    kind: String,
    #[serde(rename = "expected-offset")]
    expected_offset: Option<u64>,
}

/// Reads what a refusal says of the upload by its type.
pub(super) fn read(response: &Response) -> Option<Problem> {
    if !(400..=499).contains(&response.status) {
        return None;
    }
    let body: Body = serde_json::from_slice(without_bom(&response.body)).ok()?;
    match body.kind.strip_prefix(TYPES)? {
        "mismatching-upload-offset" => body.expected_offset.map(Problem::OtherOffset),
        "completed-upload" => Some(Problem::Completed),
        "inconsistent-upload-length" => Some(Problem::OtherLength),
        _ => None,
    }
}
