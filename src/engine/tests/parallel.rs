//! Parts that are sent at a time.

use super::*;
use crate::protocol::Range;

pub(super) const MIB: u64 = 1 << 20;
pub(super) const SIZE: u64 = 100 * MIB;
/// The length of the first part.
pub(super) const LONG: u64 = SIZE / 8;
/// The length of the next ones, while none has ended.
pub(super) const SHORT: u64 = MIB / 2;

/// Gives where one of the first parts ends.
pub(super) fn end_of(part: u64) -> u64 {
    LONG + (part - 1) * SHORT
}

pub(super) fn plan() -> Plan {
    Plan {
        size: SIZE,
        connections: 6,
        ..super::plan()
    }
}

/// Makes the answer of a server that takes six parts, and holds these ranges behind its offset.
pub(super) fn held(offset: u64, ranges: &[(u64, u64)]) -> Answer {
    let range = |(from, to): &(u64, u64)| Range {
        from: *from,
        to: *to,
        digest: digest(),
    };
    Answer {
        parts: Some(6),
        ranges: ranges.iter().map(range).collect(),
        ..partial(offset)
    }
}

pub(super) fn parts(sends: &[(u64, u64, u64)]) -> Step {
    let send = |(part, offset, length): &(u64, u64, u64)| PartSend {
        part: PartId(*part),
        offset: *offset,
        length: *length,
        asks: None,
    };
    Step::SendParts {
        sends: sends.iter().map(send).collect(),
        abort: false,
    }
}

fn waiting() -> Step {
    parts(&[])
}

/// Makes a run that has begun its first part.
fn begun() -> Run {
    let mut run = Run::locating_by(plan());
    run.handle(Event::Located(held(0, &[])));
    assert_eq!(run.handle(Event::Settled), parts(&[(1, 0, LONG)]));
    run
}

/// Makes a run that has parts 1 to 6 under way.
fn six() -> Run {
    let mut run = begun();
    let (mut sent, mut begun) = (0, 1);
    while begun < 6 {
        sent += 20_000 * begun;
        run.now += Duration::from_millis(200);
        let measured = Event::Measured { sent, under_way: 0 };
        let Step::SendParts {
            sends,
            abort: false,
        } = run.handle(measured)
        else {
            panic!("no parts");
        };
        for send in sends {
            assert_eq!((send.offset, send.length), (end_of(begun), SHORT));
            begun += 1;
            assert_eq!(send.part, PartId(begun));
        }
    }
    // The last ones are worth it, too.
    for _ in 0..8 {
        sent += 20_000 * begun;
        run.now += Duration::from_millis(200);
        run.handle(Event::Measured { sent, under_way: 0 });
    }
    run
}

pub(super) fn accepted(run: &mut Run, part: u64, answer: Answer) -> Step {
    run.now += Duration::from_secs(4);
    run.sent(PartId(part), end_of(part), Outcome::Accepted(answer))
}

fn lost(run: &mut Run, part: u64) -> Step {
    run.send_failed(PartId(part), end_of(part), connection_lost())
}

#[test]
fn parts_need_a_server_a_source_and_digests_that_have_them() {
    let offering = held(0, &[]);
    let silent = Answer {
        parts: None,
        ..held(0, &[])
    };
    for (plan, answer) in [
        (plan(), silent),
        (
            Plan {
                connections: 0,
                ..plan()
            },
            offering.clone(),
        ),
        (
            Plan {
                connections: 1,
                ..plan()
            },
            offering.clone(),
        ),
        (
            Plan {
                hashing: false,
                ..plan()
            },
            offering.clone(),
        ),
        (
            Plan {
                size: MIB,
                ..plan()
            },
            offering,
        ),
    ] {
        let size = plan.size;
        let mut run = Run::locating_by(plan);
        run.handle(Event::Located(answer));
        assert_eq!(run.handle(Event::Settled), send(1, 0, size, None));
    }
}

#[test]
fn a_lossy_link_gets_six_and_each_is_followed_by_the_next() {
    let mut run = six();
    let step = accepted(&mut run, 2, held(0, &[(LONG, end_of(2))]));
    let Step::SendParts { sends, .. } = step else {
        panic!("no parts but {step:?}");
    };
    assert_eq!((sends[0].part, sends[0].offset), (PartId(7), end_of(6)));
    let step = accepted(&mut run, 1, held(end_of(2), &[]));
    assert!(matches!(step, Step::SendParts { ref sends, .. } if sends.len() == 1));
}

#[test]
fn a_lost_part_is_sent_again_on_another_connection() {
    let mut run = six();
    assert_eq!(lost(&mut run, 2), waiting(), "five go on");
    let step = accepted(&mut run, 1, held(LONG, &[]));
    let Step::SendParts { sends, .. } = step else {
        panic!("no parts but {step:?}");
    };
    // That answer may be older than the loss, so what came of the lost part is not known yet.
    assert_eq!((sends[0].part, sends[0].offset), (PartId(7), end_of(6)));
    let end = end_of(6) + sends[0].length;
    let later = held(LONG, &[(end_of(6), end)]);
    let Step::SendParts { sends, .. } = run.sent(PartId(7), end, Outcome::Accepted(later)) else {
        panic!("no parts");
    };
    assert_eq!((sends[0].part, sends[0].offset), (PartId(8), LONG));
    for part in 3..=6 {
        assert_eq!(lost(&mut run, part), waiting());
    }
    waited_for(lost(&mut run, 8));
    run.recovered();
}

