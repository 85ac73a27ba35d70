//! TLS with certificates from files, which can be renewed while the receiver runs.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::anyhow;
use rustls::ServerConfig;
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tokio_rustls::TlsAcceptor;
use x509_parser::parse_x509_certificate;
use x509_parser::time::ASN1Time;

#[path = "../../../../src/http/key_files.rs"]
pub mod key_files;

/// The server's side of TLS.
#[cfg_attr(not(unix), allow(dead_code))] // Only a signal has the files read again.
pub struct Tls {
    certificates: PathBuf,
    key: PathBuf,
    acceptor: RwLock<TlsAcceptor>,
}

impl Tls {
    /// Reads a chain of certificates, the server's own first, and its private key.
    pub fn open(certificates: &Path, key: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            acceptor: RwLock::new(read(certificates, key)?),
            certificates: certificates.to_owned(),
            key: key.to_owned(),
        })
    }

    /// Reads the files again. If that fails, the old certificates stay in use.
    #[cfg_attr(not(unix), allow(dead_code))]
    pub fn reload(&self) -> anyhow::Result<()> {
        let fresh = read(&self.certificates, &self.key)?;
        *self
            .acceptor
            .write()
            .unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// Does a connection's handshake.
    pub async fn accept(&self, stream: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        self.acceptor().accept(stream).await
    }

    fn acceptor(&self) -> TlsAcceptor {
        let acceptor = self.acceptor.read();
        acceptor.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn read(certificates: &Path, key: &Path) -> anyhow::Result<TlsAcceptor> {
    let bad = |path: &Path, why: String| anyhow!("{}: {why}", path.display());
    let content = key_files::read(certificates).map_err(|why| bad(certificates, why))?;
    let chain = key_files::certificates(&content).map_err(|why| bad(certificates, why))?;
    let content = key_files::read(key).map_err(|why| bad(key, why))?;
    let secret = key_files::private_key(&content).map_err(|why| bad(key, why))?;
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, secret.clone_key())
        .map_err(|e| {
            let certificates = certificates.display();
            bad(
                key,
                format!("it cannot be used with {certificates}: {}", words(&e)),
            )
        })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config).into())
}

/// Tells how many days the first certificate of a file is valid for; less than 0 if it is no more.
pub fn days_left(certificates: &Path) -> Result<i64, String> {
    let content = key_files::read(certificates)?;
    let chain = key_files::certificates(&content)?;
    let parsed = chain.first().map(|first| parse_x509_certificate(first));
    let Some(Ok((_, certificate))) = parsed else {
        return Err("it is damaged".to_owned());
    };
    let (validity, now) = (certificate.validity(), ASN1Time::now());
    if now < validity.not_before {
        let since = validity.not_before;
        return Err(format!("it is valid from {since} on; is the clock right?"));
    }
    let seconds = validity.not_after.timestamp() - now.timestamp();
    Ok(seconds.div_euclid(24 * 3600))
}

/// Says why a certificate and a key cannot be used.
fn words(error: &rustls::Error) -> &'static str {
    match error {
        rustls::Error::InconsistentKeys(_) => "the key does not belong to the first certificate",
        rustls::Error::InvalidCertificate(_) => {
            "a certificate is damaged, or of version 1 of X.509, which names no hosts"
        }
        _ => "use RSA of 2048 to 4096 bits, P-256, P-384 or Ed25519",
    }
}
