//! PHP's own server with `examples/receivers/php/upload.php`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::daemon::Daemon;

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
        let data = tempfile::tempdir().expect("a data directory");
        let script =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/receivers/php/upload.php");
        // A single process: workers would outlive it.
        let daemon = Daemon::start("php", |command, addr, _| {
            command.env("RESUP_DATA", data.path());
            command.args(["-d", "display_errors=0", "-S", &addr.to_string()]);
            command.arg(&script);
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
