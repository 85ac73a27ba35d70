//! Receivers that are killed while parts come, at any time and at each point where something has just become durable.
//! RESUP_TEST_RUNS makes the random test longer.

mod common;

use std::thread;
use std::time::Duration;

use common::parts::{end, locate, ranges, take};
use common::{begin, digest_hex, Receiver, Reply, Upload};
use resup_test_support::{runs, seed, tools};

#[test]
fn a_crash_at_a_commit_point_of_a_part_loses_nothing_that_was_confirmed() {
    for (point, is_there) in [
        ("after-write", false),
        ("after-sync", false),
        ("before-commit", false),
        ("after-group", true),
        ("after-commit", true),
    ] {
        // Behind a gap, and where it closes one.
        for (from, to, offset) in [(500, 600, 100), (100, 300, 400)] {
            let mut receiver = Receiver::start(&[]);
            let file = Upload::new("a", 1000);
            let id = locate(&receiver, &file).id();
            take(&receiver, &file, &id, 0, 100);
            take(&receiver, &file, &id, 300, 400);
            take(&receiver, &file, &id, 800, 900);
            receiver.kill_and_restart_crashing(point);
            let mut stream = begin(&receiver, &file.part(&id, "a", from, to), to - from);
            let closing = file.part(&id, "a", from, to).closing();
            let _ = std::io::Write::write_all(&mut stream, &closing);
            assert!(Reply::try_read(&mut stream).is_none(), "{point}");
            receiver.wait();
            receiver.kill_and_restart();
            let found = locate(&receiver, &file);
            let due = if is_there { offset } else { 100 };
            assert_eq!(found.offset(), due, "{point} {from}");
            let mut left = vec![(300, 400), (800, 900)];
            if is_there {
                left.push((from, to));
            }
            left.retain(|(from, _)| *from as u64 >= due);
            left.sort_unstable();
            assert_eq!(ranges(&found, &file), left, "{point} {from}");
            for (from, to) in [(100, 300), (400, 500), (500, 600), (600, 800), (900, 1000)] {
                take(&receiver, &file, &id, from, to);
            }
            end(&receiver, &file, &id);
        }
    }
}

#[test]
fn a_crash_while_a_range_is_replaced_leaves_no_wrong_digest() {
    for point in ["before-commit", "after-group", "after-write"] {
        let mut receiver = Receiver::start(&[]);
        let file = Upload::new("a", 1000);
        let id = locate(&receiver, &file).id();
        take(&receiver, &file, &id, 300, 600);
        receiver.kill_and_restart_crashing(point);
        let mut other = file.clone();
        other.content.fill(0);
        let mut stream = begin(&receiver, &other.part(&id, "a", 400, 500), 100);
        let closing = other.part(&id, "a", 400, 500).closing();
        let _ = std::io::Write::write_all(&mut stream, &closing);
        assert!(Reply::try_read(&mut stream).is_none(), "{point}");
        receiver.kill_and_restart();
        // The helper compares the digests of the ranges; here they must be those of the bytes on the disk.
        let stored = std::fs::read(receiver.partial(&id)).unwrap();
        let found = receiver.locate(&file.clone().with("digests", "blake3"));
        for range in found.json["ranges"].as_array().unwrap() {
            let bound = |name: &str| range[name].as_u64().unwrap() as usize;
            let held = &stored[bound("from")..bound("to")];
            assert_eq!(range["blake3"], digest_hex("blake3", held), "{point}");
        }
    }
}

#[test]
fn a_killed_receiver_has_all_parts_that_it_has_confirmed() {
    let runs: usize = runs::count(12);
    let mut rng = seed::rng(seed::seed());
    let points = [
        "after-write",
        "after-sync",
        "before-commit",
        "after-group",
        "after-commit",
    ];
    let mut receiver = Receiver::start(&[]);
    for run in 0..runs {
        let file = Upload::new(&format!("{run}"), rng.usize(1000..400_000));
        let id = locate(&receiver, &file).id();
        let size = file.content.len();
        let step = rng.usize(1..=size).div_ceil(5);
        let mut bounds: Vec<_> = (0..size.div_ceil(step))
            .map(|n| (n * step, size.min((n + 1) * step)))
            .collect();
        rng.shuffle(&mut bounds);
        let plan = match rng.bool() {
            true => format!("{}:{}", rng.choice(points).unwrap(), rng.u32(1..8)),
            false => String::new(),
        };
        receiver.kill_and_restart_crashing(&plan);
        let (pid, delay) = (receiver.pid(), Duration::from_micros(rng.u64(..40_000)));
        let is_random = plan.is_empty();
        let killer = thread::spawn(move || {
            thread::sleep(delay);
            is_random.then(|| tools::signal(pid, "KILL"))
        });
        let confirmed: Vec<_> = thread::scope(|scope| {
            let slots = bounds.chunks(bounds.len().div_ceil(4)).map(|bounds| {
                let (receiver, file, id) = (&receiver, &file, &id);
                scope.spawn(move || send_until_it_dies(receiver, file, id, bounds))
            });
            let slots: Vec<_> = slots.collect();
            let slots = slots.into_iter();
            slots.flat_map(|slot| slot.join().unwrap()).collect()
        });
        killer.join().unwrap();
        receiver.kill_and_restart();
        let found = locate(&receiver, &file);
        let held = ranges(&found, &file);
        let offset = found.offset() as usize;
        let is_held = |from: usize, to: usize| {
            to <= offset || held.iter().any(|(first, end)| *first <= from && to <= *end)
        };
        for (from, to) in &confirmed {
            assert!(is_held(*from, *to), "{plan} {from} {to} {offset} {held:?}");
        }
        // The rest, as a client would send it.
        let mut from = offset;
        for (first, end) in held.into_iter().chain([(size, size)]) {
            take(&receiver, &file, &id, from, first);
            from = end;
        }
        end(&receiver, &file, &id);
    }
}

/// Sends parts until the receiver dies. Returns those that it has confirmed.
fn send_until_it_dies(
    receiver: &Receiver,
    file: &Upload,
    id: &str,
    bounds: &[(usize, usize)],
) -> Vec<(usize, usize)> {
    let confirmed = bounds.iter().map_while(|(from, to)| {
        let mut stream = std::net::TcpStream::connect(receiver.address).ok()?;
        let part = file.part(id, "run", *from, *to).build();
        let _ = std::io::Write::write_all(&mut stream, &part);
        let reply = Reply::try_read(&mut stream)?;
        assert_eq!(reply.status, 200, "{:?}", reply.json);
        Some((*from, *to))
    });
    confirmed.collect()
}
