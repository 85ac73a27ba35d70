//! Asking for the server's offset.

use super::*;

#[test]
fn the_first_offset_is_believed_without_proof() {
    for offset in [0, 1, 999] {
        let mut run = Run::locating();
        let step = run.handle(Event::Located(partial(offset)));
        assert_eq!(step, settle(offset, None, true));
    }
}

#[test]
fn an_offset_with_proof_is_compared() {
    let mut run = Run::locating();
    let step = run.handle(Event::Located(proved(partial(400))));
    let compare = Step::Compare {
        length: 400,
        md5: MD5,
    };
    assert_eq!(step, compare);
}

#[test]
fn a_proof_is_ignored_where_nothing_is_compared() {
    let mut run = Run::locating_by(Plan {
        hashing: false,
        ..plan()
    });
    let step = run.handle(Event::Located(proved(partial(400))));
    assert_eq!(step, settle(400, None, true));
}

#[test]
fn a_first_answer_that_the_file_is_complete_is_believed_without_proof() {
    let mut run = Run::locating();
    let located = Answer {
        location: Some("/f".to_owned()),
        ..complete()
    };
    let conclude = Step::Conclude {
        location: Some("/f".to_owned()),
        is_first: true,
    };
    assert_eq!(run.handle(Event::Located(located)), conclude);
}

#[test]
fn after_a_failure_no_offset_past_the_sent_bytes_is_plausible() {
    for (sent, offset, plausible) in [(300, 300, true), (300, 0, true), (300, 301, false)] {
        let (mut run, part) = Run::sending_from(0);
        run.send_failed(part, sent, connection_lost());
        run.recovered();
        let step = run.handle(Event::Located(partial(offset)));
        match plausible {
            true => assert_eq!(step, settle(offset, None, false)),
            false => assert_eq!(end(step), ErrorKind::BadOffset),
        }
    }
}

#[test]
fn complete_is_plausible_only_when_all_was_sent() {
    for (sent, plausible) in [(SIZE, true), (SIZE - 1, false)] {
        let (mut run, part) = Run::sending_from(0);
        run.send_failed(part, sent, connection_lost());
        run.recovered();
        let step = run.handle(Event::Located(complete()));
        match plausible {
            true => assert!(matches!(step, Step::Conclude { .. })),
            false => assert_eq!(end(step), ErrorKind::BadOffset),
        }
    }
}

#[test]
fn a_page_as_first_response_ends_the_run_and_a_later_one_does_not() {
    let page = || Error::bad_response("it is a page");
    let mut run = Run::locating();
    let step = run.failed(page());
    assert_eq!(step, Step::Finish(Err(page())));
    assert!(!page().is_retryable());

    let (mut run, part) = Run::sending_from(0);
    let mut step = run.send_failed(part, 10, connection_lost());
    for _ in 0..2 {
        assert!(wait(&step).is_some(), "{step:?}");
        run.recovered();
        step = run.failed(page());
    }
    assert!(wait(&step).is_some(), "{step:?}");
    run.recovered();
    match run.failed(Error::response_too_long(9)) {
        Step::Finish(Err(error)) => {
            assert_eq!(error.kind(), ErrorKind::ResponseTooLong);
            assert!(error.is_retryable(), "it answered before");
        }
        other => panic!("{other:?}"),
    }
}
