//! The driver against a fake server, without a network.

mod agreement;
mod dav;
mod dav_server;
mod forward;
mod harness;
mod resource_server;
mod resources;
mod senders;
mod server;
mod session;

use proptest::prelude::*;
use resup_digests::{Algorithm, Digest};

use super::connector::Connector;
use super::driver::Driver;
use super::ids::KnownIds;
use super::learned_digest::LearnedDigest;
use super::learned_store::LearnedStore;
use super::setup::Setup;
use crate::control::rate::Limiter;
use crate::control::stop::Stop;
use crate::control::Control;
use crate::digest::{Checkpoint, StateFile};
use crate::engine::LearnedLimit;
use crate::error::Error;
use crate::http::{Exchange, Request, Response};
use crate::options::{DigestAlgorithm, DigestMode, RetryPolicy, SegmentSize};
use crate::protocol::{Abilities, Answer, Job, Outcome, Protocol, Segment, State};
use crate::source::{Opener, Source};
pub(super) use harness::job;
use harness::{memory, run, run_source, upload};
use server::{Fate, Server};

fn content(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i * 31 + (i >> 8)) as u8).collect()
}

#[test]
fn nothing_is_sent_from_a_wrong_offset_and_the_server_is_asked_again() {
    for more in [1, 5, 1000] {
        let server = Server {
            fates: vec![Fate::TooHighOffset(more)],
            max_segment: Some(100),
            ..Server::default()
        };
        let (result, server, control) = run(&content(5000), server);
        assert_eq!(result, Ok(()), "{more}");
        assert!(server.held == content(5000), "{more}");
        assert_eq!(server.sends, 50, "{more}");
        assert_eq!(control.snapshot().attempts, 2, "{more}");
    }
}

#[test]
fn without_digests_a_proof_is_ignored() {
    let server = Server {
        fates: vec![Fate::TooHighOffset(1000)],
        max_segment: Some(100),
        proves: true,
        undigested: true,
        ..Server::default()
    };
    let source = memory(&content(5000));
    let (result, server, control, _) = run_source(source, server, DigestMode::None, None);
    assert_eq!(result, Ok(()));
    // The offset is wrong, so it is asked for again, and no digest is compared.
    assert_eq!(control.snapshot().attempts, 2);
    assert_eq!(server.sends, 50);
}

#[test]
fn a_server_that_keeps_nothing_is_given_up() {
    let server = Server {
        fates: vec![Fate::KeepsNothing; 100],
        ..Server::default()
    };
    let (result, _, control) = upload(&content(5000), server);
    assert!(
        matches!(result, Err(Error::BadResponse { .. })),
        "{result:?}"
    );
    assert_eq!(control.snapshot().attempts, 7, "the first and six more");
}

#[test]
fn complete_in_reply_to_a_send_is_not_believed_before_all_bytes_are_sent() {
    let server = Server {
        fates: vec![Fate::EarlyComplete],
        max_segment: Some(1000),
        ..Server::default()
    };
    let (result, held, _) = upload(&content(5000), server);
    assert_eq!(result, Ok(()));
    assert!(held == content(5000));
}

#[test]
fn no_behaviour_of_a_server_makes_an_endless_loop() {
    for always in [
        Fate::WrongProof,
        Fate::MismatchAtEnd,
        Fate::UnknownUpload,
        Fate::KeepsNothing,
        Fate::Damaged,
        Fate::LostAnswer,
        Fate::LostAfter(1),
    ] {
        let server = Server {
            always: Some(always),
            max_segment: Some(1000),
            ..Server::default()
        };
        let (result, server, _) = run(&content(20_000), server);
        assert!(server.sends < 20_100, "{always:?}: {} sends", server.sends);
        match always {
            Fate::LostAfter(_) => assert_eq!(result, Ok(())),
            _ => assert!(result.is_err(), "{always:?}"),
        }
    }
}

#[test]
fn a_disproved_prefix_stays_so_when_later_answers_have_no_proof() {
    let server = Server {
        held: vec![7; 3000],
        confirmed: 0,
        proves: true,
        always: Some(Fate::IgnoresRestart),
        ..Server::default()
    };
    let (result, held, _) = upload(&content(5000), server);
    assert!(result.is_err());
    assert_eq!(held, vec![7; 3000]);
}

