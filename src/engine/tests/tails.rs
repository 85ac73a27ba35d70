//! Comparing the last bytes that a server has, where no digest proves all of them.

use super::*;
use crate::protocol::{Range, Tail};

/// Adds the server's last bytes to an answer.
fn ending(answer: Answer, conflict: Option<Error>) -> (Answer, Range) {
    let bytes = Range {
        from: answer.offset.saturating_sub(10),
        to: answer.offset,
        digest: digest(),
    };
    let tail = Some(Box::new(Tail { bytes, conflict }));
    let answer = Answer {
        agreed: None,
        tail,
        ..answer
    };
    (answer, bytes)
}

fn conflict() -> Error {
    Error::OtherFile {
        at: "/f".to_owned(),
        why: "it has other bytes".to_owned(),
    }
}

/// Compares the bytes after the first locate; gives the next step.
fn compared(answer: Answer, conflict: Option<Error>, equal: bool) -> (Run, Step) {
    let mut run = Run::locating();
    let (answer, bytes) = ending(answer, conflict);
    let step = run.handle(Event::Located(answer));
    assert_eq!(step, Step::CompareRange(bytes));
    let step = run.handle(Event::Compared { equal });
    (run, step)
}

#[test]
fn an_upload_goes_on_or_ends_after_equal_bytes() {
    for conflict in [None, Some(conflict())] {
        let (mut run, step) = compared(partial(400), conflict.clone(), true);
        assert_eq!(step, settle(400, None, true));
        assert_eq!(run.handle(Event::Settled), send(1, 400, 600, None));
        let (_, step) = compared(complete(), conflict, true);
        assert!(matches!(step, Step::Conclude { is_first: true, .. }));
    }
}

#[test]
fn other_bytes_end_the_run_or_are_replaced() {
    for answer in [partial(400), complete()] {
        let offset = answer.offset;
        let (_, step) = compared(answer.clone(), Some(conflict()), false);
        assert_eq!(step, Step::Finish(Err(conflict())));
        let (mut run, step) = compared(answer, None, false);
        assert_eq!(step, settle(0, Some(offset), true));
        assert_eq!(run.handle(Event::Settled), send(1, 0, SIZE, Some(digest())));
    }
}

#[test]
fn what_was_sent_is_compared_at_the_end() {
    let (mut run, part) = Run::sending_from(0);
    let (answer, bytes) = ending(complete(), None);
    let step = run.sent(part, SIZE, Outcome::Accepted(answer));
    assert_eq!(step, Step::CompareRange(bytes));
    let step = run.handle(Event::Compared { equal: false });
    assert_eq!(end(step), ErrorKind::DigestMismatch);
}

#[test]
fn a_server_that_takes_files_whole_gets_one_segment() {
    let mut run = Run::locating_by(Plan {
        segment_size: SegmentSize::Fixed(100),
        ..plan()
    });
    run.handle(Event::Located(Answer {
        grain: Some(u64::MAX),
        ..answer(State::New, 0)
    }));
    assert_eq!(run.handle(Event::Settled), send(1, 0, SIZE, None));
}
