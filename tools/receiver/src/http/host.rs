//! The host that a request names (RFC 9112, 3.2).

use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{header, HeaderValue, StatusCode, Version};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::http::reply::Reply;

/// Refuses a request whose Host is missing, there twice, or not a host. An absolute request target goes before it.
pub async fn check_host(mut request: Request, next: Next) -> Response {
    if let Some(refusal) = refusal(&request) {
        return Reply::refusal(StatusCode::BAD_REQUEST, refusal).into_response();
    }
    let target = request.uri().authority().map(Authority::as_str);
    if let Some(Ok(host)) = target.map(HeaderValue::from_str) {
        request.headers_mut().insert(header::HOST, host);
    }
    next.run(request).await
}

fn refusal(request: &Request) -> Option<&'static str> {
    let lines = request.headers().get_all(header::HOST);
    let mut lines = lines.iter();
    match (lines.next(), lines.next()) {
        (None, _) if request.version() < Version::HTTP_11 => None,
        (None, _) => Some("the header Host is missing"),
        (Some(_), Some(_)) => Some("the request has more than one header Host"),
        (Some(line), None) => match line.to_str().is_ok_and(is_host) {
            true => None,
            false => Some("the header Host is not a host with or without a port"),
        },
    }
}

fn is_host(text: &str) -> bool {
    let Ok(authority) = text.parse::<Authority>() else {
        return false;
    };
    let is_port = |rest: &str| {
        let port = rest.strip_prefix(':');
        rest.is_empty() || port.is_some_and(|port| port.is_empty() || port.parse::<u16>().is_ok())
    };
    let rest = text.strip_prefix(authority.host());
    !authority.host().is_empty() && rest.is_some_and(is_port)
}

#[cfg(test)]
mod tests {
    use super::is_host;

    #[test]
    fn hosts_have_a_name_or_an_address_and_perhaps_a_port() {
        for host in [
            "a",
            "a.example:80",
            "a_b:",
            "127.0.0.1:1",
            "[::1]",
            "[::1]:65535",
        ] {
            assert!(is_host(host), "{host}");
        }
        for other in [
            "", ":80", "a b", "a:65536", "a:b", "joe@a", "a/b", "a,b c", "http://a", "[::1",
        ] {
            assert!(!is_host(other), "{other}");
        }
    }
}
