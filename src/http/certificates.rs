//! The settings of TLS: the trusted certificates, and the client certificate.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use zeroize::Zeroizing;

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
    pub client: Option<Arc<ClientCertificate>>,
    pub verify: bool,
}

/// A certificate chain and the key that belongs to it.
#[derive(Debug)]
pub(crate) struct ClientCertificate {
    pub chain: Vec<CertificateDer<'static>>,
    /// A PEM text that contains the key.
    pub key_pem: Zeroizing<Vec<u8>>,
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
    /// Adds the certificates of a PEM text to the trusted ones: all of them or none.
    pub(crate) fn add_own(&mut self, pem: &[u8], from: &str) -> Result<(), Error> {
        let bad = |why: String| Error::InvalidArgument {
            what: "CA certificate",
            why: format!("{from}: {why}"),
        };
        let found = chain(pem).map_err(&bad)?;
        let mut store = RootCertStore::empty();
        for (i, certificate) in found.iter().enumerate() {
            store.add(certificate.clone()).map_err(|e| {
                let all = found.len();
                bad(format!(
                    "certificate {} of {all} cannot be used: {}",
                    i + 1,
                    describe(&e)
                ))
            })?;
        }
        Arc::make_mut(&mut self.own).extend(found);
        Ok(())
    }

    /// Sets the client certificate, from two PEM files (which may be the same).
    pub(crate) fn set_client(&mut self, certificate: &Path, key: &Path) -> Result<(), Error> {
        let bad = |path: &Path, why: String| Error::InvalidArgument {
            what: "client certificate",
            why: format!("{}: {why}", path.display()),
        };
        let (certificate_pem, key_pem) = (read(certificate)?, read(key)?);
        let chain = chain(&certificate_pem).map_err(|why| bad(certificate, why))?;
        let key_der = PrivateKeyDer::from_pem_slice(&key_pem).map_err(|e| match e {
            pem::Error::NoItemsFound => {
                let why = match contains(&key_pem, b"ENCRYPTED") {
                    true => "its key is encrypted; write it without a password",
                    false => "it contains no private key in PEM form",
                };
                bad(key, why.to_owned())
            }
            e => bad(key, format!("its key cannot be read: {e}")),
        })?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map(|builder| builder.with_root_certificates(RootCertStore::empty()))
            .and_then(|builder| builder.with_client_auth_cert(chain.clone(), key_der))
            .map_err(|e| {
                bad(
                    key,
                    format!("the key cannot be used with the certificate: {e}"),
                )
            })?;
        self.client = Some(Arc::new(ClientCertificate { chain, key_pem }));
        Ok(())
    }
}

/// Reads a file of certificates or keys.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, Error> {
    let bytes = std::fs::read(path).map_err(|e| Error::InvalidArgument {
        what: "certificate file",
        why: format!("\"{}\" cannot be read: {e}", path.display()),
    })?;
    Ok(bytes.into())
}

/// Describes a failure of TLS in rustls's words, with the way out where there is one.
///
/// For an unusual fault in a certificate, rustls prints the `Debug` form of a wrapper, and not in
/// every build. The fault inside it is printed instead.
pub(crate) fn describe(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => format!(
            "{error}; if its issuer is a CA of your own, set the CA's certificate (set_ca_file)"
        ),
        rustls::Error::InvalidCertificate(CertificateError::Other(fault)) => {
            format!("invalid peer certificate: {fault}")
        }
        other => other.to_string(),
    }
}

fn chain(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Err(e) => Err(format!("it is not valid PEM: {e}")),
        Ok(chain) if chain.is_empty() => Err("it contains no certificate in PEM form".to_owned()),
        Ok(chain) => Ok(chain),
    }
}

fn contains(text: &[u8], what: &[u8]) -> bool {
    text.windows(what.len()).any(|window| window == what)
}
