//! What a proxy writes about the client: `X-Forwarded-For`, `X-Forwarded-Proto`, and `Forwarded` (RFC 7239).
//!
//! All is read from its end. The last proxy adds its part there. What stands before it may be a stranger's.

use std::net::IpAddr;

use axum::http::HeaderMap;

/// Headers by which a proxy shows itself.
const SIGNS: [&str; 9] = [
    "via",
    "forwarded",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-original-forwarded-for",
    "x-original-host",
    "true-client-ip",
    "cf-connecting-ip",
];

/// Whether a header says that the request came through a proxy.
pub fn is_by_proxy(headers: &HeaderMap) -> bool {
    let is_sign = |name: &str| name.starts_with("x-forwarded") || SIGNS.contains(&name);
    headers.keys().any(|name| is_sign(name.as_str()))
}

/// Returns the addresses of the client and of the proxies, the last one first; `None` for one that is not told, such
/// as `unknown`. `X-Forwarded-For` counts, and only without it `Forwarded`.
pub fn hops(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    if headers.contains_key("x-forwarded-for") {
        let parts = parts_from_end(headers, "x-forwarded-for");
        return parts.iter().map(|part| address(part)).collect();
    }
    let parts = parts_from_end(headers, "forwarded");
    let hop = |part: &String| parameter(part, "for").and_then(address);
    parts.iter().map(hop).collect()
}

/// Returns whether the last proxy says that TLS was used; `None` when it says nothing. `X-Forwarded-Proto` counts,
/// and only without it `Forwarded`.
pub fn is_secure(headers: &HeaderMap) -> Option<bool> {
    let schemes = parts_from_end(headers, "x-forwarded-proto");
    let elements = parts_from_end(headers, "forwarded");
    let own = schemes.first().map(String::as_str);
    let scheme = own.or_else(|| parameter(elements.first()?, "proto"))?;
    Some(unquoted(scheme).eq_ignore_ascii_case("https"))
}

/// Reads an address as proxies write it: with a port or a zone, in brackets or quotes, IPv4 inside IPv6.
fn address(text: &str) -> Option<IpAddr> {
    let text = unquoted(text);
    let plain = match text.strip_prefix('[') {
        Some(text) => {
            let (address, port) = text.split_once(']')?;
            (port.is_empty() || port.strip_prefix(':').is_some_and(is_port)).then_some(address)?
        }
        None => match text.split_once(':') {
            // One colon alone: no IPv6 address.
            Some((address, port)) if is_port(port) => address,
            _ => text,
        },
    };
    let without_zone = plain.split_once('%').map_or(plain, |(address, _)| address);
    let address: IpAddr = without_zone.parse().ok()?;
    Some(address.to_canonical())
}

/// Whether that is a port, or what stands for one in `Forwarded`.
fn is_port(text: &str) -> bool {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits || text.starts_with('_')
}

/// Returns the value of a parameter in an element of `Forwarded`.
fn parameter<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    let pairs = split_from_end(element, b';').into_iter();
    let mut pairs = pairs.filter_map(|pair| pair.split_once('='));
    pairs.find_map(|(known, value)| known.trim().eq_ignore_ascii_case(name).then_some(value))
}

fn unquoted(text: &str) -> &str {
    let text = text.trim();
    let inner = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    inner.unwrap_or(text)
}

