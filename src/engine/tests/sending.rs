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
fn another_offset_is_followed_if_it_is_plausible() {
    let (mut run, part) = Run::sending_from(300);
    let step = run.sent(part, 500, Outcome::OffsetMismatch(partial(400)));
    assert_eq!(step, settle(400, None, false));
    assert_eq!(run.handle(Event::Settled), send(2, 400, 600, None));
    let step = run.sent(PartId(2), 500, Outcome::OffsetMismatch(partial(501)));
    assert_eq!(end(step), ErrorKind::BadOffset);
}

#[test]
fn an_offset_past_the_sent_bytes_is_an_error() {
    let (mut run, part) = Run::sending_from(0);
    let step = run.sent(part, 600, Outcome::Accepted(partial(601)));
    assert_eq!(end(step), ErrorKind::BadOffset);
    let (mut run, part) = Run::sending_from(0);
    let step = run.sent(part, 600, Outcome::Accepted(complete()));
    assert_eq!(end(step), ErrorKind::BadOffset);
}

#[test]
fn a_restart_that_the_server_obeyed_is_not_sent_again() {
    let mut run = Run::locating_by(Plan {
        segment_size: SegmentSize::Fixed(500),
        ..plan()
    });
    run.handle(Event::Located(proved(partial(400))));
    run.handle(Event::Compared { equal: false });
    assert_eq!(run.handle(Event::Settled), send(1, 0, 500, Some(MD5)));
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
