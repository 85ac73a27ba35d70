//! A receiver process, and a client that speaks to it through a bare socket.

#![allow(dead_code)]

pub mod accounts;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use md5::{Digest, Md5};
use serde_json::Value;
use tempfile::TempDir;

pub const BOUNDARY: &str = "----resupTestBoundary7MA4YWxk";

/// A running receiver with a data directory of its own.
pub struct Receiver {
    child: Child,
    pub address: SocketAddr,
    data: PathBuf,
    flags: Vec<String>,
    _dir: Option<TempDir>,
}

impl Receiver {
    pub fn start(flags: &[&str]) -> Self {
        Self::start_crashing("", flags)
    }

    /// One that aborts itself at a commit point.
    pub fn start_crashing(point: &str, flags: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let flags: Vec<String> = flags.iter().map(|flag| flag.to_string()).collect();
        let (child, address) = spawn(dir.path(), &flags, point);
        Self {
            child,
            address,
            data: dir.path().to_owned(),
            flags,
            _dir: Some(dir),
        }
    }

    /// One in a directory that is there, and stays, at an address of its own.
    pub fn start_at(listen: &str, data: &Path, flags: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_resup-receiver"));
        command.arg("--data").arg(data).args(["--listen", listen]);
        command.args(flags);
        let mut receiver = Self::launch(command);
        receiver.data = data.to_owned();
        receiver
    }

    /// One that is told everything in its own way.
    pub fn launch(command: Command) -> Self {
        let (child, address) = launch(command, "");
        Self {
            child,
            address,
            data: PathBuf::new(),
            flags: Vec::new(),
            _dir: None,
        }
    }

    /// Kills it at once and starts another one on the same directory.
    pub fn kill_and_restart(&mut self) {
        let _ = self.child.kill();
        self.wait();
        (self.child, self.address) = spawn(&self.data, &self.flags, "");
    }

    pub fn terminate(&mut self) -> std::process::ExitStatus {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &id]).status().unwrap();
        assert!(sent.success());
        self.wait()
    }

    pub fn wait(&mut self) -> std::process::ExitStatus {
        self.child.wait().unwrap()
    }

    pub fn data(&self) -> &Path {
        &self.data
    }

    pub fn file(&self, id: &str) -> PathBuf {
        self.data.join("files").join(id)
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

    pub fn locate(&self, file: &Upload) -> Reply {
        self.exchange(&post_form(&file.locate_form()))
    }

    /// A locate that must succeed; returns the id and the offset.
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
    let mut command = Command::new(env!("CARGO_BIN_EXE_resup-receiver"));
    command
        .arg("--data")
        .arg(data)
        .args(["--listen", "127.0.0.1:0"]);
    command.args(flags);
    command
}

fn spawn(data: &Path, flags: &[String], point: &str) -> (Child, SocketAddr) {
    launch(command(data, flags), point)
}

