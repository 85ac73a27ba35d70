//! The upload loop against a server that is a few lines long, without a network.

use std::sync::Mutex;
use std::time::Duration;

use md5::{Digest as _, Md5};
use proptest::prelude::*;

use super::*;
use crate::body::source::Origin;
use crate::segment::{Learnt, SegmentSize};
use crate::transport::{Request, Response};

/// What befalls one send.
#[derive(Debug, Clone, Copy)]
enum Fate {
    /// The connection breaks after so many bytes; all of them arrive.
    Break(usize),
    /// It arrives whole and the answer is lost.
    AnswerLost,
    /// A byte is damaged on the way.
    Damaged,
    /// The server forgets everything.
    Forgotten,
    /// The server keeps nothing and answers with its old offset.
    KeepsNothing,
    /// The server answers with so many bytes more than it has.
    Lie(u64),
    /// The server says that it has it all after the first byte.
    EarlyComplete,
    /// The server takes it and answers with a digest of something else.
    WrongProof,
    /// The server takes every segment, but finds the whole corrupt in the end.
    CorruptAtEnd,
    /// The server answers a restart with its old offset, without proof.
    IgnoresRestart,
    /// The send is read and lost, and the server proves nothing from then on.
    RestartLost,
    /// The server claims that it fell back to there.
    CorruptAt(u64),
}

#[derive(Default)]
struct Server {
    held: Vec<u8>,
    /// The last offset that the client was told; no later send may begin before it.
    told: u64,
    proves: bool,
    max_segment: Option<u64>,
    /// Of the next sends, the last one first.
    fates: Vec<Fate>,
    /// Of the sends after these; when there is none, all is well.
    always: Option<Fate>,
    sends: u32,
    /// The client is to send no digest.
    undigested: bool,
    located_with_md5: bool,
    /// What the server says of its content, whatever that is.
    claimed_md5: Option<[u8; 16]>,
    /// What is held is a finished file.
    complete: bool,
}

struct Fake(Mutex<Server>);

impl Server {
    fn answer(&mut self, state: State) -> Answer {
        self.told = self.held.len() as u64;
        Answer {
            state,
            offset: self.told,
            id: Some("1".to_owned()),
            location: None,
            prefix_md5: self
                .claimed_md5
                .or_else(|| self.proves.then(|| Md5::digest(&self.held).into())),
            max_segment: self.max_segment,
            message: None,
        }
    }
}

fn broken() -> Error {
    Error::ConnectionBroken {
        host: "fake".to_owned(),
        why: "by the test".to_owned(),
    }
}

impl Protocol for Fake {
    fn locate(&self, _: &dyn Wire, job: &Job) -> Result<Answer, Error> {
        let mut server = self.0.lock().unwrap();
        server.located_with_md5 = job.md5.is_some();
        Ok(match server.held.is_empty() {
            _ if server.complete => server.answer(State::Complete),
            true => server.answer(State::New),
            false => server.answer(State::Partial),
        })
    }

