//! Parts, one after the other.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{ensure, Context, Result};

use crate::checks::broken::NOTICE;
use crate::checks::check::{Check, PARTS};
use crate::checks::newer::{new_run, with_parts, Extent};
use crate::file::TestFile;
use crate::probe::{close, Probe};
use crate::response::Response;
use crate::send::SendRequest;
use crate::verdict::{not_supported, pass, Outcome};

pub const CHECKS: &[Check] = &[
    Check {
        id: "parts-any-order",
        section: PARTS,
        holds: "parts may come in any order; the offset is the end of what is held without a gap",
        run: |probe| with_parts(probe, any_order),
    },
    Check {
        id: "parts-ranges",
        section: PARTS,
        holds: "ranges have what is held behind the offset, in order, without overlaps, each with the digest of its bytes",
        run: |probe| with_parts(probe, ranges),
    },
    Check {
        id: "parts-end",
        section: PARTS,
        holds: "no part completes the file; a send of length 0 with the digest of the whole file does",
        run: |probe| with_parts(probe, end),
    },
    Check {
        id: "parts-wrong-end",
        section: PARTS,
        holds: "a wrong digest of the whole file after parts gets 422; the file is not complete, and can be sent again",
        run: |probe| with_parts(probe, wrong_end),
    },
    Check {
        id: "parts-wrong",
        section: PARTS,
        holds: "a part with a wrong digest gets 422, and its bytes are dropped; other parts stay",
        run: |probe| with_parts(probe, wrong),
    },
    Check {
        id: "parts-broken",
        section: PARTS,
        holds: "of a part that is cut off no other bytes are held than those that arrived",
        run: |probe| with_parts(probe, broken),
    },
    Check {
        id: "parts-repeated",
        section: PARTS,
        holds: "a part that is there already is answered as if it had been taken; one that only begins before the offset gets 409",
        run: |probe| with_parts(probe, repeated),
    },
    Check {
        id: "parts-replace",
        section: PARTS,
        holds: "a part replaces the bytes of the ranges that it reaches into",
        run: |probe| with_parts(probe, replace),
    },
    Check {
        id: "parts-next-run",
        section: PARTS,
        holds: "another run goes on with what is held, and fills the gaps",
        run: |probe| with_parts(probe, next_run),
    },
    Check {
        id: "parts-then-send",
        section: PARTS,
        holds: "a send without part that brings bytes drops the ranges, one of length 0 does not",
        run: |probe| with_parts(probe, then_send),
    },
    Check {
        id: "parts-invalid",
        section: PARTS,
        holds: "a part past the size, longer than max_segment, without digest, or of a run without a valid name is refused (4xx); at most bytes of the one without digest stay",
        run: |probe| with_parts(probe, invalid),
    },
];

/// The beginning and the end of some bytes.
type Range = (u64, u64);

/// Sends a part of a file by fractions of it, in twelfths.
fn send(
    probe: &Probe,
    file: &TestFile,
    id: &str,
    (from, to): Range,
    run: &str,
) -> Result<Response> {
    let range = (file.at(from, 12), file.at(to, 12));
    probe.send(&SendRequest::part(file, id, range, run))
}

/// Checks that a part was taken. Returns what is held then.
fn expect_taken(response: Response, file: &TestFile) -> Result<Extent> {
    let response = response.expect(200)?;
    ensure!(
        response.state()? == "partial",
        "expected partial; the response is {}",
        response.summary()
    );
    Extent::read(&response, file)
}

/// Makes the send of length 0 that ends a file.
fn last(file: &TestFile, id: &str) -> SendRequest {
    SendRequest::of(file, id, file.size(), file.size())
}

/// Checks that the first bytes, and nothing else, are held; ranges are optional.
fn expect_held(held: &Extent, file: &TestFile, offset: u64, ranges: &[Range]) -> Result<()> {
    let ranges: Vec<_> = ranges
        .iter()
        .map(|(from, to)| (file.at(*from, 12), file.at(*to, 12)))
        .collect();
    let offset = file.at(offset, 12);
    ensure!(
        held.offset == offset && (held.ranges == ranges || held.ranges.is_empty()),
        "expected offset {offset} and the ranges {ranges:?}; the receiver has {held:?}"
    );
    Ok(())
}

fn any_order(probe: &Probe, file: &TestFile, id: &str, _: u64) -> Outcome {
    let run = new_run();
    for (part, offset) in [
        ((8, 9), 0),
        ((2, 5), 0),
        ((10, 12), 0),
        ((0, 2), 5),
        ((5, 8), 9),
        ((9, 10), 12),
    ] {
        let held = expect_taken(send(probe, file, id, part, &run)?, file)?;
        let due = file.at(offset, 12);
        ensure!(
            held.offset == due,
            "expected offset {due}; the receiver has {held:?}"
        );
    }
    probe.send(&last(file, id))?.expect_complete(file.size())?;
    probe.locate(file)?.expect_complete(file.size())?;
    pass()
}

