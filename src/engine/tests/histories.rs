//! Random histories: 100 000 runs with faults of every kind, against a server that only counts
//! bytes.
//!
//! Each run has to end, before much more than the file was sent. It may not succeed with another
//! file at the server where a digest could show that. No byte that the server has confirmed is sent
//! again, and none is skipped.

use resup_test_support::{runs, seed};

use super::world::{Habit, Held, World};
use super::*;

/// How many runs are made; `RESUP_TEST_RUNS` multiplies them.
const RUNS: u64 = 100_000;
/// The most steps that a run may take.
const MAX_STEPS: u32 = 20_000;
/// How often the bytes of the file may be sent in a run.
const MAX_COPIES: u64 = 40;

/// Makes one run; gives its result.
fn run(case: u64, world: &mut World) -> Result<(), Error> {
    let (mut transfer, mut step) = Transfer::new(Plan {
        size: world.stream.as_ref().map_or(world.size, |_| SIZE_UNKNOWN),
        hashing: world.hashing,
        digest_first: world.hashing && case.is_multiple_of(5),
        retry: RetryPolicy {
            limit: 6,
            ..plan().retry
        },
        segment_size: match case % 3 {
            0 => SegmentSize::Unlimited,
            1 => SegmentSize::Fixed(world.rng.u64(1..150).max(world.size / 100)),
            _ => SegmentSize::Automatic,
        },
        ..plan()
    });
    let mut now = Instant::now();
    for _ in 0..MAX_STEPS {
        let event = match step {
            Step::Finish(result) => return result,
            Step::Begin => Event::Begun,
            Step::DigestWhole => Event::Digested,
            step @ (Step::Connect
            | Step::Store
            | Step::CompareRange(_)
            | Step::ReadBack { .. }
            | Step::SendParts { .. }) => unreachable!("not for this server: {step:?}"),
            Step::Locate { .. } => match world.locate() {
                Ok(answer) => Event::Located(answer),
                Err(stop) => Event::Stopped(stop),
            },
            Step::Compare { length, digest } => Event::Compared {
                equal: digest
                    == Held {
                        length,
                        right: length,
                    }
                    .digest(),
            },
            Step::Settle { offset, .. } => world.settle(offset),
            Step::Fill { offset, most } => world.fill(offset, most),
            Step::Send {
                part,
                offset,
                length,
                restart,
            } => {
                let (read, result) = world.send(offset, length, restart);
                // What the program interrupts is not the engine's waste.
                if result != Err(Stop::Interrupted) {
                    world.sent += read - offset;
                }
                let (sent, size) = (world.sent, world.size);
                assert!(sent <= MAX_COPIES * size, "{sent} bytes of {size}");
                Event::Sent { part, read, result }
            }
            Step::Recheck => Event::Rechecked,
            Step::Conclude { .. } => Event::Concluded,
            Step::Recover { .. } => Event::Recovered,
        };
        now += Duration::from_millis(world.rng.u64(..100));
        step = transfer.handle(event, now, world.rng.u64(..));
    }
    panic!("the run does not end");
}

#[test]
fn every_history_ends_and_no_wrong_file_is_complete() {
    let seed = seed::seed();
    let factor = runs::count(1);
    let (mut succeeded, mut proved, mut streams) = (0, 0, 0);
    for case in 0..RUNS * factor {
        let mut world = World::new(seed::rng(seed.wrapping_add(case)));
        if case.is_multiple_of(4) {
            world.read_a_stream();
        }
        let unwound = std::panic::AssertUnwindSafe(|| run(case, &mut world));
        let result = std::panic::catch_unwind(unwound).unwrap_or_else(|_| panic!("case {case}"));
        if let Err(error) = &result {
            let kind = error.kind();
            assert_ne!(kind, ErrorKind::Internal, "case {case}: {error}");
            let is_lie = matches!(error, Error::SentByAnother { .. } | Error::BadOffset { .. });
            assert!(world.server.lies || !is_lie, "case {case}: no lie, {error}");
            let takes_all = matches!(world.server.habit, Habit::TakesUpTo(_));
            assert!(
                !takes_all || world.was_foreign || world.server.lies,
                "case {case}: it takes every byte, {error}"
            );
            // Bytes of another file are no failure: a proof shows them, and they are replaced.
            let is_damage = kind == ErrorKind::DigestMismatch;
            let blameless = world.damages == 0 && !world.was_foreign && !world.server.lies;
            assert!(!blameless || !is_damage, "case {case}: no damage, {error}");
            continue;
        }
        succeeded += 1;
        if world.server.lies {
            continue;
        }
        streams += u64::from(world.stream.is_some());
        assert!(world.server.complete, "case {case}: not complete");
        assert_eq!(world.server.held.length, world.size, "case {case}");
        if world.hashing {
            proved += 1;
            // Without a proof, a file that was complete before the run is believed. If the server
            // does not compare digests either, so is every other file.
            let believed = world.server.proofs < 4 && (world.was_complete || !world.server.checks);
            assert!(
                world.server.held.is_right() || believed,
                "case {case}: a wrong file"
            );
        }
    }
    println!(
        "{succeeded} of {} succeeded, {proved} with digests, {streams} of streams without a size",
        RUNS * factor
    );
    assert!(
        succeeded > RUNS / 10 && proved > RUNS / 20 && streams > RUNS / 20,
        "{succeeded} {proved} {streams}"
    );
}

#[test]
fn foreign_bytes_that_are_proved_are_replaced_and_no_failure() {
    let seed = seed::seed();
    for case in 0..2000 {
        let mut rng = seed::rng(seed.wrapping_add(case));
        let mut world = World::new(rng.fork());
        world.size = rng.u64(2..300);
        world.server.held = Held::nothing();
        world.server.held.append(rng.u64(1..world.size), true);
        world.server.complete = false;
        (world.hashing, world.server.proofs, world.server.lies) = (true, 4, false);
        (world.server.habit, world.rarity) = (Habit::Accepts, u64::MAX);
        assert_eq!(run(1, &mut world), Ok(()), "case {case}");
        assert!(world.server.held.is_right(), "case {case}");
    }
}
