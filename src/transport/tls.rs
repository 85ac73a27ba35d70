//! The settings of TLS as ureq takes them.

use std::sync::Arc;

use once_cell::sync::OnceCell;
use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig};

use crate::http::certificates::{Certificates, Trust};

/// The system's roots, read once. What went wrong is not kept: the next call tries again.
static SYSTEM: OnceCell<Arc<Vec<Certificate<'static>>>> = OnceCell::new();

/// The settings for one link to an https server.
pub(super) fn config(settings: &Certificates) -> Result<TlsConfig, String> {
    let roots = if !settings.verify {
        RootCerts::Specific(Arc::default())
    } else if !settings.own.is_empty() {
        let own = settings.own.iter();
        let own = own.map(|der| Certificate::from_der(der).to_owned());
        RootCerts::Specific(Arc::new(own.collect()))
    } else {
        match settings.trust {
            Trust::Bundled => RootCerts::WebPki,
            Trust::System => RootCerts::Specific(SYSTEM.get_or_try_init(system)?.clone()),
        }
    };
    let client = settings.client.as_ref().map(|client| {
        let chain = client.chain.iter();
        let chain = chain.map(|der| Certificate::from_der(der).to_owned());
        let chain: Vec<_> = chain.collect();
        let key = PrivateKey::from_pem(&client.key_pem).map_err(|e| e.to_string())?;
        Ok::<_, String>(ClientCert::new_with_certs(&chain, key))
    });
    let client = client.transpose()?;
    Ok(TlsConfig::builder()
        .root_certs(roots)
        .client_cert(client)
        .disable_verification(!settings.verify)
        .build())
}

/// Reads the system's roots; those that cannot be used are left out, and all of them are an error.
fn system() -> Result<Arc<Vec<Certificate<'static>>>, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut store = rustls::RootCertStore::empty();
    let (usable, unusable) = store.add_parsable_certificates(found.certs.iter().cloned());
    if usable == 0 {
        let why = found.errors.first().map(|e| format!(": {e}"));
        let why = why.unwrap_or_default();
        return Err(format!(
            "the system has no root certificates that can be used ({unusable} cannot{why}); \
             install them (package ca-certificates), set a CA file, or trust the bundled ones"
        ));
    }
    let certificates = found.certs.iter();
    let certificates = certificates.map(|der| Certificate::from_der(der).to_owned());
    Ok(Arc::new(certificates.collect()))
}