    fn send(&self, _: &dyn Wire, job: &Job, segment: Segment<'_>) -> Result<Outcome, Error> {
        let mut server = self.0.lock().unwrap();
        let (from, length) = (segment.offset, segment.length as usize);
        server.sends += 1;
        let fate = server.fates.pop().or(server.always);
        if segment.restart.is_some() && matches!(fate, Some(Fate::IgnoresRestart)) {
            server.proves = false;
            return Ok(Outcome::Elsewhere(server.answer(State::Partial)));
        }
        if let Some(Fate::RestartLost) = fate {
            let mut bytes = vec![0; length];
            segment.bytes.read_exact(&mut bytes).map_err(|_| broken())?;
            server.proves = false;
            return Err(broken());
        }
        // A stale restart, of another digest, is ignored.
        let held: [u8; 16] = Md5::digest(&server.held).into();
        if segment.restart == Some(held) {
            assert_eq!(from, 0);
            server.held.clear();
            server.complete = false;
        } else if segment.restart.is_none() {
            assert!(from >= server.told, "confirmed bytes are sent again");
        }
        if from != server.held.len() as u64 {
            return Ok(Outcome::Elsewhere(server.answer(State::Partial)));
        }
        let arrives = match fate {
            Some(Fate::Break(bytes)) => length.min(bytes),
            Some(Fate::EarlyComplete) => length.min(1),
            _ => length,
        };
        let mut bytes = vec![0; arrives];
        segment.bytes.read_exact(&mut bytes).map_err(|_| broken())?;
        let md5 = segment.bytes.finish().map_err(|_| broken())?;
        assert_eq!(md5.is_none(), server.undigested);
        let before = server.held.len();
        match fate {
            Some(Fate::Damaged) if arrives > 0 => bytes[arrives / 2] ^= 1,
            Some(Fate::KeepsNothing) => {
                return Ok(Outcome::Taken(server.answer(State::Partial)));
            }
            Some(Fate::Forgotten) => {
                server.held.clear();
                server.told = 0;
                return Ok(Outcome::Forgotten);
            }
            _ => {}
        }
        server.held.extend_from_slice(&bytes);
        match fate {
            Some(Fate::Break(_)) if arrives < length => return Err(broken()),
            Some(Fate::AnswerLost) => return Err(broken()),
            Some(Fate::EarlyComplete) => {
                let mut answer = server.answer(State::Complete);
                answer.offset = job.size;
                return Ok(Outcome::Taken(answer));
            }
            Some(Fate::WrongProof) => {
                let mut answer = server.answer(State::Partial);
                answer.prefix_md5 = Some([7; 16]);
                return Ok(Outcome::Taken(answer));
            }
            Some(Fate::CorruptAt(offset)) => {
                let mut answer = server.answer(State::Partial);
                answer.offset = offset;
                return Ok(Outcome::Corrupt(answer));
            }
            Some(Fate::CorruptAtEnd) if server.held.len() as u64 == job.size => {
                server.held.clear();
                return Ok(Outcome::Corrupt(server.answer(State::Partial)));
            }
            Some(Fate::Lie(more)) => {
                let mut answer = server.answer(State::Partial);
                answer.offset = (answer.offset + more).min(job.size);
                return Ok(Outcome::Taken(answer));
            }
            _ => {}
        }
        let ours = crate::body::digest::hex(Md5::digest(&server.held).into());
        if md5.is_some_and(|md5| md5 != ours) {
            // A segment falls back to where it began, the whole file to nothing.
            let whole = server.held.len() as u64 == job.size;
            server.held.truncate(if whole { 0 } else { before });
            return Ok(Outcome::Corrupt(server.answer(State::Partial)));
        }
        let state = match server.held.len() as u64 == job.size {
            true => State::Complete,
            false => State::Partial,
        };
        Ok(Outcome::Taken(server.answer(state)))
    }
}

struct NoWire;

impl Wire for NoWire {
    fn exchange(&self, _: Request<'_>) -> Result<Response, Error> {
        unreachable!("the fake protocol needs no network")
    }
}

impl Line for NoWire {
    fn open(&self) -> (Box<dyn Wire + '_>, Option<Cutter>) {
        (Box::new(NoWire), None)
    }
}

/// Runs an upload of `content`; gives its result and what the server holds then.
fn upload(content: &[u8], server: Server) -> (Result<(), Error>, Vec<u8>, Control) {
    let (result, server, control) = run(content, server);
    (result, server.held, control)
}

fn run(content: &[u8], server: Server) -> (Result<(), Error>, Server, Control) {
    let (result, server, control, _) =
        run_source(memory(content), server, DigestMode::OnePass, None);
    (result, server, control)
}

/// A source that counts the bytes read.
struct Counting {
    inner: Box<dyn Source>,
    read: u64,
}

impl Source for Counting {
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
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, Error> {
        let n = self.inner.read(buf)?;
        self.read += n as u64;
        Ok(n)
    }
    fn verify(&mut self) -> Result<(), Error> {
        self.inner.verify()
    }
}

fn run_source(
    inner: Box<dyn Source>,
    server: Server,
    digest: DigestMode,
    state_file: Option<StateFile>,
) -> (Result<(), Error>, Server, Control, u64) {
    let mut source = Counting { inner, read: 0 };
    let fake = Fake(Mutex::new(server));
    let control = Control::default();
    let job = Job {
        name: "f".to_owned(),
        size: source.size(),
        mtime: Some(1),
        md5: None,
        dir: String::new(),
        user: None,
        content_type: "text/plain".to_owned(),
        fields: Vec::new(),
    };
    let engine = Engine {
        protocol: &fake,
        line: &NoWire,
        control: &control,
        source: &mut source,
        job,
        retry: Policy {
            limit: 6,
            base: Duration::from_nanos(1),
            cap: Duration::from_nanos(1),
            time: None,
        },
        digest,
        state_file,
        segments: Segments::new(SegmentSize::Unlimited, Learnt::default()),
        rates: [&Limiter::default(), &Limiter::default()],
    };
    let result = engine.run();
    let server = fake.0.into_inner().unwrap();
    (result, server, control, source.read)
}

fn content(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i * 31 + (i >> 8)) as u8).collect()
}

