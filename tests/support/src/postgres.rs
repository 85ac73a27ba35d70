//! A real PostgreSQL with files of its own, which ends with the process of the test.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::tls::Certificate;
use crate::tools;

/// With the value `postgres`, receivers of tests have their records in PostgreSQL.
pub const VARIABLE: &str = "RESUP_TEST_DATABASE";

/// How long the server may take to start or to end.
const TIME: Duration = Duration::from_secs(60);
/// The user of a Debian system who has no rights: the server does not run for root.
#[cfg(unix)]
const NOBODY: u32 = 65534;
/// The usual port, by which the sockets are named.
const PORT: u16 = 5432;
/// What makes the server quick. A test kills processes, never the system.
const SETTINGS: &str = "listen_addresses = ''\nmax_connections = 300\nfsync = off\n\
    full_page_writes = off\nautovacuum = off\nshared_buffers = 16MB\n";

/// A server. It listens on a socket in its directory only.
pub struct Postgres {
    bin: PathBuf,
    // Behind the socket's path, which has to be short.
    dir: tempfile::TempDir,
    child: Option<Child>,
    /// Its port, which is in the name of its socket.
    port: u16,
}

impl Postgres {
    /// Makes a server's files, and starts it. `None` when it is not installed.
    ///
    /// # Panics
    ///
    /// When it does not start, or is not there although it is [needed](tools::find).
    pub fn start() -> Option<Self> {
        Self::start_with(PORT, |_| String::new())
    }

