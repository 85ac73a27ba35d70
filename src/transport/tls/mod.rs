//! TLS by rustls: its settings, and the layer of a connection.
//!
//! ureq's own layer takes no verifier, and does not show that a server asks for a new handshake.

mod configs;
mod ecdsa;
mod layer;
mod verifier;

use std::sync::Arc;

use once_cell::sync::OnceCell;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::CertificateDer;
use rustls::sign::SingleCertAndKey;
use rustls::{ClientConfig, RootCertStore};

pub(super) use configs::TlsConfigs;
pub(super) use layer::TlsLayer;
use verifier::{NoVerifier, Verifier};

use crate::http::certificates::{Certificates, Trust};

/// The trusted certificates.
#[derive(Debug, Clone)]
struct Roots {
    store: Arc<RootCertStore>,
    /// The same as they are, where they are known. A server may show one of them as its own.
    whole: Arc<Vec<CertificateDer<'static>>>,
}

/// The system's root certificates, read once. After a failure the next call tries again.
static SYSTEM: OnceCell<Roots> = OnceCell::new();

/// Makes the settings for a connection to an https server.
pub(super) fn config(settings: &Certificates) -> Result<Arc<ClientConfig>, String> {
    let mut provider = rustls::crypto::ring::default_provider();
    let algorithms = &mut provider.signature_verification_algorithms;
    *algorithms = ecdsa::algorithms(*algorithms);
    let verifier: Arc<dyn ServerCertVerifier> = match settings.verify {
        true => Arc::new(Verifier::new(roots(settings)?, *algorithms)),
        false => Arc::new(NoVerifier),
    };
    let builder = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    Ok(Arc::new(match &settings.client {
        Some(client) => {
            let client = SingleCertAndKey::from(client.clone());
            builder.with_client_cert_resolver(Arc::new(client))
        }
        None => builder.with_no_client_auth(),
    }))
}

fn roots(settings: &Certificates) -> Result<Roots, String> {
    if !settings.own.is_empty() {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(settings.own.iter().cloned());
        return Ok(Roots {
            store: Arc::new(store),
            whole: settings.own.clone(),
        });
    }
    match settings.trust {
        Trust::System => SYSTEM.get_or_try_init(system).cloned(),
        Trust::Bundled => Ok(Roots {
            store: Arc::new(webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect()),
            whole: Arc::default(),
        }),
    }
}

/// Reads the system's root certificates. Unusable ones are left out; if all are, that is an error.
fn system() -> Result<Roots, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut store = RootCertStore::empty();
    let (usable, unusable) = store.add_parsable_certificates(found.certs.iter().cloned());
    if usable == 0 {
        let why = match found.errors.first() {
            Some(e) => format!(": {e}"),
            None => String::new(),
        };
        return Err(format!(
            "the system has no root certificates that can be used ({unusable} cannot{why}); \
             install them (package ca-certificates), set a CA file, or trust the bundled ones"
        ));
    }
    Ok(Roots {
        store: Arc::new(store),
        whole: Arc::new(found.certs),
    })
}
