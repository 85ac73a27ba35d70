//! The authentication that a server or proxy asks for.

use std::borrow::Cow;

use http::header;

use super::message::Response;
use super::text::limited;

/// The schemes of HTTP authentication that a client can be set to.
pub(super) const SUPPORTED: [&str; 2] = ["Basic", "Bearer"];

/// Names what a 401 refuses, where the request had an authorization, and what it asks for, where that
/// is another one.
pub(crate) fn challenge(response: &Response) -> Option<String> {
    if response.status != 401 {
        return None;
    }
    let wanted = schemes(response.values(header::WWW_AUTHENTICATE.as_str()));
    let Some(had) = response.scheme else {
        return asked(&wanted).map(|asked| format!("the server asks for {asked}"));
    };
    let refused = match had {
        "Basic" => "the user and password were refused",
        "Bearer" => "the bearer token was refused",
        _ => "the authorization was refused",
    };
    let is_another = !wanted.iter().any(|scheme| scheme == had);
    Some(match asked(&wanted).filter(|_| is_another) {
        Some(asked) => format!("{refused}; the server asks for {asked}"),
        None => refused.to_owned(),
    })
}

/// Names the first of these schemes that is supported or, if none is, all of them.
fn asked(wanted: &[String]) -> Option<String> {
    let mut supported = wanted.iter().filter_map(|scheme| match scheme.as_str() {
        "Basic" => Some("a user and a password by HTTP Basic"),
        "Bearer" => Some("a bearer token"),
        _ => None,
    });
    if let Some(what) = supported.next() {
        return Some(what.to_owned());
    }
    (!wanted.is_empty()).then(|| {
        format!(
            "{}, which is not supported; HTTP Basic, a bearer token and a login form are",
            wanted.join(" or ")
        )
    })
}

/// Whether a server's own message names a supported scheme that its 401 to a request without an
/// authorization asks for, as words of ours would.
pub(super) fn names_what_it_wants(response: &Response, message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    let wanted = schemes(response.values(header::WWW_AUTHENTICATE.as_str()));
    response.status == 401
        && response.scheme.is_none()
        && wanted.iter().any(|scheme| match scheme.as_str() {
            "Basic" => message.contains("basic"),
            "Bearer" => message.contains("bearer") || message.contains("token"),
            _ => false,
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

    fn response(values: &[&'static str]) -> Response {
        let header = |value| {
            let value = http::HeaderValue::from_static(value);
            (header::WWW_AUTHENTICATE, value)
        };
        Response {
            status: 401,
            headers: values.iter().copied().map(header).collect(),
            ..Response::default()
        }
    }

    fn hint(values: &[&'static str]) -> Option<String> {
        challenge(&response(values))
    }

    #[test]
    fn what_the_servers_message_names_is_not_said_twice() {
        for (value, message, words) in [
            ("Basic realm=\"x\"", "log in by HTTP Basic", "401: log in"),
            ("Bearer", "give a token", "401: give a token"),
            ("Basic", "log in", "401 (the server asks for a user"),
            ("Basic", "give a token", "401 (the server asks for a user"),
            (
                "Digest",
                "log in by Basic",
                "401 (the server asks for Digest,",
            ),
        ] {
            let response = Response {
                body: format!("{{\"message\":\"{message}\"}}").into(),
                ..response(&[value])
            };
            let text = super::super::refusal::refusal(&response).to_string();
            assert!(text.contains(words), "{value}, {message}: {text}");
        }
    }

    #[test]
    fn what_was_refused_is_not_asked_for_again() {
        for (had, value, told) in [
            ("Basic", "Basic realm=\"x\"", "the user and password were refused"),
            ("Bearer", "Basic, Bearer", "the bearer token was refused"),
            ("", "Basic", "the authorization was refused; the server asks for a user and a password by HTTP Basic"),
            ("Bearer", "Basic", "the bearer token was refused; the server asks for a user and a password by HTTP Basic"),
            ("Basic", "", "the user and password were refused"),
        ] {
            let response = Response {
                scheme: Some(had),
                body: "{\"message\":\"log in by Basic\"}".into(),
                ..response(&[value])
            };
            let text = super::super::refusal::refusal(&response).to_string();
            let due = format!("401 ({told}): log in by Basic");
            assert!(text.ends_with(&due), "{had}, {value}: {text}");
        }
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
