//! A real nginx in front of something.

use std::fs;
use std::net::SocketAddr;

use crate::daemon::Daemon;

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
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .iter()
            .map(|what| format!("{what}_temp_path {what};\n"))
            .collect();
        let daemon = Daemon::start("nginx", |command, addr, dir| {
            let config = format!(
                "daemon off;\nmaster_process off;\npid pid;\nerror_log stderr;\n\
                 events {{ worker_connections 256; }}\n\
                 http {{\n{temporary}access_log off;\nserver {{\nlisten {addr};\n\
                 location / {{\nproxy_pass http://{upstream};\nproxy_http_version 1.1;\n\
                 {directives}\n}}\n}}\n}}\n"
            );
            fs::write(dir.join("conf"), config).expect("its configuration");
            command.arg("-p").arg(dir);
            command.args(["-c", "conf", "-e", "stderr"]);
        })?;
        Some(Nginx(daemon))
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.0.addr()
    }
}
