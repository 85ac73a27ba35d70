//! PHP's own server with `examples/receivers/php/upload.php`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::daemon::Daemon;
use crate::tools;

/// A running PHP; it ends when this is dropped. In a test that fails, its log is shown.
pub struct Php {
    daemon: Daemon,
    data: tempfile::TempDir,
}

impl Php {
    /// Starts the server; `None` when there is no PHP here.
    ///
    /// # Panics
    ///
    /// When it does not start, or is not there although it is [needed](crate::tools::find).
    pub fn start() -> Option<Self> {
        Self::start_with("", &["display_errors=0"])
    }

    /// Starts the server after the commands `before` of a shell, with these settings of php.ini.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub fn start_with(before: &str, settings: &[&str]) -> Option<Self> {
        let php = tools::find("php")?;
        let data = tempfile::tempdir().expect("a data directory");
        let script =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/receivers/php/upload.php");
        // A single process: workers would outlive it.
        let daemon = Daemon::start("sh", |command, addr, _| {
            command.env("RESUP_DATA", data.path());
            command
                .arg("-c")
                .arg(format!("{before} exec \"$0\" \"$@\""));
            command.arg(&php);
            for setting in settings {
                command.args(["-d", setting]);
            }
            command.args(["-S", &addr.to_string()]).arg(&script);
        })?;
        Some(Self { daemon, data })
    }

    /// Returns the address at which it listens.
    pub fn addr(&self) -> SocketAddr {
        self.daemon.addr()
    }

    /// Returns the path of the file of an upload.
    pub fn stored_file(&self, id: &str) -> PathBuf {
        self.data.path().join("files").join(id)
    }
}
