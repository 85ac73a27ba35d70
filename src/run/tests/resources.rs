//! Runs against a server whose uploads have URLs, by tus and by the IETF's protocol.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::harness::{job, memory};
use super::resource_server::{Fate, Server, To, Upload};
use super::*;
use crate::http::endpoint::Endpoint;
use crate::options::{FilenameStyle, LocateMethod, ProtocolName};
use crate::protocol::form::Form;
use crate::protocol::{choose, LearnedProtocol};

/// Runs an upload once, as a program does that may have been killed before.
fn run(
    content: &[u8],
    to: &To,
    name: ProtocolName,
    path: &std::path::Path,
    connections: usize,
) -> Result<(), Error> {
    let mut source = memory(content);
    let control = Control::default();
    let form = Form::new(
        Endpoint::parse("http://host/files").unwrap(),
        LocateMethod::default(),
        FilenameStyle::default(),
        None,
    );
    let state_file = StateFile::new(path.to_owned(), "it".to_owned(), "");
    let learned = LearnedProtocol::default();
    let protocol = choose(name, form, (None, true), &learned).unwrap();
    let (unlimited, ids) = (Limiter::default(), KnownIds::default());
    let learned_store = LearnedStore::default();
    let learned_digest = LearnedDigest::default();
    let driver = Driver::new(Setup {
        protocol: &*protocol,
        connector: to,
        control: &control,
        source: &mut *source,
        key: state_file.load_upload().map(|upload| upload.key),
        job: Job {
            connections,
            ..job(content.len() as u64)
        },
        retry: RetryPolicy {
            limit: 1,
            base: Duration::from_nanos(1),
            cap: Duration::from_nanos(1),
            time: None,
        },
        digest: DigestMode::OnePass,
        algorithm: DigestAlgorithm::Automatic,
        state_file: Some(state_file),
        segment_size: match connections {
            0 => SegmentSize::Unlimited,
            _ => SegmentSize::Fixed(3000),
        },
        learned_limit: LearnedLimit::default(),
        learned_digest: &learned_digest,
        asks_first: false,
        creates_with_file: false,
        learned_store: &learned_store,
        connections,
        reads_back: false,
        ids: &ids,
        rates: [&unlimited, &unlimited],
    });
    driver.run()
}

pub(super) fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => (0usize..40_000).prop_map(Fate::LostAfter),
        2 => Just(Fate::LostAnswer),
        1 => Just(Fate::Damaged),
        1 => Just(Fate::Forgotten),
        1 => Just(Fate::Locked),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// The server asserts that no confirmed byte is sent again.
    #[test]
    fn whatever_happens_the_file_is_there_once(
        length in prop_oneof![Just(0usize), 1usize..40_000],
        name in prop::sample::select(&[ProtocolName::Tus, ProtocolName::Ietf][..]),
        checks: bool,
        fates in prop::collection::vec(fate(), 0..8),
    ) {
        let content = content(length);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        let server = Server { fates, checks, ..Server::default() };
        let to = To(Arc::new(Mutex::new(server)));
        let runs = (0..20).map(|_| run(&content, &to, name, &path, 0));
        let failures = runs.take_while(|result| result.is_err()).count();
        prop_assert!(failures < 20);
        prop_assert!(!path.exists(), "the state file stays");
        let server = to.0.lock().unwrap();
        let complete: Vec<_> = server.uploads.iter().filter(|it| it.is_complete).collect();
        prop_assert_eq!(complete.iter().filter(|it| !it.is_gone).count() - empty(&server, length), 1);
        let last = server.uploads.last().unwrap();
        prop_assert!(last.is_complete && last.held == content);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// The server asserts that no confirmed byte is sent again.
    #[test]
    fn whatever_happens_the_sections_of_a_file_are_joined(
        length in 20usize..40_000,
        connections in 1usize..7,
        checks: bool,
        refuses in prop_oneof![4 => Just(false), 1 => Just(true)],
        fates in prop::collection::vec(fate(), 0..8),
    ) {
        let content = content(length);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        let server = Server { fates, checks, joins: true, refuses, ..Server::default() };
        let to = To(Arc::new(Mutex::new(server)));
        let runs = (0..20).map(|_| run(&content, &to, ProtocolName::Tus, &path, connections));
        let failures = runs.take_while(|result| result.is_err()).count();
        prop_assert!(failures < 20);
        prop_assert!(!path.exists(), "the state file stays");
        let server = to.0.lock().unwrap();
        let whole: Vec<_> = server.uploads.iter().filter(|it| !it.is_section).collect();
        let complete = |it: &&&Upload| it.is_complete && it.held == content;
        prop_assert!(whole.last().is_some_and(|it| complete(&it)));
        // Where the answer about a joined file was lost, it is there twice.
        let others = whole.iter().filter(|it| it.is_complete);
        prop_assert!(others.clone().all(|it| complete(&it)));
        let sections = server.uploads.len() - whole.len();
        prop_assert_eq!(sections > 0, connections > 1);
    }
}

#[test]
fn a_joined_file_whose_answer_was_lost_is_joined_again_from_the_same_sections() {
    let content = content(20_000);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    let mut fates = vec![Fate::LostAnswer];
    // The creations of four sections come before, and two sends to each.
    fates.extend([Fate::None; 12]);
    let server = Server {
        fates,
        joins: true,
        ..Server::default()
    };
    let to = To(Arc::new(Mutex::new(server)));
    let runs = (0..5).map(|_| run(&content, &to, ProtocolName::Tus, &path, 2));
    runs.take_while(Result::is_err).for_each(drop);
    let server = to.0.lock().unwrap();
    let mut whole = server.uploads.iter().filter(|it| !it.is_section);
    assert!(whole.all(|it| it.held == content));
    // Four sections, and the file twice.
    assert_eq!(server.uploads.len(), 6);
}

/// Gives how many complete uploads of nothing there are whose URL was lost on the way.
fn empty(server: &Server, size: usize) -> usize {
    match size {
        0 => server
            .uploads
            .iter()
            .rev()
            .skip(1)
            .filter(|it| it.is_complete)
            .count(),
        _ => 0,
    }
}

#[test]
fn nothing_is_built_upon_bytes_that_no_checksum_has_proved() {
    let content = content(5000);
    // The run goes on by itself, or ends and another one goes on.
    for cuts in [1, 3] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state");
        let to = To(Arc::new(Mutex::new(Server {
            // The creation has one, too.
            fates: [vec![Fate::LostAfter(3000); cuts], vec![Fate::Locked]].concat(),
            checks: true,
            drops_late: true,
            ..Server::default()
        })));
        let runs = (0..5).map(|_| run(&content, &to, ProtocolName::Tus, &path, 0));
        runs.take_while(Result::is_err).for_each(drop);
        let server = to.0.lock().unwrap();
        assert_eq!(server.uploads.len(), 1);
        assert!(server.uploads[0].held == content);
    }
}

#[test]
fn a_server_that_proves_what_it_has_is_not_asked_again_and_damage_is_seen() {
    let content = content(5000);
    for spoils in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let to = To(Arc::new(Mutex::new(Server {
            fates: vec![Fate::LostAfter(3000), Fate::Locked],
            checks: true,
            proves: true,
            spoils,
            ..Server::default()
        })));
        run(
            &content,
            &to,
            ProtocolName::Tus,
            &dir.path().join("state"),
            0,
        )
        .unwrap();
        let server = to.0.lock().unwrap();
        assert_eq!(
            (server.questions, server.uploads.len()),
            (1, 1 + usize::from(spoils))
        );
        assert!(server.uploads.last().unwrap().held == content);
    }
}
