//! Parts at the same time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use anyhow::{ensure, Context, Result};

use crate::checks::broken::keeps_broken_requests;
use crate::checks::check::{Check, PARTS};
use crate::checks::newer::{new_run, with_parts, Extent};
use crate::connection::Connection;
use crate::file::TestFile;
use crate::probe::Probe;
use crate::send::SendRequest;
use crate::verdict::{not_supported, pass, Outcome};

pub const CHECKS: &[Check] = &[
    Check {
        id: "parts-at-once",
        section: PARTS,
        holds: "as many parts of one run as the response says are taken at a time",
        run: |probe| with_parts(probe, at_once),
    },
    Check {
        id: "parts-too-many",
        section: PARTS,
        holds: "a part beyond them gets 429, and the others go on",
        run: |probe| with_parts(probe, too_many),
    },
    Check {
        id: "parts-other-run",
        section: PARTS,
        holds: "while a part arrives, a send without part and a part of another run get 423",
        run: |probe| with_parts(probe, other_run),
    },
    Check {
        id: "parts-dead-run",
        section: PARTS,
        holds: "another run replaces one that is silent, within about 2 seconds",
        run: |probe| with_parts(probe, dead_run),
    },
    Check {
        id: "parts-overlap",
        section: PARTS,
        holds:
            "a part that overlaps one of its own run that is still at work ends that, and is taken",
        run: |probe| with_parts(probe, overlap),
    },
];

/// The largest number of parts at a time that is checked.
const MAX_CHECKED: u64 = 16;
const TOO_MANY: &str = "it takes too many parts at a time to be checked";
const COMPLETE_ONLY: &str =
    "the receiver seems to see only complete bodies, so it cannot see who is sending";
/// The longest time for a takeover: 2 seconds by the protocol, and time for a slow machine.
const TAKEOVER: Duration = Duration::from_secs(6);

/// Begins parts of one run that together are the first `count` of `of` equal parts of a file. Returns the
/// connections with the rest of what is to be sent.
fn begin_parts(
    probe: &Probe,
    (file, id): (&TestFile, &str),
    (count, of): (u64, u64),
    run: &str,
) -> Result<Vec<(Connection, Vec<u8>)>> {
    let begin = |number: u64| {
        let (from, to) = (file.at(number, of), file.at(number + 1, of));
        let part = SendRequest::part(file, id, (from, to), run);
        probe.begin_send(&part, (to - from) / 2)
    };
    (0..count).map(begin).collect()
}

/// Sends the rest of parts, and checks that they are taken.
fn finish_parts(parts: Vec<(Connection, Vec<u8>)>) -> Result<()> {
    for (mut connection, rest) in parts {
        connection.write(&rest)?;
        let response = connection
            .read_response()
            .and_then(|response| response.expect(200));
        response.context("a part beside others")?;
    }
    Ok(())
}

fn at_once(probe: &Probe, file: &TestFile, id: &str, parts: u64) -> Outcome {
    if parts > MAX_CHECKED {
        return not_supported(TOO_MANY);
    }
    let mut begun = begin_parts(probe, (file, id), (parts, parts), &new_run())?;
    // A receiver that takes one part after the other does not come to the last one.
    begun.reverse();
    finish_parts(begun)?;
    probe.locate(file)?.expect_partial(file.size())?;
    let last = SendRequest::of(file, id, file.size(), file.size());
    probe.send(&last)?.expect_complete(file.size())?;
    pass()
}

fn too_many(probe: &Probe, file: &TestFile, id: &str, parts: u64) -> Outcome {
    if parts > MAX_CHECKED {
        return not_supported(TOO_MANY);
    }
    if !keeps_broken_requests(probe)? {
        return not_supported(COMPLETE_ONLY);
    }
    let (run, count) = (new_run(), parts + 1);
    let others = begin_parts(probe, (file, id), (parts, count), &run)?;
    sleep(Duration::from_millis(300));
    let mut hasty = probe.for_thread();
    hasty.patience = Duration::ZERO;
    let range = (file.at(parts, count), file.size());
    let part = SendRequest::part(file, id, range, &run);
    let response = hasty.send(&part)?;
    ensure!(
        response.status == 429,
        "{parts} parts are under way; expected 429, the response is {}",
        response.summary()
    );
    finish_parts(others)?;
    probe.send(&part)?.expect(200)?;
    let last = SendRequest::of(file, id, file.size(), file.size());
    probe.send(&last)?.expect_complete(file.size())?;
    pass()
}

