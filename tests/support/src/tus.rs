//! Servers of other people for tus and for the IETF's resumable uploads, which `make servers` fetches, and beside them the
//! project's own.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

use crate::daemon::{Daemon, OUTPUT};
use crate::{receiver, tools};

/// One of the servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// tusd, in Go.
    Tusd,
    /// @tus/server, in JavaScript.
    Node,
    /// resumable-upload, in Python.
    Python,
    /// The tus of @uploadx/core, in JavaScript.
    Uploadx,
    /// The project's own receiver.
    Receiver,
}

/// Those of other people.
pub const ALL: [Kind; 4] = [Kind::Tusd, Kind::Node, Kind::Python, Kind::Uploadx];

impl Kind {
    /// Whether it has tus' extension `checksum`.
    pub fn has_checksums(self) -> bool {
        matches!(self, Kind::Python | Kind::Uploadx | Kind::Receiver)
    }
}

/// How a server is started. The default: tus, no limits, absolute URLs of uploads where the server makes such.
#[derive(Clone, Debug)]
pub struct Setup {
    kind: Kind,
    max_size: Option<u64>,
    expire: Option<Duration>,
    relative: bool,
    ietf: bool,
}

impl Setup {
    /// Returns the default.
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            max_size: None,
            expire: None,
            relative: false,
            ietf: false,
        }
    }

    /// Takes no larger files than this.
    pub fn max_size(mut self, bytes: u64) -> Self {
        self.max_size = Some(bytes);
        self
    }

    /// Lets unfinished uploads expire; tusd cannot, and the receiver is not asked to.
    pub fn expire(mut self, after: Duration) -> Self {
        self.expire = Some(after);
        self
    }

    /// Answers a creation with a URL without scheme and host. That of Python and the receiver always do, tusd never.
    pub fn relative(mut self) -> Self {
        self.relative = true;
        self
    }

    /// Lets tusd speak the IETF's protocol as well; the receiver always does, the others never.
    pub fn ietf(mut self) -> Self {
        self.ietf = true;
        self
    }

    /// Returns which server it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether it speaks the IETF's protocol as well.
    pub fn is_ietf(&self) -> bool {
        self.ietf
    }

    /// Starts it; `None` when it is not here.
    ///
    /// # Panics
    ///
    /// When it does not start, or is not there although it is [needed](crate::tools::find).
    pub fn start(self) -> Option<TusServer> {
        let dir = tempfile::tempdir().expect("a directory");
        fs::create_dir(dir.path().join("data")).expect("a data directory");
        let mut server = TusServer {
            setup: self,
            daemon: None,
            dir,
        };
        server.restart().then_some(server)
    }
}

/// A running server; it is killed when this is dropped. In a test that fails, its log is shown.
pub struct TusServer {
    setup: Setup,
    daemon: Option<Daemon>,
    dir: tempfile::TempDir,
}

impl TusServer {
    /// Starts a server with the default [`Setup`]; `None` when it is not here.
    ///
    /// # Panics
    ///
    /// As [`Setup::start`].
    pub fn start(kind: Kind) -> Option<Self> {
        Setup::new(kind).start()
    }

    /// Returns how it was started.
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Returns which one it is.
    pub fn kind(&self) -> Kind {
        self.setup.kind
    }

    /// Returns the URL that makes uploads. It changes with every restart.
    pub fn endpoint(&self) -> String {
        self.endpoint_at(self.addr())
    }

    /// Returns the URL that makes uploads by way of a proxy.
    pub fn endpoint_at(&self, proxy: SocketAddr) -> String {
        let path = match self.kind() {
            Kind::Tusd => "files/",
            Kind::Receiver => "upload",
            _ => "files",
        };
        format!("http://{proxy}/{path}")
    }

    /// Returns the address at which it listens. It changes with every restart.
    ///
    /// # Panics
    ///
    /// When it is killed.
    pub fn addr(&self) -> SocketAddr {
        self.daemon.as_ref().expect("it runs").addr()
    }

