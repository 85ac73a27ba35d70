//! A server program of the system as a child process, with files of its own.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::tools;

const START_TIME: Duration = Duration::from_secs(240);
/// How long a line of a log may take.
const LOG_TIME: Duration = Duration::from_secs(10);
/// The log with the standard output and standard error of the program.
pub(crate) const OUTPUT: &str = "output.log";

/// A running server; it is killed when this is dropped. In a test that fails, its logs are shown.
pub(crate) struct Daemon {
    child: Child,
    addr: SocketAddr,
    dir: tempfile::TempDir,
}

impl Daemon {
    /// Starts `tool` in the foreground and waits until it listens at the address that `prepare`
    /// is handed. `prepare` writes the files that the program needs into the directory it is
    /// handed, which is the program's working directory, and adds the arguments. `None` when the
    /// program is not installed.
    ///
    /// # Panics
    ///
    /// When it does not start, or is not there although it is [needed](tools::find).
    pub(crate) fn start(
        tool: &str,
        prepare: impl Fn(&mut Command, SocketAddr, &Path),
    ) -> Option<Self> {
        let binary = tools::find(tool)?;
        // Another process may take the port before the program listens at it.
        let started = (0..5).find_map(|_| Self::try_start(&binary, &prepare));
        Some(started.unwrap_or_else(|| panic!("{tool} does not start")))
    }

    fn try_start(binary: &Path, prepare: impl Fn(&mut Command, SocketAddr, &Path)) -> Option<Self> {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let addr = free.local_addr().expect("its address");
        drop(free);
        let dir = tempfile::tempdir().expect("a directory");
        open_to_all(dir.path());
        let output = File::create(dir.path().join(OUTPUT)).expect("a file for its output");
        let errors = output.try_clone().expect("the same for its errors");
        let mut command = Command::new(binary);
        command
            .current_dir(dir.path())
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors);
        prepare(&mut command, addr, dir.path());
        let child = command.spawn().expect("the program runs");
        let mut daemon = Daemon { child, addr, dir };
        daemon.listens_in_time().then_some(daemon)
    }

    /// Waits until it listens; `false` if it ends before, or takes too long.
    fn listens_in_time(&mut self) -> bool {
        let until = Instant::now() + START_TIME;
        while TcpStream::connect(self.addr).is_err() {
            let ended = self.child.try_wait().expect("its state").is_some();
            if ended || Instant::now() > until {
                self.show_logs();
                return false;
            }
            thread::sleep(Duration::from_millis(10));
        }
        true
    }

    /// Returns the address at which it listens.
    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Returns the process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Reads one of its logs.
    pub(crate) fn log(&self, name: &str) -> String {
        let bytes = fs::read(self.dir.path().join(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Waits until one of its logs has a line like this, and returns the line.
    ///
    /// # Panics
    ///
    /// When it has none after seconds.
    pub(crate) fn wait_for(&self, name: &str, wanted: impl Fn(&str) -> bool) -> String {
        let until = Instant::now() + LOG_TIME;
        loop {
            let log = self.log(name);
            if let Some(line) = log.lines().find(|line| wanted(line)) {
                return line.to_owned();
            }
            assert!(Instant::now() < until, "no such line in {name}:\n{log}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Asks the program to end, and waits for that: it ends its own child processes, which a kill would leave.
    pub(crate) fn terminate(&mut self) {
        tools::signal(self.child.id(), "TERM");
        let until = Instant::now() + START_TIME;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < until {
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn show_logs(&self) {
        let Ok(entries) = fs::read_dir(self.dir.path()) else {
            return;
        };
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.extension().is_some_and(|extension| extension == "log") {
                let bytes = fs::read(&path).unwrap_or_default();
                eprintln!("{}:\n{}", path.display(), String::from_utf8_lossy(&bytes));
            }
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            self.show_logs();
        }
    }
}

/// Lets every user read and write here, for a program that gives up root's rights.
#[cfg(unix)]
pub(crate) fn open_to_all(dir: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(dir, fs::Permissions::from_mode(0o777)).expect("open to all");
}

#[cfg(not(unix))]
pub(crate) fn open_to_all(_: &Path) {}
