//! Servers of other people for WebDAV: Apache, lighttpd and nginx of the system, and dufs, which `make servers` fetches.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::daemon::{open_to_all, Daemon};
use crate::tus;

/// One of the servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Apache with mod_dav: takes ranges by `PUT`, and keeps the bytes of a cut request.
    Apache,
    /// lighttpd with mod_webdav, where it is allowed to write ranges into a file.
    Lighttpd,
    /// The same as it is by default.
    LighttpdPlain,
    /// dufs: takes ranges by `PATCH`.
    Dufs,
    /// nginx with its own module: refuses ranges, and replaces files whole.
    Nginx,
}

/// All of them.
pub const ALL: [Kind; 5] = [
    Kind::Apache,
    Kind::Lighttpd,
    Kind::LighttpdPlain,
    Kind::Dufs,
    Kind::Nginx,
];

impl Kind {
    /// Whether an upload goes on in the middle of a file.
    pub fn takes_ranges(self) -> bool {
        matches!(self, Kind::Apache | Kind::Lighttpd | Kind::Dufs)
    }
}

/// A running server; it is killed when this is dropped. In a test that fails, its log is shown.
pub struct DavServer {
    kind: Kind,
    daemon: Option<Daemon>,
    dir: tempfile::TempDir,
}

impl DavServer {
    /// Starts a server; `None` when it is not here.
    ///
    /// # Panics
    ///
    /// When it does not start, or is not there although it is [needed](crate::tools::find).
    pub fn start(kind: Kind) -> Option<Self> {
        let dir = tempfile::tempdir().expect("a directory");
        open_to_all(dir.path());
        let data = dir.path().join("data");
        fs::create_dir(&data).expect("a data directory");
        open_to_all(&data);
        let mut server = Self {
            kind,
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

    /// Returns the directory with its files.
    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
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
            Kind::Apache => self.start_apache(),
            Kind::Lighttpd => self.start_lighttpd(true),
            Kind::LighttpdPlain => self.start_lighttpd(false),
            Kind::Dufs => self.start_dufs(),
            Kind::Nginx => self.start_nginx(),
        };
        self.daemon.is_some()
    }

    fn start_apache(&self) -> Option<Daemon> {
        Daemon::start("apache2", |command, addr, dir| {
            // One process, so that it ends as a whole.
            command.arg("-X").arg("-f").arg(dir.join("conf"));
            let modules: String = ["mpm_event", "authz_core", "dav", "dav_fs"]
                .iter()
                .map(|name| {
                    format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n")
                })
                .collect();
            let conf = format!(
                "{modules}ServerRoot {dir}\nServerName localhost\nPidFile pid\nDefaultRuntimeDir {dir}\n\
                 Mutex default:{dir}\nErrorLog error.log\nUser nobody\nGroup nogroup\nListen {addr}\n\
                 DocumentRoot {data}\nDavLockDB {dir}/locks\n\
                 <Directory {data}>\nDav On\nRequire all granted\n</Directory>\n",
                dir = dir.display(),
                data = self.data().display()
            );
            fs::write(dir.join("conf"), conf).expect("its configuration");
        })
    }

    fn start_lighttpd(&self, writes_ranges: bool) -> Option<Daemon> {
        Daemon::start("lighttpd", |command, addr, dir| {
            command.arg("-D").arg("-f").arg(dir.join("conf"));
            let options = match writes_ranges {
                true => "webdav.opts = (\"deprecated-unsafe-partial-put\" => \"enable\")\n",
                false => "",
            };
            let conf = format!(
                "server.modules = (\"mod_webdav\")\nserver.document-root = \"{data}\"\n\
                 server.bind = \"{host}\"\nserver.port = {port}\nserver.upload-dirs = (\"{dir}\")\n\
                 server.errorlog = \"{dir}/error.log\"\n\
                 server.stat-cache-engine = \"disable\"\n\
                 webdav.activate = \"enable\"\nwebdav.is-readonly = \"disable\"\n{options}",
                data = self.data().display(),
                dir = dir.display(),
                host = addr.ip(),
                port = addr.port()
            );
            fs::write(dir.join("conf"), conf).expect("its configuration");
        })
    }

    fn start_dufs(&self) -> Option<Daemon> {
        let program = tus::target().join("dufs/bin/dufs");
        Daemon::start(&program.display().to_string(), |command, addr, _| {
            command.args(["-A", "-b", &addr.ip().to_string()]);
            command.args(["-p", &addr.port().to_string()]);
            command.arg(self.data());
        })
    }

    fn start_nginx(&self) -> Option<Daemon> {
        Daemon::start("nginx", |command, addr, dir| {
            command
                .arg("-p")
                .arg(dir)
                .args(["-c", "conf", "-e", "stderr"]);
            let temporary = temporary_paths(&["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]);
            let conf = format!(
                "daemon off;\nmaster_process off;\npid pid;\nerror_log stderr;\nevents {{}}\n\
                 http {{\n{temporary}access_log off;\nserver {{\nlisten {addr};\nroot {data};\n\
                 client_max_body_size 0;\nlocation / {{\ndav_methods PUT DELETE MKCOL;\n}}\n}}\n}}\n",
                data = self.data().display()
            );
            fs::write(dir.join("conf"), conf).expect("its configuration");
        })
    }
}

fn temporary_paths(names: &[&str]) -> String {
    let line = |name: &&str| format!("{name}_temp_path {name};\n");
    names.iter().map(line).collect()
}

/// Returns whether a path is that of a small file by which the client finds out what a server takes.
pub fn is_probe(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().starts_with("resup-probe-")
}
