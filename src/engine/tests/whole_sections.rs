//! Files in sections that a server stores whole or not at all.

use resup_digests::{Algorithm, Digest};

use super::parallel::{plan, MIB, SIZE};
use super::*;
use crate::protocol::{Chunks, Range, Sections};

const LENGTH: u64 = 30 * MIB;

fn by_sections(connections: usize) -> Plan {
    Plan {
        abilities: Abilities {
            proves_prefix: false,
            needs_key: true,
            ..plan().abilities
        },
        chunks: Some(Chunks {
            size: LENGTH,
            last_is_long: false,
            goes_on: true,
        }),
        connections,
        ..plan()
    }
}

/// Makes the answer of a server that holds these sections.
fn held(list: &[u64]) -> Answer {
    let reach = |at, number: &u64| {
        if *number * LENGTH == at {
            end_of(*number)
        } else {
            at
        }
    };
    Answer {
        agreed: None,
        is_own: true,
        parts: Some(4),
        sections: Some(Sections {
            length: LENGTH,
            is_whole: true,
            held: list.iter().map(|it| (it * LENGTH, end_of(*it))).collect(),
        }),
        ..partial(list.iter().fold(0, reach))
    }
}

fn end_of(number: u64) -> u64 {
    ((number + 1) * LENGTH).min(SIZE)
}

fn sends(step: Step) -> Vec<(u64, u64, Option<u64>)> {
    match step {
        Step::SendParts { sends, .. } => {
            let values = |it: &PartSend| (it.offset, it.length, it.asks);
            sends.iter().map(values).collect()
        }
        other => panic!("no parts but {other:?}"),
    }
}

#[test]
fn a_section_goes_in_one_part_and_once_more_after_a_failure() {
    let mut run = Run::locating_by(by_sections(6));
    run.handle(Event::Located(held(&[1])));
    assert_eq!(sends(run.handle(Event::Settled)), [(0, LENGTH, None)]);
    let step = run.send_failed(PartId(1), 1000, connection_lost());
    assert!(matches!(step, Step::Recover { .. }), "{step:?}");
    run.handle(Event::Recovered);
    run.handle(Event::Begun);
    run.handle(Event::Located(held(&[1])));
    // Nothing is asked: of a part that broke, the server has nothing.
    assert_eq!(sends(run.handle(Event::Settled)), [(0, LENGTH, None)]);
    let step = run.sent(PartId(2), LENGTH, Outcome::Accepted(held(&[0, 1])));
    assert_eq!(sends(step), [(2 * LENGTH, LENGTH, None)]);
    let step = run.sent(PartId(3), 3 * LENGTH, Outcome::Accepted(held(&[0, 1, 2])));
    assert_eq!(sends(step), [(3 * LENGTH, SIZE - 3 * LENGTH, None)]);
    let step = run.sent(PartId(4), SIZE, Outcome::Accepted(held(&[0, 1, 2, 3])));
    assert!(
        matches!(step, Step::Settle { offset: SIZE, .. }),
        "{step:?}"
    );
    let step = run.handle(Event::Settled);
    assert!(
        matches!(
            step,
            Step::Send {
                offset: SIZE,
                length: 0,
                ..
            }
        ),
        "{step:?}"
    );
}

#[test]
fn sections_that_nothing_proves_are_compared_first() {
    let range = |number: u64| Range {
        from: number * LENGTH,
        to: end_of(number),
        digest: Digest::of(Algorithm::Md5, &[number as u8]),
    };
    let mut run = Run::locating_by(by_sections(1));
    let answer = Answer {
        ranges: vec![range(0), range(2), range(3)],
        ..held(&[1])
    };
    for (number, equal) in [(0, true), (2, false), (3, true)] {
        let step = match number {
            0 => run.handle(Event::Located(answer.clone())),
            2 => run.handle(Event::Compared { equal: true }),
            _ => run.handle(Event::Compared { equal: false }),
        };
        assert_eq!(step, Step::CompareRange(range(number)), "{equal}");
    }
    let step = run.handle(Event::Compared { equal: true });
    let is_settled = matches!(step, Step::Settle { offset, held, .. }
        if offset == 2 * LENGTH && held == SIZE - LENGTH);
    assert!(is_settled, "{step:?}");
    assert_eq!(
        sends(run.handle(Event::Settled)),
        [(2 * LENGTH, LENGTH, None)]
    );
    // After a failure, only what was not equal, or has another digest now, is compared again.
    let step = run.send_failed(PartId(1), 1000, connection_lost());
    assert!(matches!(step, Step::Recover { .. }), "{step:?}");
    run.handle(Event::Recovered);
    run.handle(Event::Begun);
    let other = Range {
        digest: Digest::of(Algorithm::Md5, b"other"),
        ..range(3)
    };
    let answer = Answer {
        ranges: vec![range(0), range(2), other],
        ..held(&[1])
    };
    let step = run.handle(Event::Located(answer));
    assert_eq!(step, Step::CompareRange(range(2)));
    let step = run.handle(Event::Compared { equal: false });
    assert_eq!(step, Step::CompareRange(other));
    run.handle(Event::Compared { equal: false });
    let mut sent = sends(run.handle(Event::Settled));
    sent.truncate(1);
    assert_eq!(sent, [(2 * LENGTH, LENGTH, None)]);
}

#[test]
fn a_source_that_is_read_at_one_place_goes_section_by_section() {
    let mut run = Run::locating_by(by_sections(0));
    run.handle(Event::Located(held(&[1])));
    let first = run.handle(Event::Settled);
    assert_eq!(first, send(1, 0, LENGTH, None));
    let step = run.sent(PartId(1), LENGTH, Outcome::Accepted(held(&[0, 1])));
    assert!(
        matches!(step, Step::Settle { offset, .. } if offset == 2 * LENGTH),
        "{step:?}"
    );
    assert_eq!(
        run.handle(Event::Settled),
        send(2, 2 * LENGTH, LENGTH, None)
    );
    run.send_failed(PartId(2), 2 * LENGTH + 5, connection_lost());
    run.handle(Event::Recovered);
    run.handle(Event::Begun);
    run.handle(Event::Located(held(&[0, 1])));
    assert_eq!(
        run.handle(Event::Settled),
        send(3, 2 * LENGTH, LENGTH, None)
    );
}
