//! Signs of a server that does not speak the protocol, in a response or in place of one.

use std::borrow::Cow;

use super::challenge::challenge;
use super::message::Response;
use super::text::{excerpt, limited};

/// The codings that compress (RFC 9110, 8.4.1, and IANA's list).
const COMPRESSIONS: [&str; 7] = [
    "gzip",
    "x-gzip",
    "deflate",
    "br",
    "zstd",
    "compress",
    "x-compress",
];

/// Gives a reason why the response is not of the protocol, or what the server asks for, where that
/// is known.
pub(super) fn hint(response: &Response) -> Option<String> {
    encoding(response)
        .or_else(|| other_protocol(response))
        .or_else(|| challenge(response))
        .or_else(|| page(&response.body))
}

/// Names the coding of a body that is compressed, though requests do not accept that.
fn encoding(response: &Response) -> Option<String> {
    let compresses = |coding: &str| {
        let coding = coding.trim().to_ascii_lowercase();
        COMPRESSIONS.contains(&coding.as_str())
    };
    let mut codings = response.values("content-encoding");
    let coding = codings.find(|list| list.split(',').any(compresses));
    let coding = match coding {
        None if response.body.starts_with(b"\x1f\x8b") => Cow::Borrowed("gzip"),
        coding => coding?,
    };
    Some(format!(
        "the response is compressed with {}, though the request allows no compression",
        limited(&coding)
    ))
}

/// Another protocol than the form protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spoken {
    Tus,
    Ietf,
    WebDav,
    S3,
}

/// Tells the protocol of the server by one of its responses.
pub(crate) fn spoken(response: &Response) -> Option<Spoken> {
    let has = |prefix: &str| {
        let mut names = response.headers.keys();
        names.any(|name| name.as_str().starts_with(prefix))
    };
    let text = String::from_utf8_lossy(&response.body);
    let methods = |value: Cow<'_, str>| value.contains("PROPFIND");
    if has("tus-") {
        return Some(Spoken::Tus);
    }
    if speaks_ietf(response) {
        return Some(Spoken::Ietf);
    }
    if has("dav") || response.values("allow").any(methods) || text.contains("\"DAV:\"") {
        return Some(Spoken::WebDav);
    }
    // CloudFront and API Gateway have further names with x-amz-, before any kind of server.
    let is_store = has("x-amz-request-id") || has("x-amz-id-2");
    let is_error = text.contains("<Error>") && text.contains("<Code>");
    (is_store || is_error).then_some(Spoken::S3)
}

/// Whether a response to a request without bytes shows the IETF's protocol, perhaps beside another one.
pub(crate) fn speaks_ietf(response: &Response) -> bool {
    let patches = |value: Cow<'_, str>| value.contains("application/partial-upload");
    let mut names = response.headers.keys();
    names.any(|name| name.as_str().starts_with("upload-"))
        || response.values("accept-patch").any(patches)
}

/// Names another protocol that the server speaks.
fn other_protocol(response: &Response) -> Option<String> {
    let what = match spoken(response)? {
        Spoken::Tus => "tus, which is another protocol; set the protocol to tus",
        Spoken::Ietf => {
            "the IETF's resumable uploads, which is another protocol; set the protocol to ietf"
        }
        Spoken::WebDav => "WebDAV, which is another protocol; set the protocol to dav",
        Spoken::S3 => {
            let text = String::from_utf8_lossy(&response.body);
            let words = [element(&text, "Code"), element(&text, "Message")];
            let words: Vec<_> = words.into_iter().flatten().collect();
            let words = match words.is_empty() {
                true => String::new(),
                false => format!(", and says: {}", limited(&words.join(", "))),
            };
            return Some(format!(
                "the server is an object store, with the protocol of S3{words}"
            ));
        }
    };
    Some(format!("the server speaks {what}"))
}

/// Gives the text of an XML element without attributes.
fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (inner, _) = rest.split_once('<')?;
    Some(inner.trim()).filter(|inner| !inner.is_empty())
}

/// Names a web page that is made for people.
fn page(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body).to_ascii_lowercase();
    let has_input = |kind: &str| {
        let mut values = text.split("type=").skip(1);
        values.any(|value| value.trim_start_matches(['"', '\'']).starts_with(kind))
    };
    if !text.trim_start().starts_with('<') || !text.contains("<input") {
        return None;
    }
    if has_input("password") {
        let what = "the response is a web page with a login; set a login form, or a user and a \
                    password or token, as the server wants it";
        return Some(what.to_owned());
    }
    has_input("file").then(|| {
        "the response is a web page with a form for uploads; the URL has to be one that programs \
         upload to"
            .to_owned()
    })
}

