//! A real HAProxy with TLS in front of something, or without in front of several.

use std::fs;
use std::net::SocketAddr;

use crate::daemon::{Daemon, OUTPUT};
use crate::tls::Identity;

/// A running HAProxy; it ends when this is dropped. In a test that fails, its log is shown.
pub struct HaProxy(Daemon);

impl HaProxy {
    /// Starts a HAProxy with this identity that passes everything on to `upstream`. It ends the handshake
    /// with a client that lacks a required certificate. `None` when there is no HAProxy here.
    ///
    /// # Panics
    ///
    /// When it does not start, or is not there although it is [needed](crate::tools::find).
    pub fn start(upstream: SocketAddr, identity: &Identity) -> Option<Self> {
        let daemon = Daemon::start("haproxy", |command, addr, dir| {
            let certificate = identity.certificate();
            let both = format!("{}{}", certificate.pem(), certificate.key_pem());
            fs::write(dir.join("server.pem"), both).expect("its certificate");
            let clients = identity.clients_ca_pem().map_or("", |pem| {
                fs::write(dir.join("clients.pem"), pem).expect("the clients' authority");
                "ca-file clients.pem verify required"
            });
            let config = format!(
                "global\nmaxconn 200\nlog stdout format raw local0\n\
                 defaults\nmode http\nlog global\noption httplog\n\
                 timeout connect 10s\ntimeout client 60s\ntimeout server 60s\n\
                 frontend front\nbind {addr} ssl crt server.pem {clients}\n\
                 default_backend back\n\
                 backend back\nserver receiver {upstream}\n"
            );
            fs::write(dir.join("conf"), config).expect("its configuration");
            command.args(["-db", "-f", "conf"]);
        })?;
        Some(HaProxy(daemon))
    }

    /// Starts a HAProxy without TLS that gives each request to the next of several servers. It checks ten times a second
    /// which of them are there. `None` when there is no HAProxy here.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub fn round_robin(servers: &[SocketAddr]) -> Option<Self> {
        let daemon = Daemon::start("haproxy", |command, addr, dir| {
            let lines = servers.iter().enumerate().map(|(number, server)| {
                format!("server receiver{number} {server} check inter 100ms fall 1 rise 1\n")
            });
            let config = format!(
                "global\nmaxconn 1000\nlog stdout format raw local0\n\
                 defaults\nmode http\nlog global\noption httplog\noption redispatch\n\
                 timeout connect 5s\ntimeout client 60s\ntimeout server 60s\n\
                 frontend front\nbind {addr}\ndefault_backend back\n\
                 backend back\nbalance roundrobin\n{}",
                lines.collect::<String>()
            );
            fs::write(dir.join("conf"), config).expect("its configuration");
            command.args(["-db", "-f", "conf"]);
        })?;
        Some(HaProxy(daemon))
    }

    /// Returns the address at which it listens.
    pub fn addr(&self) -> SocketAddr {
        self.0.addr()
    }

    /// Reads its log: a line for each request and each handshake that failed.
    pub fn log(&self) -> String {
        self.0.log(OUTPUT)
    }
}
