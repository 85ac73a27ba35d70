//! TLS with certificates from files, which can be renewed while the receiver runs.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::{bail, Context};
use tokio::net::TcpStream;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;
use tokio_rustls::TlsAcceptor;

/// The server's side of TLS.
pub struct Tls {
    certificates: PathBuf,
    key: PathBuf,
    acceptor: RwLock<TlsAcceptor>,
}

impl Tls {
    /// Reads a chain of certificates, the server's own first, and its private key, both PEM.
    pub fn open(certificates: &Path, key: &Path) -> anyhow::Result<Self> {
        Ok(Self {
            acceptor: RwLock::new(read(certificates, key)?),
            certificates: certificates.to_owned(),
            key: key.to_owned(),
        })
    }

    /// Reads the files again. If that fails, the old certificates stay in use.
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
    let chain: Vec<_> = CertificateDer::pem_file_iter(certificates)
        .and_then(Iterator::collect)
        .with_context(|| format!("cannot read certificates from {}", certificates.display()))?;
    if chain.is_empty() {
        bail!("{} has no certificate in PEM", certificates.display());
    }
    let secret = PrivateKeyDer::from_pem_file(key)
        .with_context(|| format!("cannot read a private key from {}", key.display()))?;
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .with_context(|| {
            let (certificates, key) = (certificates.display(), key.display());
            format!("the certificate in {certificates} and the key in {key} cannot be used")
        })?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config).into())
}
