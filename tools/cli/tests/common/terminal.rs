//! A terminal for the command.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use resup_test_support::tools;

use super::wait_for;

/// The command in a terminal of the program `script`.
pub struct Terminal {
    child: Child,
    screen: Arc<Mutex<Vec<u8>>>,
    reader: JoinHandle<()>,
}

impl Terminal {
    /// Runs `resup put` with these words of a shell command, if there is the program `script`.
    pub fn put(words: &str) -> Option<Self> {
        Self::run(&format!(
            "exec '{}' put {words}",
            env!("CARGO_BIN_EXE_resup")
        ))
    }

    /// Runs a shell command, if there is the program `script`.
    pub fn run(command: &str) -> Option<Self> {
        let script = tools::find("script")?;
        let mut child = Command::new(script)
            .args(["-q", "-e", "-c", command, "/dev/null"])
            .env("TERM", "xterm")
            .env_remove("RESUP_PASSWORD")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let screen = Arc::new(Mutex::new(Vec::new()));
        let output = screen.clone();
        let reader = thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(n @ 1..) = stdout.read(&mut buffer) {
                output.lock().unwrap().extend_from_slice(&buffer[..n]);
            }
        });
        Some(Terminal {
            child,
            screen,
            reader,
        })
    }

    fn screen(&self) -> String {
        String::from_utf8_lossy(&self.screen.lock().unwrap()).into_owned()
    }

    /// Waits until a text is on the screen.
    pub fn wait_for(&self, what: &str) {
        wait_for(what, || self.screen().contains(what));
    }

    /// Types keys.
    pub fn type_keys(&mut self, keys: &[u8]) {
        let stdin = self.child.stdin.as_mut().unwrap();
        stdin.write_all(keys).unwrap();
    }

    /// Waits for the end of the command. Returns the exit code and all that was on the screen.
    pub fn finish(mut self) -> (Option<i32>, String) {
        let status = self.child.wait().unwrap();
        self.reader.join().unwrap();
        let screen = self.screen.lock().unwrap();
        (status.code(), String::from_utf8_lossy(&screen).into_owned())
    }
}
