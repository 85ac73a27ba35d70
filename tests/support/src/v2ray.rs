//! A real V2Ray as a proxy for SOCKS 4, 4a and 5, with or without a password.

use std::fs;
use std::net::SocketAddr;

use crate::daemon::{Daemon, OUTPUT};

/// A running V2Ray; it ends when this is dropped. In a test that fails, its log is shown.
pub struct V2Ray(Daemon);

impl V2Ray {
    /// Starts one for SOCKS 4, 4a and 5 that everybody may use; `None` when there is none here.
    ///
    /// # Panics
    ///
    /// When it does not start, or is not there although it is [needed](crate::tools::find).
    pub fn start() -> Option<Self> {
        Self::with(r#""auth":"noauth""#)
    }

    /// Starts one for SOCKS 5 that only this user may use. Neither word may need quoting in JSON.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub fn start_with_user(name: &str, password: &str) -> Option<Self> {
        Self::with(&format!(
            r#""auth":"password","accounts":[{{"user":"{name}","pass":"{password}"}}]"#
        ))
    }

    fn with(settings: &str) -> Option<Self> {
        let daemon = Daemon::start("v2ray", |command, addr, dir| {
            let (ip, port) = (addr.ip(), addr.port());
            let config = format!(
                r#"{{"log":{{"loglevel":"warning"}},
                "inbounds":[{{"listen":"{ip}","port":{port},"protocol":"socks",
                "settings":{{{settings}}}}}],"outbounds":[{{"protocol":"freedom"}}]}}"#
            );
            fs::write(dir.join("conf.json"), config).expect("its configuration");
            command.args(["-config", "conf.json"]);
        })?;
        Some(V2Ray(daemon))
    }

    /// Returns the address at which it listens.
    pub fn addr(&self) -> SocketAddr {
        self.0.addr()
    }

    /// Reads its log: a line for each request, which ends in `accepted tcp:HOST:PORT`, with the host as
    /// the client named it, or has `rejected` and the reason.
    pub fn log(&self) -> String {
        self.0.log(OUTPUT)
    }

    /// Waits until it accepts a connection to `target`, a host as the client named it and a
    /// port, and returns the line.
    ///
    /// # Panics
    ///
    /// When it does not after seconds.
    pub fn wait_for(&self, target: &str) -> String {
        let end = format!(" accepted tcp:{target}");
        self.0.wait_for(OUTPUT, |line| line.ends_with(&end))
    }

    /// Waits until it rejects a connection for this reason, and returns the line.
    ///
    /// # Panics
    ///
    /// When it does not after seconds.
    pub fn wait_for_rejection(&self, reason: &str) -> String {
        self.0.wait_for(OUTPUT, |line| {
            line.contains(" rejected ") && line.contains(reason)
        })
    }
}