#[test]
fn every_lie_about_the_offset_is_an_error_and_nothing_is_sent_on_it() {
    for more in [1, 5, 1000] {
        let server = Server {
            fates: vec![Fate::Lie(more)],
            max_segment: Some(100),
            ..Server::default()
        };
        let (result, held, _) = upload(&content(5000), server);
        assert!(
            matches!(result, Err(Error::ImpossibleOffset { .. })),
            "{more}: {result:?}"
        );
        assert_eq!(held.len(), 100);
    }
}

#[test]
fn a_server_that_keeps_nothing_is_given_up() {
    let server = Server {
        fates: vec![Fate::KeepsNothing; 100],
        ..Server::default()
    };
    let (result, _, control) = upload(&content(5000), server);
    assert!(matches!(result, Err(Error::BadAnswer { .. })), "{result:?}");
    assert_eq!(control.snapshot().attempts, 7, "the first and six more");
}

#[test]
fn complete_is_believed_only_when_it_can_be() {
    let server = Server {
        fates: vec![Fate::EarlyComplete],
        ..Server::default()
    };
    let (result, _, _) = upload(&content(5000), server);
    assert!(
        matches!(result, Err(Error::ImpossibleOffset { .. })),
        "{result:?}"
    );
}

#[test]
fn no_mood_of_a_server_makes_an_endless_loop() {
    for always in [
        Fate::WrongProof,
        Fate::CorruptAtEnd,
        Fate::Forgotten,
        Fate::KeepsNothing,
        Fate::Damaged,
        Fate::AnswerLost,
        Fate::Break(1),
    ] {
        let server = Server {
            always: Some(always),
            max_segment: Some(1000),
            ..Server::default()
        };
        let (result, server, _) = run(&content(20_000), server);
        assert!(server.sends < 20_100, "{always:?}: {} sends", server.sends);
        match always {
            Fate::Break(_) => assert_eq!(result, Ok(())),
            _ => assert!(result.is_err(), "{always:?}"),
        }
    }
}

#[test]
fn a_disproved_prefix_is_not_built_upon_when_the_proof_stays_away() {
    let server = Server {
        held: vec![7; 3000],
        told: 0,
        proves: true,
        always: Some(Fate::IgnoresRestart),
        ..Server::default()
    };
    let (result, held, _) = upload(&content(5000), server);
    assert!(result.is_err());
    assert_eq!(held, vec![7; 3000]);
}

fn memory(content: &[u8]) -> Box<dyn Source> {
    // Only a host's reader needs the run's own.
    let control = Box::leak(Box::default());
    Origin::Memory(content.to_vec().into())
        .open(control)
        .unwrap()
}

#[test]
fn a_state_file_saves_reading_the_prefix_and_is_never_needed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    let file = || Some(StateFile::new(path.clone(), "it".to_owned()));
    let content = content(5000);
    let begun = || Server {
        held: content[..3000].to_vec(),
        proves: true,
        ..Server::default()
    };
    let failing = Server {
        always: Some(Fate::KeepsNothing),
        ..begun()
    };
    let (result, ..) = run_source(memory(&content), failing, DigestMode::OnePass, file());
    assert!(result.is_err());
    let saved = std::fs::read(&path).unwrap();

    // As it is; deleted; damaged; of another file; well-made and wrong.
    let wrong = crate::body::digest::Mark {
        at: 3000,
        md5: Md5::new_with_prefix(b"something else"),
    };
    let others: [(&str, u64, &dyn Fn()); 5] = [
        ("right", 2000, &|| std::fs::write(&path, &saved).unwrap()),
        ("deleted", 5000, &|| {}),
        ("damaged", 5000, &|| {
            std::fs::write(&path, &saved[..saved.len() - 9]).unwrap()
        }),
        ("foreign", 5000, &|| {
            let foreign = StateFile::new(path.clone(), "that".to_owned());
            foreign.save([&wrong].into_iter()).unwrap();
        }),
        ("wrong", 5000, &|| {
            file().unwrap().save([&wrong].into_iter()).unwrap()
        }),
    ];
    for (name, reads, prepare) in others {
        prepare();
        let (result, server, control, read) =
            run_source(memory(&content), begun(), DigestMode::OnePass, file());
        assert_eq!(result, Ok(()), "{name}");
        assert_eq!(server.held, content, "{name}");
        assert_eq!(control.snapshot().bytes_sent, 2000, "{name}");
        assert_eq!(read, reads, "{name}");
        assert!(!path.exists(), "{name}: it is removed in the end");
    }
}