/// Returns the parts of a header with several lines or commas, the last one first. A line that is not ASCII counts,
/// too: a stranger could begin one to which the proxy adds its part.
fn parts_from_end(headers: &HeaderMap, name: &str) -> Vec<String> {
    let lines = headers.get_all(name).iter().rev();
    let texts = lines.map(|line| String::from_utf8_lossy(line.as_bytes()));
    let split = |text: &str| {
        split_from_end(text, b',')
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    texts.flat_map(|text| split(&text)).collect()
}

/// Splits a text outside of its quotes, the last part first. A quote that a stranger has opened before the proxy's
/// part does not reach into it, since the text is read from its end.
fn split_from_end(text: &str, separator: u8) -> Vec<&str> {
    let bytes = text.as_bytes();
    let is_escaped = |at: usize| {
        let before = bytes[..at].iter().rev();
        before.take_while(|byte| **byte == b'\\').count() % 2 == 1
    };
    let (mut parts, mut end, mut is_quoted) = (Vec::new(), text.len(), false);
    for at in (0..text.len()).rev() {
        if bytes[at] == b'"' && !is_escaped(at) {
            is_quoted = !is_quoted;
        } else if bytes[at] == separator && !is_quoted {
            parts.push(text[at + 1..end].trim());
            end = at;
        }
    }
    parts.push(text[..end].trim());
    parts
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn headers(lines: &[(&'static str, &[u8])]) -> HeaderMap {
        let line = |(name, value): &(&'static str, &[u8])| {
            let value = HeaderValue::from_bytes(value).unwrap();
            (HeaderName::from_static(name), value)
        };
        let mut headers = HeaderMap::new();
        for (name, value) in lines.iter().map(line) {
            headers.append(name, value);
        }
        headers
    }

    fn last_hop(name: &'static str, value: &str) -> Option<String> {
        let hops = hops(&headers(&[(name, value.as_bytes())]));
        hops[0].map(|address| address.to_string())
    }

    #[test]
    fn addresses_are_read_in_all_common_forms() {
        for (written, address) in [
            ("192.0.2.1", "192.0.2.1"),
            (" 192.0.2.1:5678 ", "192.0.2.1"),
            ("192.0.2.1:_port", "192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("[::ffff:192.0.2.1]:443", "192.0.2.1"),
            ("2001:db8::1", "2001:db8::1"),
            ("2001:DB8:0::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("\"[2001:db8::1]:443\"", "2001:db8::1"),
            ("\"192.0.2.1\"", "192.0.2.1"),
            ("fe80::1%eth0", "fe80::1"),
            ("[fe80::1%25eth0]:80", "fe80::1"),
        ] {
            let address = Some(address.to_owned());
            assert_eq!(last_hop("x-forwarded-for", written), address, "{written}");
            let element = format!("by=203.0.113.43; For={written};proto=http");
            assert_eq!(last_hop("forwarded", &element), address, "{element}");
        }
        for hidden in [
            "unknown",
            "_hidden",
            "",
            "192.0.2.1:x",
            "[::1]x",
            "[::1",
            "1.2.3",
            "-",
        ] {
            assert_eq!(last_hop("x-forwarded-for", hidden), None, "{hidden}");
            assert_eq!(
                last_hop("forwarded", &format!("for={hidden}")),
                None,
                "{hidden}"
            );
        }
    }

    #[test]
    fn a_stranger_writes_nothing_behind_which_the_proxys_part_is_lost() {
        for begun in [
            "6.6.6.6",
            "\"",
            "for=\"6.6.6.6",
            "\\\"",
            "x\\",
            "a;\"b",
            "\u{fffd}",
        ] {
            let list = format!("{begun}, 192.0.2.1");
            let proxys = Some("192.0.2.1".to_owned());
            assert_eq!(last_hop("x-forwarded-for", &list), proxys, "{list}");
            let list = format!("{begun}, for=192.0.2.1");
            assert_eq!(last_hop("forwarded", &list), proxys, "{list}");
        }
        // A proxy that repeats the stranger's Host.
        let repeated = "host=\"a, for=6.6.6.6;for=7.7.7.7\";for=192.0.2.1;proto=https";
        assert_eq!(last_hop("forwarded", repeated).unwrap(), "192.0.2.1");
        let not_ascii = headers(&[("x-forwarded-for", b"\xe9, 192.0.2.1")]);
        assert_eq!(hops(&not_ascii)[0], Some(IpAddr::from([192, 0, 2, 1])));
    }

    #[test]
    fn x_forwarded_counts_before_forwarded() {
        let both = headers(&[
            ("forwarded", b"for=6.6.6.6;proto=https"),
            ("x-forwarded-for", b"192.0.2.1"),
            ("x-forwarded-for", b"192.0.2.2"),
            ("x-forwarded-proto", b"http"),
        ]);
        let addresses = [[192, 0, 2, 2], [192, 0, 2, 1]].map(|address| Some(address.into()));
        assert_eq!(hops(&both), addresses);
        assert_eq!(is_secure(&both), Some(false));
        let one = headers(&[("forwarded", b"proto=http, for=192.0.2.1;proto=\"HTTPS\"")]);
        assert_eq!(is_secure(&one), Some(true));
        assert_eq!(
            is_secure(&headers(&[("forwarded", b"for=192.0.2.1")])),
            None
        );
    }
}
