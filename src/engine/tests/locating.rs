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
        digest: digest(),
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
fn after_a_failure_an_offset_past_the_sent_bytes_is_another_programs() {
    for (sent, offset, plausible) in [(300, 300, true), (300, 0, true), (300, 301, false)] {
        let (mut run, part) = Run::sending_from(0);
        run.send_failed(part, sent, connection_lost());
        run.recovered();
        let step = run.handle(Event::Located(partial(offset)));
        match plausible {
            true => assert_eq!(step, settle(offset, None, false)),
            false => {
                let error = waited_for(step);
                let told = "another program uploads the same file: the server has 301 bytes of it";
                assert!(error.to_string().starts_with(told), "{error}");
            }
        }
    }
}

#[test]
fn another_programs_offset_ends_the_run_only_when_it_stays() {
    let (mut run, part) = Run::sending_from(0);
    let mut step = run.send_failed(part, 300, connection_lost());
    for _ in 0..3 {
        waited_for(step);
        run.recovered();
        step = run.handle(Event::Located(partial(400)));
    }
    match step {
        Step::Finish(Err(error)) => {
            assert_eq!(error.kind(), ErrorKind::Refused(RefusalKind::Locked));
            assert!(error.is_retryable());
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_file_that_another_program_completes_is_complete() {
    let (mut run, part) = Run::sending_from(0);
    waited_for(run.sent(part, 300, Outcome::OffsetMismatch(partial(400))));
    run.recovered();
    let step = run.handle(Event::Located(complete()));
    assert!(
        matches!(
            step,
            Step::Conclude {
                is_first: false,
                ..
            }
        ),
        "{step:?}"
    );
}

#[test]
fn complete_in_reply_to_a_part_of_the_file_is_asked_for_again() {
    let (mut run, part) = Run::sending_from(0);
    let step = run.sent(part, 600, Outcome::Accepted(complete()));
    let error = waited_for(step);
    assert!(error.to_string().contains("1000 bytes of it, but only 600"));
    run.recovered();
    let step = run.handle(Event::Located(complete()));
    assert!(matches!(step, Step::Conclude { .. }), "{step:?}");
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

#[test]
fn an_upload_that_only_this_run_knows_has_no_more_than_was_sent() {
    for (is_own, sent, believed) in [(false, 300, true), (true, 300, false), (true, SIZE, true)] {
        let answer = |answer| Answer { is_own, ..answer };
        let mut run = Run::locating();
        run.handle(Event::Located(answer(partial(0))));
        let part = part_of(run.handle(Event::Settled));
        run.send_failed(part, sent, connection_lost());
        run.recovered();
        let step = run.handle(Event::Located(answer(complete())));
        match believed {
            true => assert!(matches!(step, Step::Conclude { .. }), "{step:?}"),
            false => drop(waited_for(step)),
        }
    }
}