#[test]
fn what_came_of_lost_parts_is_asked_for_before_one_send_goes_on() {
    let mut run = six();
    for part in 2..=6 {
        assert_eq!(lost(&mut run, part), waiting());
    }
    let step = accepted(&mut run, 1, held(LONG, &[]));
    assert!(matches!(step, Step::Locate { .. }), "{step:?}");
}

#[test]
fn a_refusal_of_further_connections_is_no_failure() {
    for (kind, status) in [
        (RefusalKind::Busy, 429),
        (RefusalKind::Busy, 503),
        (RefusalKind::TooLarge, 413),
    ] {
        let mut run = six();
        for part in 2..=6 {
            let error = refused(kind, status);
            assert_eq!(
                run.send_failed(PartId(part), 0, error),
                waiting(),
                "{status}"
            );
        }
        // One goes on, and there is no new try for a while.
        let step = accepted(&mut run, 1, held(LONG, &[]));
        let Step::SendParts { sends, .. } = step else {
            // It knows that it stays alone.
            assert!(
                matches!(step, Step::Settle { offset: LONG, .. }),
                "{step:?}"
            );
            continue;
        };
        assert_eq!(sends.len(), 1, "{status}");
    }
}

#[test]
fn where_no_part_can_be_sent_one_send_takes_their_place() {
    let mut run = begun();
    let no_thread = Error::System {
        why: "no thread".to_owned(),
    };
    let step = run.send_failed(PartId(1), 0, no_thread.clone());
    assert!(matches!(step, Step::Locate { .. }), "{step:?}");
    run.handle(Event::Located(held(0, &[(10, 20)])));
    assert_eq!(run.handle(Event::Settled), send(2, 0, SIZE, None));
    // Where one of several is too many, the others go on.
    let mut run = six();
    assert_eq!(run.send_failed(PartId(6), 0, no_thread), waiting());
    let step = accepted(&mut run, 1, held(LONG, &[]));
    assert!(matches!(step, Step::SendParts { ref sends, .. } if sends.len() == 1));
}

#[test]
fn an_answer_that_does_not_show_the_part_is_a_failure() {
    let mut run = begun();
    let step = accepted(&mut run, 1, held(LONG - 1, &[]));
    let error = waited_for(step);
    assert!(
        error.to_string().contains("which it has accepted"),
        "{error}"
    );
    run.recovered();
}

#[test]
fn a_command_of_the_program_ends_all_of_them() {
    let mut run = six();
    for part in 1..=6 {
        let step = run.handle(Event::Sent {
            part: PartId(part),
            read: 0,
            result: Err(Stop::Interrupted),
        });
        match part {
            6 => assert_eq!(step, Step::Begin),
            _ => assert!(matches!(step, Step::SendParts { abort: true, .. })),
        }
    }
}

#[test]
fn a_file_that_has_changed_ends_all_of_them() {
    let mut run = six();
    let changed = Error::SourceChanged {
        path: "f".to_owned(),
        why: "its size".to_owned(),
    };
    let step = run.send_failed(PartId(3), 0, changed);
    assert!(matches!(step, Step::SendParts { abort: true, .. }));
    for part in [1, 2, 4, 5] {
        lost(&mut run, part);
    }
    assert_eq!(end(lost(&mut run, 6)), ErrorKind::SourceChanged);
}

#[test]
fn damage_is_told_after_the_others_have_ended() {
    let mut run = six();
    let damaged = Outcome::ChecksumMismatch(partial(0));
    assert_eq!(run.sent(PartId(1), LONG, damaged), waiting());
    for part in 2..=5 {
        let mut ranges = vec![(LONG, end_of(part))];
        ranges.retain(|(from, to)| from < to);
        assert_eq!(accepted(&mut run, part, held(0, &ranges)), waiting());
    }
    let step = accepted(&mut run, 6, held(0, &[(LONG, end_of(6))]));
    assert_eq!(step, Step::Recheck);
    // What the others brought is asked for, and compared.
    assert!(matches!(run.handle(Event::Rechecked), Step::Locate { .. }));
    let step = run.handle(Event::Located(held(0, &[(LONG, end_of(6))])));
    assert!(matches!(step, Step::CompareRange(_)));
    run.handle(Event::Compared { equal: true });
    let Step::SendParts { sends, .. } = run.handle(Event::Settled) else {
        panic!("no parts");
    };
    assert_eq!(sends[0].offset, 0);
}

#[test]
fn another_program_may_complete_the_file() {
    let mut run = begun();
    let whole = Answer {
        state: State::Complete,
        offset: SIZE,
        ..held(SIZE, &[])
    };
    let error = waited_for(accepted(&mut run, 1, whole));
    assert_eq!(error.kind(), ErrorKind::Refused(RefusalKind::Locked));
}

#[test]
fn a_part_at_the_files_end_is_no_proof_of_the_whole_file() {
    let mut run = Run::locating_by(plan());
    run.handle(Event::Located(held(5, &[(10, SIZE)])));
    run.handle(Event::Compared { equal: true });
    assert_eq!(run.handle(Event::Settled), parts(&[(1, 5, 5)]));
    let whole = Answer {
        state: State::Complete,
        offset: SIZE,
        ..held(SIZE, &[])
    };
    // No part completes a file, so another program did.
    let error = waited_for(accepted(&mut run, 1, whole.clone()));
    assert_eq!(error.kind(), ErrorKind::Refused(RefusalKind::Locked));
    assert!(error.to_string().contains("only"), "{error}");
}
