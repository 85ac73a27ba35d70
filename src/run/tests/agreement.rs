//! Runs whose server agrees to one digest or another.

use super::harness::run_learned;
use super::*;

fn algorithm(control: &Control) -> Option<Algorithm> {
    control.server_info().algorithm
}

#[test]
fn each_digest_proves_what_the_server_has() {
    let content = content(5000);
    for agreed in Algorithm::ALL {
        for (held, restarts) in [(content[..3000].to_vec(), false), (vec![7; 3000], true)] {
            let server = Server {
                held,
                proves: true,
                agreed: Some(agreed),
                ..Server::default()
            };
            let learned = LearnedDigest::default();
            let (result, server, control, _) = run_learned(
                memory(&content),
                server,
                DigestMode::OnePass,
                None,
                &learned,
            );
            assert_eq!(result, Ok(()), "{agreed:?}");
            assert!(server.held == content, "{agreed:?}");
            let sent = if restarts { 5000 } else { 2000 };
            assert_eq!(control.snapshot().bytes_sent, sent, "{agreed:?}");
            assert_eq!(algorithm(&control), Some(agreed));
            let digest = control.server_info().digest;
            assert_eq!(digest, Some(Digest::of(agreed, &content)));
            assert_eq!(learned.get(), Some(agreed));
        }
    }
}

#[test]
fn what_is_known_before_the_server_is_given_by_two_digests_and_then_by_its_own() {
    let content = content(5000);
    for agreed in Algorithm::ALL {
        let learned = LearnedDigest::default();
        let run = |server| {
            let source = memory(&content);
            let (result, server, control, read) =
                run_learned(source, server, DigestMode::First, None, &learned);
            assert_eq!(result, Ok(()), "{agreed:?}");
            assert!(server.held == content, "{agreed:?}");
            assert_eq!(algorithm(&control), Some(agreed));
            (server.announced, read)
        };
        let server = || Server {
            agreed: Some(agreed),
            ..Server::default()
        };
        let of = |algorithm| Digest::of(algorithm, &content);
        let both = vec![of(Algorithm::Blake3), of(Algorithm::Md5)];
        let (announced, read) = run(server());
        if agreed == Algorithm::Sha256 {
            let all = [both.clone(), vec![of(agreed)]].concat();
            assert_eq!(announced, [both, all]);
            assert_eq!(read, 15_000, "a third digest costs one more pass");
        } else {
            assert_eq!(announced, [both]);
            assert_eq!(read, 10_000, "{agreed:?}");
        }
        let (announced, read) = run(server());
        assert_eq!(announced, [[of(agreed)]]);
        assert_eq!(read, 10_000, "{agreed:?}");
    }
}

#[test]
fn an_instant_upload_reads_the_source_once() {
    let content = content(5000);
    for agreed in [Algorithm::Md5, Algorithm::Blake3] {
        let server = Server {
            held: content.clone(),
            complete: true,
            proves: true,
            agreed: Some(agreed),
            ..Server::default()
        };
        let source = memory(&content);
        let (result, server, control, read) = run_source(source, server, DigestMode::First, None);
        assert_eq!(
            (result, server.sends, read),
            (Ok(()), 0, 5000),
            "{agreed:?}"
        );
        let digest = control.server_info().digest;
        assert_eq!(digest, Some(Digest::of(agreed, &content)));
    }
}

#[test]
fn the_digest_that_a_server_uses_no_more_is_made_good() {
    let content = content(5000);
    let learned = LearnedDigest::default();
    learned.set(Algorithm::Blake3);
    let server = Server::default();
    let (result, server, ..) =
        run_learned(memory(&content), server, DigestMode::First, None, &learned);
    assert_eq!(result, Ok(()));
    let of = |algorithm| Digest::of(algorithm, &content);
    let (first, second) = (of(Algorithm::Blake3), of(Algorithm::Md5));
    assert_eq!(server.announced, [vec![first], vec![first, second]]);
    assert_eq!(learned.get(), Some(Algorithm::Md5));
}

#[test]
fn a_server_may_agree_to_another_digest_during_a_run() {
    let content = content(5000);
    for other in [Algorithm::Md5, Algorithm::Sha256] {
        let server = Server {
            agreed: Some(Algorithm::Blake3),
            fates: vec![Fate::OtherDigest(other)],
            max_segment: Some(2000),
            proves: true,
            ..Server::default()
        };
        let source = memory(&content);
        let (result, server, control, read) = run_source(source, server, DigestMode::OnePass, None);
        assert_eq!(result, Ok(()), "{other:?}");
        assert!(server.held == content, "{other:?}");
        assert_eq!(control.snapshot().bytes_sent, 5000, "nothing is sent twice");
        assert_eq!(
            read, 7000,
            "the beginning is read again for the other digest"
        );
        assert_eq!(algorithm(&control), Some(other));
    }
}

#[test]
fn the_states_of_each_digest_save_reading_the_prefix() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("state");
    let file = || Some(StateFile::new(path.clone(), "it".to_owned(), ""));
    let content = content(5000);
    for agreed in Algorithm::ALL {
        let begun = |always| Server {
            held: content[..3000].to_vec(),
            proves: true,
            agreed: Some(agreed),
            always,
            ..Server::default()
        };
        let failing = begun(Some(Fate::KeepsNothing));
        let (result, ..) = run_source(memory(&content), failing, DigestMode::OnePass, file());
        assert!(result.is_err());
        let (result, _, _, read) =
            run_source(memory(&content), begun(None), DigestMode::OnePass, file());
        assert_eq!((result, read), (Ok(()), 2000), "{agreed:?}");
    }
}

#[test]
fn damage_costs_no_reading_where_no_digest_is_compared() {
    let content = content(5000);
    let ok = Fate::LostAfter(usize::MAX);
    let server = Server {
        compares_nothing: true,
        max_segment: Some(1000),
        // The fourth segment is damaged.
        fates: vec![Fate::Damaged, ok, ok, ok],
        ..Server::default()
    };
    let learned = LearnedDigest::default();
    learned.set(Algorithm::Md5);
    let mode = DigestMode::OnePass;
    let (result, server, _, read) = run_learned(memory(&content), server, mode, None, &learned);
    assert_eq!(result, Ok(()));
    assert!(server.held == content);
    assert_eq!(read, 6000, "only the damaged segment is read again");
}
