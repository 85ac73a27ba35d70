//! A throw-away certificate authority and a server certificate for this machine.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::ServerConfig;

/// What a TLS server needs, and what its clients need to trust it.
#[derive(Clone)]
pub struct Identity {
    ca_pem: String,
    config: Arc<ServerConfig>,
}

impl Identity {
    /// A new authority and a certificate from it for this machine.
    pub fn new() -> Self {
        Self::named(&["localhost", "127.0.0.1", "::1"])
    }

    /// The same for other names, for tests of a certificate that does not fit.
    ///
    /// # Panics
    ///
    /// When a name cannot stand in a certificate.
    pub fn named(names: &[&str]) -> Self {
        let ca_key = KeyPair::generate().expect("key of the authority");
        let mut ca = CertificateParams::new(Vec::new()).expect("parameters of the authority");
        ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        ca.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        ca.distinguished_name
            .push(DnType::CommonName, "resup test authority");
        let ca_pem = ca.self_signed(&ca_key).expect("authority").pem();

        let key = KeyPair::generate().expect("key of the server");
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let certificate = CertificateParams::new(names)
            .expect("names of the server")
            .signed_by(&key, &Issuer::new(ca, ca_key))
            .expect("certificate of the server");
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("protocol versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("certificate and key fit");
        Self {
            ca_pem,
            config: Arc::new(config),
        }
    }

    /// The certificate of the authority, for the client's list of roots.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    pub(crate) fn config(&self) -> Arc<ServerConfig> {
        self.config.clone()
    }
}

impl Default for Identity {
    fn default() -> Self {
        Self::new()
    }
}
