//! Sends at a wrong offset.

use anyhow::ensure;

use crate::checks::check::{Check, ERRORS};
use crate::probe::Probe;
use crate::send::SendRequest;
use crate::verdict::{pass, Outcome};

pub const CHECKS: &[Check] = &[
    Check {
        id: "conflict-offset",
        section: ERRORS,
        holds: "a send at a wrong offset gets 409 with the right one, and changes nothing",
        run: |probe| {
            let file = probe.file(3000);
            let held = file.at(1, 2);
            expect_conflicts(probe, held, &[held - 1, held + 1, 1, file.size()])
        },
    },
    Check {
        id: "conflict-offset-zero",
        section: ERRORS,
        holds: "offset 0 without restart is an offset like any other: 409 where bytes are held",
        run: |probe| expect_conflicts(probe, probe.file(3000).at(1, 2), &[0]),
    },
    Check {
        id: "conflict-new",
        section: ERRORS,
        holds: "a new upload takes bytes at offset 0 only",
        run: |probe| expect_conflicts(probe, 0, &[1, probe.file(3000).at(1, 2)]),
    },
    Check {
        id: "conflict-repeated",
        section: ERRORS,
        holds: "a segment that is sent again gets 409 with the offset after it",
        run: repeated,
    },
];

/// Uploads `held` bytes, and checks that sends at other offsets get 409.
fn expect_conflicts(probe: &Probe, held: u64, offsets: &[u64]) -> Outcome {
    let file = probe.file(3000);
    let id = probe.begin_upload(&file, held)?;
    for offset in offsets {
        let response = probe.send(&SendRequest::of(&file, &id, *offset, file.size()))?;
        let right_offset = response.member("offset").and_then(|offset| offset.as_u64());
        ensure!(
            response.status == 409 && right_offset == Some(held),
            "expected 409 with offset {held} for a send at {offset}; the response is {}",
            response.summary()
        );
        let found = probe.find(&file)?;
        ensure!(
            found.offset == held && !found.complete,
            "a refused send has changed the offset from {held} to {}",
            found.offset
        );
    }
    probe.finish(&file)?;
    pass()
}

fn repeated(probe: &Probe) -> Outcome {
    let file = probe.file(3000);
    let held = file.at(1, 3);
    let id = probe.begin_upload(&file, held)?;
    let segment = SendRequest::of(&file, &id, held, file.at(2, 3));
    probe.send(&segment)?.expect_partial(file.at(2, 3))?;
    let response = probe.send(&segment)?.expect(409)?;
    ensure!(
        response.offset()? == file.at(2, 3),
        "expected offset {}; the response is {}",
        file.at(2, 3),
        response.summary()
    );
    let rest = SendRequest::of(&file, &id, file.at(2, 3), file.size());
    probe.send(&rest)?.expect_complete(file.size())?;
    pass()
}