fn ranges(probe: &Probe, file: &TestFile, id: &str, _: u64) -> Outcome {
    let run = new_run();
    let mut told = false;
    let cases: [(Range, u64, &[Range]); 4] = [
        ((9, 10), 0, &[(9, 10)]),
        ((4, 6), 0, &[(4, 6), (9, 10)]),
        ((6, 7), 0, &[(4, 7), (9, 10)]),
        ((0, 4), 7, &[(9, 10)]),
    ];
    for (part, offset, due) in cases {
        let held = expect_taken(send(probe, file, id, part, &run)?, file)?;
        expect_held(&held, file, offset, due)?;
        let found = Extent::find(probe, file)?;
        expect_held(&found, file, offset, due).context("a locate")?;
        told |= !found.ranges.is_empty();
    }
    match told {
        true => pass(),
        false => not_supported("the responses have no ranges"),
    }
}

fn end(probe: &Probe, file: &TestFile, id: &str, _: u64) -> Outcome {
    let run = new_run();
    for part in [(0, 7), (7, 12)] {
        expect_taken(send(probe, file, id, part, &run)?, file)?;
    }
    probe.locate(file)?.expect_partial(file.size())?;
    probe.send(&last(file, id))?.expect_complete(file.size())?;
    pass()
}

fn wrong_end(probe: &Probe, file: &TestFile, id: &str, _: u64) -> Outcome {
    let run = new_run();
    for part in [(6, 12), (0, 6)] {
        expect_taken(send(probe, file, id, part, &run)?, file)?;
    }
    let other = file.with_other_content().whole();
    let wrong = last(file, id).tail(&[(file.digest(), &other)]);
    let response = probe.send(&wrong)?.expect(422)?;
    let held = Extent::read(&response, file)?;
    let found = Extent::find(probe, file)?;
    ensure!(found == held, "the 422 has {held:?}, a locate {found:?}");
    probe.finish(file)?;
    pass()
}

fn wrong(probe: &Probe, file: &TestFile, id: &str, _: u64) -> Outcome {
    let run = new_run();
    expect_taken(send(probe, file, id, (3, 4), &run)?, file)?;
    let before = Extent::find(probe, file)?;
    let range = (file.at(6, 12), file.at(8, 12));
    let mut wrong = SendRequest::part(file, id, range, &run);
    wrong.bytes[0] ^= 1;
    // Not its own digest, but the one that a send has.
    let prefix = SendRequest::of(file, id, range.0, range.1).tail;
    let mut other = SendRequest::part(file, id, range, &run);
    other.tail = vec![(format!("part_{}", file.digest()), prefix[0].1.clone())];
    for wrong in [wrong, other] {
        let response = probe.send(&wrong)?.expect(422)?;
        response.offset()?;
        let found = Extent::find(probe, file)?;
        ensure!(
            found == before,
            "{before:?} was held before a wrong part, {found:?} after it"
        );
    }
    for part in [(6, 8), (0, 3), (4, 6), (8, 12)] {
        expect_taken(send(probe, file, id, part, &run)?, file)?;
    }
    probe.send(&last(file, id))?.expect_complete(file.size())?;
    pass()
}

fn broken(probe: &Probe, file: &TestFile, id: &str, _: u64) -> Outcome {
    let (run, from, sent) = (new_run(), file.at(4, 12), file.at(2, 12));
    let part = SendRequest::part(file, id, (from, file.at(9, 12)), &run);
    close(probe.send_part(&part, sent)?);
    let until = Instant::now() + NOTICE;
    let mut held = Extent::find(probe, file)?;
    while held.ranges.is_empty() && Instant::now() < until {
        sleep(Duration::from_millis(100));
        held = Extent::find(probe, file)?;
    }
    let is_sent = |(first, end): &(u64, u64)| *first == from && *end <= from + sent;
    ensure!(
        held.offset == 0 && held.ranges.iter().all(is_sent),
        "the bytes {from} to {} were sent, {held:?} is held",
        from + sent
    );
    probe.finish(file)?;
    match held.ranges.is_empty() {
        true => not_supported("the receiver keeps nothing of a part that is cut off"),
        false => pass(),
    }
}

