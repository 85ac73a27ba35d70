//! The digest of the server's bytes, compared.

use super::*;

/// The step after a comparison of what the server answered to the first locate.
fn compared(answer: Answer, equal: bool) -> (Run, Step) {
    let mut run = Run::locating();
    run.handle(Event::Located(proved(answer)));
    let step = run.handle(Event::Compared { equal });
    (run, step)
}

#[test]
fn equal_bytes_are_gone_on_from() {
    let (mut run, step) = compared(partial(400), true);
    assert_eq!(step, settle(400, None, true));
    assert_eq!(run.handle(Event::Settled), send(1, 400, 600, None));
}

#[test]
fn other_bytes_are_replaced_from_the_start() {
    let (mut run, step) = compared(partial(400), false);
    assert_eq!(step, settle(0, Some(400), true));
    assert_eq!(run.handle(Event::Settled), send(1, 0, SIZE, Some(MD5)));
}

#[test]
fn another_file_is_replaced_at_first() {
    let (mut run, step) = compared(complete(), false);
    assert_eq!(step, settle(0, Some(SIZE), true));
    assert_eq!(run.handle(Event::Settled), send(1, 0, SIZE, Some(MD5)));
}

#[test]
fn equal_and_complete_is_the_end() {
    let (_, step) = compared(complete(), true);
    assert!(matches!(step, Step::Conclude { is_first: true, .. }));
}

#[test]
fn another_file_after_own_sends_is_an_error() {
    let (mut run, part) = Run::sending_from(0);
    run.sent(part, SIZE, Outcome::Accepted(proved(complete())));
    let step = run.handle(Event::Compared { equal: false });
    assert_eq!(end(step), ErrorKind::DigestMismatch);
}

#[test]
fn a_proof_makes_every_offset_plausible() {
    let (mut run, part) = Run::sending_from(0);
    run.send_failed(part, 10, connection_lost());
    run.recovered();
    run.handle(Event::Located(proved(partial(900))));
    let step = run.handle(Event::Compared { equal: true });
    assert_eq!(step, settle(900, None, false));
}

#[test]
fn what_was_disproved_stays_so_without_another_proof() {
    let (mut run, _) = compared(partial(400), false);
    let part = part_of(run.handle(Event::Settled));
    run.send_failed(part, 50, connection_lost());
    // Neither an offset nor a complete file is believed now, except for nothing at all.
    for (answer, foreign) in [(partial(400), Some(400)), (complete(), Some(SIZE))] {
        run.recovered();
        let step = run.handle(Event::Located(answer));
        assert_eq!(step, settle(0, foreign, false));
        let part = part_of(run.handle(Event::Settled));
        run.send_failed(part, SIZE, connection_lost());
    }
    run.recovered();
    let step = run.handle(Event::Located(partial(0)));
    assert_eq!(step, settle(0, None, false));
    assert_eq!(run.handle(Event::Settled), send(4, 0, SIZE, None));
}
