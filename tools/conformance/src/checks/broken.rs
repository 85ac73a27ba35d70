//! Requests that break off.

use std::thread::sleep;
use std::time::Duration;

use anyhow::{ensure, Result};

use super::{Check, SEND};
use crate::file::TestFile;
use crate::form::Send;
use crate::probe::{cut, Found, Probe};
use crate::verdict::{not_supported, pass, Outcome};

pub const CHECKS: &[Check] = &[
    Check {
        id: "broken-keeps",
        section: SEND,
        holds: "what arrived of a broken request is kept, and not a byte more is claimed",
        run: keeps,
    },
    Check {
        id: "broken-resumes",
        section: SEND,
        holds: "from the offset that is told after a break a file comes to its right end",
        run: resumes,
    },
    Check {
        id: "broken-by-reset",
        section: SEND,
        holds: "after a reset no offset is told that was not sent, and the file can be finished",
        run: by_reset,
    },
    Check {
        id: "broken-before-file",
        section: SEND,
        holds: "a request that breaks off before the file's first byte changes nothing",
        run: before_file,
    },
    Check {
        id: "broken-before-digest",
        section: SEND,
        holds: "all bytes without their digest are not yet complete",
        run: before_digest,
    },
    Check {
        id: "broken-empty-end",
        section: SEND,
        holds: "bytes that are all there without their digest are completed by a send of length 0",
        run: empty_end,
    },
];

const WHOLE_ONLY: &str = "nothing of a broken request is kept: \
                          it seems to see a body only when it is whole";

/// Whether the receiver keeps anything of a broken request. Found out once for a run.
pub fn is_kept(probe: &Probe) -> Result<bool> {
    if let Some(kept) = probe.kit.keeps_broken.get() {
        return Ok(*kept);
    }
    let file = probe.file(60_000);
    let id = probe.find(&file)?.id;
    cut(probe.begin(&Send::of(&file, &id, 0, file.size()), file.at(1, 2))?);
    let mut found = probe.find(&file)?;
    // Some notice late that a client is gone.
    for _ in 0..5 {
        if found.offset > 0 {
            break;
        }
        sleep(Duration::from_millis(200));
        found = probe.find(&file)?;
    }
    Ok(*probe.kit.keeps_broken.get_or_init(|| found.offset > 0))
}

/// Finds a file, and sees to it that what is told can be true.
fn find_between(probe: &Probe, file: &TestFile, least: u64, most: u64) -> Result<Found> {
    let found = probe.find(file)?;
    let offset = found.offset;
    ensure!(
        offset >= least,
        "offset {offset} is told; {least} had been confirmed before the break"
    );
    ensure!(
        offset <= most,
        "offset {offset} is told; no more than {most} bytes were sent"
    );
    if let Some(theirs) = &found.prefix_md5 {
        let ours = file.prefix_md5(offset);
        ensure!(
            *theirs == ours,
            "prefix_md5 {theirs} is told for the first {offset} bytes, which have {ours}"
        );
    }
    Ok(found)
}

fn keeps(probe: &Probe) -> Outcome {
    let kept = is_kept(probe)?;
    let file = probe.file(60_000);
    let id = probe.find(&file)?.id;
    let (mut offset, mut grew) = (0, false);
    let counts = [1, file.at(1, 3), 0, 1, probe.between(2, file.at(1, 3))];
    for count in counts {
        let rest = Send::of(&file, &id, offset, file.size());
        cut(probe.begin(&rest, count)?);
        let found = find_between(probe, &file, offset, offset + count)?;
        grew |= found.offset > offset;
        offset = found.offset;
    }
    match (grew, kept) {
        (true, _) | (_, true) => pass(),
        (false, false) => not_supported(WHOLE_ONLY),
    }
}

fn resumes(probe: &Probe) -> Outcome {
    let file = probe.file(60_000);
    let id = probe.find(&file)?.id;
    let mut offset = 0;
    for part in 1..5 {
        let rest = Send::of(&file, &id, offset, file.size());
        let count = (file.at(part, 5)).saturating_sub(offset);
        cut(probe.begin(&rest, count)?);
        let found = probe.find(&file)?;
        offset = found.offset;
        if part == 2 {
            // A whole request in between.
            let to = file.at(1, 2).max(offset);
            let piece = Send::of(&file, &id, offset, to);
            probe.send(&piece)?.expect_partial(to)?;
            offset = to;
        }
    }
    let rest = Send::of(&file, &id, offset, file.size());
    probe.send(&rest)?.expect_complete(file.size())?;
    pass()
}

fn by_reset(probe: &Probe) -> Outcome {
    let file = probe.file(60_000);
    let held = file.at(1, 4);
    let id = probe.begun(&file, held)?;
    let link = probe.begin(&Send::of(&file, &id, held, file.size()), file.at(1, 2))?;
    // Time to read it: a reset takes with it what was not read.
    sleep(Duration::from_millis(300));
    link.reset();
    find_between(probe, &file, held, held + file.at(1, 2))?;
    probe.finish(&file)?;
    pass()
}

fn before_file(probe: &Probe) -> Outcome {
    let file = probe.file(2000);
    let held = file.at(1, 4);
    let id = probe.begun(&file, held)?;
    let body = probe.body(&Send::of(&file, &id, held, file.size()));
    let head = probe.post_head(&body);
    let opening = body.opening.len();
    for count in [0, 1, opening / 3, opening / 2, opening - 2, opening] {
        let mut link = probe.link()?;
        link.write(&[&head, &body.opening[..count]].concat())?;
        cut(link);
        let found = probe.find(&file)?;
        ensure!(
            found.offset == held && !found.complete,
            "cut {} bytes before the file, the offset is {} instead of {held}",
            opening - count,
            found.offset
        );
    }
    probe.finish(&file)?;
    pass()
}

fn before_digest(probe: &Probe) -> Outcome {
    let file = probe.file(2000);
    let id = probe.find(&file)?.id;
    cut(probe.begin(&Send::of(&file, &id, 0, file.size()), file.size())?);
    let found = probe.find(&file)?;
    ensure!(
        !found.complete,
        "the file is complete though its digest did not come"
    );
    probe.finish(&file)?;
    pass()
}

fn empty_end(probe: &Probe) -> Outcome {
    if !is_kept(probe)? {
        return not_supported(WHOLE_ONLY);
    }
    let file = probe.file(2000);
    let id = probe.find(&file)?.id;
    for _ in 0..3 {
        let offset = probe.find(&file)?.offset;
        let rest = Send::of(&file, &id, offset, file.size());
        cut(probe.begin(&rest, file.size() - offset)?);
    }
    let found = probe.find(&file)?;
    if found.offset < file.size() {
        return not_supported("the last bytes before a break are not kept");
    }
    ensure!(!found.complete, "it is complete without its digest");
    let wrong = Send::of(&file, &id, file.size(), file.size());
    probe.send(&wrong)?.expect_complete(file.size())?;
    pass()
}
