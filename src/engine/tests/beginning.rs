//! Beginning an attempt, and announcing the digest of the whole source.

use super::*;

#[test]
fn an_attempt_begins_with_a_locate() {
    let mut run = Run::new(plan());
    assert_eq!(run.handle(Event::Begun), Step::Locate { hash_ahead: true });
}

#[test]
fn nothing_is_hashed_ahead_where_nothing_is_compared() {
    let without_digest = Plan {
        hashing: false,
        ..plan()
    };
    let without_proof = Plan {
        abilities: Abilities {
            locates: true,
            proves_prefix: false,
            needs_key: false,
            checksum: None,
        },
        ..plan()
    };
    for plan in [without_digest, without_proof] {
        let mut run = Run::new(plan);
        assert_eq!(run.handle(Event::Begun), Step::Locate { hash_ahead: false });
    }
}

#[test]
fn a_server_that_cannot_be_asked_gets_everything_in_every_attempt() {
    let mut run = Run::new(Plan {
        abilities: Abilities {
            locates: false,
            proves_prefix: false,
            needs_key: false,
            checksum: None,
        },
        ..plan()
    });
    assert_eq!(run.handle(Event::Begun), Step::Connect);
    assert_eq!(run.handle(Event::Connected), settle(0, None, true));
    assert_eq!(run.handle(Event::Settled), send(1, 0, SIZE, None));
    let step = run.send_failed(PartId(1), 700, connection_lost());
    assert!(wait(&step).is_some(), "{step:?}");
    assert_eq!(run.handle(Event::Recovered), Step::Begin);
    assert_eq!(run.handle(Event::Begun), Step::Connect);
    assert_eq!(run.handle(Event::Connected), settle(0, None, false));
    assert_eq!(run.handle(Event::Settled), send(2, 0, SIZE, None));
    assert!(matches!(
        run.sent(PartId(2), SIZE, Outcome::Accepted(complete())),
        Step::Conclude { .. }
    ));
}

#[test]
fn chunks_that_a_server_has_accepted_are_not_sent_again_though_it_cannot_be_asked() {
    for (goes_on, next) in [(true, 400), (false, 0)] {
        let mut run = Run::new(Plan {
            abilities: Abilities {
                locates: false,
                proves_prefix: false,
                ..plan().abilities
            },
            chunks: Some(Chunks {
                size: 400,
                last_is_long: false,
                goes_on,
            }),
            ..plan()
        });
        run.handle(Event::Begun);
        assert_eq!(run.handle(Event::Connected), settle(0, None, true));
        assert_eq!(run.handle(Event::Settled), send(1, 0, 400, None));
        let accepted = Outcome::Accepted(partial(400));
        assert_eq!(run.sent(PartId(1), 400, accepted), settle(400, None, false));
        assert_eq!(run.handle(Event::Settled), send(2, 400, 400, None));
        let step = run.send_failed(PartId(2), 700, connection_lost());
        assert!(wait(&step).is_some(), "{step:?}");
        run.handle(Event::Recovered);
        run.handle(Event::Begun);
        assert_eq!(run.handle(Event::Connected), settle(next, None, false));
        assert_eq!(run.handle(Event::Settled), send(3, next, 400, None));
        // No answer makes the chunks smaller.
        let too_large = refused(RefusalKind::TooLarge, 413);
        let step = run.send_failed(PartId(3), next + 400, too_large);
        assert_eq!(end(step), ErrorKind::Refused(RefusalKind::TooLarge));
    }
}

#[test]
fn the_first_answer_of_a_server_that_cannot_be_asked_is_one_to_a_send() {
    let mut run = Run::new(Plan {
        abilities: Abilities {
            locates: false,
            proves_prefix: false,
            ..plan().abilities
        },
        ..plan()
    });
    run.handle(Event::Begun);
    run.handle(Event::Connected);
    run.handle(Event::Settled);
    let page = Error::bad_response("a page");
    let step = run.send_failed(PartId(1), SIZE, page);
    assert_eq!(end(step), ErrorKind::BadResponse);
}

#[test]
fn the_whole_digest_is_made_once_and_before_the_first_locate() {
    let mut run = Run::new(Plan {
        digest_first: true,
        ..plan()
    });
    assert_eq!(run.handle(Event::Begun), Step::DigestWhole);
    // Interrupted, it is made again.
    assert_eq!(run.handle(Event::Stopped(Stop::Interrupted)), Step::Begin);
    assert_eq!(run.handle(Event::Begun), Step::DigestWhole);
    assert!(matches!(run.handle(Event::Digested), Step::Locate { .. }));
    run.failed(connection_lost());
    assert_eq!(run.handle(Event::Recovered), Step::Begin);
    assert!(matches!(run.handle(Event::Begun), Step::Locate { .. }));
}

#[test]
fn the_whole_digest_is_made_again_where_the_server_uses_another_one() {
    let mut run = Run::new(Plan {
        digest_first: true,
        ..plan()
    });
    run.handle(Event::Begun);
    assert!(matches!(run.handle(Event::Digested), Step::Locate { .. }));
    assert_eq!(run.handle(Event::DigestMissing), Step::DigestWhole);
    // Interrupted, it is made again.
    assert_eq!(run.handle(Event::Stopped(Stop::Interrupted)), Step::Begin);
    assert_eq!(run.handle(Event::Begun), Step::DigestWhole);
    assert!(matches!(run.handle(Event::Digested), Step::Locate { .. }));
    assert_eq!(
        run.handle(Event::Located(partial(0))),
        settle(0, None, true)
    );
}

#[test]
fn a_source_that_has_changed_ends_the_run() {
    let mut run = Run::new(plan());
    let error = Error::SourceChanged {
        path: "f".to_owned(),
        why: "its size".to_owned(),
    };
    assert_eq!(end(run.failed(error)), ErrorKind::SourceChanged);
}

#[test]
fn an_event_that_does_not_fit_the_phase_is_a_defect_and_no_panic() {
    let mut run = Run::new(plan());
    assert_eq!(end(run.handle(Event::Settled)), ErrorKind::Internal);
    // The run is over; nothing is done any more.
    assert_eq!(end(run.handle(Event::Begun)), ErrorKind::Internal);
}
