//! Tests of the number of connections.

use super::*;

/// A link on which each connection is as fast as it can be, up to the link's own rate.
struct Link {
    each: u64,
    all: u64,
}

/// Sends over a link, from `from` seconds on; gives the number of connections after each second.
fn send(ramp: &mut Ramp, start: Instant, link: &Link, seconds: std::ops::Range<u64>) -> Vec<usize> {
    send_more(ramp, start, link, seconds, &mut 0)
}

/// As [`send`], after `sent` bytes.
fn send_more(
    ramp: &mut Ramp,
    start: Instant,
    link: &Link,
    seconds: std::ops::Range<u64>,
    sent: &mut u64,
) -> Vec<usize> {
    let mut slots = Vec::new();
    for tenth in seconds.start * 10..seconds.end * 10 {
        let now = start + Duration::from_millis(tenth * 100);
        ramp.observe(now, *sent, u64::MAX);
        *sent += (link.each * ramp.slots() as u64).min(link.all) / 10;
        if tenth % 10 == 9 {
            slots.push(ramp.slots());
        }
    }
    slots
}

fn ramp(most: usize) -> Ramp {
    let mut ramp = Ramp::default();
    ramp.limit(most);
    ramp
}

const LOSSY: Link = Link {
    each: 160_000,
    all: u64::MAX,
};

#[test]
fn a_lossy_link_gets_all_connections_within_four_seconds() {
    let slots = send(&mut ramp(6), Instant::now(), &LOSSY, 0..4);
    assert_eq!(slots, [1, 3, 6, 6]);
}

#[test]
fn there_are_no_more_than_the_limit() {
    for most in 1..=6 {
        let mut ramp = ramp(most);
        let slots = send(&mut ramp, Instant::now(), &LOSSY, 0..20);
        assert_eq!(slots.into_iter().max(), Some(most));
        ramp.limit(1);
        assert_eq!(ramp.slots(), 1);
    }
}

#[test]
fn a_full_link_goes_back_to_one_and_tries_seldom() {
    let full = Link {
        each: 5_000_000,
        all: 5_000_000,
    };
    let slots = send(&mut ramp(6), Instant::now(), &full, 0..200);
    let tries = slots.windows(2).filter(|pair| pair[0] < pair[1]).count();
    assert!((5..=7).contains(&tries), "{slots:?}");
    let with_one = slots.iter().filter(|slots| **slots == 1).count();
    assert!(with_one > 160, "{slots:?}");
}

#[test]
fn a_fast_connection_stays_alone() {
    let fast = Link {
        each: 10_000_000,
        all: 80_000_000,
    };
    let mut ramp = ramp(6);
    let start = Instant::now();
    assert_eq!(send(&mut ramp, start, &fast, 0..60), [1; 60]);
    assert_eq!(ramp.alone(start, u64::MAX), Some(u64::MAX));
}

#[test]
fn a_connection_that_still_becomes_faster_gets_no_other() {
    let mut ramp = ramp(6);
    let start = Instant::now();
    let (mut sent, mut rate) = (0, 50_000.0_f64);
    for tenth in 0..50 {
        ramp.observe(start + Duration::from_millis(tenth * 100), sent, u64::MAX);
        assert_eq!(ramp.slots(), 1, "{tenth}");
        sent += (rate / 10.0) as u64;
        // TCP doubles what it has on the way with each round trip.
        rate = (rate * 1.3).min(12.5e6);
    }
    assert_eq!(ramp.alone(start, u64::MAX), Some(u64::MAX));
}

#[test]
fn what_a_link_carries_decides() {
    // Three connections fill it, and six bring no more.
    let link = Link {
        each: 1_000_000,
        all: 3_000_000,
    };
    let slots = send(&mut ramp(6), Instant::now(), &link, 0..15);
    assert_eq!(slots[2], 6);
    assert_eq!(slots[14], 3);
}

#[test]
fn an_upload_that_ends_soon_gets_no_other() {
    let mut ramp = ramp(6);
    let start = Instant::now();
    for tenth in 0..20 {
        let now = start + Duration::from_millis(tenth * 100);
        ramp.observe(now, tenth * 100_000, 1_900_000);
    }
    assert_eq!(ramp.slots(), 1);
    assert_eq!(ramp.alone(start, 2_000_000), Some(2_000_000));
    assert_eq!(ramp.alone(start, 2_100_000), None);
    ramp.note_part(5e6);
    assert_eq!(ramp.alone(start, 2_100_000), Some(2_100_000));
}

#[test]
fn connections_that_are_lost_together_are_one_failure() {
    let mut ramp = ramp(6);
    let start = Instant::now();
    send(&mut ramp, start, &LOSSY, 0..8);
    let at = |seconds| start + Duration::from_secs(seconds);
    for slots in [5, 4, 3, 2, 1] {
        ramp.lost(at(8));
        assert_eq!(ramp.slots(), slots);
    }
    let slots = send(&mut ramp, start, &LOSSY, 8..14);
    assert_eq!(slots[..3], [1; 3], "no new try for a while");
    assert!(slots[5] > 1, "{slots:?}");

    // Without any connection left, their number was not the reason.
    send(&mut ramp, start, &LOSSY, 14..40);
    ramp.lost(at(40));
    ramp.lost_all();
    ramp.begin();
    assert_eq!(send(&mut ramp, start, &LOSSY, 40..42), [1, 3]);
}

#[test]
fn a_second_connection_that_is_always_lost_is_tried_less_and_less() {
    let mut ramp = ramp(6);
    let start = Instant::now();
    let mut tries = Vec::new();
    for second in 0..200 {
        send(&mut ramp, start, &LOSSY, second..second + 1);
        if ramp.slots() > 1 {
            tries.push(second);
            ramp.lost(start + Duration::from_secs(second + 1));
        }
    }
    let waits: Vec<_> = tries.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!((6..=8).contains(&tries.len()), "{tries:?}");
    assert!(
        waits.windows(2).all(|pair| pair[1] > pair[0] + 1),
        "{tries:?}"
    );
}

#[test]
fn one_connection_goes_on_alone_while_no_other_is_tried() {
    let mut ramp = ramp(6);
    let now = Instant::now();
    ramp.note_part(1e6);
    assert_eq!(ramp.alone(now, u64::MAX), None);
    ramp.lost(now);
    assert_eq!(ramp.alone(now, u64::MAX), Some(3_000_000));
    assert_eq!(ramp.alone(now, 2_500_000), Some(2_500_000));
    let later = now + Duration::from_secs(1);
    assert_eq!(ramp.alone(later, u64::MAX), None, "soon there is a try");
    ramp.limit(1);
    assert_eq!(ramp.alone(later, u64::MAX), Some(u64::MAX));
}

#[test]
fn a_connection_that_was_fast_only_at_first_is_no_reason_to_stay_alone() {
    let mut ramp = ramp(6);
    let start = Instant::now();
    let burst = Link {
        each: 1_600_000,
        all: u64::MAX,
    };
    let mut sent = 0;
    let slots = send_more(&mut ramp, start, &burst, 0..2, &mut sent);
    assert_eq!(slots, [1, 3]);
    let slots = send_more(&mut ramp, start, &LOSSY, 2..10, &mut sent);
    assert_eq!(slots[3], 1, "three bring less than the one did: {slots:?}");
    assert_eq!(slots[4], 3, "but more than it does now: {slots:?}");
    assert_eq!(slots[7], 6, "{slots:?}");
}
