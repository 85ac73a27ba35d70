//! The settings of TLS in ureq's form.

use std::sync::Arc;

use once_cell::sync::OnceCell;
use rustls::pki_types::CertificateDer;
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};

use crate::http::certificates::{Certificates, Trust};

/// The system's root certificates, read once. After a failure the next call tries again.
static SYSTEM: OnceCell<Arc<Vec<Certificate<'static>>>> = OnceCell::new();

/// Makes the settings for a connection to an https server.
pub(super) fn config(settings: &Certificates) -> Result<TlsConfig, String> {
    let roots = if !settings.verify {
        RootCerts::Specific(Arc::default())
    } else if !settings.own.is_empty() {
        RootCerts::Specific(Arc::new(certificates(&settings.own)))
    } else {
        match settings.trust {
            Trust::Bundled => RootCerts::WebPki,
            Trust::System => RootCerts::Specific(SYSTEM.get_or_try_init(system)?.clone()),
        }
    };
    let client = match &settings.client {
        Some(client) => {
            let key = PrivateKey::from_pem(&client.key_pem).map_err(|e| e.to_string())?;
            Some(ClientCert::new_with_certs(
                &certificates(&client.chain),
                key,
            ))
        }
        None => None,
    };
    Ok(TlsConfig::builder()
        .root_certs(roots)
        .client_cert(client)
        .disable_verification(!settings.verify)
        .build())
}

/// Makes ureq's certificates.
fn certificates(ders: &[CertificateDer<'static>]) -> Vec<Certificate<'static>> {
    ders.iter()
        .map(|der| Certificate::from_der(der).to_owned())
        .collect()
}

/// Reads the system's root certificates. Unusable ones are left out; if all are, that is an error.
fn system() -> Result<Arc<Vec<Certificate<'static>>>, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut store = rustls::RootCertStore::empty();
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
    Ok(Arc::new(certificates(&found.certs)))
}
