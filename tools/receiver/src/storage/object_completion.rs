//! Completion of an object in parts of which some numbers are left out. The crate `object_store` counts the parts by itself, so
//! this is a request of our own, to an address that it signs.

use reqwest::StatusCode;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::storage::error::Fault;

#[derive(Serialize)]
#[serde(rename = "CompleteMultipartUpload")]
struct Completion {
    #[serde(rename = "Part")]
    parts: Vec<Part>,
}

#[derive(Serialize)]
struct Part {
    #[serde(flatten)]
    name: Name,
    #[serde(rename = "PartNumber")]
    number: usize,
}

/// What the store calls a part. The crate writes it as a document where there are checksums, else as the tag alone.
#[derive(Serialize, Deserialize)]
struct Name {
    #[serde(rename(serialize = "ETag", deserialize = "e_tag"))]
    tag: String,
    #[serde(rename(serialize = "ChecksumSHA256", deserialize = "checksum_sha256"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    #[serde(rename(serialize = "ChecksumCRC64NVME", deserialize = "checksum_crc64nvme"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    crc64: Option<String>,
}

impl Name {
    fn read(text: &str) -> Self {
        quick_xml::de::from_str(text).unwrap_or_else(|_| Self {
            tag: text.to_owned(),
            sha256: None,
            crc64: None,
        })
    }
}

/// Whether the parts are not numbered one by one.
pub fn has_gaps(parts: &[(usize, &str)]) -> bool {
    let expected = 0..parts.len();
    !parts.iter().map(|(number, _)| *number).eq(expected)
}

/// Writes the request's document.
fn document(parts: &[(usize, &str)]) -> String {
    let parts = parts.iter().map(|(number, name)| Part {
        name: Name::read(name),
        number: number + 1,
    });
    let completion = Completion {
        parts: parts.collect(),
    };
    quick_xml::se::to_string(&completion).expect("text and numbers")
}

/// Makes an object of its parts, by their numbers, with a request to a signed address. An error is why, and of which kind; it
/// does not have the address.
pub async fn complete(
    http: &reqwest::Client,
    url: Url,
    parts: &[(usize, &str)],
) -> Result<(), (String, Fault)> {
    let failed = |error: reqwest::Error| (error.without_url().to_string(), Fault::Away);
    let request = http.post(url).body(document(parts));
    let response = request.send().await.map_err(failed)?;
    let status = response.status();
    let text = response.text().await.map_err(failed)?;
    // A store may find out only after it has begun to answer that it cannot.
    if status.is_success() && !text.contains("<Error>") {
        return Ok(());
    }
    Err((format!("status code: {status}: {text}"), fault(status)))
}

fn fault(status: StatusCode) -> Fault {
    match status.as_u16() {
        404 => Fault::Missing,
        401 | 403 => Fault::Refused,
        408 | 429 => Fault::Away,
        400..500 => Fault::Wrong,
        _ => Fault::Away,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_has_the_numbers_that_were_put() {
        assert!(!has_gaps(&[]) && !has_gaps(&[(0, "a"), (1, "b")]));
        let with_sum = "<PartMetadata><e_tag>b&amp;c</e_tag><checksum_sha256>d=</checksum_sha256></PartMetadata>";
        let parts = [(0, "\"a\""), (2, with_sum)];
        assert!(has_gaps(&parts));
        let text = document(&parts);
        let expected = "<CompleteMultipartUpload><Part><ETag>\"a\"</ETag><PartNumber>1</PartNumber></Part>\
                        <Part><ETag>b&amp;c</ETag><ChecksumSHA256>d=</ChecksumSHA256><PartNumber>3</PartNumber></Part></CompleteMultipartUpload>";
        assert_eq!(text, expected);
    }
}
