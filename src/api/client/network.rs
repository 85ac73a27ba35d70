//! A client's settings of proxies and TLS.

use std::path::Path;

use super::Client;
use crate::error::Error;
use crate::http::certificates::Trust;
use crate::http::proxy::{NoProxy, ProxySetting};
use crate::options::FilenameStyle;

impl Client {
    /// Sets the proxy: `none`, `system` (the default), or a URL,
    /// `scheme://[user[:password]@]host[:port]`, user and password percent-encoded.
    ///
    /// | scheme | port | |
    /// | --- | --- | --- |
    /// | `http` | 80 | `http://` servers by absolute URLs, `https://` ones by CONNECT; Basic authorization |
    /// | `socks4`, `socks5` | 1080 | the server's name is looked up on this side |
    /// | `socks4a`, `socks5h` | 1080 | the proxy looks the server's name up |
    ///
    /// `system` reads the environment: `http_proxy` for http, `https_proxy` for https,
    /// `all_proxy` for both, in lower case first, then in upper case (`HTTP_PROXY` not in CGI
    /// programs), and `no_proxy`; on Windows, where these name none, the user's Internet Settings
    /// (without PAC scripts). It never uses a proxy to reach this machine.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`], without user and password in its text.
    pub fn set_proxy(&self, proxy: &str) -> Result<(), Error> {
        self.lock().change().connection.proxy = ProxySetting::parse(proxy)?;
        Ok(())
    }

    /// Sets the hosts that are reached without a proxy, in place of the environment's `no_proxy`:
    /// domains (with their subdomains), addresses or CIDR blocks, optionally with a port, or `*`,
    /// separated by commas. An empty list excepts none.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for control characters.
    pub fn set_no_proxy(&self, list: &str) -> Result<(), Error> {
        if list.chars().any(char::is_control) {
            return Err(Error::InvalidArgument {
                what: "no-proxy list",
                why: "contains control characters".to_owned(),
            });
        }
        self.lock().change().connection.no_proxy = Some(NoProxy::parse(list));
        Ok(())
    }

    /// Sets which root certificates are trusted while none are given by
    /// [`set_ca_file`](Self::set_ca_file) or [`set_ca_pem`](Self::set_ca_pem).
    pub fn set_trust(&self, trust: Trust) {
        self.lock().change().connection.certificates.trust = trust;
    }

    /// Adds the CA certificates in a file, PEM or DER. Once some are set, only they are trusted. A
    /// server may show one of them as its own, as one that is signed by itself. The file is read at
    /// once.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] when the file cannot be read, has no certificate, or has one
    /// that cannot be used as a root; then none of them is trusted.
    pub fn set_ca_file(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let mut state = self.lock();
        let certificates = &mut state.change().connection.certificates;
        certificates.add_own_file(path.as_ref())
    }

    /// Adds the CA certificates in a PEM text, as [`set_ca_file`](Self::set_ca_file) does.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`].
    pub fn set_ca_pem(&self, pem: &str) -> Result<(), Error> {
        let mut state = self.lock();
        let certificates = &mut state.change().connection.certificates;
        certificates.add_own(pem.as_bytes(), "the PEM text")
    }

    /// Sets the client certificate, for servers that ask for one: a file with the chain, the
    /// client's own certificate first, and a file with its key, unencrypted, each PEM or DER. Both
    /// may be the same file. They are read at once. The copies of the files are overwritten in
    /// memory; what the TLS library makes of the key is not.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] when a file cannot be read or used, or the key does not match.
    pub fn set_client_certificate(
        &self,
        certificate: impl AsRef<Path>,
        key: impl AsRef<Path>,
    ) -> Result<(), Error> {
        let mut state = self.lock();
        let certificates = &mut state.change().connection.certificates;
        certificates.set_client(certificate.as_ref(), key.as_ref())
    }

    /// Sets whether the server's certificate is verified. Default: yes. Without it, anyone on the
    /// network path can read and change everything, credentials too; each run logs a warning.
    pub fn set_tls_verify(&self, verify: bool) {
        self.lock().change().connection.certificates.verify = verify;
    }

    /// Sets how file names are written into forms.
    pub fn set_filename_style(&self, style: FilenameStyle) {
        self.lock().change().filename_style = style;
    }
}
