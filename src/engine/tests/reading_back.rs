//! Reading a complete file back, where no digest of the server's proves it.

use super::*;

const URL: &str = "http://host/f";

fn reads_back() -> Plan {
    Plan {
        abilities: Abilities {
            proves_prefix: false,
            ..plan().abilities
        },
        reads_back: true,
        ..plan()
    }
}

fn at_url(answer: Answer) -> Answer {
    Answer {
        location: Some(URL.to_owned()),
        agreed: None,
        ..answer
    }
}

fn reading() -> Step {
    Step::ReadBack {
        location: Some(URL.to_owned()),
    }
}

fn concluding(is_first: bool) -> Step {
    Step::Conclude {
        location: Some(URL.to_owned()),
        is_first,
    }
}

fn found(found: FoundBack) -> Event {
    Event::ReadBack {
        read: SIZE,
        at: SIZE,
        result: Ok(found),
    }
}

/// Makes a run that reads back a file that it has sent.
fn reading_back() -> Run {
    let mut run = Run::locating_by(reads_back());
    run.handle(Event::Located(at_url(answer(State::New, 0))));
    let part = part_of(run.handle(Event::Settled));
    let step = run.sent(part, SIZE, Outcome::Accepted(at_url(complete())));
    assert_eq!(step, reading());
    run
}

/// Makes a run that reads back a file that was there before.
fn reading_first() -> Run {
    let mut run = Run::locating_by(reads_back());
    let step = run.handle(Event::Located(at_url(complete())));
    assert_eq!(step, reading());
    run
}

/// Ends a read at an offset, after so many bytes, by a lost connection.
fn lose(run: &mut Run, read: u64, at: u64) -> Step {
    run.handle(Event::ReadBack {
        read,
        at,
        result: Err(Stop::Failed(connection_lost())),
    })
}

#[test]
fn equal_bytes_conclude_the_upload() {
    let step = reading_back().handle(found(FoundBack::Equal));
    assert_eq!(step, concluding(false));
    let step = reading_first().handle(found(FoundBack::Equal));
    assert_eq!(step, concluding(true));
}

#[test]
fn a_digest_of_the_servers_makes_it_needless() {
    let mut run = Run::locating_by(Plan {
        reads_back: true,
        ..plan()
    });
    run.handle(Event::Located(proved(complete())));
    let step = run.handle(Event::Compared { equal: true });
    assert!(matches!(step, Step::Conclude { is_first: true, .. }));
    // The request that brought the last byte brought the digest, too.
    let mut run = Run::locating_by(Plan {
        reads_back: true,
        ..plan()
    });
    run.handle(Event::Located(answer(State::New, 0)));
    let part = part_of(run.handle(Event::Settled));
    let step = run.sent(part, SIZE, Outcome::Accepted(complete()));
    assert!(matches!(step, Step::Conclude { .. }), "{step:?}");
    // One that has none is read back all the same.
    let mut run = Run::locating_by(Plan {
        reads_back: true,
        ..plan()
    });
    let step = run.handle(Event::Located(complete()));
    assert_eq!(step, Step::ReadBack { location: None });
}

#[test]
fn other_bytes_end_the_run_that_has_sent_them() {
    for other in [FoundBack::Other(digest()), FoundBack::Dropped] {
        let step = reading_back().handle(found(other));
        assert_eq!(end(step), ErrorKind::DigestMismatch);
    }
}

#[test]
fn other_bytes_from_before_the_run_are_replaced_once() {
    let mut run = reading_first();
    let step = run.handle(found(FoundBack::Other(digest())));
    assert_eq!(step, settle(0, Some(SIZE), true));
    let step = run.handle(Event::Settled);
    assert_eq!(step, send(1, 0, SIZE, Some(digest())));
    let step = run.sent(PartId(1), SIZE, Outcome::Accepted(at_url(complete())));
    assert_eq!(step, reading());
    let step = run.handle(found(FoundBack::Other(digest())));
    assert_eq!(end(step), ErrorKind::DigestMismatch);
}

#[test]
fn a_replacement_that_breaks_before_its_first_byte_is_tried_again() {
    let mut run = reading_first();
    run.handle(found(FoundBack::Other(digest())));
    let part = part_of(run.handle(Event::Settled));
    assert!(wait(&run.send_failed(part, 0, connection_lost())).is_some());
    run.recovered();
    // What was disproved need not be read again.
    let step = run.handle(Event::Located(at_url(complete())));
    assert_eq!(step, settle(0, Some(SIZE), false));
}

#[test]
fn an_upload_that_was_dropped_begins_anew() {
    let mut run = reading_first();
    let step = run.handle(found(FoundBack::Dropped));
    assert!(matches!(step, Step::Locate { .. }));
    let step = run.handle(Event::Located(at_url(answer(State::New, 0))));
    assert_eq!(step, settle(0, None, true));
    // Once: a server may call the next one complete, too.
    let mut run = reading_first();
    run.handle(found(FoundBack::Dropped));
    run.handle(Event::Located(at_url(complete())));
    let step = run.handle(found(FoundBack::Dropped));
    assert_eq!(end(step), ErrorKind::DigestMismatch);
}

#[test]
fn breaks_with_progress_are_forgiven_and_others_counted() {
    let mut run = reading_back();
    for number in 1..=50 {
        let step = lose(&mut run, 10, number * 10);
        assert!(wait(&step).is_some(), "{number}");
        run.recovered();
        let step = run.handle(Event::Located(at_url(complete())));
        assert_eq!(step, reading());
    }
    // A server that begins anew each time, and never gets further.
    for number in 1..=2 {
        let step = lose(&mut run, 400, 400);
        assert!(wait(&step).is_some(), "{number}");
        run.recovered();
        run.handle(Event::Located(at_url(complete())));
    }
    assert_eq!(end(lose(&mut run, 400, 400)), ErrorKind::ConnectionLost);
}

#[test]
fn an_interruption_asks_the_server_again() {
    let mut run = reading_back();
    let step = run.handle(Event::ReadBack {
        read: 5,
        at: 5,
        result: Err(Stop::Interrupted),
    });
    assert_eq!(step, Step::Begin);
}
