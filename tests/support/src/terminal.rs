//! A terminal for a program, by the program `script`.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::tools;

/// How long a text on the screen may take.
const LIMIT: Duration = Duration::from_secs(60);

/// A shell command in a terminal.
pub struct Terminal {
    child: Child,
    screen: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Terminal {
    /// Runs the command, if there is the program `script`.
    ///
    /// # Panics
    ///
    /// When it cannot be run.
    pub fn run(command: &str) -> Option<Self> {
        let script = tools::find("script")?;
        let mut child = Command::new(script)
            .args(["-q", "-e", "-c", command, "/dev/null"])
            .env("TERM", "xterm")
            .env("LC_ALL", "C")
            .env_remove("RESUP_PASSWORD")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("script");
        let mut stdout = child.stdout.take().expect("stdout");
        let screen = Arc::new(Mutex::new(Vec::new()));
        let output = screen.clone();
        let reader = thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(n @ 1..) = stdout.read(&mut buffer) {
                let mut screen = output.lock().expect("screen");
                screen.extend_from_slice(&buffer[..n]);
            }
        });
        Some(Terminal {
            child,
            screen,
            reader,
        })
    }

    fn screen(&self) -> String {
        String::from_utf8_lossy(&self.screen.lock().expect("screen")).into_owned()
    }

    /// Waits until a text is on the screen.
    ///
    /// # Panics
    ///
    /// When it does not come.
    pub fn wait_for(&self, what: &str) {
        let until = Instant::now() + LIMIT;
        while !self.screen().contains(what) {
            let screen = self.screen();
            assert!(
                Instant::now() < until,
                "no {what:?} on the screen: {screen}"
            );
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Types keys.
    ///
    /// # Panics
    ///
    /// When the terminal has ended.
    pub fn type_keys(&mut self, keys: &[u8]) {
        let stdin = self.child.stdin.as_mut().expect("stdin");
        stdin.write_all(keys).expect("the terminal takes keys");
    }

    /// Waits for the end of the command. Returns the exit code and all that was on the screen.
    ///
    /// # Panics
    ///
    /// When the terminal cannot be waited for.
    pub fn finish(mut self) -> (Option<i32>, String) {
        let status = self.child.wait().expect("the end of the terminal");
        self.reader.join().expect("the reader of the screen");
        let screen = self.screen.lock().expect("screen");
        (status.code(), String::from_utf8_lossy(&screen).into_owned())
    }
}
