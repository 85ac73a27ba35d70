//! Runs against a WebDAV server.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::dav_server::{Fate, Server, Takes, To, TARGET};
use super::harness::{job, memory};
use super::*;
use crate::control::log::LogLevel;
use crate::control::Event;
use crate::http::endpoint::Endpoint;
use crate::options::{FilenameStyle, LocateMethod, ProtocolName};
use crate::protocol::form::Form;
use crate::protocol::{choose, LearnedProtocol};

/// Runs an upload once, as a program does that may have been killed before.
fn run(content: &[u8], to: &To, segment_size: SegmentSize, limit: u32) -> Result<(), Error> {
    run_by(&Control::default(), content, to, (segment_size, limit))
}

fn run_by(
    control: &Control,
    content: &[u8],
    to: &To,
    (segment_size, limit): (SegmentSize, u32),
) -> Result<(), Error> {
    let mut source = memory(content);
    let form = Form::new(
        Endpoint::parse("http://host/files/").unwrap(),
        LocateMethod::default(),
        FilenameStyle::default(),
        None,
    );
    let learned = LearnedProtocol::default();
    let protocol = choose(ProtocolName::Dav, form, (None, true), &learned).unwrap();
    let (unlimited, ids) = (Limiter::default(), KnownIds::default());
    let learned_store = LearnedStore::default();
    let learned_digest = LearnedDigest::default();
    let driver = Driver::new(Setup {
        protocol: &*protocol,
        connector: to,
        control,
        source: &mut *source,
        key: None,
        job: job(content.len() as u64),
        retry: RetryPolicy {
            limit,
            base: Duration::from_nanos(1),
            cap: Duration::from_nanos(1),
            time: None,
        },
        digest: DigestMode::OnePass,
        algorithm: DigestAlgorithm::Automatic,
        state_file: None,
        segment_size,
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
    driver.run()
}

fn to(server: Server) -> To {
    To(Arc::new(Mutex::new(server)))
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        6 => Just(Fate::Nothing),
        4 => (0usize..40_000).prop_map(Fate::LostAfter),
        2 => Just(Fate::LostAnswer),
        1 => Just(Fate::Locked),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// The server asserts that no confirmed byte is sent again, and that there is no hole.
    #[test]
    fn whatever_happens_the_file_is_there(
        length in prop_oneof![Just(0usize), 1usize..300, 1usize..40_000],
        takes in prop::sample::select(&[
            Takes::Put, Takes::Patch, Takes::Nothing, Takes::Refuses(400), Takes::Refuses(501),
        ][..]),
        segment in prop_oneof![Just(SegmentSize::Unlimited), (5_000u64..50_000).prop_map(SegmentSize::Fixed)],
        has_odd_tags: bool,
        fates in prop::collection::vec(fate(), 0..30),
        limit in 0u32..4,
    ) {
        // The first attempt finds out about such tags.
        let limit = limit.max(has_odd_tags.into());
        let content = content(length);
        let to = to(Server { fates, has_odd_tags, ..Server::new(takes) });
        let runs = (0..40).map(|_| run(&content, &to, segment, limit));
        let failures = runs.take_while(|result| result.is_err()).count();
        prop_assert!(failures < 40);
        let server = to.0.lock().unwrap();
        prop_assert!(server.files[TARGET] == content);
    }
}

#[test]
fn another_process_goes_on_without_a_state_file() {
    for takes in [Takes::Put, Takes::Patch] {
        let content = content(20_000);
        let to = to(Server::new(takes));
        to.0.lock()
            .unwrap()
            .files
            .insert(TARGET.to_owned(), content[..12_345].to_vec());
        assert_eq!(run(&content, &to, SegmentSize::Unlimited, 0), Ok(()));
        let server = to.0.lock().unwrap();
        assert!(server.files[TARGET] == content);
        assert_eq!(server.files.len(), 1, "the probe is gone");
        assert_eq!(server.puts, 0);
    }
}

#[test]
fn a_server_that_has_the_file_gets_no_byte() {
    let content = content(20_000);
    let to = to(Server::new(Takes::Put));
    to.0.lock()
        .unwrap()
        .files
        .insert(TARGET.to_owned(), content.clone());
    assert_eq!(run(&content, &to, SegmentSize::Unlimited, 0), Ok(()));
    assert_eq!(to.0.lock().unwrap().version, 0, "nothing was put");
}

#[test]
fn another_file_is_never_overwritten() {
    let content = content(20_000);
    let other = |length: usize| vec![7; length];
    for (held, why) in [
        (
            other(20_000),
            "the last of its 20000 bytes are not this file's",
        ),
        (
            other(5_000),
            "the last of its 5000 bytes are not this file's",
        ),
        (other(1), "the last of its 1 bytes are not this file's"),
        (other(20_001), "it has 20001 bytes, and this one has 20000"),
    ] {
        for takes in [Takes::Put, Takes::Patch, Takes::Nothing] {
            let to = to(Server::new(takes));
            to.0.lock()
                .unwrap()
                .files
                .insert(TARGET.to_owned(), held.clone());
            let error = run(&content, &to, SegmentSize::Unlimited, 3).unwrap_err();
            let text = error.to_string();
            assert!(
                text.starts_with("another file is at /files/f already: "),
                "{text}"
            );
            assert!(text.contains(why), "{text}");
            assert!(!error.is_retryable());
            assert!(to.0.lock().unwrap().files[TARGET] == held);
        }
    }
    // Nothing tells whether these bytes are the file's.
    let to = to(Server {
        gives: false,
        ..Server::new(Takes::Put)
    });
    to.0.lock()
        .unwrap()
        .files
        .insert(TARGET.to_owned(), content[..300].to_vec());
    let error = run(&content, &to, SegmentSize::Unlimited, 3).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("does not give them to be compared"),
        "{error}"
    );
}

#[test]
fn a_file_that_another_program_puts_meanwhile_is_not_overwritten() {
    let content = content(20_000);
    // The requests before are HEAD, OPTIONS, those of the probe, and the PUT that begins the file.
    let before = [Fate::Nothing; 9];
    for held in [25_000, 20_000, 5_000, 1] {
        let replaced = Fate::Replaced(held);
        // The file is asked for after a cut.
        let cut = (
            vec![replaced, Fate::LostAfter(9_000)],
            SegmentSize::Unlimited,
        );
        // The second segment gets status 412. Before are the first one, and the HEAD after it.
        let refused = (
            vec![replaced, Fate::Nothing, Fate::Nothing],
            SegmentSize::Fixed(5_000),
        );
        for (mut fates, segment) in [cut, refused] {
            fates.extend(before);
            for takes in [Takes::Put, Takes::Patch] {
                let to = to(Server {
                    fates: fates.clone(),
                    ..Server::new(takes)
                });
                let error = run(&content, &to, segment, 3).unwrap_err();
                assert!(
                    matches!(error, Error::OtherFile { .. }),
                    "{takes:?} {held}: {error}"
                );
                let server = to.0.lock().unwrap();
                assert!(
                    server.files[TARGET] == vec![7; held],
                    "{takes:?} {held} bytes are there"
                );
            }
        }
    }
}

#[test]
fn a_file_that_cannot_be_read_goes_on_within_a_run() {
    let content = content(20_000);
    let to = to(Server {
        gives: false,
        // The requests before are HEAD, OPTIONS, those of the probe, and an empty PUT.
        fates: [vec![Fate::LostAfter(9_000)], vec![Fate::Nothing; 9]].concat(),
        ..Server::new(Takes::Put)
    });
    assert_eq!(run(&content, &to, SegmentSize::Unlimited, 1), Ok(()));
    let server = to.0.lock().unwrap();
    assert!(server.files[TARGET] == content);
    assert!(server.fates.is_empty());
}

#[test]
fn the_small_file_is_removed_after_a_cut() {
    // The requests before are HEAD and OPTIONS. The others begin the small file and bring its ranges.
    for before in 2..5 {
        for takes in [Takes::Put, Takes::Patch] {
            let mut fates = vec![Fate::Nothing; before];
            fates.insert(0, Fate::LostAnswer);
            let to = to(Server {
                fates,
                ..Server::new(takes)
            });
            run(&content(20_000), &to, SegmentSize::Unlimited, 0).unwrap_err();
            let server = to.0.lock().unwrap();
            assert!(
                server.files.is_empty(),
                "{takes:?} {before}: {:?}",
                server.files
            );
        }
    }
}

#[test]
fn a_small_file_that_stays_is_named_though_the_run_fails() {
    let to = to(Server {
        // HEAD, OPTIONS, the PUT of the small file, and DELETE.
        fates: vec![Fate::Locked, Fate::LostAnswer, Fate::Nothing, Fate::Nothing],
        ..Server::new(Takes::Put)
    });
    let control = Control::default();
    control.set_log_level(LogLevel::Warn);
    run_by(&control, &content(20_000), &to, (SegmentSize::Unlimited, 0)).unwrap_err();
    let mut lines = Vec::new();
    while let Some(event) = control.next(Some(Instant::now())) {
        match event {
            Event::Log(_, line) => lines.push(line),
            Event::Finished(_) => break,
            _ => {}
        }
    }
    let server = to.0.lock().unwrap();
    let name = server.files.keys().next().unwrap();
    let name = name.strip_prefix("/files/").unwrap();
    let wanted = format!("the small file {name} may be left there, ");
    let is_told = |line: &String| line.starts_with(&wanted) && line.contains("423");
    assert!(lines.iter().any(is_told), "{lines:?}");
}