/// Starts a receiver and waits until it says where it listens.
fn launch(mut command: Command, point: &str) -> (Child, SocketAddr) {
    command
        .stdout(Stdio::piped())
        .env_remove("RESUP_RECEIVER_CRASH");
    if !point.is_empty() {
        command.env("RESUP_RECEIVER_CRASH", point);
    }
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

/// A file that a test uploads.
#[derive(Clone)]
pub struct Upload {
    pub name: String,
    pub content: Vec<u8>,
    pub fields: Vec<(String, String)>,
}

impl Upload {
    pub fn new(name: &str, size: usize) -> Self {
        let mut seed = size as u32 | 1;
        let mut next = || {
            seed ^= seed << 13;
            seed ^= seed >> 17;
            seed ^= seed << 5;
            seed as u8
        };
        Self {
            name: name.to_owned(),
            content: (0..size).map(|_| next()).collect(),
            fields: vec![("mtime".to_owned(), "1700000000000".to_owned())],
        }
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn locate_form(&self) -> String {
        let mut form = format!(
            "action=locate&name={}&size={}&prefix=1",
            encode(&self.name),
            self.content.len()
        );
        for (name, value) in &self.fields {
            form += &format!("&{name}={}", encode(value));
        }
        form
    }

    /// A send of everything from `offset` to the end.
    pub fn send(&self, id: &str, offset: u64) -> Send {
        let bytes = self.content[(offset as usize).min(self.content.len())..].to_vec();
        let fields = [
            ("action", "send".to_owned()),
            ("id", id.to_owned()),
            ("name", self.name.clone()),
            ("size", self.content.len().to_string()),
            ("offset", offset.to_string()),
            ("length", bytes.len().to_string()),
        ];
        Send {
            fields: fields
                .map(|(name, value)| (name.to_owned(), value))
                .to_vec(),
            bytes,
            tail: Vec::new(),
        }
    }
}

/// A send on its way.
#[derive(Clone)]
pub struct Send {
    pub fields: Vec<(String, String)>,
    pub bytes: Vec<u8>,
    pub tail: Vec<(String, String)>,
}

impl Send {
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(known, _)| known != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(known, _)| known != name);
        self
    }

    pub fn tail(mut self, name: &str, value: &str) -> Self {
        self.tail.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Only the first `length` of the bytes.
    pub fn limit(mut self, length: usize) -> Self {
        self.bytes.truncate(length);
        self.set("length", &length.to_string())
    }

    /// The head of the body, up to the file's first byte.
    pub fn opening(&self) -> Vec<u8> {
        let mut body = Vec::new();
        for (name, value) in &self.fields {
            body.extend(part(name, value));
        }
        body.extend(
            format!(
                "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\
                 Content-Type: application/octet-stream\r\n\r\n"
            )
            .bytes(),
        );
        body
    }

    /// What follows the file's last byte.
    pub fn closing(&self) -> Vec<u8> {
        let mut body = b"\r\n".to_vec();
        for (name, value) in &self.tail {
            body.extend(part(name, value));
        }
        body.extend(format!("--{BOUNDARY}--\r\n").bytes());
        body
    }

    pub fn build(&self) -> Vec<u8> {
        post_multipart(&[self.opening(), self.bytes.clone(), self.closing()].concat())
    }
}

pub fn part(name: &str, value: &str) -> Vec<u8> {
    format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        .into_bytes()
}

pub fn post_multipart(body: &[u8]) -> Vec<u8> {
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    [
        head("POST", "/upload", &kind, body.len() as u64),
        body.to_vec(),
    ]
    .concat()
}

pub fn post_form(body: &str) -> Vec<u8> {
    let kind = "application/x-www-form-urlencoded";
    [
        head("POST", "/upload", kind, body.len() as u64),
        body.into(),
    ]
    .concat()
}

pub fn head(method: &str, target: &str, kind: &str, length: u64) -> Vec<u8> {
    format!(
        "{method} {target} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n\
         Content-Length: {length}\r\n\r\n"
    )
    .into_bytes()
}

pub fn encode(value: &str) -> String {
    value.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

pub fn md5_hex(bytes: &[u8]) -> String {
    Md5::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Ends a connection from this side, and waits until the receiver is done with it.
pub fn cut(mut stream: TcpStream) {
    stream.shutdown(Shutdown::Write).unwrap();
    let _ = Reply::try_read(&mut stream);
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub json: Value,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn read(stream: &mut TcpStream) -> Self {
        Self::try_read(stream).expect("an answer")
    }

    pub fn try_read(stream: &mut TcpStream) -> Option<Self> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).ok()?;
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).unwrap().to_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .unwrap();
        let mut body = vec![0; length.parse().unwrap()];
        stream.read_exact(&mut body).ok()?;
        Some(Self {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            // Pages and redirects have none.
            json: serde_json::from_slice(&body).unwrap_or_default(),
            body,
            head,
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

    /// The answer must say that the file is complete.
    pub fn expect_complete(self, size: u64) -> Self {
        assert_eq!(self.status, 200, "{:?}", self.json);
        assert_eq!((self.text("state"), self.offset()), ("complete", size));
        assert_eq!(self.text("location"), format!("files/{}", self.id()));
        self
    }
}
