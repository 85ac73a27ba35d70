//! A receiver process, and a client with a plain socket.

#![allow(dead_code)]

pub mod accounts;
#[cfg(target_os = "linux")]
pub mod faulty;
mod forms;
pub mod hook;
pub mod lock;
pub mod objects;
pub mod parts;
pub mod raw;
#[cfg(unix)]
pub mod several;
pub mod signing;
#[cfg(unix)]
pub mod way;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use resup_test_support::receiver::DATABASE;
use resup_test_support::{postgres, tools};
use serde_json::Value;
use tempfile::TempDir;

pub use forms::*;

/// A running receiver with a data directory of its own.
pub struct Receiver {
    child: Child,
    pub address: SocketAddr,
    data: PathBuf,
    flags: Vec<String>,
    change: Change,
    _dir: Option<TempDir>,
}

/// A change of the command that starts the receiver.
type Change = Box<dyn Fn(&mut Command) + std::marker::Send + Sync>;

impl Receiver {
    pub fn start(flags: &[&str]) -> Self {
        Self::start_crashing("", flags)
    }

    /// Starts a receiver that aborts itself at a commit point.
    pub fn start_crashing(point: &str, flags: &[&str]) -> Self {
        let point = point.to_owned();
        let dir = tempfile::tempdir().unwrap();
        let mut receiver = Self::start_changed(dir, flags, move |command| {
            command.env("RESUP_RECEIVER_CRASH", &point);
        });
        receiver.change = Box::new(|_| {});
        receiver
    }

    /// Starts a receiver whose command is changed, also for restarts.
    pub fn start_changed(
        dir: TempDir,
        flags: &[&str],
        change: impl Fn(&mut Command) + std::marker::Send + Sync + 'static,
    ) -> Self {
        let flags: Vec<String> = flags.iter().map(|flag| flag.to_string()).collect();
        let change: Change = Box::new(change);
        let (child, address) = spawn(dir.path(), &flags, &change);
        Self {
            child,
            address,
            data: dir.path().to_owned(),
            flags,
            change,
            _dir: Some(dir),
        }
    }

    /// Sets the flags for the next start.
    pub fn set_flags(&mut self, flags: &[&str]) {
        self.flags = flags.iter().map(|flag| flag.to_string()).collect();
    }

    /// Starts a receiver at this address, in a directory that is not removed.
    pub fn start_at(listen: &str, data: &Path, flags: &[&str]) -> Self {
        let mut command = program(data);
        command.args(["--listen", listen]);
        command.args(flags);
        let mut receiver = Self::launch(command);
        receiver.data = data.to_owned();
        receiver
    }

    /// Starts a receiver by any command.
    pub fn launch(command: Command) -> Self {
        let (child, address) = launch(command, &|_| {});
        Self {
            child,
            address,
            data: PathBuf::new(),
            flags: Vec::new(),
            change: Box::new(|_| {}),
            _dir: None,
        }
    }

    /// Kills it at once and starts another one on the same directory.
    pub fn kill_and_restart(&mut self) {
        self.kill_and_restart_crashing("");
    }

    pub fn kill_and_restart_crashing(&mut self, point: &str) {
        self.kill();
        let change = |command: &mut Command| {
            (self.change)(command);
            if !point.is_empty() {
                command.env("RESUP_RECEIVER_CRASH", point);
            }
        };
        (self.child, self.address) = spawn(&self.data, &self.flags, &change);
    }

    pub fn kill(&mut self) {
        let _ = self.child.kill();
        self.wait();
    }

    pub fn terminate(&mut self) -> std::process::ExitStatus {
        tools::signal(self.child.id(), "TERM");
        self.wait()
    }

