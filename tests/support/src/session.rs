//! Servers of other people for sessions (308 Resume Incomplete), which `make servers` fetches.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde_json::json;

use crate::daemon::Daemon;
use crate::tools;
use crate::tus::{scripts, target};

/// One of the servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The sessions of @uploadx/core, in JavaScript. It keeps the bytes of a request that is cut.
    Uploadx,
    /// gcp-storage-emulator, in Python: Google Cloud Storage. It forgets a session that is complete.
    Google,
}

/// Both of them.
pub const ALL: [Kind; 2] = [Kind::Uploadx, Kind::Google];

/// A running server; it is killed when this is dropped. In a test that fails, its log is shown.
pub struct SessionServer {
    kind: Kind,
    answer: Option<serde_json::Value>,
    daemon: Option<Daemon>,
    dir: tempfile::TempDir,
}

impl SessionServer {
    /// Starts a server; `None` when it is not here.
    ///
    /// # Panics
    ///
    /// When it does not start, or is not there although it is [needed](crate::tools::find).
    pub fn start(kind: Kind) -> Option<Self> {
        Self::launch(kind, None)
    }

    /// Starts uploadx with an answer of its site's own for finished files; `None` when it is not here.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start).
    pub fn start_answering(answer: serde_json::Value) -> Option<Self> {
        Self::launch(Kind::Uploadx, Some(answer))
    }

    fn launch(kind: Kind, answer: Option<serde_json::Value>) -> Option<Self> {
        let dir = tempfile::tempdir().expect("a directory");
        fs::create_dir(dir.path().join("data")).expect("a data directory");
        let mut server = Self {
            kind,
            answer,
            daemon: None,
            dir,
        };
        server.restart().then_some(server)
    }

    /// Returns which one it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Returns the address at which it listens. It changes with every restart.
    ///
    /// # Panics
    ///
    /// When it is killed.
    pub fn addr(&self) -> SocketAddr {
        self.daemon.as_ref().expect("it runs").addr()
    }

    /// Returns the URL that creates sessions by way of a proxy.
    pub fn endpoint_at(&self, proxy: SocketAddr) -> String {
        match self.kind {
            Kind::Uploadx => format!("http://{proxy}/files"),
            Kind::Google => {
                format!("http://{proxy}/upload/storage/v1/b/bucket/o?uploadType=resumable")
            }
        }
    }

    /// Returns the files that it has, finished or not, but for sessions of which it keeps the bytes elsewhere.
    pub fn files(&self) -> Vec<PathBuf> {
        let dir = match self.kind {
            Kind::Uploadx => self.data(),
            Kind::Google => self.data().join(".cloudstorage/bucket"),
        };
        let entries = fs::read_dir(dir).into_iter().flatten();
        let paths = entries.map(|entry| entry.expect("an entry").path());
        // uploadx notes what it knows of an upload in a file with an extension of its own.
        let is_note = |path: &PathBuf| {
            path.extension()
                .is_some_and(|it| it == "META" || it == "json")
        };
        paths
            .filter(|path| path.is_file() && !is_note(path))
            .collect()
    }

    /// Kills it (SIGKILL) and waits until it is gone.
    pub fn kill(&mut self) {
        self.daemon = None;
    }

    /// Kills it if it runs, and starts it again on the same data, at a new port; `false` when it is not here.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn restart(&mut self) -> bool {
        self.kill();
        self.daemon = match self.kind {
            Kind::Uploadx => self.start_uploadx(),
            Kind::Google => self.start_google(),
        };
        self.daemon.is_some()
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn start_uploadx(&self) -> Option<Daemon> {
        let modules = target().join("peers/node_modules");
        if !tools::has_file(&modules.join("@uploadx/core")) {
            return None;
        }
        let program = target().join("peers/nodejs/bin/node");
        Daemon::start(&program.display().to_string(), |command, addr, _| {
            command.env("NODE_PATH", &modules);
            command.arg(scripts("uploadx.cjs"));
            let settings = json!({
                "host": addr.ip().to_string(),
                "port": addr.port(),
                "data": self.data(),
                // The proxy of a test is before it.
                "relative": true,
                "sessions": true,
                "answer": self.answer,
            });
            command.arg(settings.to_string());
        })
    }

    fn start_google(&self) -> Option<Daemon> {
        let program = target().join("python/bin/gcp-storage-emulator");
        if !tools::has_file(&program) {
            return None;
        }
        Daemon::start(&program.display().to_string(), |command, addr, _| {
            command.arg("-d").arg(self.data());
            command.args(["start", "--default-bucket", "bucket"]);
            command.args(["--host", &addr.ip().to_string()]);
            command.args(["--port", &addr.port().to_string()]);
        })
    }
}
