//! The real receiver, `resup-receiver`, as a child process.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use crate::{files, postgres, tools};

/// The environment variable that names the binary to run, instead of one that is built here.
pub const VARIABLE: &str = "RESUP_RECEIVER";

/// The environment variable by which a receiver gets its database.
pub const DATABASE: &str = "RESUP_RECEIVER_DATABASE";

const START_TIME: Duration = Duration::from_secs(30);
/// How long a line on its stderr may take.
const LOG_TIME: Duration = Duration::from_secs(60);

/// How a receiver is started. The default: a new temporary data directory, nothing else.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// The data directory; by default a temporary one.
    pub data: Option<PathBuf>,
    /// More arguments.
    pub args: Vec<OsString>,
    /// More environment variables.
    pub env: Vec<(OsString, OsString)>,
    /// The binary; by default that of `RESUP_RECEIVER`, or else a new build.
    pub binary: Option<PathBuf>,
}

impl Setup {
    /// Returns the default.
    pub fn new() -> Self {
        Self::default()
    }

    /// Uses this data directory, which is left in place at the end.
    pub fn data(mut self, dir: impl Into<PathBuf>) -> Self {
        self.data = Some(dir.into());
        self
    }

    /// Adds an argument.
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds arguments.
    pub fn args(mut self, args: &[&str]) -> Self {
        self.args.extend(args.iter().map(OsString::from));
        self
    }

    /// Adds an environment variable.
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Starts the receiver and waits until it listens.
    ///
    /// # Panics
    ///
    /// When it does not, with what it wrote to stderr.
    pub fn start(self) -> Receiver {
        Receiver::with(self)
    }
}

/// A running receiver. Dropping it kills it; in a test that fails, its stderr is shown.
pub struct Receiver {
    setup: Setup,
    binary: PathBuf,
    data: PathBuf,
    // Held for its Drop, which removes the directory.
    _temporary: Option<tempfile::TempDir>,
    stderr: Arc<Mutex<Vec<u8>>>,
    child: Option<Child>,
    endpoint: String,
    addr: SocketAddr,
}

impl Receiver {
    /// Starts a receiver with an empty data directory of its own.
    ///
    /// # Panics
    ///
    /// When it cannot be built or does not come to listen.
    pub fn start() -> Self {
        Self::with(Setup::new())
    }

    fn with(setup: Setup) -> Self {
        let binary = setup.binary.clone().unwrap_or_else(|| binary().to_owned());
        let (data, temporary) = match &setup.data {
            Some(data) => (data.clone(), None),
            None => {
                let dir = tempfile::tempdir().expect("temporary data directory");
                (dir.path().to_owned(), Some(dir))
            }
        };
        let mut receiver = Self {
            setup,
            binary,
            data,
            _temporary: temporary,
            stderr: Arc::default(),
            child: None,
            endpoint: String::new(),
            addr: SocketAddr::from(([127, 0, 0, 1], 0)),
        };
        receiver.launch();
        receiver
    }

    /// Returns the URL of the upload endpoint. It changes with every restart.
    pub fn endpoint(&self) -> String {
        self.endpoint.clone()
    }

    /// Returns the address at which it listens. It changes with every restart.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Returns the id of the process; `None` after it was killed.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// Returns the data directory.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// Returns the path of the finished file of an upload.
    pub fn stored_file(&self, id: &str) -> PathBuf {
        self.data.join("files").join(id)
    }

    /// Compares what a program has noted in the file `stored` of `dir`: in each line the id or URL of an upload and, after a
    /// blank, the name of the file in `dir` that it is. Returns how many there are.
    ///
    /// # Panics
    ///
    /// When one is another file.
    pub fn check_stored(&self, dir: &Path) -> usize {
        let list = fs::read_to_string(dir.join("stored")).expect("what was stored");
        let mut count = 0;
        for line in list.lines() {
            let (id, name) = line.split_once(' ').expect(line);
            let id = id.rsplit('/').next().unwrap_or_default();
            files::assert_same(&dir.join(name), &self.stored_file(id));
            count += 1;
        }
        count
    }

