//! Signatures of forms: an HMAC over the fields, with a time and a nonce.

use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{utf8_percent_encode, AsciiSet, NON_ALPHANUMERIC};
use ring::hmac::{Key, HMAC_SHA256};

use super::multipart::Field;
use crate::http::credentials::SigningAlgorithm;
use crate::http::secret::Secret;

/// The characters that are encoded: all but the unreserved ones (RFC 3986, 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A signer of forms, with one secret.
#[derive(Debug, Clone)]
pub(crate) struct Signer {
    pub secret: Secret,
    pub algorithm: SigningAlgorithm,
}

impl Signer {
    /// Makes the fields `ts`, `nonce` and `sign` for a form that has `fields` before its file.
    pub(super) fn head(&self, fields: &[Field<'_>], now: u64, nonce: u128) -> [Field<'static>; 3] {
        let ts: Field<'_> = ("ts".into(), now.to_string());
        let nonce: Field<'_> = ("nonce".into(), format!("{nonce:032x}"));
        let sign = self.sign(fields.iter().chain([&ts, &nonce]));
        [ts, nonce, ("sign".into(), sign)]
    }

    /// Makes the field `sign_tail` for a form that has `fields` after its file and `sign` before
    /// it.
    pub(super) fn tail(&self, fields: &[Field<'_>], sign: &str) -> Field<'static> {
        let sign: Field<'_> = ("sign".into(), sign.to_owned());
        ("sign_tail".into(), self.sign(fields.iter().chain([&sign])))
    }

    /// Gives the lower-case hex HMAC of the fields as text, one `name=value` a line, sorted.
    fn sign<'f>(&self, fields: impl Iterator<Item = &'f Field<'f>>) -> String {
        let encoded = |text| utf8_percent_encode(text, RESERVED);
        let mut lines: Vec<_> = fields
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
            .collect();
        lines.sort_unstable();
        self.hmac(lines.join("\n").as_bytes())
    }

    /// Gives the lower-case hex HMAC of a text.
    fn hmac(&self, text: &[u8]) -> String {
        let secret = self.secret.bytes();
        match self.algorithm {
            SigningAlgorithm::HmacSha256 => {
                let key = Key::new(HMAC_SHA256, secret);
                hex(ring::hmac::sign(&key, text).as_ref())
            }
            SigningAlgorithm::HmacMd5 => {
                let mut mac = <Hmac<md5::Md5> as KeyInit>::new_from_slice(secret)
                    .expect("an HMAC takes keys of every length");
                mac.update(text);
                hex(&mac.finalize().into_bytes())
            }
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(secret: &str, algorithm: SigningAlgorithm) -> Signer {
        let secret = Secret::new(secret);
        Signer { secret, algorithm }
    }

    /// The cases of RFC 4231, 4.3, and RFC 2104, the second: key "Jefe".
    #[test]
    fn the_hmacs_are_those_of_the_standards() {
        let text = b"what do ya want for nothing?";
        assert_eq!(
            signer("Jefe", SigningAlgorithm::HmacSha256).hmac(text),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
        assert_eq!(
            signer("Jefe", SigningAlgorithm::HmacMd5).hmac(text),
            "750c783e6ab0b503eaa86e310a5db738"
        );
    }

    /// The example of docs/PROTOCOL.md; its values were computed with openssl.
    #[test]
    fn the_signed_text_is_sorted_and_encoded() {
        let signer = signer("geheim", SigningAlgorithm::HmacSha256);
        let fields: [Field<'_>; 3] = [
            ("size".into(), "10".into()),
            ("name".into(), "报告 1.txt".into()),
            ("action".into(), "send".into()),
        ];
        let [ts, nonce, sign] = signer.head(&fields, 1_700_000_000, 7);
        assert_eq!(ts.1, "1700000000");
        assert_eq!(nonce.1, "00000000000000000000000000000007");
        assert_eq!(sign.1, HEAD);
        let tail: [Field<'_>; 1] = [("md5".into(), "0123456789abcdef0123456789abcdef".into())];
        assert_eq!(signer.tail(&tail, &sign.1).1, TAIL);
    }

    const HEAD: &str = "3548854678372ee2db42db9dd5a5ebea5ef621e1e024377778e5636499690fc1";
    const TAIL: &str = "e06e59b1b6e8ebd1e03e8554480991278138a0542b68b0d86479cc0d95d4e2de";
}
