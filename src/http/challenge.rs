//! The authentication that a server or proxy asks for.

use std::borrow::Cow;

use http::header;

use super::message::Response;
use super::text::limited;

/// The schemes of HTTP authentication that a client can be set to.
const SUPPORTED: [&str; 2] = ["Basic", "Bearer"];

/// Names the authentication that a 401 asks for.
pub(super) fn challenge(response: &Response) -> Option<String> {
    if response.status != 401 {
        return None;
    }
    let wanted = schemes(response.values(header::WWW_AUTHENTICATE.as_str()));
    let is_supported = |scheme: &String| SUPPORTED.contains(&scheme.as_str());
    if let Some(scheme) = wanted.iter().find(|scheme| is_supported(scheme)) {
        let what = match scheme.as_str() {
            "Basic" => "a user and a password by HTTP Basic",
            _ => "a bearer token",
        };
        return Some(format!("the server asks for {what}"));
    }
    (!wanted.is_empty()).then(|| {
        format!(
            "the server asks for {}, which is not supported; HTTP Basic, a bearer token and a \
             login form are",
            wanted.join(" or ")
        )
    })
}

/// Gives the authentication schemes of a field such as `WWW-Authenticate` (RFC 9110, 11.6.1), as
/// they are usually written.
pub(crate) fn schemes<'a>(values: impl Iterator<Item = Cow<'a, str>>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for value in values {
        let mut is_quoted = false;
        let parts = value.split(|c| {
            is_quoted ^= c == '"';
            c == ',' && !is_quoted
        });
        for part in parts {
            // A challenge begins with a scheme; a parameter is a name and an equals sign.
            let (scheme, rest) = match part.trim().split_once([' ', '\t']) {
                Some((scheme, rest)) => (scheme, rest.trim_start()),
                None => (part.trim(), ""),
            };
            let is_token = scheme
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-');
            if scheme.is_empty() || !is_token || rest.starts_with('=') {
                continue;
            }
            let known = SUPPORTED
                .iter()
                .find(|known| known.eq_ignore_ascii_case(scheme));
            let scheme = known.map_or_else(|| limited(scheme), |known| (*known).to_owned());
            if !found.contains(&scheme) {
                found.push(scheme);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(values: &[&'static str]) -> Option<String> {
        let header = |value| {
            let value = http::HeaderValue::from_static(value);
            (header::WWW_AUTHENTICATE, value)
        };
        challenge(&Response {
            status: 401,
            headers: values.iter().copied().map(header).collect(),
            ..Response::default()
        })
    }

    #[test]
    fn the_wanted_authentication_is_named() {
        for (value, words) in [
            (
                "Digest realm=\"a, Basic b\", qop=\"auth\", nonce = \"c\"",
                "asks for Digest,",
            ),
            ("NTLM", "asks for NTLM,"),
            ("Negotiate oYH=, NTLM", "asks for Negotiate or NTLM,"),
            (
                "Digest a=b, basic realm=\"x\"",
                "a user and a password by HTTP Basic",
            ),
            ("Bearer", "a bearer token"),
        ] {
            let hint = hint(&[value]).unwrap();
            assert!(hint.contains(words), "{value}: {hint}");
        }
        let two = hint(&["Negotiate", "NTLM"]).unwrap();
        assert!(two.contains("asks for Negotiate or NTLM,"), "{two}");
        assert_eq!(hint(&[""]), None);
        assert_eq!(hint(&[]), None);
    }
}
