//! Signatures of forms, by docs/PROTOCOL.md, "Signing".

use std::time::{SystemTime, UNIX_EPOCH};

use clap::ValueEnum;
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use percent_encoding::{utf8_percent_encode, AsciiSet, NON_ALPHANUMERIC};
use sha2::Sha256;

use crate::form::Fields;

/// All characters except A-Z a-z 0-9 - . _ ~
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A way to sign forms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Algorithm {
    /// HMAC-SHA-256
    #[default]
    HmacSha256,
    /// HMAC-MD5
    HmacMd5,
}

/// A secret and the way to sign with it.
#[derive(Clone)]
pub struct Signer {
    pub secret: String,
    pub algorithm: Algorithm,
}

impl Signer {
    /// Computes the signature of fields, in lower-case hexadecimal.
    pub fn sign(&self, fields: &Fields) -> String {
        let mut lines: Vec<String> = fields
            .iter()
            .map(|(name, value)| {
                let encoded = |text| utf8_percent_encode(text, ENCODED);
                format!("{}={}", encoded(name), encoded(value))
            })
            .collect();
        lines.sort_unstable();
        let text = lines.join("\n");
        match self.algorithm {
            Algorithm::HmacSha256 => hmac::<Hmac<Sha256>>(&self.secret, &text),
            Algorithm::HmacMd5 => hmac::<Hmac<Md5>>(&self.secret, &text),
        }
    }

    /// Signs `fields` with the current time.
    pub fn head(&self, fields: &mut Fields, nonce: u128) {
        self.head_at(fields, nonce, now());
    }

    /// Signs `fields` with another time.
    pub fn head_at(&self, fields: &mut Fields, nonce: u128, ts: u64) {
        fields.push(("ts".into(), ts.to_string()));
        fields.push(("nonce".into(), format!("{nonce:032x}")));
        let sign = self.sign(fields);
        fields.push(("sign".into(), sign));
    }

    /// Signs the fields after the file, together with the `sign` before it.
    pub fn tail(&self, tail: &mut Fields, sign: &str) {
        let mut text = tail.clone();
        text.push(("sign".into(), sign.to_owned()));
        tail.push(("sign_tail".into(), self.sign(&text)));
    }
}

/// Returns the current time in seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

fn hmac<M: Mac + KeyInit>(secret: &str, text: &str) -> String {
    let mut mac = <M as KeyInit>::new_from_slice(secret.as_bytes())
        .expect("an HMAC takes keys of every length");
    mac.update(text.as_bytes());
    crate::file::hex(&mac.finalize().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of docs/PROTOCOL.md.
    #[test]
    fn signatures_are_those_of_the_protocols_example() {
        let signer = Signer {
            secret: "geheim".into(),
            algorithm: Algorithm::HmacSha256,
        };
        let mut fields: Fields = [("action", "send"), ("name", "报告 1.txt"), ("size", "10")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec();
        signer.head_at(&mut fields, 7, 1_700_000_000);
        let sign = "3548854678372ee2db42db9dd5a5ebea5ef621e1e024377778e5636499690fc1";
        assert_eq!(fields.last().unwrap().1, sign);
        let mut tail = vec![("md5".into(), "0123456789abcdef0123456789abcdef".into())];
        signer.tail(&mut tail, sign);
        let sign_tail = "e06e59b1b6e8ebd1e03e8554480991278138a0542b68b0d86479cc0d95d4e2de";
        assert_eq!(tail.last().unwrap().1, sign_tail);
    }
}