    /// Returns the path of the file of an upload, by the upload's URL.
    pub fn stored_file(&self, url: &str) -> PathBuf {
        let id = url.rsplit('/').next().unwrap_or(url);
        match self.kind() {
            Kind::Receiver => self.data().join("files").join(id),
            _ => self.data().join(id),
        }
    }

    /// Returns the files of all uploads that it has, finished or not.
    pub fn files(&self) -> Vec<PathBuf> {
        let dirs = match self.kind() {
            Kind::Receiver => vec![self.data().join("files"), self.data().join("partial")],
            _ => vec![self.data()],
        };
        let entries = dirs
            .iter()
            .flat_map(|dir| fs::read_dir(dir).expect("its directory"));
        let paths = entries.map(|entry| entry.expect("an entry").path());
        // What it notes about an upload is beside the file, with an extension.
        let mut files: Vec<_> = paths.filter(|path| path.extension().is_none()).collect();
        files.sort();
        files
    }

    /// Reads its log since its last start.
    pub fn log(&self) -> String {
        let daemon = self.daemon.as_ref();
        daemon.map_or(String::new(), |daemon| daemon.log(OUTPUT))
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
        self.daemon = match self.kind() {
            Kind::Tusd => self.start_tusd(),
            Kind::Node => self.start_node("tus_node.cjs", "@tus/server"),
            Kind::Uploadx => self.start_node("uploadx.cjs", "@uploadx/core"),
            Kind::Python => self.start_python(),
            Kind::Receiver => self.start_receiver(),
        };
        self.daemon.is_some()
    }

    /// Returns the directory with its files.
    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn start_tusd(&self) -> Option<Daemon> {
        let program = target().join("go/tusd");
        Daemon::start(&program.display().to_string(), |command, addr, _| {
            let (host, port) = (addr.ip().to_string(), addr.port().to_string());
            command.args(["-host", &host, "-port", &port, "-upload-dir"]);
            command.arg(self.data());
            if let Some(bytes) = self.setup.max_size {
                command.args(["-max-size", &bytes.to_string()]);
            }
            if self.setup.ietf {
                command.arg("-enable-experimental-protocol");
            }
        })
    }

    fn start_node(&self, script: &str, package: &str) -> Option<Daemon> {
        let modules = target().join("peers/node_modules");
        if !tools::has_file(&modules.join(package)) {
            return None;
        }
        let program = target().join("peers/nodejs/bin/node");
        Daemon::start(&program.display().to_string(), |command, addr, _| {
            command.env("NODE_PATH", &modules).arg(scripts(script));
            command.arg(self.settings(addr));
        })
    }

    fn start_python(&self) -> Option<Daemon> {
        let bin = target().join("python/bin");
        if !tools::has_file(&bin.join("resumable-upload")) {
            return None;
        }
        let program = bin.join("python");
        Daemon::start(&program.display().to_string(), |command, addr, _| {
            command.arg(scripts("tus_python.py"));
            command.arg(self.settings(addr));
        })
    }

    fn start_receiver(&self) -> Option<Daemon> {
        let program = receiver::binary().display().to_string();
        Daemon::start(&program, |command, addr, _| {
            command.arg("--data").arg(self.data());
            command.args(["--listen", &addr.to_string()]);
            if let Some(bytes) = self.setup.max_size {
                command.args(["--max-size", &bytes.to_string()]);
            }
        })
    }

    /// Returns what the scripts are told.
    fn settings(&self, addr: SocketAddr) -> String {
        let expire = self.setup.expire;
        json!({
            "host": addr.ip().to_string(),
            "port": addr.port(),
            "data": self.data(),
            "max_size": self.setup.max_size,
            "expire_ms": expire.map(|time| u64::try_from(time.as_millis()).expect("a short time")),
            "relative": self.setup.relative,
        })
        .to_string()
    }
}

pub(crate) fn scripts(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    dir.join("servers").join(name)
}

/// Returns the directory below which `make servers` puts them: the running test is `TARGET/PROFILE/deps/test-executable`.
pub(crate) fn target() -> PathBuf {
    let test = std::env::current_exe().expect("path of the test");
    let target = test.ancestors().nth(3).expect("target directory");
    target.to_owned()
}
