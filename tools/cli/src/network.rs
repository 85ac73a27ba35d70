//! The options about the network: proxies and TLS.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};
use resup::{Client, Error};

/// The options about the network.
#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
pub struct Network {
    /// Proxy, as a URL, or "none", or "system" [default: system]
    ///
    /// URLs begin with http://, socks4://, socks4a://, socks5:// or socks5h:// and may have a
    /// "user:password@" after that. "system" reads the environment: http_proxy, https_proxy,
    /// all_proxy and no_proxy. A password that other users must not see belongs there too.
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,

    /// Hosts to reach without the proxy, between commas, such as example.org,10.0.0.0/8
    #[arg(long, value_name = "LIST")]
    no_proxy: Option<String>,

    /// Whose certificates are trusted for https
    #[arg(long, value_name = "WHOSE", value_enum, default_value = "system")]
    trust: Trust,

    /// Trust the CA certificates in this PEM file, and no others; may be given several times
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    cacert: Vec<PathBuf>,

    /// Certificate to show to the server, a PEM file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    cert: Option<PathBuf>,

    /// Key of that certificate, a PEM file [default: the file of --cert]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "cert")]
    key: Option<PathBuf>,

    /// Do not verify the server's certificate
    ///
    /// Everybody between you and the server can then read and change all data, passwords too.
    #[arg(long)]
    insecure: bool,
}

impl Network {
    /// Applies all options.
    pub fn set(&self, client: &Client) -> Result<(), Error> {
        if let Some(proxy) = &self.proxy {
            client.set_proxy(proxy)?;
        }
        if let Some(list) = &self.no_proxy {
            client.set_no_proxy(list)?;
        }
        client.set_trust(self.trust.into());
        for file in &self.cacert {
            client.set_ca_file(file)?;
        }
        if let Some(cert) = &self.cert {
            client.set_client_certificate(cert, self.key.as_ref().unwrap_or(cert))?;
        }
        client.set_tls_verify(!self.insecure);
        Ok(())
    }
}

/// A set of root certificates, as the option names it.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Trust {
    /// Those that the system trusts
    System,
    /// Those that Mozilla trusted when this program was built
    Bundled,
}

impl From<Trust> for resup::Trust {
    fn from(trust: Trust) -> Self {
        match trust {
            Trust::System => resup::Trust::System,
            Trust::Bundled => resup::Trust::Bundled,
        }
    }
}
