//! The plan of parts: a table of what comes next, and random histories of several parts under way.

use std::time::Duration;

use resup_test_support::seed;

use super::*;

const MIB: u64 = 1 << 20;
/// The length of the first part of 100 MiB.
const FIRST: u64 = 100 * MIB / 8;

fn parts(size: u64, offered: u64) -> Parts {
    let mut parts = Parts::new(size, MOST);
    parts.offer(offered);
    parts
}

fn held(list: &[(u64, u64)]) -> Ranges {
    let mut ranges = Ranges::default();
    for (from, to) in list {
        ranges.insert(*from, *to);
    }
    ranges
}

#[test]
fn parts_are_sent_where_they_gain_something() {
    let size = 100 * MIB;
    for (most, offered, bytes, begins) in [
        (6, 6, vec![], true),
        (6, 2, vec![(0, 98 * MIB)], true),
        // Too little is left, or nothing.
        (6, 6, vec![(0, 98 * MIB + 1)], false),
        (6, 6, vec![(0, size)], false),
        // The server takes none, or the source has only one reader.
        (6, 0, vec![], false),
        (6, 1, vec![], false),
        (0, 6, vec![(0, 5), (7, 9)], false),
        // The program wants one connection; a gap needs parts.
        (1, 6, vec![], false),
        (1, 6, vec![(0, 5), (7, 9)], true),
        (6, 6, vec![(0, 98 * MIB), (99 * MIB, size)], true),
    ] {
        let mut parts = Parts::new(size, most);
        parts.offer(offered);
        parts.hold(held(&bytes));
        let begun = parts.begin(Instant::now()).is_ok();
        assert_eq!(begun, begins, "{most} {offered} {bytes:?}");
    }
}

/// Plans parts until there is no more to plan; gives where they are.
fn plan(parts: &mut Parts, now: Instant) -> Vec<(u64, u64)> {
    let last = parts.under_way.iter().map(|it| it.part.0 + 1).max();
    let next = |number| parts.next(PartId(number), now, |length| length);
    let planned = (last.unwrap_or_default()..).map_while(next);
    planned.map(|it| (it.offset, it.length)).collect()
}

/// Measures twelve seconds in which each connection brings as much as the first.
fn measure(parts: &mut Parts, start: Instant) -> Instant {
    let mut sent = 0;
    for tenth in 0..120 {
        let now = start + Duration::from_millis(tenth * 100);
        parts.measure(now, sent, 0);
        sent += parts.ramp.slots() as u64 * 10_000;
    }
    start + Duration::from_secs(12)
}

#[test]
fn the_first_gap_comes_first() {
    let mut parts = parts(100 * MIB, 3);
    parts.hold(held(&[(0, 100), (200, 300), (400, 500)]));
    let now = Instant::now();
    assert_eq!(parts.begin(now), Ok(()));
    assert_eq!(
        plan(&mut parts, now),
        [(100, 100)],
        "one connection at first"
    );
    measure(&mut parts, now);
    assert_eq!(plan(&mut parts, now), [(300, 100), (500, 512 * 1024)]);
    let first = parts.end(PartId(0)).unwrap();
    assert_eq!(parts.end(PartId(0)), None);
    parts.accept(first, now + Duration::from_secs(1));
    assert_eq!(*parts.held(), held(&[(0, 300), (400, 500)]));
    assert!(!parts.is_done());
}

#[test]
fn a_part_that_failed_is_sent_again_and_the_others_go_on() {
    let mut parts = parts(100 * MIB, 6);
    let start = Instant::now();
    parts.begin(start).unwrap();
    let now = measure(&mut parts, start);
    let planned = plan(&mut parts, now);
    assert_eq!(planned.len(), 6);
    let lost = parts.end(PartId(1)).unwrap();
    assert!(
        parts.lose(lost, lost.offset, PartId(9), now),
        "others go on"
    );
    assert_eq!(plan(&mut parts, now), [], "on fewer connections");
    let accepted = parts.end(PartId(0)).unwrap();
    parts.accept(accepted, now);
    assert_eq!(plan(&mut parts, now), [planned[1]]);
    for (left, number) in [(true, 2), (true, 3), (true, 4), (true, 5)] {
        let lost = parts.end(PartId(number)).unwrap();
        assert_eq!(parts.lose(lost, lost.offset, PartId(9), now), left);
    }
    assert_eq!(parts.under_way.len(), 1);
    let last = parts.under_way[0];
    parts.end(last.part).unwrap();
    assert!(
        !parts.lose(last, last.offset, PartId(9), now),
        "none is left"
    );
}