fn repeated(probe: &Probe, file: &TestFile, id: &str, _: u64) -> Outcome {
    let run = new_run();
    for part in [(6, 8), (0, 3)] {
        let first = expect_taken(send(probe, file, id, part, &run)?, file)?;
        let second = expect_taken(send(probe, file, id, part, &run)?, file)
            .context("the same part again")?;
        ensure!(
            first == second,
            "{first:?} is held after a part, {second:?} after it came again"
        );
    }
    let response = send(probe, file, id, (2, 5), &run)?.expect(409)?;
    let (offset, due) = (response.offset()?, file.at(3, 12));
    ensure!(
        offset == due,
        "offset {offset} in a 409; {due} bytes are held"
    );
    probe.finish(file)?;
    pass()
}

fn replace(probe: &Probe, file: &TestFile, id: &str, _: u64) -> Outcome {
    let old = file.with_other_content();
    let run = new_run();
    for part in [(2, 4), (6, 8)] {
        expect_taken(send(probe, &old, id, part, &run)?, &old)?;
    }
    // One has the same bounds as a range, the others reach into one.
    for part in [(2, 4), (7, 12), (4, 7), (0, 2)] {
        send(probe, file, id, part, &run)?.expect(200)?;
    }
    probe.locate(file)?.expect_partial(file.size())?;
    let response = probe.send(&last(file, id))?;
    response
        .expect_complete(file.size())
        .context("the old bytes are still there")?;
    pass()
}

fn next_run(probe: &Probe, file: &TestFile, id: &str, _: u64) -> Outcome {
    let run = new_run();
    for part in [(0, 1), (3, 5), (8, 10)] {
        expect_taken(send(probe, file, id, part, &run)?, file)?;
    }
    let found = Extent::find(probe, file)?;
    expect_held(&found, file, 1, &[(3, 5), (8, 10)])?;
    let run = new_run();
    let gaps: &[_] = match found.ranges.is_empty() {
        true => &[(1, 12)],
        false => &[(5, 8), (1, 3), (10, 12)],
    };
    for gap in gaps {
        expect_taken(send(probe, file, id, *gap, &run)?, file)?;
    }
    probe.send(&last(file, id))?.expect_complete(file.size())?;
    pass()
}

fn then_send(probe: &Probe, file: &TestFile, id: &str, _: u64) -> Outcome {
    expect_taken(send(probe, file, id, (6, 8), &new_run())?, file)?;
    let before = Extent::find(probe, file)?;
    probe.send(&SendRequest::of(file, id, 0, 0))?.expect(200)?;
    let found = Extent::find(probe, file)?;
    ensure!(
        found == before,
        "a send of length 0 has changed {before:?} to {found:?}"
    );
    let to = file.at(2, 12);
    let response = probe
        .send(&SendRequest::of(file, id, 0, to))?
        .expect_partial(to)?;
    expect_held(&Extent::read(&response, file)?, file, 2, &[])?;
    expect_held(&Extent::find(probe, file)?, file, 2, &[]).context("a locate")?;
    let rest = SendRequest::of(file, id, to, file.size());
    probe.send(&rest)?.expect_complete(file.size())?;
    pass()
}

fn invalid(probe: &Probe, file: &TestFile, id: &str, _: u64) -> Outcome {
    let run = new_run();
    expect_taken(send(probe, file, id, (6, 8), &run)?, file)?;
    let before = Extent::find(probe, file)?;
    let part = SendRequest::part(file, id, (file.at(1, 12), file.at(2, 12)), &run);
    let mut cases = vec![
        ("no digest", part.clone().tail(&[])),
        ("past the size", part.clone().set("offset", file.size())),
    ];
    for run in ["", "a b", "a-b", "ä", &"a".repeat(65)] {
        cases.push(("a run without a valid name", part.clone().set("part", run)));
    }
    if let Some(most) = probe.shared.max_segment.filter(|most| *most < 1 << 20) {
        let mut longer = probe.file(0).agreed(file.digest());
        longer.content = vec![7; most as usize + 2];
        let id = probe.find(&longer)?.id;
        let part = SendRequest::part(&longer, &id, (1, most + 2), &run);
        probe
            .send(&part)?
            .expect(413)
            .context("longer than max_segment")?;
    }
    for (what, part) in cases {
        probe.send(&part)?.expect_refusal().context(what)?;
    }
    let found = Extent::find(probe, file)?;
    // What came of a part without a digest may stay, as that of a broken one.
    let dropped = before
        .ranges
        .iter()
        .all(|range| found.ranges.contains(range));
    ensure!(
        found.offset == 0 && dropped,
        "{before:?} was held before invalid parts, {found:?} after them"
    );
    probe.finish(file)?;
    pass()
}
