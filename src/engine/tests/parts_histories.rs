//! Random histories with parts: several sends are under way, with faults of every kind.
//!
//! What holds for [`histories`](super::histories) holds here, too; and there are never more parts at a
//! time than the server and the program allow.

use resup_test_support::seed;

use super::part_runs::{self, check_histories, random_plan, Server};
use super::parts_world::{source_digest, World};
use super::*;

/// Makes one run; gives its result.
fn run(world: &mut World) -> Result<(), Error> {
    let plan = random_plan(&mut world.rng, world.size, world.connections);
    part_runs::run(world, plan)
}

#[test]
fn every_history_with_parts_ends_and_no_wrong_file_is_complete() {
    check_histories(run);
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
