//! The settings of TLS: the trusted certificates, and the client certificate.

use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::RootCertStore;

use super::key_files::{certificates, contains, private_key, read};
use super::tls_faults::describe_certificate;
use crate::error::Error;

/// The root certificates that are trusted where the program gives none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Trust {
    /// The operating system's. The default.
    #[default]
    System,
    /// Mozilla's, as they were when the library was built.
    Bundled,
}

/// The settings of TLS.
#[derive(Debug, Clone)]
pub(crate) struct Certificates {
    pub trust: Trust,
    /// The program's own root certificates. Where there are some, only they are trusted.
    pub own: Arc<Vec<CertificateDer<'static>>>,
    /// The client's chain of certificates, with its key.
    pub client: Option<Arc<CertifiedKey>>,
    pub verify: bool,
}

impl Default for Certificates {
    fn default() -> Self {
        Certificates {
            trust: Trust::System,
            own: Arc::default(),
            client: None,
            verify: true,
        }
    }
}

impl Certificates {
    /// Adds the certificates of a file to the trusted ones: all of them or none.
    pub(crate) fn add_own_file(&mut self, path: &Path) -> Result<(), Error> {
        let from = format!("\"{}\"", path.display());
        let content = read(path).map_err(|why| bad_authority(&from, why))?;
        self.add_own(&content, &from)
    }

    /// Adds the certificates of a file's content to the trusted ones: all of them or none.
    pub(crate) fn add_own(&mut self, content: &[u8], from: &str) -> Result<(), Error> {
        let found = certificates(content).map_err(|why| bad_authority(from, why))?;
        let mut store = RootCertStore::empty();
        for (i, certificate) in found.iter().enumerate() {
            store.add(certificate.clone()).map_err(|e| {
                let (n, all, why) = (i + 1, found.len(), describe_certificate(&e));
                bad_authority(from, format!("certificate {n} of {all} {why}"))
            })?;
        }
        Arc::make_mut(&mut self.own).extend(found);
        Ok(())
    }

    /// Sets the client certificate, from two files (which may be the same).
    pub(crate) fn set_client(&mut self, certificate: &Path, key: &Path) -> Result<(), Error> {
        let bad = |path: &Path, why: String| Error::InvalidArgument {
            what: "client certificate",
            why: format!("\"{}\": {why}", path.display()),
        };
        let content = read(certificate).map_err(|why| bad(certificate, why))?;
        let chain = certificates(&content).map_err(|why| bad(certificate, why))?;
        let content = read(key).map_err(|why| bad(key, why))?;
        let client = private_key(&content).and_then(|key| certified(chain, &key));
        self.client = Some(Arc::new(client.map_err(|why| bad(key, why))?));
        Ok(())
    }
}

fn bad_authority(from: &str, why: String) -> Error {
    Error::InvalidArgument {
        what: "CA certificate",
        why: format!("{from}: {why}"),
    }
}

/// Puts a chain of certificates and a key together, if they belong together. The certificate may
/// be of any version of X.509: it is for the server to judge.
fn certified(
    chain: Vec<CertificateDer<'static>>,
    key: &PrivateKeyDer<'_>,
) -> Result<CertifiedKey, String> {
    let signer = any_supported_type(key).map_err(|_| unusable(key))?;
    let public = signer.public_key();
    let fits = |certificate: &CertificateDer<'_>| {
        let anchor = webpki::anchor_from_trusted_cert(certificate);
        let key = anchor.map(|anchor| webpki::spki_for_anchor(&anchor));
        key.is_ok_and(|key| public.is_none() || public == Some(key))
    };
    match chain.iter().position(fits) {
        Some(0) => Ok(CertifiedKey::new(chain, signer)),
        Some(n) => Err(format!(
            "the key belongs to certificate {} of the chain; the client's own has to be the first",
            n + 1
        )),
        None => Err("the key does not belong to the certificate".to_owned()),
    }
}

/// Says why a key cannot be used.
fn unusable(key: &PrivateKeyDer<'_>) -> String {
    /// The object identifier of P-521, in DER.
    const P521: &[u8] = &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23];
    let what = match contains(key.secret_der(), P521) {
        true => "the key is one of the curve P-521, which is not supported for clients",
        false => "the key cannot be used",
    };
    format!(
        "{what}; use RSA of 2048 to 4096 bits, P-256, P-384 or Ed25519 \
         (\"openssl pkey -in OLD -out NEW\" mends some unusual files)"
    )
}