#[test]
fn a_fast_link_gets_the_rest_in_one_send() {
    for (milliseconds, is_over) in [(100, true), (1500, true), (5000, false)] {
        let mut parts = parts(100 * MIB, 6);
        let start = Instant::now();
        parts.begin(start).unwrap();
        let planned = plan(&mut parts, start);
        assert_eq!(planned, [(0, FIRST)]);
        let part = parts.end(PartId(0)).unwrap();
        parts.accept(part, start + Duration::from_millis(milliseconds));
        assert_eq!(parts.is_over(start), is_over, "{milliseconds} ms");
        let begun = parts.begin(start);
        assert_eq!(begun.err(), is_over.then_some(100 * MIB - FIRST));
    }
}

#[test]
fn the_server_and_the_program_limit_the_number() {
    for (most, offered, planned) in [(6, 2, 2), (3, 100, 3), (100, 100, 6), (6, u64::MAX, 6)] {
        let mut parts = Parts::new(100 * MIB, most);
        parts.offer(offered);
        let start = Instant::now();
        parts.begin(start).unwrap();
        let now = measure(&mut parts, start);
        assert_eq!(plan(&mut parts, now).len(), planned, "{most} {offered}");
        parts.offer(2);
        parts.end(PartId(0)).unwrap();
        assert_eq!(plan(&mut parts, now).len(), usize::from(planned == 2));
    }
}

/// Sends a file in parts with random successes, failures and measures.
fn history(seed: u64) {
    let mut rng = seed::rng(seed);
    let size = rng.u64(1..40 * MIB);
    let most = rng.usize(1..9);
    let mut offered = rng.u64(2..9);
    let mut parts = Parts::new(size, most);
    parts.offer(offered);
    let mut at_server = Ranges::up_to(rng.u64(..size));
    for _ in 0..rng.u64(..4) {
        let from = rng.u64(..size);
        at_server.insert(from, (from + rng.u64(..MIB)).min(size));
    }
    parts.hold(at_server.clone());
    let mut now = Instant::now();
    if parts.begin(now).is_err() {
        return;
    }
    let limit = rng.u64(1000..4 * MIB).max(size / 500);
    let (mut number, mut sent, mut failures) = (0, 0, 0);
    for _ in 0..100_000 {
        while let Some(next) = parts.next(PartId(number), now, |length| length.min(limit)) {
            number += 1;
            let bound = most.min(MOST).min(offered as usize);
            assert!(parts.under_way.len() <= bound, "too many");
            assert!(next.length > 0 && next.length <= limit);
            let mut with = at_server.clone();
            for other in &parts.under_way {
                let before = with.total();
                with.insert(other.offset, other.offset + other.length);
                assert_eq!(with.total(), before + other.length, "sent twice");
            }
        }
        if parts.is_idle() {
            break;
        }
        now += Duration::from_millis(rng.u64(..2000));
        let place = rng.usize(..parts.under_way.len());
        let part = parts.under_way[place];
        sent += rng.u64(..=part.length);
        match rng.u8(..8) {
            0 => parts.measure(now, sent, rng.u64(..MIB)),
            1 => {
                // The number may be lowered while more are under way.
                offered = rng.u64(2..9).max(parts.under_way.len() as u64);
                parts.offer(offered);
            }
            2 | 3 if failures < 50 => {
                parts.end(part.part).unwrap();
                failures += 1;
                if !parts.lose(part, part.offset, PartId(number), now) {
                    assert!(parts.is_idle(), "parts are under way");
                    if parts.begin(now).is_err() {
                        return;
                    }
                }
            }
            _ => {
                parts.end(part.part).unwrap();
                at_server.insert(part.offset, part.offset + part.length);
                parts.accept(part, now);
                assert_eq!(*parts.held(), at_server);
            }
        }
    }
    assert!(parts.is_done(), "bytes were skipped");
    assert_eq!(at_server, Ranges::up_to(size));
}

#[test]
fn every_history_sends_each_byte_once() {
    let seed = seed::seed();
    for case in 0..3000 {
        let run = || history(seed.wrapping_add(case));
        std::panic::catch_unwind(run).unwrap_or_else(|_| panic!("case {case}"));
    }
}
