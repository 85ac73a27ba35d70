//! Servers of other people for S3, which `make servers` fetches, and the sample that signs URLs for them.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;

use crate::daemon::Daemon;
use crate::tools;
use crate::tus::target;

/// One of the servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// moto, in Python. It keeps all in memory, and checks no signature.
    Moto,
    /// versitygw, in Go, on files. It checks signatures and when they expire.
    Versity,
}

/// Both of them.
pub const ALL: [Kind; 2] = [Kind::Moto, Kind::Versity];

const KEY: &str = "a file.bin";
/// The environment of who may use them.
pub const ACCESS: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "access"),
    ("AWS_SECRET_ACCESS_KEY", "a-secret-of-the-backend"),
    ("AWS_DEFAULT_REGION", "us-east-1"),
];

/// A running server with a bucket; it is killed when this is dropped. In a test that fails, its log is shown.
pub struct S3Server {
    kind: Kind,
    daemon: Option<Daemon>,
    dir: tempfile::TempDir,
}

impl S3Server {
    /// Starts a server; `None` when it is not here.
    ///
    /// # Panics
    ///
    /// When it does not start, or is not there although it is [needed](crate::tools::find).
    pub fn start(kind: Kind) -> Option<Self> {
        let dir = tempfile::tempdir().expect("a directory");
        for name in ["data/bucket", "sidecar"] {
            fs::create_dir_all(dir.path().join(name)).expect("a data directory");
        }
        let mut server = Self {
            kind,
            daemon: None,
            dir,
        };
        if !server.restart() {
            return None;
        }
        if kind == Kind::Moto {
            server.make_bucket();
        }
        Some(server)
    }

    /// Makes the bucket: moto has none after a start.
    pub fn make_bucket(&self) {
        let code = "import boto3; boto3.client('s3').create_bucket(Bucket='bucket')";
        self.python(self.addr(), &["-c", code], 86_400);
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

    /// Begins an upload of a file of `size` bytes by the sample, or goes on with one; gives the presigned URLs, by way of a
    /// proxy.
    pub fn sign(&self, proxy: SocketAddr, size: u64, id: Option<&str>, expires: u32) -> String {
        let sample = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../examples/presigned/parts.py"
        );
        let size = size.to_string();
        let mut arguments = vec![sample, "bucket", KEY, &size];
        arguments.extend(id);
        self.python(proxy, &arguments, expires)
    }

    /// Returns the file, once it is complete.
    pub fn file(&self) -> Option<Vec<u8>> {
        match self.kind {
            Kind::Versity => fs::read(self.dir.path().join("data/bucket").join(KEY)).ok(),
            Kind::Moto => {
                let path = self.dir.path().join("got");
                let code = format!(
                    "import boto3, botocore; s3 = boto3.client('s3')\ntry: s3.download_file('bucket', {KEY:?}, {path:?})\n\
                     except botocore.exceptions.ClientError: pass"
                );
                let _ = fs::remove_file(&path);
                self.python(self.addr(), &["-c", &code], 86_400);
                fs::read(path).ok()
            }
        }
    }

    /// Returns how many uploads it has that are not complete.
    pub fn unfinished(&self) -> usize {
        let code = "import boto3; s3 = boto3.client('s3')\n\
                    print(len(s3.list_multipart_uploads(Bucket='bucket').get('Uploads', [])))";
        let count = self.python(self.addr(), &["-c", code], 86_400);
        count.trim().parse().expect("a number")
    }

    /// Returns the keys of its objects.
    pub fn keys(&self) -> Vec<String> {
        let code = "import boto3; s3 = boto3.client('s3')\n\
                    for it in s3.list_objects_v2(Bucket='bucket').get('Contents', []): print(it['Key'])";
        let keys = self.python(self.addr(), &["-c", code], 86_400);
        keys.lines().map(str::to_owned).collect()
    }

    /// Deletes one of its objects.
    pub fn remove(&self, key: &str) {
        let code =
            format!("import boto3; boto3.client('s3').delete_object(Bucket='bucket', Key={key:?})");
        self.python(self.addr(), &["-c", &code], 86_400);
    }

    /// Makes an object of this text.
    pub fn put(&self, key: &str, text: &str) {
        let code = format!(
            "import boto3; boto3.client('s3').put_object(Bucket='bucket', Key={key:?}, Body={text:?})"
        );
        self.python(self.addr(), &["-c", &code], 86_400);
    }

    /// Begins an upload in parts.
    pub fn begin(&self, key: &str) {
        let code = format!(
            "import boto3; boto3.client('s3').create_multipart_upload(Bucket='bucket', Key={key:?})"
        );
        self.python(self.addr(), &["-c", &code], 86_400);
    }

    /// Sends it a signal, such as `STOP` and `CONT`.
    ///
    /// # Panics
    ///
    /// When it is killed.
    pub fn signal(&self, name: &str) {
        tools::signal(self.daemon.as_ref().expect("it runs").id(), name);
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
        let program = program(match self.kind {
            Kind::Moto => "moto_server",
            Kind::Versity => "versitygw",
        });
        if !tools::has_file(&program) {
            return false;
        }
        let dir = self.dir.path();
        self.daemon = Daemon::start(&program.display().to_string(), |command, addr, _| {
            let (host, port) = (addr.ip().to_string(), addr.port().to_string());
            match self.kind {
                Kind::Moto => {
                    command.args(["-H", &host, "-p", &port]);
                }
                Kind::Versity => {
                    let [(_, access), (_, secret), _] = ACCESS;
                    command.args(["--access", access, "--secret", secret]);
                    command.args(["--port", &addr.to_string(), "posix", "--sidecar"]);
                    command.arg(dir.join("sidecar")).arg(dir.join("data"));
                }
            }
        });
        self.daemon.is_some()
    }

    /// Runs Python with boto3 against an address; gives what it wrote.
    fn python(&self, addr: SocketAddr, arguments: &[&str], expires: u32) -> String {
        let mut command = Command::new(program("python"));
        command.envs(ACCESS).args(arguments);
        command.env("AWS_ENDPOINT_URL", format!("http://{addr}"));
        command.env("EXPIRES", expires.to_string());
        let output = command.output().expect("Python runs");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {errors}");
        String::from_utf8(output.stdout).expect("text")
    }
}

fn program(name: &str) -> PathBuf {
    target().join("s3/bin").join(name)
}
