//! A server that hooks call.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Receiver, Upload};

/// How long a test waits for what has to come.
const PATIENCE: Duration = Duration::from_secs(60);

/// A call that has come.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its headers, the names in lower case.
    pub headers: Vec<(String, String)>,
    pub text: String,
    pub json: Value,
}

impl Call {
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }
}

/// What the server does with a call.
pub enum Answer {
    /// A status and a body.
    Status(u16, String),
    /// A redirect.
    To(String),
    /// Nothing, until the server ends or the client hangs up.
    Silence,
}

type Script = dyn Fn(&Call, usize) -> Answer + Send + Sync;

/// The server, until it is dropped.
pub struct HookServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    calls: Mutex<Vec<Call>>,
    changed: Condvar,
    is_over: AtomicBool,
    script: Box<Script>,
}

impl HookServer {
    /// Starts one that takes all.
    pub fn start() -> Self {
        Self::start_with(|_, _| Answer::Status(200, String::new()))
    }

    /// Starts one that answers as the script says, which gets the call and its number from 0.
    pub fn start_with(script: impl Fn(&Call, usize) -> Answer + Send + Sync + 'static) -> Self {
        Self::start_at("127.0.0.1:0".parse().unwrap(), script)
    }

    pub fn start_at(
        address: SocketAddr,
        script: impl Fn(&Call, usize) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            calls: Mutex::default(),
            changed: Condvar::new(),
            is_over: AtomicBool::new(false),
            script: Box::new(script),
        });
        let own = shared.clone();
        let thread = thread::spawn(move || {
            for stream in listener.incoming() {
                if own.is_over.load(Ordering::SeqCst) {
                    break;
                }
                let (stream, own) = (stream.unwrap(), own.clone());
                thread::spawn(move || own.serve(stream));
            }
        });
        Self {
            address,
            shared,
            thread: Some(thread),
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook?k=v", self.address)
    }

    pub fn calls(&self) -> Vec<Call> {
        self.shared.calls.lock().unwrap().clone()
    }

    /// Waits for so many calls.
    pub fn wait_for(&self, count: usize) -> Vec<Call> {
        let calls = self.shared.calls.lock().unwrap();
        let (calls, _) = self
            .shared
            .changed
            .wait_timeout_while(calls, PATIENCE, |calls| calls.len() < count)
            .unwrap();
        assert!(calls.len() >= count, "{} of {count} calls", calls.len());
        calls.clone()
    }
}

impl Drop for HookServer {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        let _ = self.thread.take().unwrap().join();
    }
}

impl Shared {
    fn serve(&self, stream: TcpStream) {
        // A receiver that is killed in the middle is no mistake of the test.
        let Some(call) = read(&stream) else {
            return;
        };
        let number = {
            let mut calls = self.calls.lock().unwrap();
            calls.push(call.clone());
            self.changed.notify_all();
            calls.len() - 1
        };
        let response = match (self.script)(&call, number) {
            Answer::Status(status, body) => {
                format!(
                    "HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len()
                )
            }
            Answer::To(url) => {
                format!("HTTP/1.1 307 X\r\nLocation: {url}\r\nContent-Length: 0\r\n\r\n")
            }
            Answer::Silence => {
                let _ = (&stream).read(&mut [0]);
                return;
            }
        };
        let _ = (&stream).write_all(response.as_bytes());
        let _ = stream.shutdown(Shutdown::Write);
    }
}

fn read(stream: &TcpStream) -> Option<Call> {
    let mut reader = BufReader::new(stream);
    let mut headers: Vec<(String, String)> = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end().split_once(": ") {
            Some((name, value)) => headers.push((name.to_lowercase(), value.to_owned())),
            None if line.trim_end().is_empty() => break,
            None => headers.push(("request".to_owned(), line.trim_end().to_owned())),
        }
    }
    let length = headers.iter().find(|(name, _)| name == "content-length")?;
    let mut body = vec![0; length.1.parse().unwrap()];
    reader.read_exact(&mut body).ok()?;
    let text = String::from_utf8(body).unwrap();
    Some(Call {
        json: serde_json::from_str(&text).unwrap(),
        headers,
        text,
    })
}

/// Waits until a condition holds.
pub fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < PATIENCE, "{what} does not come");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Uploads a file by form, in two sends.
pub fn by_form(receiver: &Receiver, file: &Upload) -> String {
    let (id, _) = receiver.locate_ok(file);
    let half = file.send(&id, 0).limit(file.content.len() / 2).build();
    let offset = receiver.exchange(&half).offset();
    receiver
        .send_rest(file, &id, offset)
        .expect_complete(file.content.len() as u64);
    id
}

/// The value of a metric.
pub fn metric(address: &str, name: &str) -> Option<u64> {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request).unwrap();
    let text = std::io::read_to_string(stream).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.map(|value| value.trim().parse().unwrap())
}

/// An address where nobody listens.
pub fn free_port() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}
