//! Random histories with parts: several sends are under way, with faults of every kind.
//!
//! What holds for [`histories`](super::histories) holds here, too; and there are never more parts at a
//! time than the server and the program allow.

use resup_test_support::{runs, seed};

use super::parts_world::{source_digest, World};
use super::*;

/// How many runs are made; `RESUP_TEST_RUNS` multiplies them.
const RUNS: u64 = 10_000;
/// The most steps that a run may take.
const MAX_STEPS: u32 = 20_000;
/// How often the bytes of the file may be sent in a run.
const MAX_COPIES: u64 = 40;

/// Makes one run; gives its result.
fn run(world: &mut World) -> Result<(), Error> {
    let (mut transfer, mut step) = Transfer::new(Plan {
        size: world.size,
        connections: world.connections,
        retry: RetryPolicy {
            limit: 6,
            ..plan().retry
        },
        segment_size: match world.rng.u8(..4) {
            0 => SegmentSize::Fixed(world.rng.u64(1..world.size + 2).max(world.size / 60 + 1)),
            1 => SegmentSize::Automatic,
            _ => SegmentSize::Unlimited,
        },
        ..plan()
    });
    let mut now = Instant::now();
    // Whether the program wants a pause while parts are under way.
    let mut pauses = false;
    let mut measured = 0;
    for _ in 0..MAX_STEPS {
        let event = match step {
            Step::Finish(result) => return result,
            Step::Begin => {
                pauses = false;
                Event::Begun
            }
            Step::Locate { .. } => match world.locate() {
                Ok(answer) => Event::Located(answer),
                Err(stop) => Event::Stopped(stop),
            },
            Step::Compare { length, digest } => Event::Compared {
                equal: world.compare(0, length, digest),
            },
            Step::CompareRange(range) => Event::Compared {
                equal: world.compare(range.from, range.to, range.digest),
            },
            Step::Settle { offset, held, .. } => {
                assert!(offset <= held && held <= world.size);
                Event::Settled
            }
            Step::Send {
                part,
                offset,
                length,
                restart,
            } => {
                let (read, result) = world.send(offset, length, restart);
                Event::Sent { part, read, result }
            }
            Step::SendParts { sends, abort } => {
                world.begin(sends);
                pauses |= world.rng.u8(..100) == 0;
                if !abort && !pauses && world.rng.u8(..8) > 0 {
                    // All that is under way moves on.
                    measured += 100_000 * world.under_way.len() as u64;
                    Event::Measured {
                        sent: measured,
                        under_way: world.rng.u64(..1 << 20),
                    }
                } else {
                    let (part, read, result) = world.end(abort || pauses);
                    let result = match pauses {
                        true => Err(Stop::Interrupted),
                        false => result,
                    };
                    Event::Sent { part, read, result }
                }
            }
            Step::Recheck => Event::Rechecked,
            Step::Conclude { .. } => Event::Concluded,
            Step::Recover { .. } => Event::Recovered,
            other => unreachable!("{other:?}"),
        };
        let (sent, size) = (world.sent, world.size);
        assert!(sent <= MAX_COPIES * size, "{sent} bytes of {size}");
        now += Duration::from_millis(world.rng.u64(..500));
        step = transfer.handle(event, now, world.rng.u64(..));
    }
    panic!("the run does not end");
}

#[test]
fn every_history_with_parts_ends_and_no_wrong_file_is_complete() {
    let seed = seed::seed();
    let factor = runs::count(1);
    let (mut succeeded, mut at_a_time) = (0, [0; 7]);
    for case in 0..RUNS * factor {
        let mut world = World::new(seed::rng(seed.wrapping_add(case)));
        let unwound = std::panic::AssertUnwindSafe(|| run(&mut world));
        let result = std::panic::catch_unwind(unwound).unwrap_or_else(|_| panic!("case {case}"));
        at_a_time[world.most_slots] += 1;
        match result {
            Err(error) => {
                assert_ne!(error.kind(), ErrorKind::Internal, "case {case}: {error}");
            }
            Ok(()) => {
                succeeded += 1;
                let is_whole = world.complete && world.held.prefix() == world.size;
                assert!(
                    world.lies || is_whole && world.held.is_right(),
                    "case {case}"
                );
            }
        }
    }
    println!(
        "{succeeded} of {} succeeded; parts at a time: {at_a_time:?}",
        RUNS * factor
    );
    assert!(succeeded > RUNS / 4, "{succeeded}");
    assert!(at_a_time[6] > RUNS / 100, "{at_a_time:?}");
}

#[test]
fn without_faults_each_byte_is_sent_once() {
    let seed = seed::seed();
    for case in 0..1000 {
        let mut world = World::new(seed::rng(seed.wrapping_add(case)));
        (world.lies, world.rarity, world.proofs) = (false, u64::MAX, 4);
        let before = world.held.clone();
        assert_eq!(run(&mut world), Ok(()), "case {case}");
        assert!(world.held.is_right(), "case {case}");
        if before.is_right() {
            // A command of the program may break parts.
            let held: u64 = before.ranges().iter().map(|(from, to)| to - from).sum();
            assert!(world.sent >= world.size - held, "case {case}: skipped");
        }
        assert_eq!(
            source_digest(0, world.size),
            world.held.digest(0, world.size)
        );
    }
}
