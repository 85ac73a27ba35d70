//! The outcomes of a send.

use super::*;

#[test]
fn an_accepted_segment_is_followed_by_the_next() {
    let (mut run, part) = Run::sending_from(0);
    let step = run.sent(part, 600, Outcome::Accepted(partial(600)));
    assert_eq!(step, settle(600, None, false));
    assert_eq!(run.handle(Event::Settled), send(2, 600, 400, None));
    let step = run.sent(PartId(2), SIZE, Outcome::Accepted(complete()));
    assert!(matches!(
        step,
        Step::Conclude {
            is_first: false,
            ..
        }
    ));
}

#[test]
fn a_server_that_wants_a_digest_where_none_is_computed_is_told_as_that() {
    let mut run = Run::locating_by(Plan {
        hashing: false,
        ..plan()
    });
    run.handle(Event::Located(partial(0)));
    let part = part_of(run.handle(Event::Settled));
    run.sent(part, SIZE, Outcome::Accepted(partial(SIZE)));
    assert_eq!(run.handle(Event::Settled), send(2, SIZE, 0, None));
    run.sent(PartId(2), SIZE, Outcome::Accepted(partial(SIZE)));
    let error = waited_for(run.handle(Event::Settled));
    assert!(
        error.to_string().contains("may want their digest"),
        "{error}"
    );
}

#[test]
fn another_offset_is_followed_if_it_is_plausible() {
    let (mut run, part) = Run::sending_from(300);
    let step = run.sent(part, 500, Outcome::OffsetMismatch(partial(400)));
    assert_eq!(step, settle(400, None, false));
    assert_eq!(run.handle(Event::Settled), send(2, 400, 600, None));
    let step = run.sent(PartId(2), 500, Outcome::OffsetMismatch(partial(501)));
    let error = waited_for(step);
    assert_eq!(error.kind(), ErrorKind::Refused(RefusalKind::Locked));
}

#[test]
fn an_offset_past_the_sent_bytes_is_asked_for_again() {
    for outcome in [partial(601), complete()].map(Outcome::Accepted) {
        let (mut run, part) = Run::sending_from(0);
        let error = waited_for(run.sent(part, 600, outcome));
        assert_eq!(error.kind(), ErrorKind::Refused(RefusalKind::Locked));
        run.recovered();
    }
}

#[test]
fn a_server_that_says_another_offset_each_time_is_given_up() {
    let (mut run, mut part) = Run::sending_from(0);
    let mut sends = 1;
    let mut offset = 0;
    let error = loop {
        offset += 1;
        let outcome = Outcome::OffsetMismatch(partial(offset));
        run.sent(part, SIZE, outcome);
        let mut step = run.handle(Event::Settled);
        if let Step::Finish(Err(error)) = step {
            break error;
        }
        if wait(&step).is_some() {
            run.recovered();
            run.handle(Event::Located(partial(offset)));
            step = run.handle(Event::Settled);
        }
        part = part_of(step);
        sends += 1;
    };
    assert_eq!(error.kind(), ErrorKind::BadResponse);
    assert!(
        error.to_string().contains("another offset each time"),
        "{error}"
    );
    // The first one is followed at once, the others within the three retries.
    assert_eq!(sends, 1 + 1 + 3);
}

#[test]
fn a_server_that_keeps_a_byte_of_each_send_is_given_up() {
    // Whether it says so at once, or breaks the connection.
    for breaks in [false, true] {
        let (mut run, mut part) = Run::sending_from(0);
        let mut sends = 1;
        loop {
            let offset = sends;
            let step = match breaks {
                true => run.send_failed(part, SIZE, connection_lost()),
                false => {
                    run.sent(part, SIZE, Outcome::Accepted(partial(offset)));
                    run.handle(Event::Settled)
                }
            };
            if matches!(step, Step::Finish(Err(_))) {
                break;
            }
            waited_for(step);
            run.recovered();
            run.handle(Event::Located(partial(offset)));
            part = part_of(run.handle(Event::Settled));
            sends += 1;
        }
        assert_eq!(sends, 1 + 3, "{breaks}");
    }
}

#[test]
fn a_400_to_a_send_is_tried_again_with_fewer_bytes() {
    let size = 20 << 20;
    let mut run = Run::locating_by(Plan {
        size,
        retry: RetryPolicy {
            limit: 8,
            ..plan().retry
        },
        ..plan()
    });
    let mut lengths = Vec::new();
    let error = loop {
        run.handle(Event::Located(answer(State::New, 0)));
        let Step::Send { part, length, .. } = run.handle(Event::Settled) else {
            panic!("no send");
        };
        lengths.push(length);
        let bad = refused(RefusalKind::Other, 400);
        match run.send_failed(part, length, bad) {
            Step::Finish(Err(error)) => break error,
            step => waited_for(step),
        };
        run.recovered();
    };
    assert_eq!(lengths, [size, 4 << 20, 1 << 20, 256 << 10, 65536, 65536]);
    assert!(!error.is_retryable());
}

#[test]
fn a_restart_that_the_server_obeyed_is_not_sent_again() {
    let mut run = Run::locating_by(Plan {
        segment_size: SegmentSize::Fixed(500),
        ..plan()
    });
    run.handle(Event::Located(proved(partial(400))));
    run.handle(Event::Compared { equal: false });
    assert_eq!(run.handle(Event::Settled), send(1, 0, 500, Some(digest())));
    let step = run.sent(PartId(1), 500, Outcome::Accepted(partial(500)));
    assert_eq!(step, settle(500, None, false));
    assert_eq!(run.handle(Event::Settled), send(2, 500, 500, None));
}

#[test]
fn an_unknown_upload_is_asked_for_again_within_the_budget() {
    let (mut run, part) = Run::sending_from(0);
    let refusal = refused(RefusalKind::Other, 404);
    let step = run.sent(part, 600, Outcome::UnknownUpload(refusal));
    assert!(wait(&step).is_some(), "{step:?}");
    run.recovered();
}

#[test]
fn a_segment_that_is_too_large_is_halved_at_once_down_to_the_minimum() {
    let mut run = Run::locating_by(Plan {
        size: 1 << 20,
        ..plan()
    });
    run.handle(Event::Located(answer(State::New, 0)));
    let mut length = 1 << 20;
    let mut part = 1;
    loop {
        assert_eq!(run.handle(Event::Settled), send(part, 0, length, None));
        let too_large = refused(RefusalKind::TooLarge, 413);
        let step = run.send_failed(PartId(part), 0, too_large.clone());
        if length == 64 * 1024 {
            assert_eq!(step, Step::Finish(Err(too_large)));
            break;
        }
        let smaller = Step::Recover {
            error: too_large,
            remedy: Remedy::SmallerSegments,
        };
        assert_eq!(step, smaller);
        run.recovered();
        run.handle(Event::Located(partial(0)));
        length /= 2;
        part += 1;
    }
}

#[test]
fn an_interrupted_send_begins_again_and_its_bytes_may_have_arrived() {
    let (mut run, part) = Run::sending_from(0);
    let step = run.handle(Event::Sent {
        part,
        read: 700,
        result: Err(Stop::Interrupted),
    });
    assert_eq!(step, Step::Begin);
    run.handle(Event::Begun);
    let step = run.handle(Event::Located(partial(700)));
    assert_eq!(step, settle(700, None, false));
}

#[test]
fn an_event_of_another_send_is_a_defect() {
    let (mut run, part) = Run::sending_from(0);
    let other = PartId(part.0 + 1);
    let step = run.sent(other, SIZE, Outcome::Accepted(complete()));
    assert_eq!(end(step), ErrorKind::Internal);
}
