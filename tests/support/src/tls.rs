//! Throw-away certificate authorities and what they certify.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::Arc;

use rcgen::{
    date_time_ymd, BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoClientAuth, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig};

/// The names of this machine in URLs.
const THIS_MACHINE: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// A certificate authority that nobody trusts by default.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    /// Makes an authority; no two have the same key or name. (With equal names, a certificate of the other one
    /// would be a forgery, not one of an unknown authority, and OpenSSL drops some of those in the handshake silently.)
    pub fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let key = new_key();
        let mut params = params(&[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let name = format!("resup test authority {}", COUNT.fetch_add(1, Relaxed));
        params.distinguished_name.push(DnType::CommonName, name);
        let pem = params.self_signed(&key).expect("authority").pem();
        let issuer = Issuer::new(params, key);
        Self { issuer, pem }
    }

    /// Returns its own certificate, for those who are to trust it.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Makes a certificate for this machine, as a server or as a client.
    pub fn certify(&self) -> Certificate {
        self.certify_named(&THIS_MACHINE)
    }

    /// Makes a certificate for other names.
    ///
    /// # Panics
    ///
    /// When a name cannot stand in a certificate.
    pub fn certify_named(&self, names: &[&str]) -> Certificate {
        self.sign(params(names))
    }

    /// Makes a certificate for this machine that was valid in 2019 only.
    pub fn certify_for_2019(&self) -> Certificate {
        let mut params = params(&THIS_MACHINE);
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2020, 1, 1);
        self.sign(params)
    }

    /// Makes a certificate for this machine that is an authority's, which no server may have.
    pub fn certify_as_authority(&self) -> Certificate {
        let mut params = params(&THIS_MACHINE);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        self.sign(params)
    }

    fn sign(&self, params: CertificateParams) -> Certificate {
        let key = new_key();
        let certificate = params.signed_by(&key, &self.issuer).expect("certificate");
        Certificate::new(&certificate, &key)
    }
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

/// A certificate and its key.
#[derive(Clone)]
pub struct Certificate {
    pem: String,
    key_pem: String,
}

impl Certificate {
    /// Makes a certificate for this machine that is signed with its own key.
    pub fn self_signed() -> Self {
        let key = new_key();
        let certificate = params(&THIS_MACHINE)
            .self_signed(&key)
            .expect("certificate");
        Self::new(&certificate, &key)
    }

    fn new(certificate: &rcgen::Certificate, key: &KeyPair) -> Self {
        Self {
            pem: certificate.pem(),
            key_pem: key.serialize_pem(),
        }
    }

    /// Takes one that somebody else made.
    pub fn made_elsewhere(pem: &str, key_pem: &str) -> Self {
        let (pem, key_pem) = (pem.to_owned(), key_pem.to_owned());
        Self { pem, key_pem }
    }

    /// Returns the certificate.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Returns its key.
    pub fn key_pem(&self) -> &str {
        &self.key_pem
    }

    /// Writes both into a directory, as `NAME.pem` and `NAME.key`, and returns the paths.
    ///
    /// # Panics
    ///
    /// When they cannot be written.
    pub fn write(&self, dir: &Path, name: &str) -> (PathBuf, PathBuf) {
        let (pem, key) = (format!("{name}.pem"), format!("{name}.key"));
        let (pem, key) = (dir.join(pem), dir.join(key));
        fs::write(&pem, &self.pem).expect("certificate");
        fs::write(&key, &self.key_pem).expect("key");
        (pem, key)
    }
}

/// The identity of a TLS server: its certificate, the authority that clients have to trust, and the authority of
/// client certificates if it requires them.
#[derive(Clone)]
pub struct Identity {
    certificate: Certificate,
    ca_pem: String,
    clients_ca_pem: Option<String>,
}

impl Identity {
    /// Makes an authority and a certificate from it for this machine.
    pub fn new() -> Self {
        let authority = Authority::new();
        Self::of(authority.certify(), &authority)
    }

    /// Makes an identity for other names, for tests of a certificate that does not fit.
    ///
    /// # Panics
    ///
    /// When a name cannot stand in a certificate.
    pub fn named(names: &[&str]) -> Self {
        let authority = Authority::new();
        Self::of(authority.certify_named(names), &authority)
    }

    /// Makes an identity of a certificate and an authority.
    pub fn of(certificate: Certificate, authority: &Authority) -> Self {
        Self::with_ca_pem(certificate, &authority.pem)
    }

    /// Makes an identity of a certificate and the certificate of an authority.
    pub fn with_ca_pem(certificate: Certificate, ca_pem: &str) -> Self {
        Self {
            certificate,
            ca_pem: ca_pem.to_owned(),
            clients_ca_pem: None,
        }
    }

    /// Requires a certificate of this authority from every client.
    pub fn for_clients_of(self, authority: &Authority) -> Self {
        self.for_clients_with_ca_pem(&authority.pem)
    }

    /// Requires a certificate of the authority with this certificate from every client.
    pub fn for_clients_with_ca_pem(mut self, ca_pem: &str) -> Self {
        self.clients_ca_pem = Some(ca_pem.to_owned());
        self
    }

    /// Returns the certificate of the authority, for the client's list of roots.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// Returns the authority whose certificates are required from clients.
    pub(crate) fn clients_ca_pem(&self) -> Option<&str> {
        self.clients_ca_pem.as_deref()
    }

    pub(crate) fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Makes the configuration for rustls.
    pub fn config(&self) -> Arc<ServerConfig> {
        let provider = Arc::new(ring::default_provider());
        let verifier = match &self.clients_ca_pem {
            None => Arc::new(NoClientAuth),
            Some(pem) => {
                let mut roots = RootCertStore::empty();
                roots.add(der(pem)).expect("authority of the clients");
                let roots = Arc::new(roots);
                WebPkiClientVerifier::builder_with_provider(roots, provider.clone())
                    .build()
                    .expect("verifier of the clients")
            }
        };
        let key = PrivateKeyDer::from_pem_slice(self.certificate.key_pem.as_bytes());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("protocol versions")
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![der(&self.certificate.pem)], key.expect("key"))
            .expect("certificate and key fit");
        Arc::new(config)
    }
}

impl Default for Identity {
    fn default() -> Self {
        Self::new()
    }
}

fn new_key() -> KeyPair {
    KeyPair::generate().expect("key")
}

fn params(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    CertificateParams::new(names).expect("names of a certificate")
}

fn der(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).expect("certificate")
}
