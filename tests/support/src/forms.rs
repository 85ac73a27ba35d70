//! Servers of other people, and pages by other people's frameworks, that take files in forms. `make servers` fetches them.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::daemon::Daemon;
use crate::guide;
use crate::tools;

/// One of the servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// uploadserver, in Python.
    UploadServer,
    /// copyparty, in Python.
    Copyparty,
    /// A page by Flask, in Python, that answers JSON.
    Flask,
    /// A page by Django, in Python, that answers a redirect.
    Django,
    /// A page by Express and multer, in JavaScript, that answers 201 and JSON.
    Multer,
    /// A page in PHP, of at most 2 MiB, that answers a text.
    Php,
    /// A page by Spring Boot, of at most 10 MiB, that answers JSON.
    Spring,
    /// A page in JSP as people wrote it in 2006, in GBK.
    Jsp,
    /// The same for files in chunks.
    JspChunks,
    /// The sample server of resumable.js, in JavaScript.
    Resumable,
    /// The sample server of flow.js, in JavaScript.
    Flow,
    /// The sample server of Plupload, in PHP.
    Plupload,
    /// The sample server of WebUploader, in PHP.
    WebUploader,
}

/// Those that take plain forms.
pub const ALL: [Kind; 8] = [
    Kind::UploadServer,
    Kind::Copyparty,
    Kind::Flask,
    Kind::Django,
    Kind::Multer,
    Kind::Php,
    Kind::Spring,
    Kind::Jsp,
];

/// Those that take files in chunks.
pub const CHUNKED: [Kind; 4] = [
    Kind::Resumable,
    Kind::Flow,
    Kind::Plupload,
    Kind::WebUploader,
];

/// A running server; it is killed when this is dropped. In a test that fails, its log is shown.
pub struct FormApp {
    kind: Kind,
    daemon: Option<Daemon>,
    dir: tempfile::TempDir,
}

impl FormApp {
    /// Starts it; `None` when it is not here.
    ///
    /// # Panics
    ///
    /// When it does not start, or is not there although it is [needed](crate::tools::find).
    pub fn start(kind: Kind) -> Option<Self> {
        let dir = tempfile::tempdir().expect("a directory");
        fs::create_dir(dir.path().join("data")).expect("a data directory");
        let mut server = Self {
            kind,
            daemon: None,
            dir,
        };
        server.restart().then_some(server)
    }

    /// Returns the address at which it listens. It changes with every restart.
    ///
    /// # Panics
    ///
    /// When it is killed.
    pub fn addr(&self) -> SocketAddr {
        self.daemon.as_ref().expect("it runs").addr()
    }

    /// Returns the URL that takes files at an address, its own or that of a proxy.
    pub fn endpoint_at(&self, addr: SocketAddr) -> String {
        let path = match self.kind {
            Kind::Copyparty => "?j",
            Kind::Django => "upload/",
            Kind::Jsp => "upload.jsp",
            Kind::JspChunks => "chunk.jsp",
            _ => "upload",
        };
        format!("http://{addr}/{path}")
    }

    /// Returns the dialect of the server.
    pub fn dialect(&self) -> String {
        let section = match self.kind {
            Kind::Jsp => Some("A page that takes the file at once"),
            Kind::JspChunks => Some("A page that takes chunks"),
            _ => None,
        };
        if let Some(section) = section {
            return guide::dialect("old-pages.md", section);
        }
        let preset = match self.kind {
            Kind::Resumable => Some("resumable.js"),
            Kind::Flow => Some("flow.js"),
            Kind::Plupload => Some("plupload"),
            Kind::WebUploader => Some("webuploader"),
            _ => None,
        };
        if let Some(preset) = preset {
            return preset.to_owned();
        }
        let mut own = match self.kind {
            Kind::UploadServer => json!({"file_field": "files", "success": "204"}),
            Kind::Copyparty => json!({
                "file_field": "f",
                "fields": {"act": "bput"},
                "success": "json:/status=OK",
                "location": "/files/0/url",
            }),
            Kind::Flask | Kind::Spring => json!({"success": "200 and json:/ok"}),
            Kind::Django => json!({"file_field": "document"}),
            Kind::Multer => json!({
                "file_field": "upload",
                "fields": {"prefix": ""},
                "success": "201 and json:/status=stored",
            }),
            _ => json!({"file_field": "userfile", "success": "text:Thank you"}),
        };
        own["base"] = "plain".into();
        own.to_string()
    }

