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

/// A certificate authority that nobody trusts before being told to.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    /// A new one; no two have the same key or name. (What was signed by a namesake would not be an unknown authority's
    /// but a forgery, and OpenSSL drops some of those in the handshake without a word.)
    pub fn new() -> Self {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let key = new_key();
        let mut params = params(&[]);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let name = format!("resup test authority {}", MADE.fetch_add(1, Relaxed));
        params.distinguished_name.push(DnType::CommonName, name);
        let pem = params.self_signed(&key).expect("authority").pem();
        let issuer = Issuer::new(params, key);
        Self { issuer, pem }
    }

    /// Its own certificate, for the lists of those who are to trust it.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A certificate for this machine, as a server or as a client.
    pub fn certify(&self) -> Certificate {
        self.certify_named(&THIS_MACHINE)
    }

    /// One for other names.
    ///
    /// # Panics
    ///
    /// When a name cannot stand in a certificate.
    pub fn certify_named(&self, names: &[&str]) -> Certificate {
        self.sign(params(names))
    }

    /// One for this machine that was valid in 2019 only.
    pub fn certify_for_2019(&self) -> Certificate {
        let mut params = params(&THIS_MACHINE);
        params.not_before = date_time_ymd(2019, 1, 1);
        params.not_after = date_time_ymd(2020, 1, 1);
        self.sign(params)
    }

    /// One for this machine that says it is an authority itself, which no server's may.
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
    /// One for this machine that no authority but itself vouches for.
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

    /// The certificate.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Its key.
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

/// What a TLS server is: the certificate that it shows, whom a client has to trust to believe
/// it, and whose certificates it wants from clients.
#[derive(Clone)]
pub struct Identity {
    certificate: Certificate,
    ca_pem: String,
    clients_ca_pem: Option<String>,
}

impl Identity {
    /// A new authority and a certificate from it for this machine.
    pub fn new() -> Self {
        let authority = Authority::new();
        Self::of(authority.certify(), &authority)
    }

    /// The same for other names, for tests of a certificate that does not fit.
    ///
    /// # Panics
    ///
    /// When a name cannot stand in a certificate.
    pub fn named(names: &[&str]) -> Self {
        let authority = Authority::new();
        Self::of(authority.certify_named(names), &authority)
    }

    /// A certificate, and the authority that a client is told of.
    pub fn of(certificate: Certificate, authority: &Authority) -> Self {
        Self {
            certificate,
            ca_pem: authority.pem.clone(),
            clients_ca_pem: None,
        }
    }

    /// The same for a server that wants a certificate of this authority from every client.
    pub fn for_clients_of(mut self, authority: &Authority) -> Self {
        self.clients_ca_pem = Some(authority.pem.clone());
        self
    }

    /// The certificate of the authority, for the client's list of roots.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The authority whose certificates are wanted from clients.
    pub(crate) fn clients_ca_pem(&self) -> Option<&str> {
        self.clients_ca_pem.as_deref()
    }

    pub(crate) fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// The same for rustls.
    pub(crate) fn config(&self) -> Arc<ServerConfig> {
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
