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
    /// URLs begin with http://, socks4://, socks4a://, socks5:// or socks5h://, and may have a
    /// "user:password@" after that. "system" reads the variables http_proxy, https_proxy, all_proxy
    /// and no_proxy; on Windows, without these, the user's Internet settings. Other users can see the command line, so put a password into a variable.
    #[arg(long, value_name = "URL")]
    proxy: Option<String>,

    /// Hosts to reach without a proxy, separated by commas, such as example.org,10.0.0.0/8
    #[arg(long, value_name = "LIST")]
    no_proxy: Option<String>,

    /// CA certificates to trust for https
    #[arg(long, value_name = "SET", value_enum, default_value = "system")]
    trust: Trust,

    /// Trust the CA certificates in this file (PEM or DER), and no others; may be given several times
    ///
    /// A server may show one of them as its own, as one that is signed by itself.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    cacert: Vec<PathBuf>,

    /// File (PEM or DER) with the client certificate to send to the server
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    cert: Option<PathBuf>,

    /// File (PEM or DER) with the key of that certificate, not encrypted [default: the file of --cert]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "cert")]
    key: Option<PathBuf>,

    /// Do not verify the server's certificate
    ///
    /// Anyone between you and the server can then read and change all data, also passwords.
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
    /// The system's
    System,
    /// Mozilla's, as of the time when this program was built
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
