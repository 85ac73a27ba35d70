//! A run of a program, with the message as its standard input.

use std::path::Path;
use std::pin::pin;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio::time::timeout;

use crate::hooks::message::LONGEST;

/// How long its output is awaited when the program has ended. What it has started may keep the output open.
const REST: Duration = Duration::from_millis(500);
/// The most characters of its last words in the log.
const EXCERPT: usize = 200;

/// A program and what it has started. They are killed when this is dropped.
struct Group {
    /// The program's id, while it runs: it is the group's, too.
    id: Option<u32>,
}

impl Drop for Group {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(id) = self
            .id
            .and_then(|id| rustix::process::Pid::from_raw(id as i32))
        {
            let _ = rustix::process::kill_process_group(id, rustix::process::Signal::KILL);
        }
    }
}

/// Runs a program. Returns its standard output, or the first part of it if that is longer than an answer may be, if it
/// says by its exit code that it has taken the message. It is killed with all that it has started when this is dropped.
pub async fn run(path: &Path, body: &str, files: &Path) -> Result<Vec<u8>, String> {
    let mut command = Command::new(path);
    command
        .env("RESUP_FILES", files)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    #[cfg(unix)]
    command.process_group(0);
    // These may have secrets.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("RESUP_RECEIVER_") {
            command.env_remove(name);
        }
    }
    let mut child = command
        .spawn()
        .map_err(|error| format!("it cannot be run: {error}"))?;
    let mut group = Group { id: child.id() };
    let (mut stdin, stdout, stderr) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (mut output, mut words) = (Vec::new(), Vec::new());
    let status = {
        let mut ended = pin!(async {
            let write = async {
                if let Some(mut stdin) = stdin.take() {
                    // One that reads nothing may take the message all the same.
                    let _ = stdin.write_all(body.as_bytes()).await;
                }
            };
            let ended = async {
                let status = child.wait().await;
                // What it leaves behind when it ends by itself is its own affair.
                group.id = None;
                status
            };
            tokio::join!(write, ended).1
        });
        let mut read = pin!(async {
            tokio::join!(
                read_some(stdout, &mut output),
                read_some(stderr, &mut words)
            )
        });
        tokio::select! {
            status = &mut ended => {
                let _ = timeout(REST, read).await;
                status
            }
            _ = &mut read => ended.await,
        }
    };
    let status = status.map_err(|error| format!("its end is not known: {error}"))?;
    if !status.success() {
        let words = String::from_utf8_lossy(&words);
        let words: String = words.trim().chars().take(EXCERPT).collect();
        return Err(format!("it ended with {status}: {}", words.escape_debug()));
    }
    Ok(output)
}

/// Reads all, and keeps a little more than an answer may have: a program to which nobody listens would be killed. What
/// was read is there also when this is dropped.
async fn read_some(from: Option<impl AsyncRead + Unpin>, into: &mut Vec<u8>) {
    let Some(mut from) = from else {
        return;
    };
    let mut rest = [0; 4096];
    loop {
        let read = match into.len() <= LONGEST {
            true => from.read_buf(into).await,
            false => from.read(&mut rest).await,
        };
        if !matches!(read, Ok(count) if count > 0) {
            return;
        }
    }
}