#[test]
fn what_is_no_state_file_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("precious");
    std::fs::write(&path, "the only copy").unwrap();
    let file = Some(StateFile::new(path.clone(), "it".to_owned()));
    let server = Server {
        fates: vec![Fate::Break(3000)],
        ..Server::default()
    };
    let source = memory(&content(5000));
    let (result, ..) = run_source(source, server, DigestMode::OnePass, file);
    assert_eq!(result, Ok(()));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "the only copy");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn the_digest_of_nothing_proves_nothing() {
    let server = Server {
        held: vec![7; 5000],
        complete: true,
        claimed_md5: Some(Md5::digest(b"").into()),
        ..Server::default()
    };
    let (result, held, _) = upload(&content(5000), server);
    assert!(result.is_err(), "it called another file complete");
    assert_ne!(held, content(5000));
}

#[test]
fn a_lost_restart_is_not_taken_for_done() {
    let server = Server {
        held: vec![7; 5000],
        proves: true,
        complete: true,
        fates: vec![Fate::RestartLost],
        ..Server::default()
    };
    let (result, held, _) = upload(&content(5000), server);
    assert_eq!(result, Ok(()));
    assert_eq!(held, content(5000));
}

#[test]
fn a_fallback_past_what_was_sent_is_a_lie() {
    let server = Server {
        fates: vec![Fate::CorruptAt(5000)],
        max_segment: Some(1000),
        ..Server::default()
    };
    let (result, ..) = upload(&content(5000), server);
    assert!(
        matches!(result, Err(Error::ImpossibleOffset { .. })),
        "{result:?}"
    );
}

#[test]
fn digest_modes_read_the_source_once_twice_and_hash_or_not() {
    let content = content(5000);
    for (mode, reads, md5) in [
        (DigestMode::None, 5000, false),
        (DigestMode::OnePass, 5000, true),
        (DigestMode::First, 10_000, true),
    ] {
        let server = Server {
            proves: true,
            undigested: mode == DigestMode::None,
            ..Server::default()
        };
        let (result, server, control, read) = run_source(memory(&content), server, mode, None);
        assert_eq!(result, Ok(()), "{mode:?}");
        assert_eq!(server.held, content, "{mode:?}");
        assert_eq!(read, reads, "{mode:?}");
        assert_eq!(control.texts().md5.is_some(), md5, "{mode:?}");
        assert_eq!(
            server.located_with_md5,
            mode == DigestMode::First,
            "{mode:?}"
        );
    }
}

#[test]
fn damage_is_repaired_once_and_then_an_error() {
    for (times, fine) in [(1, true), (2, false)] {
        let server = Server {
            fates: vec![Fate::Damaged; times],
            ..Server::default()
        };
        let (result, held, _) = upload(&content(5000), server);
        assert_eq!(result.is_ok(), fine, "{result:?}");
        assert_eq!(held == content(5000), fine);
    }
}

#[test]
fn a_prefix_of_another_file_is_dropped() {
    let server = Server {
        held: vec![7; 3000],
        told: 3000,
        proves: true,
        ..Server::default()
    };
    let (result, held, control) = upload(&content(5000), server);
    assert_eq!(result, Ok(()));
    assert_eq!(held, content(5000));
    assert_eq!(control.snapshot().bytes_skipped, 0);
}

#[test]
fn without_proof_the_digest_of_the_whole_file_decides() {
    let server = Server {
        held: vec![7; 3000],
        told: 3000,
        ..Server::default()
    };
    let (result, held, _) = upload(&content(5000), server);
    assert_eq!(result, Ok(()));
    assert_eq!(held, content(5000));
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => (0usize..40_000).prop_map(Fate::Break),
        1 => Just(Fate::AnswerLost),
        1 => Just(Fate::Damaged),
        1 => Just(Fate::Forgotten),
        1 => Just(Fate::KeepsNothing),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// The fake server asserts that no confirmed byte is sent again.
    #[test]
    fn whatever_befalls_the_sends_the_file_is_right_or_there_is_an_error(
        length in prop_oneof![Just(0usize), 1usize..40_000],
        held in 0usize..50_000,
        foreign: bool,
        proves: bool,
        max_segment in prop::option::of(1000u64..50_000),
        fates in prop::collection::vec(fate(), 0..5),
    ) {
        let content = content(length);
        let mut prefix = content[..held.min(length)].to_vec();
        if foreign && !prefix.is_empty() {
            prefix[0] ^= 1;
        }
        let told = prefix.len() as u64;
        let server = Server { held: prefix, told, proves, max_segment, fates, ..Server::default() };
        let (result, stored, control) = upload(&content, server);
        match result {
            Ok(()) => {
                prop_assert!(stored == content);
                prop_assert_eq!(control.snapshot().offset, length as u64);
            }
            Err(Error::DigestMismatch { .. } | Error::BadAnswer { .. }) => {}
            Err(other) => prop_assert!(false, "{other}"),
        }
    }
}
