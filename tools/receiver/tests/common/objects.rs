//! A receiver whose files are in an object store of other people.

use std::fs::{self, File};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use resup_test_support::chaos::ChaosProxy;
use resup_test_support::s3::{Kind, S3Server, ACCESS};
use tempfile::TempDir;

use super::{md5_hex, post_form, Receiver, Reply, Upload};

/// How long anything may take.
pub const TIME: Duration = Duration::from_secs(120);
/// The size of a part.
pub const PART: usize = 8 << 20;

/// A store, the way to it, and the receiver.
pub struct Scene {
    pub receiver: Receiver,
    pub server: S3Server,
    pub proxy: ChaosProxy,
    log: TempDir,
}

impl Scene {
    /// Starts all; `None` when the store is not here.
    pub fn start(kind: Kind, flags: &[&str]) -> Option<Self> {
        let server = S3Server::start(kind)?;
        let proxy = ChaosProxy::clean(server.addr());
        Some(Self::with(server, proxy, flags))
    }

    /// Starts a receiver with a store that may be away.
    pub fn with(server: S3Server, proxy: ChaosProxy, flags: &[&str]) -> Self {
        let log = tempfile::tempdir().unwrap();
        let path = log.path().join("log");
        let store = address(&proxy);
        let receiver = Receiver::start_changed(
            tempfile::tempdir().unwrap(),
            &[&["--store", &store], flags].concat(),
            move |command| {
                command.envs(ACCESS);
                let file = File::options().append(true).create(true).open(&path);
                command.stderr(Stdio::from(file.unwrap()));
            },
        );
        Self {
            receiver,
            server,
            proxy,
            log,
        }
    }

    /// Reads the receiver's log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log.path().join("log")).unwrap()
    }

    /// Starts the store again, at the same address.
    pub fn restart_store(&mut self) {
        self.server.restart();
        self.proxy.set_target(self.server.addr());
    }

    /// Kills the store, and all connections to it.
    pub fn kill_store(&mut self) {
        self.server.kill();
        self.proxy.cut_all();
    }

    /// Checks that a finished upload has this content.
    #[track_caller]
    pub fn check(&self, id: &str, file: &Upload) {
        let reply = self.receiver.get(&format!("/uploads/{id}/file"));
        let length = reply.body.len();
        assert_eq!(reply.status, 200, "{:?}", reply.json);
        assert!(reply.body == file.content, "{}: {length} bytes", file.name);
    }

    /// Checks that the store has these objects below `files`, and nothing unfinished.
    #[track_caller]
    pub fn check_nothing_else(&self, places: &[&str]) {
        let places: Vec<_> = places
            .iter()
            .map(|it| format!("some/where/files/{it}"))
            .collect();
        let (mut places, mut keys) = (places, self.server.keys());
        places.sort();
        keys.sort();
        assert_eq!((keys, self.server.unfinished()), (places, 0));
    }
}

pub fn address(proxy: &ChaosProxy) -> String {
    format!("s3://bucket/some/where?endpoint=http://{}", proxy.addr())
}

/// Exchanges a request for a response; nothing when the connection breaks.
pub fn ask(receiver: &Receiver, request: &[u8]) -> Option<Reply> {
    use std::io::Write;
    let mut stream = receiver.connect();
    stream.set_read_timeout(Some(TIME)).unwrap();
    let _ = stream.write_all(request);
    Reply::try_read(&mut stream)
}

/// Asks again while the answer is that something is away.
pub fn ask_again(receiver: &Receiver, request: &[u8]) -> Reply {
    let until = Instant::now() + TIME;
    loop {
        match ask(receiver, request) {
            Some(reply) if reply.status == 503 => {
                assert!(reply.head.contains("retry-after: "), "{}", reply.head);
                thread::sleep(Duration::from_millis(100));
            }
            Some(reply) => return reply,
            None => {}
        }
        assert!(Instant::now() < until, "it never comes back");
    }
}

/// Uploads a file, again and again from where the receiver is, with sends of at most so many bytes. Returns its id.
pub fn upload(receiver: &Receiver, file: &Upload, most: usize) -> String {
    let (size, until) = (file.content.len(), Instant::now() + TIME);
    let mut confirmed = 0;
    while Instant::now() < until {
        let found = ask_again(receiver, &post_form(&file.locate_form()));
        assert_eq!(found.status, 200, "{:?}", found.json);
        let from = found.offset() as usize;
        assert!(from >= confirmed, "{from} of {confirmed}");
        assert_eq!(found.text("prefix_md5"), md5_hex(&file.content[..from]));
        if found.text("state") == "complete" {
            return found.id();
        }
        let part = file
            .send(&found.id(), from as u64)
            .limit(most.min(size - from));
        let part = match from + part.bytes.len() == size {
            true => part.tail("md5", &md5_hex(&file.content)),
            false => part,
        };
        if let Some(reply) = ask(receiver, &part.build()) {
            match reply.status {
                200 => confirmed = reply.offset() as usize,
                503 => assert!(reply.head.contains("retry-after: "), "{}", reply.head),
                423 => thread::sleep(Duration::from_millis(100)),
                _ => panic!("{:?}", reply.json),
            }
        }
    }
    panic!("the upload never ends");
}
