//! Signed receipts of finished files. A receipt is a JSON Web Token (RFC 7519) in the compact form of a JSON Web Signature
//! (RFC 7515), signed with Ed25519 (RFC 8037). docs/operation/hooks.md says what it has.

use std::path::Path;
use std::sync::Arc;

use anyhow::{anyhow, bail};
use base64::prelude::{Engine as _, BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use resup_digests::Algorithm;
use ring::signature::{Ed25519KeyPair, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::config::{times, Config};
use crate::ops::tls::key_files;
use crate::storage::record::Record;

/// The type of a receipt.
const TYPE: &str = "resup-receipt+jwt";
/// The version of what it says.
const VERSION: u32 = 1;
/// What stands before the 32 bytes of a public key of Ed25519 in a SubjectPublicKeyInfo (RFC 8410).
const SPKI: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];

/// What signs receipts; perhaps nothing does.
#[derive(Clone, Default)]
pub struct Receipts(Option<Arc<Signer>>);

struct Signer {
    key: Ed25519KeyPair,
    /// The thumbprint of the public key (RFC 7638).
    id: String,
    issuer: Option<String>,
}

#[derive(Serialize)]
struct Header<'r> {
    alg: &'static str,
    typ: &'static str,
    kid: &'r str,
}

#[derive(Serialize)]
struct Claims<'r> {
    receipt: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<&'r str>,
    /// When the file was finished, in seconds since 1970.
    iat: i64,
    completed: String,
    upload: &'r str,
    name: &'r str,
    dir: &'r str,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    mtime: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    md5: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blake3: Option<String>,
}

impl Receipts {
    /// Reads the key, if the settings have one.
    pub fn open(config: &Config) -> anyhow::Result<Self> {
        let Some(path) = &config.receipt_key else {
            return Ok(Self::default());
        };
        let bad = |why: String| anyhow!("the key for receipts {}: {why}", path.display());
        let key = read(path).map_err(bad)?;
        Ok(Self(Some(Arc::new(Signer {
            id: thumbprint(key.public_key().as_ref()),
            key,
            issuer: config.receipt_issuer.clone(),
        }))))
    }

    /// Whether there are receipts.
    pub fn are_made(&self) -> bool {
        self.0.is_some()
    }

    /// Makes the receipt of a finished file; the same one each time.
    pub fn of(&self, record: &Record) -> Option<String> {
        let signer = self.0.as_deref()?;
        let file = &record.identity;
        let header = Header {
            alg: "EdDSA",
            typ: TYPE,
            kid: &signer.id,
        };
        let claims = Claims {
            receipt: VERSION,
            iss: signer.issuer.as_deref(),
            sub: Some(&*file.owner).filter(|owner| !owner.is_empty()),
            iat: record.changed / 1000,
            completed: times::text(record.changed),
            upload: &record.id,
            name: record.name(),
            dir: record.dir(),
            size: file.size,
            mtime: file.mtime.parse().ok(),
            md5: record.digests.hex(Algorithm::Md5),
            sha256: record.digests.hex(Algorithm::Sha256),
            blake3: record.digests.hex(Algorithm::Blake3),
        };
        let mut token = format!("{}.{}", encoded(&header), encoded(&claims));
        let signature = signer.key.sign(token.as_bytes());
        token.push('.');
        BASE64_URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Some(token)
    }

    /// Writes the public key in PEM.
    pub fn public_key(&self) -> anyhow::Result<String> {
        let Some(signer) = &self.0 else {
            bail!("there is no key for receipts: --receipt-key names its file");
        };
        let key = [&SPKI[..], signer.key.public_key().as_ref()].concat();
        Ok(format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
            BASE64_STANDARD.encode(key)
        ))
    }
}

/// Reads a private key.
fn read(path: &Path) -> Result<Ed25519KeyPair, String> {
    let content = key_files::read(path)?;
    let wrong = || {
        "it is no key of Ed25519 in PKCS#8; make one with: openssl genpkey -algorithm ed25519"
            .to_owned()
    };
    match &*key_files::private_key(&content)? {
        PrivateKeyDer::Pkcs8(key) => {
            Ed25519KeyPair::from_pkcs8_maybe_unchecked(key.secret_pkcs8_der()).map_err(|_| wrong())
        }
        _ => Err(wrong()),
    }
}

/// The name of a public key that everybody can compute.
fn thumbprint(key: &[u8]) -> String {
    let x = BASE64_URL_SAFE_NO_PAD.encode(key);
    let jwk = format!("{{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"{x}\"}}");
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(jwk))
}

fn encoded(value: &impl Serialize) -> String {
    let json = serde_json::to_vec(value).expect("text and numbers become JSON");
    BASE64_URL_SAFE_NO_PAD.encode(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key and its thumbprint in RFC 8037, A.3.
    #[test]
    fn the_name_of_a_key_is_its_thumbprint() {
        let key = BASE64_URL_SAFE_NO_PAD
            .decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
            .unwrap();
        assert_eq!(
            thumbprint(&key),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
        );
    }
}