#[test]
fn a_state_file_saves_reading_the_prefix_and_is_never_necessary() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    let file = || Some(StateFile::new(path.clone(), "it".to_owned(), ""));
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

    // The file as it is; deleted; damaged; of another source; valid, but with a wrong digest.
    let mut wrong = Checkpoint::start(Algorithm::Md5);
    wrong.at = 3000;
    wrong.state.update(b"something else");
    let others: [(&str, u64, &dyn Fn()); 5] = [
        ("right", 2000, &|| std::fs::write(&path, &saved).unwrap()),
        ("deleted", 5000, &|| {}),
        ("damaged", 5000, &|| {
            std::fs::write(&path, &saved[..saved.len() - 9]).unwrap()
        }),
        ("foreign", 5000, &|| {
            let foreign = StateFile::new(path.clone(), "that".to_owned(), "");
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
fn another_file_in_place_of_the_state_file_is_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("precious");
    std::fs::write(&path, "the only copy").unwrap();
    let file = Some(StateFile::new(path.clone(), "it".to_owned(), ""));
    let server = Server {
        fates: vec![Fate::LostAfter(3000)],
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
        claimed: Some(Digest::of(Algorithm::Md5, b"")),
        ..Server::default()
    };
    let (result, held, _) = upload(&content(5000), server);
    assert!(result.is_err(), "it called another file complete");
    assert_ne!(held, content(5000));
}

#[test]
fn a_lost_restart_is_made_again() {
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
fn a_fallback_past_the_sent_bytes_is_not_followed() {
    let server = Server {
        fates: vec![Fate::MismatchAt(5000)],
        max_segment: Some(1000),
        ..Server::default()
    };
    let (result, server, _) = run(&content(5000), server);
    assert_eq!(result, Ok(()));
    assert!(server.held == content(5000));
    assert_eq!(server.sends, 5);
}

#[test]
fn each_digest_mode_reads_the_source_as_often_as_it_says() {
    let content = content(5000);
    for (mode, reads, known) in [
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
        assert_eq!(control.server_info().digest.is_some(), known, "{mode:?}");
        assert_eq!(
            !server.announced.is_empty(),
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
        confirmed: 3000,
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
        confirmed: 3000,
        ..Server::default()
    };
    let (result, held, control) = upload(&content(5000), server);
    assert_eq!(result, Ok(()));
    assert_eq!(held, content(5000));
    assert_eq!(control.snapshot().bytes_skipped, 0, "all of them were sent");
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        4 => (0usize..40_000).prop_map(Fate::LostAfter),
        1 => Just(Fate::LostAnswer),
        1 => Just(Fate::Damaged),
        1 => Just(Fate::UnknownUpload),
        1 => Just(Fate::KeepsNothing),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// The fake server asserts that no confirmed byte is sent again.
    #[test]
    fn whatever_happens_to_sends_the_file_is_right_or_there_is_an_error(
        length in prop_oneof![Just(0usize), 1usize..40_000],
        held in 0usize..50_000,
        foreign: bool,
        proves: bool,
        max_segment in prop::option::of(1000u64..50_000),
        fates in prop::collection::vec(fate(), 0..5),
        agreed in prop::option::of(prop::sample::select(&Algorithm::ALL[..])),
    ) {
        let content = content(length);
        let mut prefix = content[..held.min(length)].to_vec();
        if foreign && !prefix.is_empty() {
            prefix[0] ^= 1;
        }
        let confirmed = prefix.len() as u64;
        let server = Server { held: prefix, confirmed, proves, max_segment, fates, agreed, ..Server::default() };
        let (result, stored, control) = upload(&content, server);
        match result {
            Ok(()) => {
                prop_assert!(stored == content);
                prop_assert_eq!(control.snapshot().offset, length as u64);
            }
            Err(Error::DigestMismatch { .. } | Error::BadResponse { .. }) => {}
            Err(other) => prop_assert!(false, "{other}"),
        }
    }
}

/// Gives how many bytes are read until the server, which uses the digest `agreed`, has the whole file. It
/// has `held` bytes before, and answers the locate once `answers_after` bytes were read.
fn read_for(size: usize, held: usize, answers_after: u64, agreed: Algorithm) -> u64 {
    let all = content(size);
    let server = Server {
        held: all[..held].to_vec(),
        proves: true,
        agreed: Some(agreed),
        answers_after,
        ..Server::default()
    };
    let (result, server, _, read) = run_source(memory(&all), server, DigestMode::OnePass, None);
    result.unwrap();
    assert!(server.held == all, "the server's file differs");
    read
}

#[test]
fn the_prefix_is_digested_during_the_locate() {
    const MIB: usize = 1 << 20;
    // The server answers only when most of the prefix has been read; none is read twice.
    let assumed = Algorithm::Blake3;
    let read = read_for(16 * MIB, 12 * MIB, 10 << 20, assumed);
    assert!(read < 21 << 20, "{read}");
    // Bytes past the server's offset are read again from the last checkpoint.
    read_for(16 * MIB, 3 * MIB + 5, 9 << 20, assumed);
    read_for(16 * MIB, 0, 9 << 20, assumed);
    // For another digest than the assumed one the prefix is read again.
    let read = read_for(16 * MIB, 12 * MIB, 10 << 20, Algorithm::Md5);
    assert!((26 << 20..=32 << 20).contains(&read), "{read}");
}

#[test]
fn a_small_file_is_not_digested_during_the_locate() {
    let read = read_for(5_000_000, 3_000_000, 0, Algorithm::Blake3);
    assert_eq!(read, 5_000_000);
}
