//! The headers Repr-Digest and Content-Digest (RFC 9530).

use axum::http::HeaderMap;
use base64::prelude::{Engine as _, BASE64_STANDARD};
use resup_digests::{Algorithm, Digest};

use crate::http::reply::Reply;
use crate::resource::check::Check;
use crate::resource::headers::bad;

/// The algorithms that are registered and known here, with SHA-1 as none of the project's own. BLAKE3 is not registered.
const ALGORITHMS: [(&str, Option<Algorithm>); 4] = [
    ("sha-256", Some(Algorithm::Sha256)),
    ("md5", Some(Algorithm::Md5)),
    ("blake3", Some(Algorithm::Blake3)),
    ("sha", None),
];

/// An algorithm, and the bytes of a digest.
type Member = (Option<Algorithm>, Vec<u8>);

/// Reads the digests of the whole file.
pub fn of_file(headers: &HeaderMap) -> Result<Vec<Digest>, Reply> {
    let mut digests = Vec::new();
    for (algorithm, bytes) in read(headers, "repr-digest")? {
        let Some(algorithm) = algorithm else {
            continue;
        };
        let digest = Digest::new(algorithm, &bytes);
        digests.push(digest.ok_or_else(|| bad("repr-digest", algorithm.name()))?);
    }
    Ok(digests)
}

/// Reads the digests of a request's body.
pub fn of_body(headers: &HeaderMap) -> Result<Vec<Check>, Reply> {
    let known = read(headers, "content-digest")?.into_iter();
    let check = |(algorithm, bytes)| {
        let check = Check::new(algorithm, bytes);
        check.ok_or_else(|| bad("content-digest", "of another length"))
    };
    known.map(check).collect()
}

/// Whether the client wants to know the SHA-256 of the file.
pub fn wants_sha256(headers: &HeaderMap) -> bool {
    let lines = headers.get_all("want-repr-digest").iter();
    let mut texts = lines.filter_map(|line| line.to_str().ok());
    texts.any(|text| text.split(',').any(|it| it.trim().starts_with("sha-256=")))
}

/// Writes the SHA-256 of a file.
pub fn of_sha256(digest: &Digest) -> String {
    format!("sha-256=:{}:", BASE64_STANDARD.encode(digest.bytes()))
}

/// Reads the members of a dictionary that have a known name.
fn read(headers: &HeaderMap, name: &str) -> Result<Vec<Member>, Reply> {
    let mut found = Vec::new();
    for line in headers.get_all(name) {
        let text = line.to_str().map_err(|_| bad(name, "no ASCII"))?;
        for member in text.split(',') {
            let (key, value) = member.split_once('=').unwrap_or((member, ""));
            let known = ALGORITHMS.iter().find(|(name, _)| *name == key.trim());
            let Some((_, algorithm)) = known else {
                continue;
            };
            let value = value.split(';').next().unwrap_or("").trim();
            let inner = value
                .strip_prefix(':')
                .and_then(|value| value.strip_suffix(':'));
            let bytes = inner.and_then(|inner| BASE64_STANDARD.decode(inner).ok());
            found.push((*algorithm, bytes.ok_or_else(|| bad(name, member))?));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn digests_are_those_of_a_dictionary() {
        let mut headers = HeaderMap::new();
        let line = "sha-512=:YQ==:, sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:;a=1";
        headers.append("repr-digest", HeaderValue::from_static(line));
        let md5 = "md5=:1B2M2Y8AsgTpgAmY7PhCfg==:";
        headers.append("repr-digest", HeaderValue::from_static(md5));
        let digests = of_file(&headers).unwrap();
        let own = [Algorithm::Sha256, Algorithm::Md5].map(|it| Digest::of(it, b""));
        assert!(digests == own);
        assert!(of_sha256(&own[0]).contains(":47DE"));
        for bad in ["sha-256=47DE", "sha-256=:YQ==:", "sha-256", "md5=:%%%:"] {
            let mut headers = HeaderMap::new();
            headers.insert("repr-digest", HeaderValue::from_static(bad));
            headers.insert("content-digest", HeaderValue::from_static(bad));
            assert!(of_file(&headers).is_err(), "{bad}");
            assert!(of_body(&headers).is_err(), "{bad}");
        }
    }
}