    /// Starts one that listens on a port of 127.0.0.1, too, where it wants TLS, with this certificate. Returns it with the
    /// port.
    ///
    /// # Panics
    ///
    /// As [`start`](Self::start) does.
    pub fn start_with_tls(certificate: &Certificate) -> Option<(Self, u16)> {
        let unused = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr());
        let port = unused.expect("a port").port();
        let server = Self::start_with(port, |data| {
            let (pem, key) = certificate.write(data, "server");
            private(&key);
            let access = "local all all trust\nhostssl all all 127.0.0.1/32 trust\n";
            fs::write(data.join("pg_hba.conf"), access).expect("the access");
            format!(
                "listen_addresses = '127.0.0.1'\nssl = on\nssl_cert_file = '{}'\nssl_key_file = '{}'\n",
                pem.display(),
                key.display()
            )
        });
        server.map(|server| (server, port))
    }

    /// Starts one with more settings, which are made when its data directory is there.
    fn start_with(port: u16, more: impl FnOnce(&Path) -> String) -> Option<Self> {
        let bin = programs()?;
        let dir = tempfile::Builder::new()
            .prefix("pg")
            .tempdir_in("/tmp")
            .expect("a directory");
        let mut server = Self {
            bin,
            dir,
            child: None,
            port,
        };
        give_to_nobody(server.dir.path());
        let made = server
            .command("initdb")
            .args(["--auth=trust", "--username=postgres", "--encoding=UTF8"])
            .args(["--locale=C", "--no-sync", "-D"])
            .arg(server.data())
            .output()
            .expect("initdb runs");
        let said = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "initdb: {said}");
        let settings = server.data().join("postgresql.conf");
        let file = fs::File::options().append(true).open(settings);
        let all = format!("port = {port}\n{SETTINGS}{}", more(&server.data()));
        let written = file.and_then(|mut file| file.write_all(all.as_bytes()));
        written.expect("the settings");
        server.restart();
        Some(server)
    }

    /// Starts it again, after it was stopped or killed.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn restart(&mut self) {
        let until = Instant::now() + TIME;
        loop {
            // It does not start while processes of the one before are left.
            let ended = |child: &mut Child| !matches!(child.try_wait(), Ok(None));
            if self.child.as_mut().is_none_or(ended) {
                self.child = Some(self.spawn());
            }
            if self.psql("postgres", "SELECT 1").status.success() {
                return;
            }
            assert!(Instant::now() < until, "no start: {}", self.log());
            thread::sleep(Duration::from_millis(50));
        }
    }

    fn spawn(&self) -> Child {
        let log = fs::File::options()
            .append(true)
            .create(true)
            .open(self.dir.path().join("log"))
            .expect("a log");
        // When its input ends, with this process, however that ends, the shell ends the server and removes its files.
        let script = "exec 3<&0; \"$@\" 3<&- & server=$!; \
            { read line <&3; trap '' TERM; kill -QUIT $server; \
              while kill -0 $server; do sleep 0.1; done; rm -rf \"$FILES\"; } & reader=$!; \
            wait $server; kill $reader";
        self.command("sh")
            .args(["-c", script, "sh"])
            .env("FILES", self.dir.path())
            .arg(self.bin.join("postgres"))
            .arg("-D")
            .arg(self.data())
            .arg("-k")
            .arg(self.dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the server runs")
    }

    /// Asks it to end all connections and itself, and waits for that.
    pub fn stop(&mut self) {
        self.end("INT");
    }

    /// Kills its first process (SIGKILL): the others end by themselves. Waits for that.
    pub fn kill(&mut self) {
        self.end("KILL");
    }

    fn end(&mut self, signal: &str) {
        tools::signal(self.pid(), signal);
        let mut child = self.child.take().expect("it runs");
        // A wait closes the input, by which the shell would remove the files.
        let _input = child.stdin.take();
        let _ = child.wait();
    }

    /// The id of its first process.
    fn pid(&self) -> u32 {
        let file = fs::read_to_string(self.data().join("postmaster.pid")).expect("its process");
        let line = file.lines().next().expect("a line");
        line.parse().expect("a number")
    }

    /// Makes an empty database, and returns its address.
    ///
    /// # Panics
    ///
    /// When it cannot.
    pub fn database(&self) -> String {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let name = format!("records{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let made = self.psql("postgres", &format!("CREATE DATABASE {name}"));
        let said = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "{said}");
        self.address(&name)
    }

    /// The address of a database.
    pub fn address(&self, name: &str) -> String {
        let socket = self.dir.path().display().to_string().replace('/', "%2F");
        format!("postgres://postgres@{socket}/{name}")
    }

    /// Runs a statement in the database of an address, and returns its output, a line for each row.
    ///
    /// # Panics
    ///
    /// When it fails.
    pub fn query(&self, address: &str, statement: &str) -> String {
        let (_, name) = address.rsplit_once('/').expect("a name");
        let output = self.psql(name, statement);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{statement}: {said}");
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// Writes a dump of a database, by pg_dump.
    ///
    /// # Panics
    ///
    /// When it fails.
    pub fn dump(&self, address: &str) -> Vec<u8> {
        let output = self
            .client("pg_dump", address)
            .output()
            .expect("pg_dump runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        output.stdout
    }

    /// Loads a dump into a new database, and returns its address.
    ///
    /// # Panics
    ///
    /// When it fails.
    pub fn load(&self, dump: &[u8]) -> String {
        let address = self.database();
        let mut child = self
            .client("psql", &address)
            .args(["-X", "-q", "-v", "ON_ERROR_STOP=1"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("psql runs");
        let mut input = child.stdin.take().expect("stdin");
        input.write_all(dump).expect("psql reads");
        drop(input);
        assert!(child.wait().expect("its end").success());
        address
    }

    fn client(&self, program: &str, address: &str) -> Command {
        let (_, name) = address.rsplit_once('/').expect("a name");
        let mut command = self.command(program);
        command.args(["-U", "postgres", "-d", name, "-h"]);
        command.arg(self.dir.path());
        command
    }

    fn psql(&self, database: &str, statement: &str) -> std::process::Output {
        self.command("psql")
            .args(["-X", "-q", "-A", "-t", "-U", "postgres", "-d", database])
            .arg("-h")
            .arg(self.dir.path())
            .args(["-c", statement])
            .output()
            .expect("psql runs")
    }

    /// Makes a command of one of its programs, for a user without rights.
    fn command(&self, program: &str) -> Command {
        let path = match program {
            "sh" => PathBuf::from(program),
            program => self.bin.join(program),
        };
        let mut command = Command::new(path);
        command.current_dir(self.dir.path());
        command
            .env("LC_ALL", "C")
            .env("PGPORT", self.port.to_string());
        for name in ["PGHOST", "PGUSER", "PGPASSWORD", "PGDATABASE"] {
            command.env_remove(name);
        }
        as_nobody(&mut command);
        command
    }

    fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// What it has written.
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.stdin.take());
            let _ = child.wait();
        }
        if thread::panicking() {
            eprintln!("log of PostgreSQL:\n{}", self.log());
        }
    }
}

/// Whether receivers of tests have their records in PostgreSQL.
pub fn is_wanted() -> bool {
    std::env::var(VARIABLE).is_ok_and(|value| value == "postgres")
}

/// The address of a data directory's database, which is made when it is asked for first; `None` where receivers are to have
/// SQLite. All are in one server.
///
/// # Panics
///
/// When PostgreSQL is not installed or does not start.
pub fn database_of(data: &Path) -> Option<String> {
    static ADDRESSES: Mutex<BTreeMap<PathBuf, String>> = Mutex::new(BTreeMap::new());
    if !is_wanted() {
        return None;
    }
    let mut addresses = ADDRESSES.lock().unwrap_or_else(PoisonError::into_inner);
    let address = addresses
        .entry(data.to_owned())
        .or_insert_with(|| shared().expect("PostgreSQL is installed").database());
    Some(address.clone())
}

/// The server that all tests of a process share. `None` when it is not installed.
///
/// # Panics
///
/// When it does not start, or is not there although it is [needed](tools::find).
pub fn shared() -> Option<&'static Postgres> {
    static SERVER: OnceLock<Option<Postgres>> = OnceLock::new();
    // Each test that is skipped says so.
    programs()?;
    SERVER.get_or_init(Postgres::start).as_ref()
}