fn other_run(probe: &Probe, file: &TestFile, id: &str, _: u64) -> Outcome {
    if !keeps_broken_requests(probe)? {
        return not_supported(COMPLETE_ONLY);
    }
    let half = file.at(1, 2);
    let first = SendRequest::part(file, id, (half, file.size()), &new_run());
    let (mut connection, rest) = probe.begin_send(&first, 1)?;
    let (done, others) = (AtomicBool::new(false), probe.for_thread());
    let write_slowly = || -> Result<Duration> {
        let (mut last, mut longest_pause) = (Instant::now(), Duration::ZERO);
        let (slow, end) = rest.split_at((rest.len() / 2).min((file.size() - half) as usize - 1));
        let mut pieces = slow.chunks((slow.len() / 200).max(1));
        while !done.load(Ordering::Relaxed) {
            connection.write(pieces.next().unwrap_or_default())?;
            longest_pause = longest_pause.max(last.elapsed());
            last = Instant::now();
            sleep(Duration::from_millis(50));
        }
        connection.write(&[pieces.collect::<Vec<_>>().concat().as_slice(), end].concat())?;
        connection.read_response()?.expect(200)?;
        Ok(longest_pause)
    };
    let (first, other_run, send) = scope(|scope| {
        let first = scope.spawn(write_slowly);
        sleep(Duration::from_millis(300));
        let send = SendRequest::of(file, id, 0, file.at(1, 4));
        let part = SendRequest::part(file, id, (0, file.at(1, 4)), &new_run());
        let responses = (others.send(&part), others.send(&send));
        done.store(true, Ordering::Relaxed);
        (
            first.join().expect("the first run's thread"),
            responses.0,
            responses.1,
        )
    });
    let longest_pause = first.context("the first run, which was sending all the time")?;
    if longest_pause > Duration::from_millis(500) {
        return not_supported("this machine is too busy to send every half second");
    }
    other_run.context("a part of another run")?.expect(423)?;
    send.context("a send without part")?.expect(423)?;
    probe.finish(file)?;
    pass()
}

fn dead_run(probe: &Probe, file: &TestFile, id: &str, _: u64) -> Outcome {
    let silent = begin_parts(probe, (file, id), (2, 4), &new_run())?;
    sleep(Duration::from_millis(300));
    let start = Instant::now();
    let range = (file.at(3, 4), file.size());
    let part = SendRequest::part(file, id, range, &new_run());
    probe
        .send(&part)?
        .expect(200)
        .context("a part of a new run")?;
    ensure!(
        start.elapsed() < TAKEOVER,
        "it took {:.1} s to replace a silent run",
        start.elapsed().as_secs_f64()
    );
    let held = Extent::find(probe, file)?;
    let most = file.at(1, 4) / 2;
    ensure!(
        held.offset <= most,
        "{held:?} is held, but only half of the first quarter was sent"
    );
    probe.finish(file)?;
    drop(silent);
    pass()
}

fn overlap(probe: &Probe, file: &TestFile, id: &str, _: u64) -> Outcome {
    let run = new_run();
    let [quarter, half] = [file.at(1, 4), file.at(1, 2)];
    let (silent, _) = probe.begin_send(
        &SendRequest::part(file, id, (quarter, half), &run),
        quarter / 2,
    )?;
    sleep(Duration::from_millis(300));
    let start = Instant::now();
    // It begins before the other one, and ends within it.
    let overlapping = (file.at(1, 8), file.at(3, 8));
    let part = SendRequest::part(file, id, overlapping, &run);
    probe
        .send(&part)?
        .expect(200)
        .context("a part that overlaps one that is still at work")?;
    ensure!(
        start.elapsed() < Duration::from_secs(2),
        "it took {:.1} s to end an older part of the run",
        start.elapsed().as_secs_f64()
    );
    for range in [
        (half, file.size()),
        (0, file.at(1, 8)),
        (file.at(3, 8), half),
    ] {
        let part = SendRequest::part(file, id, range, &run);
        let response = probe.send(&part)?;
        // What the older part brought may be behind the offset by now, and more than this one's beginning.
        let offset = response.offset().unwrap_or_default();
        if response.status == 409 && (range.0 + 1..range.1).contains(&offset) {
            let rest = SendRequest::part(file, id, (offset, range.1), &run);
            probe.send(&rest)?.expect(200)?;
        } else {
            response.expect(200)?;
        }
    }
    let last = SendRequest::of(file, id, file.size(), file.size());
    probe.send(&last)?.expect_complete(file.size())?;
    drop(silent);
    pass()
}
