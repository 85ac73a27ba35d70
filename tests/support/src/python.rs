//! Python's own server with `examples/receivers/python/upload.py`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::daemon::{Daemon, OUTPUT};
use crate::tools;

/// A running receiver in Python; it ends when this is dropped. In a test that fails, its log is shown.
pub struct Python {
    daemon: Daemon,
    data: tempfile::TempDir,
}

impl Python {
    /// Starts the server; `None` when there is no Python here.
    ///
    /// # Panics
    ///
    /// When it does not start, or is not there although it is [needed](crate::tools::find).
    pub fn start() -> Option<Self> {
        Self::start_with(|_| ())
    }

    /// Starts the server after something was done with its data directory.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub fn start_with(prepare: impl FnOnce(&Path)) -> Option<Self> {
        tools::find("python3")?;
        let script =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/receivers/python/upload.py");
        let data = tempfile::tempdir().expect("a data directory");
        prepare(data.path());
        let daemon = Daemon::start("python3", |command, addr, _| {
            command.env("RESUP_DATA", data.path());
            command.arg(&script).arg(addr.to_string());
        })?;
        Some(Self { daemon, data })
    }

    /// Returns the address at which it listens.
    pub fn addr(&self) -> SocketAddr {
        self.daemon.addr()
    }

    /// Waits for the line that tells its address.
    ///
    /// # Panics
    ///
    /// When there is none after seconds.
    pub fn told_address(&self) -> String {
        self.daemon
            .wait_for(OUTPUT, |line| line.starts_with("listening on "))
    }

    /// Returns the path of the file of a finished upload.
    pub fn stored_file(&self, id: &str) -> PathBuf {
        self.data.path().join("files").join(id)
    }
}
