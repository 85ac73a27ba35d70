//! A receiver of 1.1 behind a slow link, and a file for it.
#![allow(dead_code)] // not every test uses all of it

#[path = "digests.rs"]
mod told;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::{Duration, Instant};

use fastrand::Rng;
use resup::{Client, Flow, Upload};
use resup_test_support::chaos::{ChaosProxy, Faults};
use resup_test_support::files;
use resup_test_support::model::{ModelReceiver, Options};

/// The bytes per second of each connection of a slow link.
pub const SLOW: u64 = 500_000;

/// The size of a file that takes six connections some seconds.
pub const LARGE: u64 = 10 << 20;

/// The size of a file for which a second connection is tried.
pub const MEDIUM: u64 = 7 << 19;

/// Gives the faults of a connection of a slow link.
pub fn slow() -> Faults {
    Faults {
        rate_up: Some(SLOW),
        ..Faults::default()
    }
}

/// Makes a client with short waits.
pub fn client(endpoint: &str) -> Client {
    let client = Client::new(endpoint).unwrap();
    let short = Duration::from_millis(5);
    client.set_retry_backoff(short, short * 8).unwrap();
    client.set_retry_limit(30);
    client
}

/// A receiver of 1.1 behind a link, and a file for it.
pub struct Scene {
    pub receiver: ModelReceiver,
    pub link: ChaosProxy,
    pub content: Vec<u8>,
    pub path: PathBuf,
    pub dir: tempfile::TempDir,
    is_open: Arc<AtomicBool>,
}

impl Scene {
    pub fn new(size: u64, faults: impl FnMut(u64, &mut Rng) -> Faults + Send + 'static) -> Self {
        Self::with(Options::newest(), size, 0, faults)
    }

    pub fn with(
        options: Options,
        size: u64,
        seed: u64,
        mut faults: impl FnMut(u64, &mut Rng) -> Faults + Send + 'static,
    ) -> Self {
        let receiver = ModelReceiver::with(options);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        files::make(&path, size, 11).unwrap();
        let is_open = Arc::<AtomicBool>::default();
        let theirs = is_open.clone();
        let plan = move |number: u64, rng: &mut Rng| match theirs.load(Ordering::Relaxed) {
            true => Faults::default(),
            false => faults(number, rng),
        };
        Scene {
            link: ChaosProxy::narrow(receiver.addr(), plan, seed),
            content: std::fs::read(&path).unwrap(),
            receiver,
            path,
            dir,
            is_open,
        }
    }

    /// Lets new connections pass without faults from now on.
    pub fn open(&self) {
        self.is_open.store(true, Ordering::Relaxed);
    }

    pub fn endpoint(&self) -> String {
        self.receiver.endpoint_at(self.link.addr())
    }

    pub fn client(&self) -> Client {
        client(&self.endpoint())
    }

    pub fn upload(&self, client: &Client) -> Upload {
        Upload::from_file(client, &self.path).unwrap()
    }

    /// Checks that the receiver has the file, and got no byte that it had confirmed.
    #[track_caller]
    pub fn check(&self, upload: &Upload) {
        self.check_content(upload);
        assert_eq!(self.receiver.stats().bytes_again, 0, "bytes came again");
    }

    #[track_caller]
    pub fn check_content(&self, upload: &Upload) {
        told::assert_told(&upload.remote(), &self.content, "parts");
        let files = self.receiver.files();
        assert!(files.iter().any(|(_, stored)| *stored == self.content));
    }

    /// Waits until there were so many connections.
    pub fn wait_for_connections(&self, count: u64) {
        let until = Instant::now() + Duration::from_secs(60);
        while self.link.connections() < count {
            let connections = self.link.connections();
            assert!(Instant::now() < until, "{connections} connections");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Checks in each progress event that the numbers do not go back.
pub fn watch(upload: &mut Upload) {
    let mut last = (0, 0);
    upload.on_progress(move |now| {
        let next = (now.position, now.offset);
        assert!(last.0 <= next.0 && last.1 <= next.1, "{last:?} {next:?}");
        assert!(
            now.offset <= now.position && now.position <= now.size,
            "{now:?}"
        );
        last = next;
        Flow::Continue
    });
}

/// Waits for the end of an upload that was started.
#[track_caller]
pub fn wait(upload: &mut Upload) -> Result<(), resup::Error> {
    upload.wait(Duration::from_secs(60)).expect("it hangs")
}
