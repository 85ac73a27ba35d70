//! The receiver's address.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::Path;
use std::sync::Arc;

use anyhow::{bail, ensure, Context, Result};
use http::Uri;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};

/// An http or https URL, with its host's addresses.
#[derive(Clone)]
pub struct Target {
    pub addrs: Vec<SocketAddr>,
    pub tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    /// Host and port, for the header Host.
    pub authority: String,
    /// Path and query.
    pub path: String,
}

impl Target {
    /// Parses a URL and looks its host up. TLS trusts the CA certificates in `ca_file`, or the
    /// system's without one.
    pub fn parse(url: &str, ca_file: Option<&Path>) -> Result<Self> {
        let uri: Uri = url
            .parse()
            .with_context(|| format!("the URL \"{url}\" cannot be used"))?;
        let (Some(host), Some(authority)) = (uri.host(), uri.authority()) else {
            bail!("the URL \"{url}\" has no host; it begins with http:// or https://");
        };
        let host = host.trim_matches(['[', ']']);
        let (default_port, tls) = match uri.scheme_str() {
            Some("http") => (80, None),
            Some("https") => {
                let name = ServerName::try_from(host.to_owned())?;
                (443, Some((tls_config(ca_file)?, name)))
            }
            _ => bail!("the URL \"{url}\" does not begin with http:// or https://"),
        };
        let port = uri.port_u16().unwrap_or(default_port);
        let addrs: Vec<_> = (host, port)
            .to_socket_addrs()
            .with_context(|| format!("the host \"{host}\" cannot be looked up"))?
            .collect();
        ensure!(!addrs.is_empty(), "the host \"{host}\" has no address");
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Self {
            addrs,
            tls,
            authority: authority.as_str().to_owned(),
            path: path.to_owned(),
        })
    }

    /// Returns whether both have the same scheme, host and port.
    pub fn same_origin(&self, other: &Self) -> bool {
        self.tls.is_some() == other.tls.is_some() && self.authority == other.authority
    }

    /// Returns the path with `query` added.
    pub fn path_with(&self, query: &str) -> String {
        let separator = if self.path.contains('?') { '&' } else { '?' };
        format!("{}{separator}{query}", self.path)
    }
}

/// Makes the TLS settings.
fn tls_config(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    match ca_file {
        Some(file) => {
            let describe = || format!("no certificates in \"{}\"", file.display());
            let certificates = CertificateDer::pem_file_iter(file).with_context(describe)?;
            for certificate in certificates {
                roots.add(certificate.with_context(describe)?)?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
