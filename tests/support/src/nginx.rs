//! A real nginx in front of something.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use crate::daemon::Daemon;
use crate::tls::Identity;

/// A running nginx; it ends when this is dropped. In a test that fails, its errors are shown.
pub struct Nginx(Daemon);

impl Nginx {
    /// Starts an nginx that passes everything on to `upstream`, with these directives in its
    /// `location`; `None` when there is no nginx here.
    ///
    /// # Panics
    ///
    /// When it does not start, or is not there although it is [needed](crate::tools::find).
    pub fn start(upstream: SocketAddr, directives: &str) -> Option<Self> {
        Self::launch("", &proxying(upstream, directives), None)
    }

    /// Starts an nginx with these directives in its `location`; `None` when there is no nginx here.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub fn start_with(directives: &str) -> Option<Self> {
        Self::launch("", directives, None)
    }

    /// As [`start`](Self::start), with TLS. A client that lacks a required certificate gets status 400.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub fn start_tls(upstream: SocketAddr, directives: &str, identity: &Identity) -> Option<Self> {
        Self::start_tls_with(upstream, "", directives, identity)
    }

    /// As [`start_tls`](Self::start_tls), with directives for the server, outside of its location, too.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub fn start_tls_with(
        upstream: SocketAddr,
        of_server: &str,
        directives: &str,
        identity: &Identity,
    ) -> Option<Self> {
        Self::launch(of_server, &proxying(upstream, directives), Some(identity))
    }

    fn launch(of_server: &str, directives: &str, identity: Option<&Identity>) -> Option<Self> {
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .iter()
            .map(|what| format!("{what}_temp_path {what};\n"))
            .collect();
        let daemon = Daemon::start("nginx", |command, addr, dir| {
            let tls = identity.map_or(String::new(), |identity| tls(identity, dir));
            let ssl = identity.map_or("", |_| " ssl");
            let config = format!(
                "daemon off;\nmaster_process off;\npid pid;\nerror_log stderr;\n\
                 events {{ worker_connections 256; }}\n\
                 http {{\n{temporary}access_log off;\nserver {{\nlisten {addr}{ssl};\n{tls}{of_server}\
                 location / {{\n{directives}\n}}\n}}\n}}\n"
            );
            fs::write(dir.join("conf"), config).expect("its configuration");
            command.arg("-p").arg(dir);
            command.args(["-c", "conf", "-e", "stderr"]);
        })?;
        Some(Nginx(daemon))
    }

    /// Returns the address at which it listens.
    pub fn addr(&self) -> SocketAddr {
        self.0.addr()
    }
}

/// Adds the directives that pass everything on.
fn proxying(upstream: SocketAddr, directives: &str) -> String {
    format!("proxy_pass http://{upstream};\nproxy_http_version 1.1;\n{directives}")
}

/// Writes the files of a TLS server, and returns the directives that name them.
fn tls(identity: &Identity, dir: &Path) -> String {
    let (pem, key) = identity.certificate().write(dir, "server");
    let mut directives = format!(
        "ssl_certificate {};\nssl_certificate_key {};\n",
        pem.display(),
        key.display()
    );
    if let Some(clients) = identity.clients_ca_pem() {
        let path = dir.join("clients.pem");
        fs::write(&path, clients).expect("the clients' authority");
        let path = path.display();
        directives += &format!("ssl_client_certificate {path};\nssl_verify_client on;\n");
    }
    directives
}
