//! The path below which clients see the receiver, where a web server in front of it adds one.
//!
//! URLs for programs have it. Redirects, and the links of the pages, do without: they are relative.

use std::net::IpAddr;

use axum::http::request::Parts;
use axum::http::{HeaderMap, Request, Uri};

use crate::accounts::peer::{is_trusted, origin};
use crate::config::base_path::is_path;
use crate::config::Config;

const HEADER: &str = "x-forwarded-prefix";

/// The path, such as `/files`; empty where the receiver has a host of its own. The server adds it to each request as
/// an extension.
#[derive(Debug, Clone)]
struct Base(String);

/// Finds the base of a request, and removes it from the request's path where the web server has not done so.
/// `connection` is the socket's other end.
pub fn enter<B>(request: &mut Request<B>, connection: IpAddr, config: &Config) {
    let base = match &config.base_path {
        Some(base) => {
            if let Some(uri) = below(request.uri(), base) {
                *request.uri_mut() = uri;
            }
            base.clone()
        }
        None => prefix(request.headers(), connection, config).unwrap_or_default(),
    };
    request.extensions_mut().insert(Base(base));
}

/// Returns the URL of a path of the receiver, as clients have to write it.
pub fn url(head: &Parts, path: &str) -> String {
    format!("{}{}{path}", origin(head), base(head))
}

/// Returns the base of a request.
pub fn base(head: &Parts) -> &str {
    head.extensions.get::<Base>().map_or("", |base| &base.0)
}

/// Returns what a trusted proxy says of the base.
fn prefix(headers: &HeaderMap, connection: IpAddr, config: &Config) -> Option<String> {
    if !is_trusted(connection, &config.trusted_proxy) {
        return None;
    }
    let text = headers.get(HEADER)?.to_str().ok()?;
    let base = text.trim_end_matches('/');
    is_path(base).then(|| base.to_owned())
}

/// Returns the URI below the base; `None` when it is not there.
fn below(uri: &Uri, base: &str) -> Option<Uri> {
    let target = uri.path_and_query()?.as_str().strip_prefix(base)?;
    if !target.starts_with('/') {
        return None;
    }
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(target.parse().ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_parts_are_removed_from_a_path() {
        let left = |uri: &str| below(&uri.parse().unwrap(), "/files").map(|uri| uri.to_string());
        assert_eq!(left("/files/").as_deref(), Some("/"));
        assert_eq!(
            left("/files/upload?a=/files/").as_deref(),
            Some("/upload?a=/files/")
        );
        for other in ["/files", "/filesystem", "/upload", "/x/files/"] {
            assert_eq!(left(other), None, "{other}");
        }
    }
}
