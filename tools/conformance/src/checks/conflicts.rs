//! Offsets that are not where the receiver is.

use anyhow::ensure;

use super::{Check, ERRORS};
use crate::form::Send;
use crate::probe::Probe;
use crate::verdict::{pass, Outcome};

pub const CHECKS: &[Check] = &[
    Check {
        id: "conflict-offset",
        section: ERRORS,
        holds: "a send at a wrong offset is 409 with the right one, and changes nothing",
        run: |probe| {
            let file = probe.file(3000);
            let held = file.at(1, 2);
            refused(probe, held, &[held - 1, held + 1, 1, file.size()])
        },
    },
    Check {
        id: "conflict-offset-zero",
        section: ERRORS,
        holds: "offset 0 without restart is an offset like any other: 409 where bytes are held",
        run: |probe| refused(probe, probe.file(3000).at(1, 2), &[0]),
    },
    Check {
        id: "conflict-new",
        section: ERRORS,
        holds: "a new upload takes bytes at offset 0 only",
        run: |probe| refused(probe, 0, &[1, probe.file(3000).at(1, 2)]),
    },
    Check {
        id: "conflict-repeated",
        section: ERRORS,
        holds: "a segment that is sent again is 409 with the offset after it",
        run: repeated,
    },
];

fn refused(probe: &Probe, held: u64, offsets: &[u64]) -> Outcome {
    let file = probe.file(3000);
    let id = probe.begun(&file, held)?;
    for offset in offsets {
        let answer = probe.send(&Send::of(&file, &id, *offset, file.size()))?;
        let told = answer.member("offset").and_then(|offset| offset.as_u64());
        ensure!(
            answer.status == 409 && told == Some(held),
            "409 with offset {held} was due to a send at {offset}, the answer is {}",
            answer.tell()
        );
        let found = probe.find(&file)?;
        ensure!(
            found.offset == held && !found.complete,
            "a refused send has moved the offset from {held} to {}",
            found.offset
        );
    }
    probe.finish(&file)?;
    pass()
}

fn repeated(probe: &Probe) -> Outcome {
    let file = probe.file(3000);
    let held = file.at(1, 3);
    let id = probe.begun(&file, held)?;
    let segment = Send::of(&file, &id, held, file.at(2, 3));
    probe.send(&segment)?.expect_partial(file.at(2, 3))?;
    let answer = probe.send(&segment)?.expect(409)?;
    ensure!(
        answer.offset()? == file.at(2, 3),
        "offset {} was due, the answer is {}",
        file.at(2, 3),
        answer.tell()
    );
    let rest = Send::of(&file, &id, file.at(2, 3), file.size());
    probe.send(&rest)?.expect_complete(file.size())?;
    pass()
}
