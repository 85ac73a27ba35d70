//! Runs of a stream that is read once, against a server whose uploads have URLs.

use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::harness::job;
use super::resource_server::{Fate, Server, To};
use super::resources::fate;
use super::*;
use crate::control::Event;
use crate::error::ErrorKind;
use crate::http::endpoint::Endpoint;
use crate::options::{FilenameStyle, LocateMethod, ProtocolName, SIZE_UNKNOWN};
use crate::protocol::form::Form;
use crate::protocol::{choose, LearnedProtocol};
use crate::source::{Opener, ReadPort, Window, WindowPort};

/// A reader that gives a few bytes at a time.
struct Trickle(Vec<u8>, usize);

impl Read for Trickle {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let n = buf.len().min(self.0.len()).min(self.1);
        buf[..n].copy_from_slice(&self.0[..n]);
        self.0.drain(..n);
        Ok(n)
    }
}

/// Replies to the requests of a run until it has ended, as a program does.
fn reply(control: &Control, port: &mut dyn ReadPort, has_ended: &AtomicBool) {
    while !has_ended.load(Ordering::SeqCst) {
        let soon = Instant::now() + Duration::from_millis(1);
        if let Some(Event::Read(number, request)) = control.next(Some(soon)) {
            control.reply_read(number, port.reply(&request));
        }
    }
}

/// Makes a run; gives its result, and the key and the digest that the program can see then.
fn run(
    window: &Arc<Window>,
    port: &mut WindowPort,
    to: &To,
    (name, key, segment): (ProtocolName, Option<String>, u64),
) -> (Result<(), Error>, Option<String>, Option<Digest>) {
    let control = Control::default();
    let checks = to.0.lock().unwrap().checks;
    let mut source = Opener::Forward(window.clone()).open(&control).unwrap();
    let form = Form::new(
        Endpoint::parse("http://host/files").unwrap(),
        LocateMethod::default(),
        FilenameStyle::default(),
        None,
    );
    let learned = LearnedProtocol::default();
    let protocol = choose(name, form, (None, false), &learned).unwrap();
    let (unlimited, ids) = (Limiter::default(), KnownIds::default());
    let learned_store = LearnedStore::default();
    let learned_digest = LearnedDigest::default();
    let size = source.size();
    let driver = Driver::new(Setup {
        protocol: &*protocol,
        connector: to,
        control: &control,
        job: Job {
            is_passed: window.is_passed(),
            ..job(size)
        },
        source: &mut *source,
        key,
        retry: RetryPolicy {
            // A run that knows a key waits for bytes without a checksum, so there are few of these.
            limit: if checks { 20 } else { 1 },
            base: Duration::from_nanos(1),
            cap: Duration::from_nanos(1),
            time: None,
        },
        digest: DigestMode::OnePass,
        algorithm: DigestAlgorithm::Automatic,
        state_file: None,
        segment_size: SegmentSize::Fixed(segment),
        learned_limit: LearnedLimit::default(),
        learned_digest: &learned_digest,
        asks_first: false,
        creates_with_file: false,
        learned_store: &learned_store,
        connections: 0,
        reads_back: false,
        ids: &ids,
        rates: [&unlimited, &unlimited],
    });
    let has_ended = AtomicBool::new(false);
    let result = thread::scope(|scope| {
        scope.spawn(|| reply(&control, port, &has_ended));
        let result = driver.run();
        has_ended.store(true, Ordering::SeqCst);
        result
    });
    let info = control.server_info();
    (result, info.id, info.digest)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// The server asserts that no confirmed byte is sent again, and that no size is told twice.
    #[test]
    fn a_stream_is_there_once_or_the_run_says_why(
        length in prop_oneof![Just(0usize), Just(5000usize), Just(10_000usize), 1usize..40_000],
        name in prop::sample::select(&[ProtocolName::Tus, ProtocolName::Ietf, ProtocolName::Auto][..]),
        checks: bool,
        segment in prop_oneof![Just(5000u64), 500u64..50_000],
        step in 100usize..60_000,
        fates in prop::collection::vec(fate(), 0..8),
    ) {
        let content = content(length);
        let forgets = fates.iter().any(|fate| matches!(fate, Fate::Forgotten));
        let server = Server { fates, checks, ..Server::default() };
        let to = To(Arc::new(Mutex::new(server)));
        let window = Arc::new(Window::default());
        let reader = Trickle(content.clone(), step);
        let mut port = WindowPort::new(Box::new(reader), window.clone());
        let mut key = None;
        for _ in 0..20 {
            let (result, id, digest) = run(&window, &mut port, &to, (name, key, segment));
            key = id;
            match result {
                Ok(()) => {
                    let server = to.0.lock().unwrap();
                    let last = server.uploads.last().unwrap();
                    prop_assert!(last.is_complete && last.held == content);
                    prop_assert_eq!(digest, Some(Digest::of(Algorithm::Blake3, &content)));
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::SourceIo => {
                    prop_assert!(forgets && window.is_passed(), "{}", error);
                    return Ok(());
                }
                Err(_) => {}
            }
        }
        prop_assert!(false, "it does not end");
    }
}

#[test]
fn a_size_is_unknown_until_the_end_is_read() {
    let window = Arc::new(Window::default());
    let mut port = WindowPort::new(Box::new(&b"abc"[..]), window.clone());
    let source = Opener::Forward(window)
        .open(&Control::default())
        .map(|it| it.size());
    assert_eq!(source.ok(), Some(SIZE_UNKNOWN));
    let next = crate::control::reads::ReadRequest::Next(9);
    port.reply(&next).unwrap();
    port.reply(&next).unwrap();
    // It is not read after its end.
    port.reply(&next).unwrap();
}
