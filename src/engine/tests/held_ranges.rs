//! The ranges that a server holds behind a gap, as its answers to locates show them.

use super::parallel::{accepted, held, parts, plan, MIB, SHORT, SIZE};
use super::{digest, partial, proved, send, settle, Run};
use crate::engine::step::{Event, PartId, Plan, Step};
use crate::options::SegmentSize;
use crate::protocol::{Answer, Outcome, Range};

#[test]
fn ranges_count_after_their_digests_were_compared() {
    for connections in [1, 6] {
        let mut run = Run::locating_by(Plan {
            connections,
            ..plan()
        });
        let ranges = [(10, 20), (30, 40), (50, SIZE)];
        let step = run.handle(Event::Located(held(5, &ranges)));
        for (n, (from, to)) in ranges.into_iter().enumerate() {
            let digest = digest();
            let expected = Step::CompareRange(Range { from, to, digest });
            // The first step has come already.
            let step = match n {
                0 => step.clone(),
                _ => run.handle(Event::Compared { equal: true }),
            };
            assert_eq!(step, expected);
        }
        let settle = Step::Settle {
            offset: 5,
            held: 5 + 10 + 10 + (SIZE - 50),
            foreign: None,
            is_first: true,
        };
        assert_eq!(run.handle(Event::Compared { equal: true }), settle);
        // Only the gaps are sent.
        assert_eq!(run.handle(Event::Settled), parts(&[(1, 5, 5)]));
        let step = accepted(&mut run, 1, held(20, &[(30, 40), (50, SIZE)]));
        assert_eq!(step, parts(&[(2, 20, 10)]));
        let step = accepted(&mut run, 2, held(40, &[(50, SIZE)]));
        assert_eq!(step, parts(&[(3, 40, 10)]));
        let step = accepted(&mut run, 3, held(SIZE, &[]));
        assert!(matches!(step, Step::Settle { offset: SIZE, .. }));
        assert_eq!(run.handle(Event::Settled), send(4, SIZE, 0, None));
    }
}

#[test]
fn ranges_of_another_file_are_dropped() {
    let mut run = Run::locating_by(plan());
    run.handle(Event::Located(held(5, &[(10, 20), (30, 40)])));
    let step = run.handle(Event::Compared { equal: false });
    assert_eq!(step, settle(5, None, true));
    assert_eq!(run.handle(Event::Settled), send(1, 5, SHORT, None));
    let step = run.sent(
        PartId(1),
        5 + SHORT,
        Outcome::Accepted(held(5 + SHORT, &[])),
    );
    assert!(matches!(step, Step::Settle { .. }));
    assert!(matches!(run.handle(Event::Settled), Step::SendParts { .. }));
}

#[test]
fn bytes_of_another_file_are_replaced_before_there_are_parts() {
    let mut run = Run::locating_by(plan());
    let answer = proved(held(500, &[(700, 800)]));
    assert!(matches!(
        run.handle(Event::Located(answer)),
        Step::Compare { .. }
    ));
    run.handle(Event::Compared { equal: false });
    let step = run.handle(Event::Settled);
    assert_eq!(step, send(1, 0, SHORT, Some(digest())));
    run.sent(PartId(1), SHORT, Outcome::Accepted(held(SHORT, &[])));
    assert!(matches!(run.handle(Event::Settled), Step::SendParts { .. }));
}

#[test]
fn ranges_are_of_no_use_where_no_parts_are_sent() {
    const SEGMENT: u64 = 4 * MIB;
    let one = Answer {
        parts: None,
        ..held(5, &[(10, SIZE)])
    };
    for (connections, answer) in [(0, held(5, &[(10, SIZE)])), (6, one)] {
        let mut run = Run::locating_by(Plan {
            connections,
            segment_size: SegmentSize::Fixed(SEGMENT),
            ..plan()
        });
        let step = run.handle(Event::Located(answer));
        assert_eq!(step, settle(5, None, true));
        // The server drops them, and is as good as any other.
        for part in 1..9 {
            let offset = 5 + (part - 1) * SEGMENT;
            assert_eq!(
                run.handle(Event::Settled),
                send(part, offset, SEGMENT, None)
            );
            let end = offset + SEGMENT;
            let step = run.sent(PartId(part), end, Outcome::Accepted(partial(end)));
            assert_eq!(step, settle(end, None, false));
        }
    }
}
