//! Comparing the digest of the server's bytes.

use super::*;

/// Compares the digests after the first locate; gives the next step.
fn compared(answer: Answer, equal: bool) -> (Run, Step) {
    let mut run = Run::locating();
    run.handle(Event::Located(proved(answer)));
    let step = run.handle(Event::Compared { equal });
    (run, step)
}

#[test]
fn an_upload_goes_on_after_equal_bytes() {
    let (mut run, step) = compared(partial(400), true);
    assert_eq!(step, settle(400, None, true));
    assert_eq!(run.handle(Event::Settled), send(1, 400, 600, None));
}

#[test]
fn other_bytes_are_replaced_from_the_start() {
    let (mut run, step) = compared(partial(400), false);
    assert_eq!(step, settle(0, Some(400), true));
    assert_eq!(run.handle(Event::Settled), send(1, 0, SIZE, Some(digest())));
}

#[test]
fn another_file_that_was_there_before_the_run_is_replaced() {
    let (mut run, step) = compared(complete(), false);
    assert_eq!(step, settle(0, Some(SIZE), true));
    assert_eq!(run.handle(Event::Settled), send(1, 0, SIZE, Some(digest())));
}

#[test]
fn a_complete_file_with_equal_bytes_ends_the_upload() {
    let (_, step) = compared(complete(), true);
    assert!(matches!(step, Step::Conclude { is_first: true, .. }));
}

#[test]
fn another_file_after_the_runs_own_sends_is_an_error() {
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
fn disproved_bytes_stay_so_without_another_proof() {
    let (mut run, _) = compared(partial(400), false);
    let part = part_of(run.handle(Event::Settled));
    run.send_failed(part, 50, connection_lost());
    // Neither an offset nor a complete file is believed now, except for offset 0.
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