/// Finds the directory of its programs, which Debian does not have in the PATH.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let mut found: Vec<_> = versions
        .flatten()
        .map(|version| version.path().join("bin"))
        .filter(|bin| bin.join("initdb").exists())
        .collect();
    found.sort();
    match found.pop() {
        Some(bin) => Some(bin),
        None => tools::find("initdb")?.parent().map(Path::to_owned),
    }
}

/// Whether this process is root's, as the owner of its new files tells on each system.
#[cfg(unix)]
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    static IS_ROOT: OnceLock<bool> = OnceLock::new();
    *IS_ROOT.get_or_init(|| {
        let file = tempfile::tempfile().and_then(|file| file.metadata());
        file.expect("a file").uid() == 0
    })
}

/// Gives a directory that this process has made to the user who runs the server.
#[cfg(unix)]
fn give_to_nobody(dir: &Path) {
    use std::os::unix::fs::PermissionsExt;
    if is_root() {
        let given = std::os::unix::fs::chown(dir, Some(NOBODY), Some(NOBODY));
        given.expect("root gives files away");
    }
    // Receivers connect as whoever runs the tests.
    let all = fs::Permissions::from_mode(0o755);
    fs::set_permissions(dir, all).expect("open to all");
}

/// Gives the file of a key to the user who runs the server, and lets nobody else read it.
#[cfg(unix)]
fn private(file: &Path) {
    use std::os::unix::fs::PermissionsExt;
    if is_root() {
        let given = std::os::unix::fs::chown(file, Some(NOBODY), Some(NOBODY));
        given.expect("root gives files away");
    }
    let own = fs::Permissions::from_mode(0o600);
    fs::set_permissions(file, own).expect("private");
}

#[cfg(unix)]
fn as_nobody(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
}

#[cfg(not(unix))]
fn give_to_nobody(_: &Path) {}

#[cfg(not(unix))]
fn private(_: &Path) {}

#[cfg(not(unix))]
fn as_nobody(_: &mut Command) {}
