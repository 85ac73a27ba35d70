//! What a tus server offers beyond the core of the protocol.

use std::sync::OnceLock;

use crate::error::Error;
use crate::http::{limited, Response};
use crate::protocol::resource::number;
use crate::protocol::ChecksumAlgorithm;

/// What a server offers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Offers {
    /// The best of its checksums.
    pub checksum: Option<ChecksumAlgorithm>,
    /// Whether an upload may be created before its size is known.
    pub defers_size: bool,
    /// Whether the request that creates an upload may carry bytes of the file.
    pub creates_with_bytes: bool,
    /// The size of the largest file that it takes.
    pub max_size: Option<u64>,
    /// Whether it deletes uploads on demand; `None` if it does not say what it offers.
    pub terminates: Option<bool>,
    /// Whether it joins partial uploads to one.
    pub joins: bool,
    /// Set when it has refused a partial upload, or to join them.
    pub has_refused: OnceLock<()>,
}

impl Offers {
    /// Reads the response to `OPTIONS`. A server that answers it otherwise offers nothing.
    pub(super) fn read(response: &Response) -> Result<Self, Error> {
        if !matches!(response.status, 200..=299) {
            return Ok(Offers::default());
        }
        let mut versions = items(response, "tus-version").peekable();
        if versions.peek().is_some() && !versions.any(|version| version == "1.0.0") {
            let versions: Vec<_> = items(response, "tus-version").collect();
            return Err(Error::bad_response(format!(
                "it speaks the versions {} of tus, and this client speaks 1.0.0",
                limited(&versions.join(", "))
            )));
        }
        let has = |name: &str| items(response, "tus-extension").any(|extension| extension == name);
        let checks = has("checksum");
        let algorithms: Vec<_> = items(response, "tus-checksum-algorithm").collect();
        let is_offered = |it: &ChecksumAlgorithm| algorithms.iter().any(|name| name == it.name());
        Ok(Offers {
            checksum: ChecksumAlgorithm::ALL
                .into_iter()
                .find(|it| checks && is_offered(it)),
            defers_size: has("creation-defer-length"),
            creates_with_bytes: has("creation-with-upload"),
            max_size: number(response, "tus-max-size")?,
            terminates: Some(has("termination")),
            joins: has("concatenation"),
            has_refused: OnceLock::new(),
        })
    }
}

/// Gives the items of a header field that is a list, in lower case.
fn items<'a>(response: &'a Response, name: &str) -> impl Iterator<Item = String> + 'a {
    let values: Vec<String> = response
        .values(name)
        .map(|value| value.to_ascii_lowercase())
        .collect();
    let items = |value: String| -> Vec<String> {
        let items = value
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty());
        items.map(str::to_owned).collect()
    };
    values.into_iter().flat_map(items)
}