    /// Returns the names of the files that it has.
    pub fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.data()).expect("its directory");
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        let names = names.map(|name| name.to_string_lossy().into_owned());
        // copyparty has a directory of its own there.
        let mut names: Vec<_> = names.filter(|name| !name.starts_with('.')).collect();
        names.sort();
        names
    }

    /// Returns the path of a file that it has.
    pub fn stored_file(&self, name: &str) -> PathBuf {
        self.data().join(name)
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
            Kind::UploadServer => self.start_python("uploadserver", |addr| {
                let port = addr.port().to_string();
                let data = self.data().display().to_string();
                [
                    "-m",
                    "uploadserver",
                    "--bind",
                    "127.0.0.1",
                    "--directory",
                    &data,
                    &port,
                ]
                .map(str::to_owned)
                .to_vec()
            }),
            Kind::Copyparty => self.start_python("copyparty", |addr| {
                let port = addr.port().to_string();
                let volume = format!("{}::rw", self.data().display());
                [
                    "-m",
                    "copyparty",
                    "-q",
                    "-i",
                    "127.0.0.1",
                    "-p",
                    &port,
                    "-v",
                    &volume,
                ]
                .map(str::to_owned)
                .to_vec()
            }),
            Kind::Flask => self.start_script("flask", "form_flask.py"),
            Kind::Django => self.start_script("django", "form_django.py"),
            Kind::Multer => self.start_node("multer", "form_multer.cjs"),
            Kind::Resumable => self.start_node("resumablejs", "chunks_node.cjs"),
            Kind::Flow => self.start_node("@flowjs/flow.js", "chunks_node.cjs"),
            Kind::Php => self.start_php("form.php", None),
            Kind::Spring => self.start_java("spring", |addr| {
                vec![
                    self.data().display().to_string(),
                    format!("--server.address={}", addr.ip()),
                    format!("--server.port={}", addr.port()),
                    "--spring.main.lazy-initialization=true".to_owned(),
                    "--spring.servlet.multipart.max-file-size=10MB".to_owned(),
                    "--spring.servlet.multipart.max-request-size=11MB".to_owned(),
                ]
            }),
            Kind::Jsp | Kind::JspChunks => self.start_java("jsp", |addr| {
                let pages = scripts("jsp").display().to_string();
                vec![
                    addr.port().to_string(),
                    pages,
                    self.data().display().to_string(),
                ]
            }),
            Kind::Plupload => self.start_php("chunks.php", Some("plupload/examples/upload.php")),
            Kind::WebUploader => {
                self.start_php("chunks.php", Some("webuploader/server/fileupload.php"))
            }
        };
        self.daemon.is_some()
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    fn settings(&self, addr: SocketAddr) -> String {
        let kind = match self.kind {
            Kind::Flow => "flow",
            _ => "resumable",
        };
        json!({"host": addr.ip().to_string(), "port": addr.port(), "data": self.data(), "kind": kind}).to_string()
    }

    fn start_script(&self, package: &str, script: &str) -> Option<Daemon> {
        self.start_python(package, |addr| {
            vec![scripts(script).display().to_string(), self.settings(addr)]
        })
    }

    fn start_python(
        &self,
        package: &str,
        arguments: impl Fn(SocketAddr) -> Vec<String>,
    ) -> Option<Daemon> {
        // They are in a directory of their own, so that it is known which Python has them.
        let packages = target().join("python/forms");
        if !tools::has_file(&packages.join(package)) {
            return None;
        }
        let program = target().join("python/bin/python").display().to_string();
        Daemon::start(&program, |command, addr, _| {
            command.env("HOME", self.dir.path()).args(arguments(addr));
            command.env("PYTHONPATH", &packages);
        })
    }

    fn start_java(
        &self,
        server: &str,
        arguments: impl Fn(SocketAddr) -> Vec<String>,
    ) -> Option<Daemon> {
        let jars = target().join("jars").join(server);
        if !tools::has_file(&jars) {
            return None;
        }
        Daemon::start("java", |command, addr, _| {
            // By which Java writes names of files.
            command.env("LC_ALL", "C.UTF-8");
            // To start soon matters more than to run fast.
            command.args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]);
            command.arg("-cp").arg(jars.join("*"));
            command
                .arg(scripts(server).join("Server.java"))
                .args(arguments(addr));
        })
    }

    fn start_node(&self, package: &str, script: &str) -> Option<Daemon> {
        let modules = modules();
        if !tools::has_file(&modules.join(package)) {
            return None;
        }
        let program = target().join("peers/nodejs/bin/node");
        Daemon::start(&program.display().to_string(), |command, addr, _| {
            command.env("NODE_PATH", &modules);
            command.arg(scripts(script)).arg(self.settings(addr));
        })
    }

    fn start_php(&self, script: &str, sample: Option<&str>) -> Option<Daemon> {
        let sample = sample.map(|sample| modules().join(sample));
        if !sample.as_deref().is_none_or(tools::has_file) {
            return None;
        }
        Daemon::start("php", |command, addr, _| {
            command.env("FORM_DATA", self.data());
            command.envs(sample.as_ref().map(|sample| ("FORM_SAMPLE", sample)));
            command.args(["-d", "upload_max_filesize=2M", "-S", &addr.to_string()]);
            command.arg(scripts(script));
        })
    }
}

/// Returns the directory with packages of JavaScript.
fn modules() -> PathBuf {
    target().join("peers/node_modules")
}

fn scripts(name: &str) -> PathBuf {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR"));
    dir.join("servers").join(name)
}

/// Returns the directory below which `make servers` puts them: the running test is `TARGET/PROFILE/deps/test-executable`.
fn target() -> PathBuf {
    let test = std::env::current_exe().expect("path of the test");
    let target = test.ancestors().nth(3).expect("target directory");
    target.to_owned()
}
