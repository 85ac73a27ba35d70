//! Rechecking the source after the server got other bytes than were sent.

use super::*;

#[test]
fn damage_is_repaired_once_and_then_an_error() {
    let (mut run, part) = Run::sending_from(0);
    let mismatch = |offset| Outcome::ChecksumMismatch(partial(offset));
    assert_eq!(run.sent(part, SIZE, mismatch(200)), Step::Recheck);
    assert_eq!(run.handle(Event::Rechecked), settle(200, None, false));
    assert_eq!(run.handle(Event::Settled), send(2, 200, 800, None));
    assert_eq!(run.sent(PartId(2), SIZE, mismatch(200)), Step::Recheck);
    // 200 was progress once: one more is allowed, without progress none.
    assert_eq!(run.handle(Event::Rechecked), settle(200, None, false));
    run.handle(Event::Settled);
    assert_eq!(run.sent(PartId(3), SIZE, mismatch(200)), Step::Recheck);
    assert_eq!(end(run.handle(Event::Rechecked)), ErrorKind::DigestMismatch);
}

#[test]
fn the_error_has_the_servers_words() {
    let (mut run, part) = Run::sending_from(0);
    let mismatch = Answer {
        message: Some("the disk is bad".to_owned()),
        ..partial(0)
    };
    let outcome = || Outcome::ChecksumMismatch(mismatch.clone());
    run.sent(part, SIZE, outcome());
    run.handle(Event::Rechecked);
    run.handle(Event::Settled);
    run.sent(PartId(2), SIZE, outcome());
    match run.handle(Event::Rechecked) {
        Step::Finish(Err(error)) => assert!(error.to_string().ends_with("the disk is bad")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_fall_back_past_what_was_sent_is_not_followed() {
    let (mut run, part) = Run::sending_from(0);
    let mismatch = Outcome::ChecksumMismatch(partial(501));
    assert_eq!(run.sent(part, 500, mismatch), Step::Recheck);
    let error = waited_for(run.handle(Event::Rechecked));
    assert_eq!(error.kind(), ErrorKind::Refused(RefusalKind::Locked));
}

#[test]
fn a_409_at_the_very_offset_of_the_send_is_about_the_digest() {
    // The server keeps nothing of the send, or all of it.
    for (offset, end_of_first) in [(0, 0), (400, 400), (400, SIZE)] {
        let (mut run, part) = Run::sending_from(offset);
        let conflict = |offset| Outcome::OffsetMismatch(partial(offset));
        let mut step = run.sent(part, SIZE, conflict(end_of_first));
        let mut part = part.0;
        if end_of_first == SIZE {
            assert_eq!(step, settle(SIZE, None, false));
            part += 1;
            assert_eq!(run.handle(Event::Settled), send(part, SIZE, 0, None));
            step = run.sent(PartId(part), SIZE, conflict(SIZE));
        }
        assert_eq!(step, Step::Recheck);
        let mut step = run.handle(Event::Rechecked);
        if end_of_first == SIZE {
            assert_eq!(step, Step::Locate { hash_ahead: false });
            step = run.handle(Event::Located(partial(SIZE)));
        }
        assert_eq!(step, settle(end_of_first, None, false));
        run.handle(Event::Settled);
        let step = run.sent(PartId(part + 1), SIZE, conflict(end_of_first));
        assert_eq!(step, Step::Recheck);
        match run.handle(Event::Rechecked) {
            Step::Finish(Err(error)) => {
                assert_eq!(error.kind(), ErrorKind::DigestMismatch);
                assert!(error.to_string().ends_with("its own offset"), "{error}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_file_that_another_program_has_completed_is_complete() {
    // This server answers 409 to sends to a finished file.
    let (mut run, part) = Run::sending_from(400);
    let conflict = || Outcome::OffsetMismatch(partial(SIZE));
    run.sent(part, SIZE, conflict());
    let part = part_of(run.handle(Event::Settled));
    assert_eq!(run.sent(part, SIZE, conflict()), Step::Recheck);
    run.handle(Event::Rechecked);
    let step = run.handle(Event::Located(complete()));
    assert!(matches!(step, Step::Conclude { .. }), "{step:?}");
}

#[test]
fn without_digests_a_409_at_the_very_offset_is_a_failure_like_others() {
    let mut run = Run::locating_by(Plan {
        hashing: false,
        ..plan()
    });
    run.handle(Event::Located(partial(300)));
    let part = part_of(run.handle(Event::Settled));
    run.sent(part, SIZE, Outcome::OffsetMismatch(partial(300)));
    let error = waited_for(run.handle(Event::Settled));
    assert_eq!(error.kind(), ErrorKind::BadResponse);
}
