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
    for outcome in [Outcome::Accepted, Outcome::OffsetMismatch] {
        for offset in [300, 299] {
            let (mut run, part) = Run::sending_from(300);
            run.sent(part, SIZE, outcome(partial(offset)));
            let step = run.handle(Event::Settled);
            assert!(wait(&step).is_some(), "{step:?}");
        }
    }
}

#[test]
fn progress_renews_the_budget_and_a_return_to_an_old_offset_does_not() {
    for (offset, renewed) in [(301, true), (300, false), (0, false)] {
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
