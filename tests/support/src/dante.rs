//! A real danted: a proxy for SOCKS 4 and 5, without a password.

use std::fs;
use std::net::SocketAddr;

use crate::daemon::{Daemon, OUTPUT};

/// A running danted; it ends when this is dropped. In a test that fails, its log is shown.
///
/// danted checks passwords against the users of the system, and does not know SOCKS 4a: for these there is
/// [`crate::v2ray`].
pub struct Dante(Daemon);

impl Dante {
    /// Starts a danted that everybody may use; `None` when there is none here.
    ///
    /// # Panics
    ///
    /// When it does not start, or is not there although it is [needed](crate::tools::find).
    pub fn start() -> Option<Self> {
        let daemon = Daemon::start("danted", |command, addr, dir| {
            let (ip, port) = (addr.ip(), addr.port());
            let config = format!(
                "logoutput: stderr\n\
                 internal: {ip} port = {port}\n\
                 external: lo\n\
                 clientmethod: none\n\
                 socksmethod: none\n\
                 user.unprivileged: nobody\n\
                 client pass {{ from: 0/0 to: 0/0 }}\n\
                 socks pass {{\nfrom: 0/0 to: 0/0\nprotocol: tcp\nlog: connect error\n}}\n"
            );
            fs::write(dir.join("conf"), config).expect("its configuration");
            command.args(["-f", "conf"]);
        })?;
        Some(Dante(daemon))
    }

    /// Returns the address at which it listens.
    pub fn addr(&self) -> SocketAddr {
        self.0.addr()
    }

    /// Reads its log: a line for each connection that it made or could not make, with `-> ` and
    /// the addresses of both ends, the port after a dot.
    pub fn log(&self) -> String {
        self.0.log(OUTPUT)
    }

    /// Waits until it says that it made a connection to `target`, and returns the line.
    ///
    /// # Panics
    ///
    /// When it does not after seconds.
    pub fn wait_for(&self, target: SocketAddr) -> String {
        let end = format!(" {}.{}", target.ip(), target.port());
        self.0.wait_for(OUTPUT, |line| {
            line.contains("pass(") && line.contains("tcp/connect") && line.ends_with(&end)
        })
    }
}