    /// Runs `resup-receiver --data DIR ARGS`, which manages users and tokens, with this standard
    /// input; returns its output.
    ///
    /// # Panics
    ///
    /// When it fails.
    pub fn admin(&self, args: &[&str], stdin: &str) -> String {
        let mut child = self
            .command()
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot run {}: {error}", self.binary.display()));
        let mut input = child.stdin.take().expect("stdin");
        // A command that needs no input may have ended.
        let _ = input.write_all(stdin.as_bytes());
        drop(input);
        let output = child.wait_with_output().expect("output of the receiver");
        assert!(output.status.success(), "{args:?} failed");
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// Returns its stderr so far, over all its restarts.
    pub fn stderr(&self) -> String {
        let bytes = self.stderr.lock().expect("stderr of the receiver");
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Waits for a line on its stderr that is `wanted`, and returns it.
    ///
    /// # Panics
    ///
    /// When there is none after a minute.
    pub fn wait_for(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        let until = Instant::now() + LOG_TIME;
        loop {
            let log = self.stderr();
            if let Some(line) = log.lines().find(|line| wanted(line)) {
                return line.to_owned();
            }
            assert!(Instant::now() < until, "{what}: {log}");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Counts the sends in its stderr that it did not get whole.
    pub fn broken_sends(&self) -> usize {
        let log = self.stderr();
        let sends = log.lines().filter(|line| line.contains("action=\"send\""));
        sends.filter(|line| !line.contains("status=200")).count()
    }

    /// Counts the requests of a kind, `locate` or `send`, in its stderr.
    pub fn requests(&self, kind: &str) -> usize {
        self.stderr().matches(&format!("action=\"{kind}\"")).count()
    }

    /// Kills it (SIGKILL) and waits until it is gone.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Kills it if it runs, and starts it again on the same data directory, at a new port.
    ///
    /// # Panics
    ///
    /// When it does not come to listen.
    pub fn restart(&mut self) {
        self.kill();
        self.launch();
    }

    /// Whether it ended without being asked to.
    pub fn has_ended(&mut self) -> bool {
        match &mut self.child {
            Some(child) => !matches!(child.try_wait(), Ok(None)),
            None => false,
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.binary);
        command.arg("--data").arg(&self.data);
        if let Some(address) = postgres::database_of(&self.data) {
            command.env(DATABASE, address);
        }
        command
    }

    fn launch(&mut self) {
        let mut child = self
            .command()
            .args(["--listen", "127.0.0.1:0"])
            .args(&self.setup.args)
            .envs(self.setup.env.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot run {}: {error}", self.binary.display()));
        let stdout = child.stdout.take().expect("stdout");
        let stderr = child.stderr.take().expect("stderr");
        self.child = Some(child);
        let reader = collect(stderr, self.stderr.clone());
        let (sender, first_line) = mpsc::channel();
        thread::spawn(move || {
            let mut lines = BufReader::new(stdout);
            let mut line = String::new();
            if lines.read_line(&mut line).is_ok() {
                let _ = sender.send(line);
            }
            // Reads on, so that the receiver never blocks on a full pipe.
            let _ = std::io::copy(&mut lines, &mut std::io::sink());
        });
        let problem = match first_line.recv_timeout(START_TIME) {
            Ok(line) => match parse(&line) {
                Some((endpoint, addr)) => {
                    (self.endpoint, self.addr) = (endpoint, addr);
                    return;
                }
                None => format!("its first line is {line:?}"),
            },
            Err(RecvTimeoutError::Timeout) => "it did not say where it listens".to_owned(),
            Err(RecvTimeoutError::Disconnected) => "its stdout cannot be read".to_owned(),
        };
        self.kill();
        let _ = reader.join();
        panic!("the receiver did not start: {problem}");
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            eprintln!("stderr of the receiver:\n{}", self.stderr());
        }
    }
}

/// Parses the URL `http://127.0.0.1:PORT/upload` in `listening on http://127.0.0.1:PORT/upload`.
fn parse(line: &str) -> Option<(String, SocketAddr)> {
    let endpoint = line.trim_end().strip_prefix("listening on ")?;
    let (_, rest) = endpoint.split_once("://")?;
    let addr = rest.split('/').next()?.parse().ok()?;
    Some((endpoint.to_owned(), addr))
}

fn collect(
    mut from: impl Read + Send + 'static,
    into: Arc<Mutex<Vec<u8>>>,
) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(n @ 1..) = from.read(&mut buffer) {
            into.lock()
                .expect("stderr of the receiver")
                .extend_from_slice(&buffer[..n]);
        }
    })
}

/// Returns the binary to run. It is built once in each process, so that it is never stale.
///
/// # Panics
///
/// When the build fails.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| match std::env::var_os(VARIABLE) {
        Some(path) => path.into(),
        None => build(),
    })
}

/// Builds into the target directory and profile that the running test is in:
/// `TARGET/PROFILE/deps/test-executable`.
fn build() -> PathBuf {
    let test = std::env::current_exe().expect("path of the test");
    let profile_dir = match test.parent() {
        Some(dir) if dir.ends_with("deps") || dir.ends_with("examples") => dir.parent(),
        dir => dir,
    }
    .expect("directory of the test");
    let profile = match profile_dir.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(name) => name,
    };
    let target = profile_dir.parent().expect("target directory");
    let output = tools::cargo()
        .args(["build", "--quiet", "--package", "resup-receiver"])
        .args(["--profile", profile, "--manifest-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml"))
        .arg("--target-dir")
        .arg(target)
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "cargo build -p resup-receiver failed:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let name = format!("resup-receiver{}", std::env::consts::EXE_SUFFIX);
    profile_dir.join(name)
}
