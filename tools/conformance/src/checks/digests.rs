//! Bytes that are not what the client says it sent.

use anyhow::{ensure, Result};

use super::{Check, ERRORS};
use crate::file::{md5_hex, TestFile};
use crate::form::Send;
use crate::probe::Probe;
use crate::verdict::{pass, Outcome};

pub const CHECKS: &[Check] = &[
    Check {
        id: "digest-md5",
        section: ERRORS,
        holds: "a wrong md5 is 422 with an offset; the file is not complete, and can be sent again",
        run: whole,
    },
    Check {
        id: "digest-prefix-md5",
        section: ERRORS,
        holds: "a wrong prefix_md5 is 422 with an offset, and the bytes are dropped",
        run: prefix,
    },
    Check {
        id: "digest-of-resumed",
        section: ERRORS,
        holds: "the md5 is that of the whole file, also of what came in requests before",
        run: resumed,
    },
];

/// A send is 422, and what its answer says about the offset is what a locate says.
fn refused(probe: &Probe, file: &TestFile, send: &Send, most: u64) -> Result<u64> {
    let answer = probe.send(send)?.expect(422)?;
    let offset = answer.offset()?;
    ensure!(
        offset <= most,
        "offset {offset} is told though the bytes from {most} on are not right"
    );
    let found = probe.find(file)?;
    ensure!(
        !found.complete,
        "the file is complete though its digest was refused"
    );
    ensure!(
        found.offset == offset,
        "the 422 told offset {offset}, a locate tells {}",
        found.offset
    );
    Ok(offset)
}

fn whole(probe: &Probe) -> Outcome {
    let file = probe.file(3000);
    let id = probe.find(&file)?.id;
    let wrong = Send::of(&file, &id, 0, file.size()).tail(&[("md5", &md5_hex(b"wrong"))]);
    refused(probe, &file, &wrong, 0)?;
    // As above, but now the bytes are wrong.
    let mut wrong = Send::of(&file, &id, 0, file.size());
    wrong.bytes[0] ^= 1;
    refused(probe, &file, &wrong, 0)?;
    let right = Send::of(&file, &id, 0, file.size());
    probe.send(&right)?.expect_complete(file.size())?;
    pass()
}

fn prefix(probe: &Probe) -> Outcome {
    let file = probe.file(3000);
    let held = file.at(1, 3);
    let id = probe.begun(&file, held)?;
    let mut wrong = Send::of(&file, &id, held, file.at(2, 3));
    wrong.bytes[0] ^= 1;
    let offset = refused(probe, &file, &wrong, held)?;
    let right = Send::of(&file, &id, offset, file.at(2, 3));
    probe.send(&right)?.expect_partial(file.at(2, 3))?;
    let rest = Send::of(&file, &id, file.at(2, 3), file.size());
    probe.send(&rest)?.expect_complete(file.size())?;
    pass()
}

fn resumed(probe: &Probe) -> Outcome {
    let file = probe.file(3000);
    let held = file.at(1, 3);
    let id = probe.begun(&file, held)?;
    let rest = Send::of(&file, &id, held, file.size());
    let of_rest = md5_hex(&rest.bytes);
    refused(probe, &file, &rest.tail(&[("md5", &of_rest)]), held)?;
    probe.finish(&file)?;
    pass()
}