    pub fn wait(&mut self) -> std::process::ExitStatus {
        self.child.wait().unwrap()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn data(&self) -> &Path {
        &self.data
    }

    pub fn file(&self, id: &str) -> PathBuf {
        self.data.join("files").join(id)
    }

    /// The path of an unfinished upload's bytes.
    pub fn partial(&self, id: &str) -> PathBuf {
        self.data.join("partial").join(id)
    }

    pub fn stored(&self, id: &str) -> Vec<u8> {
        std::fs::read(self.file(id)).unwrap()
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        stream
            .set_write_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        stream
    }

    pub fn exchange(&self, request: &[u8]) -> Reply {
        let mut stream = self.connect();
        // The receiver may answer and hang up before all is written.
        let _ = stream.write_all(request);
        Reply::read(&mut stream)
    }

    pub fn get(&self, target: &str) -> Reply {
        self.exchange(&head("GET", target, "", 0))
    }

    pub fn delete(&self, target: &str) -> Reply {
        self.exchange(&head("DELETE", target, "", 0))
    }

    pub fn locate(&self, file: &Upload) -> Reply {
        self.exchange(&post_form(&file.locate_form()))
    }

    /// Sends a locate that must succeed. Returns the id and the offset.
    pub fn locate_ok(&self, file: &Upload) -> (String, u64) {
        let reply = self.locate(file);
        assert_eq!(reply.status, 200, "{:?}", reply.json);
        (reply.id(), reply.offset())
    }

    /// Sends everything from `offset` to the end with the right digest.
    pub fn send_rest(&self, file: &Upload, id: &str, offset: u64) -> Reply {
        let md5 = md5_hex(&file.content);
        self.exchange(&file.send(id, offset).tail("md5", &md5).build())
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn command(data: &Path, flags: &[String]) -> Command {
    let mut command = program(data);
    command.args(["--listen", "127.0.0.1:0"]);
    command.args(flags);
    command
}

/// The program with a data directory, and the database that belongs to it.
pub fn program(data: &Path) -> Command {
    // Another build may be named, such as one for release.
    let binary = std::env::var_os("RESUP_RECEIVER");
    let mut command = Command::new(binary.unwrap_or(env!("CARGO_BIN_EXE_resup-receiver").into()));
    command.arg("--data").arg(data);
    if let Some(address) = postgres::database_of(data) {
        command.env(DATABASE, address);
    }
    command
}

/// Whether the receiver has the files that such a path is in.
pub fn has_file(part: &str) -> bool {
    !(postgres::is_wanted() && part.contains("receiver.sqlite"))
}

/// Whether the records are in PostgreSQL; if so, says that the test, which is about a file of SQLite, is skipped.
pub fn has_no_sqlite() -> bool {
    let has_none = postgres::is_wanted();
    if has_none {
        tools::skip("it is about SQLite");
    }
    has_none
}

fn spawn(data: &Path, flags: &[String], change: &dyn Fn(&mut Command)) -> (Child, SocketAddr) {
    launch(command(data, flags), change)
}

/// Starts a receiver and waits until it says where it listens.
fn launch(mut command: Command, change: &dyn Fn(&mut Command)) -> (Child, SocketAddr) {
    command
        .stdout(Stdio::piped())
        .env_remove("RESUP_RECEIVER_CRASH");
    change(&mut command);
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let address = line
        .strip_prefix("listening on http://")
        .and_then(|rest| rest.strip_suffix("/upload\n"))
        .unwrap_or_else(|| panic!("the first line is {line:?}"));
    (child, address.parse().unwrap())
}

/// Sends the beginning of a send, up to `count` of the file's bytes.
pub fn begin(receiver: &Receiver, send: &Send, count: usize) -> TcpStream {
    let total = send.opening().len() + send.bytes.len() + send.closing().len();
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    let mut stream = receiver.connect();
    let head = head("POST", "/upload", &kind, total as u64);
    let begun = [head, send.opening(), send.bytes[..count].to_vec()].concat();
    // A receiver that kills itself does not take it all.
    let _ = stream.write_all(&begun);
    stream
}

/// Sends a locate, and checks that the receiver's bytes are the file's first ones.
pub fn check_prefix(receiver: &Receiver, file: &Upload) -> (String, u64) {
    let found = receiver.locate(file);
    assert_eq!(found.status, 200, "{:?}", found.json);
    let offset = found.offset();
    assert_eq!(
        found.text("prefix_md5"),
        md5_hex(&file.content[..offset as usize])
    );
    (found.id(), offset)
}

/// Closes the sending side of a connection, and waits until the receiver has closed it.
pub fn cut(mut stream: TcpStream) {
    stream.shutdown(Shutdown::Write).unwrap();
    let _ = Reply::try_read(&mut stream);
}

/// A response.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    /// Null if the body is not JSON.
    pub json: Value,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn read(stream: &mut TcpStream) -> Self {
        Self::try_read(stream).expect("an answer")
    }

    /// Reads a response that has no body, whatever its Content-Length says.
    pub fn read_head(stream: &mut TcpStream) -> Self {
        Self::try_read_with(stream, false).expect("an answer")
    }

    pub fn try_read(stream: &mut TcpStream) -> Option<Self> {
        Self::try_read_with(stream, true)
    }

    fn try_read_with(stream: &mut TcpStream, has_body: bool) -> Option<Self> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).ok()?;
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: ").filter(|_| has_body))
            .unwrap_or("0");
        let mut body = vec![0; length.parse().unwrap()];
        stream.read_exact(&mut body).ok()?;
        Some(Self {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            // Pages and redirects have none.
            json: serde_json::from_slice(&body).unwrap_or_default(),
            head,
            body,
        })
    }

    pub fn text(&self, member: &str) -> &str {
        self.json[member]
            .as_str()
            .unwrap_or_else(|| panic!("no {member} in {:?}", self.json))
    }

    pub fn id(&self) -> String {
        self.text("id").to_owned()
    }

    pub fn offset(&self) -> u64 {
        self.json["offset"]
            .as_u64()
            .unwrap_or_else(|| panic!("no offset in {:?}", self.json))
    }

    pub fn expect(self, status: u16, message: &str) -> Self {
        assert_eq!(self.status, status, "{:?}", self.json);
        assert!(self.text("message").contains(message), "{:?}", self.json);
        self
    }

    /// Checks that the response says that the file is complete.
    pub fn expect_complete(self, size: u64) -> Self {
        assert_eq!(self.status, 200, "{:?}", self.json);
        assert_eq!((self.text("state"), self.offset()), ("complete", size));
        assert_eq!(
            self.text("location"),
            format!("/uploads/{}/file", self.id())
        );
        self
    }
}