/// Gives the reason why a response cannot be used: what is known of its origin, or else `why`.
pub(crate) fn reason(response: &Response, why: String) -> String {
    let proxy = response.proxy.as_deref().map(instead).unwrap_or_default();
    let has_text = !response.body.is_empty() && encoding(response).is_none();
    match hint(response) {
        Some(hint) if !has_text => format!("{hint}{proxy}"),
        Some(hint) => format!("{hint}; it begins: {}{proxy}", excerpt(&response.body)),
        None => format!("{why}{proxy}"),
    }
}

/// Names a proxy that forwards requests, and may have answered one.
pub(crate) fn instead(proxy: &str) -> String {
    format!(" (the response is the server's, or the proxy {proxy}'s)")
}

/// Describes what a server sent that is no HTTP response.
pub(crate) fn banner(input: &[u8]) -> String {
    // A TLS alert or handshake record, and an HTTP/2 frame with settings.
    if matches!(input, [0x15 | 0x16, 3, ..]) {
        return "it is TLS; write https:// in place of http://".to_owned();
    }
    if matches!(input, [0, 0, _, 4, 0, 0, 0, 0, 0, ..]) {
        return "it is HTTP/2, and this client speaks HTTP/1.1".to_owned();
    }
    format!("it begins: {}", excerpt(input))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::refusal;
    use http::{HeaderName, HeaderValue};

    fn response(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Response {
        let headers = headers.iter().map(|(name, value)| {
            let name = HeaderName::from_static(name);
            (name, HeaderValue::from_static(value))
        });
        Response {
            status,
            headers: headers.collect(),
            body: body.as_bytes().to_vec(),
            ..Response::default()
        }
    }

    #[test]
    fn servers_of_other_protocols_are_named() {
        let s3 = "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>Access \
                  Denied</Message></Error>";
        let dav = "<?xml version=\"1.0\"?><d:error xmlns:d=\"DAV:\"/>";
        let allow = [("allow", "OPTIONS, GET, PROPFIND")];
        for (response, words) in [
            (
                response(412, &[("tus-resumable", "1.0.0")], "bad"),
                "speaks tus",
            ),
            (
                response(201, &[("upload-complete", "?1")], ""),
                "the IETF's",
            ),
            (response(405, &allow, ""), "speaks WebDAV"),
            (response(200, &[("dav", "1, 2")], ""), "speaks WebDAV"),
            (response(501, &[], dav), "speaks WebDAV"),
            (
                response(403, &[], s3),
                "S3, and says: AccessDenied, Access Denied",
            ),
            (
                response(400, &[("x-amz-request-id", "7")], ""),
                "the protocol of S3",
            ),
        ] {
            let hint = hint(&response).unwrap();
            assert!(hint.contains(words), "{hint}");
            if response.status >= 400 {
                let text = refusal(&response).to_string();
                assert!(
                    text.contains(&format!("{} ({hint})", response.status)),
                    "{text}"
                );
            } else {
                let text = reason(&response, "no JSON".to_owned());
                assert!(text.starts_with(&hint), "{text}");
            }
        }
        assert_eq!(hint(&response(404, &[], "<h1>Not found</h1>")), None);
        // A front of Amazon's is before any kind of server.
        for name in ["x-amz-cf-id", "x-amz-apigw-id", "x-amzn-requestid"] {
            assert_eq!(hint(&response(502, &[(name, "7")], "<p>")), None, "{name}");
        }
        assert_eq!(
            reason(&response(200, &[], "<p>"), "no JSON".to_owned()),
            "no JSON"
        );
    }

    #[test]
    fn pages_for_people_are_named() {
        let login = "<!DOCTYPE html><form><input name=u><input type='password' name=p></form>";
        assert!(hint(&response(200, &[], login))
            .unwrap()
            .contains("a login"));
        let form = "\n<HTML><INPUT TYPE=\"file\" name=f>";
        assert!(hint(&response(200, &[], form))
            .unwrap()
            .contains("form for uploads"));
        for text in [
            "<html>Please log in",
            "type=password <input",
            "<input type=text>",
        ] {
            assert_eq!(hint(&response(200, &[], text)), None, "{text}");
        }
    }

    #[test]
    fn a_compressed_response_is_named() {
        let gzip = response(200, &[("content-encoding", "gzip")], "x");
        assert!(reason(&gzip, String::new()).contains("compressed with gzip"));
        let mut bare = response(502, &[], "");
        bare.body = b"\x1f\x8b\x08".to_vec();
        assert!(hint(&bare).unwrap().contains("compressed with gzip"));
        let twice = response(200, &[("content-encoding", "identity, BR")], "x");
        assert!(hint(&twice)
            .unwrap()
            .contains("compressed with identity, BR"));
        for coding in ["identity", "utf-8", "none", ""] {
            let plain = response(200, &[("content-encoding", coding)], "x");
            assert_eq!(hint(&plain), None, "{coding}");
        }
    }
}
