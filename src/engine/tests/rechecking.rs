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
fn a_fall_back_past_what_was_sent_is_a_bad_offset() {
    let (mut run, part) = Run::sending_from(0);
    let mismatch = Outcome::ChecksumMismatch(partial(501));
    assert_eq!(run.sent(part, 500, mismatch), Step::Recheck);
    assert_eq!(end(run.handle(Event::Rechecked)), ErrorKind::BadOffset);
}
