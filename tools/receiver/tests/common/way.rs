//! A way to PostgreSQL that can fail: it loses an answer, or passes nothing on any more.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

pub struct Way {
    /// The address of the database by this way.
    pub address: String,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    is_silent: AtomicBool,
    lost: Mutex<Option<String>>,
    last: Mutex<Option<String>>,
}

impl Way {
    /// Opens a way to the database of an address.
    pub fn to(address: &str) -> Self {
        let rest = address.strip_prefix("postgres://postgres@").unwrap();
        let (dir, name) = rest.split_once('/').unwrap();
        let socket = PathBuf::from(dir.replace("%2F", "/")).join(".s.PGSQL.5432");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let way = Self {
            address: format!("postgres://postgres@{address}/{name}"),
            state: Arc::default(),
        };
        let state = way.state.clone();
        thread::spawn(move || {
            for client in listener.incoming() {
                let (client, server) = (client.unwrap(), UnixStream::connect(&socket).unwrap());
                let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let (one, other) = (state.clone(), state.clone());
                thread::spawn(move || {
                    one.pass(from, to.try_clone().unwrap(), |bytes| {
                        one.falls_silent(bytes)
                    });
                    let _ = to.shutdown(Shutdown::Both);
                });
                thread::spawn(move || {
                    let ends = |bytes: &[u8]| other.loses(bytes);
                    other.pass(server, client.try_clone().unwrap(), ends);
                    let _ = client.shutdown(Shutdown::Both);
                });
            }
        });
        way
    }

    /// Loses the next answer that has this text, and its connection.
    pub fn lose(&self, text: &str) {
        *self.state.lost.lock().unwrap() = Some(text.to_owned());
    }

    /// Whether that has happened.
    pub fn has_lost(&self) -> bool {
        self.state.lost.lock().unwrap().is_none()
    }

    /// Passes nothing on any more from when a request has this text.
    pub fn fall_silent_at(&self, text: &str) {
        *self.state.last.lock().unwrap() = Some(text.to_owned());
    }

    /// Passes all on again. Returns whether it had fallen silent.
    pub fn go_on(&self) -> bool {
        self.state.is_silent.swap(false, Ordering::Relaxed)
    }
}

impl State {
    fn pass(&self, mut from: impl Read, mut to: impl Write, ends: impl Fn(&[u8]) -> bool) {
        let mut bytes = vec![0; 65536];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            if ends(&bytes[..count]) {
                return;
            }
            while self.is_silent.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(10));
            }
            if to.write_all(&bytes[..count]).is_err() {
                return;
            }
        }
    }

    fn loses(&self, bytes: &[u8]) -> bool {
        take(&self.lost, bytes)
    }

    fn falls_silent(&self, bytes: &[u8]) -> bool {
        if take(&self.last, bytes) {
            self.is_silent.store(true, Ordering::Relaxed);
        }
        false
    }
}

/// Whether bytes have the text that is waited for; only once.
fn take(text: &Mutex<Option<String>>, bytes: &[u8]) -> bool {
    let has = |text: &mut String| bytes.windows(text.len()).any(|it| it == text.as_bytes());
    text.lock().unwrap().take_if(has).is_some()
}
