//! The signature of programs' forms.

use std::path::Path;

use anyhow::{bail, Context};
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{utf8_percent_encode, AsciiSet, NON_ALPHANUMERIC};

use crate::config::{Config, SigningAlgorithm};
use crate::http::fields::Fields;

/// All but the unreserved characters (RFC 3986, 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The secret that forms are signed with.
pub struct Signing {
    secret: Vec<u8>,
    algorithm: SigningAlgorithm,
}

impl Signing {
    /// Reads the secret; `None` when there is none in the settings.
    pub fn new(config: &Config) -> anyhow::Result<Option<Self>> {
        let Some(path) = &config.signing_secret_file else {
            return Ok(None);
        };
        Ok(Some(Self {
            secret: secret(path)?,
            algorithm: config.signing_algorithm,
        }))
    }

    /// Whether the first field named `sign` is the signature of all other `fields` and `more`. A second field of
    /// that name is signed like any other.
    pub fn is_right(&self, fields: &Fields, sign: &str, more: Option<(&str, &str)>) -> bool {
        let mut signed: Vec<_> = fields.iter().collect();
        let Some(at) = signed.iter().position(|(name, _)| *name == sign) else {
            return false;
        };
        let (_, sign) = signed.remove(at);
        let Ok(sign) = hex::decode(sign) else {
            return false;
        };
        let encoded = |text| utf8_percent_encode(text, RESERVED);
        let signed = signed.into_iter().chain(more);
        let line = |(name, value)| format!("{}={}", encoded(name), encoded(value));
        let mut lines: Vec<_> = signed.map(line).collect();
        lines.sort_unstable();
        let text = lines.join("\n");
        match self.algorithm {
            SigningAlgorithm::HmacSha256 => self.hmac::<Hmac<sha2::Sha256>>(&text, &sign),
            SigningAlgorithm::HmacMd5 => self.hmac::<Hmac<md5::Md5>>(&text, &sign),
        }
    }

    /// Compares in constant time.
    fn hmac<M: Mac + KeyInit>(&self, text: &str, sign: &[u8]) -> bool {
        let keyed = <M as KeyInit>::new_from_slice(&self.secret);
        let mut mac = keyed.expect("an HMAC takes keys of every length");
        mac.update(text.as_bytes());
        mac.verify_slice(sign).is_ok()
    }
}

/// Reads a file without the line end that an editor may have added.
fn secret(path: &Path) -> anyhow::Result<Vec<u8>> {
    let name = path.display();
    let mut secret = std::fs::read(path)
        .with_context(|| format!("cannot read the signing secret from {name}"))?;
    if secret.ends_with(b"\n") {
        secret.pop();
        if secret.ends_with(b"\r") {
            secret.pop();
        }
    }
    if secret.is_empty() {
        bail!("the signing secret in {name} is empty");
    }
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of docs/PROTOCOL.md.
    #[test]
    fn only_the_example_of_the_protocol_is_right() {
        const HEAD: &str = "3548854678372ee2db42db9dd5a5ebea5ef621e1e024377778e5636499690fc1";
        const TAIL: &str = "e06e59b1b6e8ebd1e03e8554480991278138a0542b68b0d86479cc0d95d4e2de";
        let signing = Signing {
            secret: b"geheim".to_vec(),
            algorithm: SigningAlgorithm::HmacSha256,
        };
        let form = |text: &str| Fields::from_urlencoded(text.as_bytes()).unwrap();
        let text = format!(
            "sign={HEAD}&size=10&name=%E6%8A%A5%E5%91%8A+1.txt&action=send&\
             ts=1700000000&nonce=00000000000000000000000000000007"
        );
        assert!(signing.is_right(&form(&text), "sign", None));
        let tail = format!("md5=0123456789abcdef0123456789abcdef&sign_tail={TAIL}");
        let more = Some(("sign", HEAD));
        assert!(signing.is_right(&form(&tail), "sign_tail", more));
        assert!(!signing.is_right(&form(&tail), "sign_tail", None));
        for wrong in [
            text.replace("size=10", "size=11"),
            text.replace("sign=", "sing="),
            text.replace("sign=3", "sign=4"),
            text.replace(HEAD, ""),
            text.replace(HEAD, "zz"),
            text.clone() + "&x=",
            text.clone() + "&sign=",
        ] {
            assert!(!signing.is_right(&form(&wrong), "sign", None), "{wrong}");
        }
    }
}
