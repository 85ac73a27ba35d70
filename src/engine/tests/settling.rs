//! Going on from an offset.

use super::*;

#[test]
fn the_rest_is_sent_in_segments_of_the_smallest_limit() {
    for (segment_size, announced, length) in [
        (SegmentSize::Unlimited, None, 900),
        (SegmentSize::Unlimited, Some(300), 300),
        (SegmentSize::Fixed(200), Some(300), 200),
        (SegmentSize::Fixed(400), Some(300), 300),
    ] {
        let mut run = Run::locating_by(Plan {
            segment_size,
            ..plan()
        });
        run.handle(Event::Located(Answer {
            max_segment: announced,
            ..partial(100)
        }));
        assert_eq!(run.handle(Event::Settled), send(1, 100, length, None));
    }
}

#[test]
fn an_empty_file_is_sent_too() {
    let mut run = Run::locating_by(Plan { size: 0, ..plan() });
    run.handle(Event::Located(answer(State::New, 0)));
    assert_eq!(run.handle(Event::Settled), send(1, 0, 0, None));
}

#[test]
fn a_send_that_does_not_move_the_offset_ends_the_attempt() {
    for outcome in [
        Outcome::Accepted(partial(300)),
        Outcome::Accepted(partial(299)),
        Outcome::OffsetMismatch(partial(299)),
    ] {
        let (mut run, part) = Run::sending_from(300);
        run.sent(part, SIZE, outcome);
        let step = run.handle(Event::Settled);
        assert!(wait(&step).is_some(), "{step:?}");
    }
}

#[test]
fn progress_renews_the_budget_and_a_return_to_an_old_offset_does_not() {
    for (offset, renewed) in [
        (500, true),
        (320, true),
        // So little is not worth the 200 bytes that were sent.
        (301, false),
        (300, false),
        (0, false),
    ] {
        let (mut run, part) = Run::sending_from(300);
        let step = run.send_failed(part, 500, connection_lost());
        assert_eq!(wait(&step), Some(Duration::from_secs(1)));
        run.recovered();
        run.handle(Event::Located(partial(offset)));
        let part = part_of(run.handle(Event::Settled));
        let step = run.send_failed(part, 500, connection_lost());
        let seconds = if renewed { 1 } else { 2 };
        assert_eq!(wait(&step), Some(Duration::from_secs(seconds)));
    }
}

#[test]
fn a_failure_while_the_digest_catches_up_changes_nothing() {
    let mut run = Run::locating();
    run.handle(Event::Located(partial(300)));
    assert_eq!(run.handle(Event::Stopped(Stop::Interrupted)), Step::Begin);
    run.handle(Event::Begun);
    // It is still the run's first offset.
    let step = run.handle(Event::Located(partial(400)));
    assert_eq!(step, settle(400, None, true));
}

/// Uploads over a network that loses each connection after `limit` bytes, to a server that sees
/// whole requests only; gives the length of each send.
fn upload_over_a_bad_network(segment_size: SegmentSize, limit: u64) -> Vec<u64> {
    let size = 40 << 20;
    let mut run = Run::locating_by(Plan {
        size,
        segment_size,
        ..plan()
    });
    let mut lengths = Vec::new();
    let mut held = 0;
    let mut step = run.handle(Event::Located(answer(State::New, 0)));
    loop {
        step = match step {
            Step::Send {
                part,
                offset,
                length,
                ..
            } => {
                assert_eq!(offset, held);
                lengths.push(length);
                if length > limit {
                    run.send_failed(part, offset + limit, connection_lost())
                } else {
                    held += length;
                    let outcome = match held == size {
                        true => answer(State::Complete, size),
                        false => partial(held),
                    };
                    run.sent(part, held, Outcome::Accepted(outcome))
                }
            }
            Step::Settle { .. } => run.handle(Event::Settled),
            Step::Recover { .. } => {
                run.recovered();
                run.handle(Event::Located(partial(held)))
            }
            Step::Conclude { .. } => return lengths,
            other => panic!("{other:?} after {lengths:?}"),
        };
    }
}

#[test]
fn a_break_that_brought_nothing_makes_the_next_send_smaller() {
    let sizes = [
        SegmentSize::Unlimited,
        SegmentSize::Automatic,
        SegmentSize::Fixed(6 << 20),
    ];
    for size in sizes {
        for limit in [10 << 20, 3 << 20, 300 << 10] {
            let lengths = upload_over_a_bad_network(size, limit);
            let broken = lengths.iter().filter(|length| **length > limit).count();
            // It finds the right size, and seldom tries more.
            assert!(broken * 4 <= lengths.len(), "{size:?} {limit}: {lengths:?}");
        }
    }
}

#[test]
fn one_send_carries_everything_after_a_break_that_brought_something() {
    let size = 40 << 20;
    let mut run = Run::locating_by(Plan { size, ..plan() });
    run.handle(Event::Located(answer(State::New, 0)));
    let part = part_of(run.handle(Event::Settled));
    run.send_failed(part, 3 << 20, connection_lost());
    run.recovered();
    let held = 2 << 20;
    run.handle(Event::Located(partial(held)));
    assert_eq!(run.handle(Event::Settled), send(2, held, size - held, None));
}

#[test]
fn a_busy_server_gets_the_same_send_again() {
    for (error, smaller) in [
        (refused(RefusalKind::Busy, 503), false),
        (refused(RefusalKind::Locked, 423), false),
        (refused(RefusalKind::Failing, 502), true),
        (connection_lost(), true),
        (Error::bad_response("a page"), true),
    ] {
        let kind = error.kind();
        let size = 40 << 20;
        let mut run = Run::locating_by(Plan { size, ..plan() });
        run.handle(Event::Located(answer(State::New, 0)));
        let part = part_of(run.handle(Event::Settled));
        run.send_failed(part, 1 << 20, error);
        run.recovered();
        run.handle(Event::Located(answer(State::New, 0)));
        let length = if smaller { 4 << 20 } else { size };
        let step = run.handle(Event::Settled);
        assert_eq!(step, send(2, 0, length, None), "{kind:?}");
    }
}
