//! Runs of the driver against the fake server.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::server::{Fake, Server};
use super::*;

/// A connector to the fake server.
pub(super) struct NoNetwork;

impl Exchange for NoNetwork {
    fn exchange(&self, _: Request<'_>) -> Result<Response, Error> {
        unreachable!("the fake protocol needs no network")
    }
}

impl Connector for NoNetwork {
    fn connect(&self) -> Result<Box<dyn Exchange + '_>, Stop> {
        Ok(Box::new(NoNetwork))
    }
}

/// Runs an upload of `content`; gives its result, and the server's bytes after it.
pub(super) fn upload(content: &[u8], server: Server) -> (Result<(), Error>, Vec<u8>, Control) {
    let (result, server, control) = run(content, server);
    (result, server.held, control)
}

pub(super) fn run(content: &[u8], server: Server) -> (Result<(), Error>, Server, Control) {
    let (result, server, control, _) =
        run_source(memory(content), server, DigestMode::OnePass, None);
    (result, server, control)
}

/// A source that counts the bytes read.
struct Counting {
    inner: Box<dyn Source>,
    read: Arc<AtomicU64>,
}

impl Source for Counting {
    fn name(&self) -> String {
        self.inner.name()
    }
    fn size(&self) -> u64 {
        self.inner.size()
    }
    fn mtime(&self) -> Option<i64> {
        Some(1)
    }
    fn identity(&self) -> Option<String> {
        None
    }
    fn seek(&mut self, offset: u64) -> Result<(), Error> {
        self.inner.seek(offset)
    }
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, Stop> {
        let n = self.inner.read(buf)?;
        self.read.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
    fn verify(&mut self) -> Result<Option<i128>, Stop> {
        self.inner.verify()
    }
}

pub(super) fn run_source(
    inner: Box<dyn Source>,
    server: Server,
    digest: DigestMode,
    state_file: Option<StateFile>,
) -> (Result<(), Error>, Server, Control, u64) {
    run_learned(inner, server, digest, state_file, &LearnedDigest::default())
}

/// Makes the description of a file of `size` bytes.
pub(in crate::run) fn job(size: u64) -> Job {
    Job {
        name: "f".to_owned(),
        size,
        is_passed: false,
        mtime: Some(1),
        offer: &[],
        digests: Vec::new(),
        dir: String::new(),
        user: None,
        content_type: "text/plain".to_owned(),
        fields: Vec::new(),
        connections: 0,
    }
}

/// Runs an upload of a client that has learned which digest its server uses.
pub(super) fn run_learned(
    inner: Box<dyn Source>,
    server: Server,
    digest: DigestMode,
    state_file: Option<StateFile>,
    learned_digest: &LearnedDigest,
) -> (Result<(), Error>, Server, Control, u64) {
    let read = server.read.clone();
    let mut source = Counting {
        inner,
        read: read.clone(),
    };
    let fake = Fake(Mutex::new(server));
    let control = Control::default();
    let job = job(source.size());
    let (unlimited, ids) = (Limiter::default(), KnownIds::default());
    let learned_store = LearnedStore::default();
    let driver = Driver::new(Setup {
        protocol: &fake,
        connector: &NoNetwork,
        control: &control,
        source: &mut source,
        key: None,
        job,
        retry: RetryPolicy {
            limit: 6,
            base: Duration::from_nanos(1),
            cap: Duration::from_nanos(1),
            time: None,
        },
        digest,
        algorithm: DigestAlgorithm::Automatic,
        state_file,
        segment_size: SegmentSize::Unlimited,
        learned_limit: LearnedLimit::default(),
        learned_digest,
        asks_first: false,
        creates_with_file: false,
        learned_store: &learned_store,
        connections: 0,
        reads_back: false,
        ids: &ids,
        rates: [&unlimited, &unlimited],
    });
    let result = driver.run();
    let server = fake.0.into_inner().unwrap();
    (result, server, control, read.load(Ordering::Relaxed))
}

pub(super) fn memory(content: &[u8]) -> Box<dyn Source> {
    // Only a stream uses its control.
    let control = Box::leak(Box::default());
    Opener::Memory(content.to_vec().into())
        .open(control)
        .unwrap()
}
