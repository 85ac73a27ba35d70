//! Sources whose size is known only at their end.

use super::*;

fn plan_without_size() -> Plan {
    Plan {
        size: SIZE_UNKNOWN,
        segment_size: SegmentSize::Fixed(600),
        ..plan()
    }
}

/// Makes a run that has read the first segment.
fn filling() -> Run {
    let mut run = Run::locating_by(plan_without_size());
    run.handle(Event::Located(partial(0)));
    assert_eq!(run.handle(Event::Settled), fill(0));
    run
}

fn fill(offset: u64) -> Step {
    Step::Fill { offset, most: 600 }
}

fn filled(length: u64, size: Option<u64>) -> Event {
    Event::Filled { length, size }
}

#[test]
fn each_segment_is_read_before_it_is_sent() {
    let mut run = filling();
    assert_eq!(run.handle(filled(600, None)), send(1, 0, 600, None));
    let step = run.sent(PartId(1), 600, Outcome::Accepted(partial(600)));
    assert_eq!(step, settle(600, None, false));
    assert_eq!(run.handle(Event::Settled), fill(600));
    let step = run.handle(filled(400, Some(SIZE)));
    assert_eq!(step, send(2, 600, 400, None));
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
fn a_send_of_nothing_tells_the_end_that_came_too_late() {
    let mut run = filling();
    run.handle(filled(600, None));
    run.sent(PartId(1), 600, Outcome::Accepted(partial(600)));
    assert_eq!(run.handle(Event::Settled), fill(600));
    let step = run.handle(filled(0, Some(600)));
    assert_eq!(step, send(2, 600, 0, None));
    let complete = answer(State::Complete, 600);
    let step = run.sent(PartId(2), 600, Outcome::Accepted(complete));
    assert!(matches!(step, Step::Conclude { .. }));
}

#[test]
fn a_stream_of_nothing_is_sent_as_nothing() {
    let mut run = filling();
    assert_eq!(run.handle(filled(0, Some(0))), send(1, 0, 0, None));
    let complete = answer(State::Complete, 0);
    let step = run.sent(PartId(1), 0, Outcome::Accepted(complete));
    assert!(matches!(step, Step::Conclude { .. }));
}

#[test]
fn a_known_end_stays_known_after_a_loss() {
    let mut run = filling();
    run.handle(filled(500, Some(500)));
    run.send_failed(PartId(1), 500, connection_lost());
    run.recovered();
    run.handle(Event::Located(partial(200)));
    assert_eq!(run.handle(Event::Settled), send(2, 200, 300, None));
}

#[test]
fn a_server_that_calls_a_stream_complete_before_its_end_is_not_believed() {
    let mut run = filling();
    run.handle(filled(600, None));
    let complete = answer(State::Complete, 600);
    let error = waited_for(run.sent(PartId(1), 600, Outcome::Accepted(complete)));
    let words = error.to_string();
    assert!(words.contains("has not ended"), "{words}");
}

#[test]
fn a_read_that_fails_ends_the_run_and_a_pause_does_not() {
    let mut run = filling();
    assert_eq!(run.handle(Event::Stopped(Stop::Interrupted)), Step::Begin);
    assert!(matches!(run.handle(Event::Begun), Step::Locate { .. }));
    run.handle(Event::Located(partial(0)));
    assert_eq!(run.handle(Event::Settled), fill(0));
    let failed = run.failed(Error::stream_failed("a test".to_owned()));
    assert_eq!(end(failed), ErrorKind::SourceIo);
}
