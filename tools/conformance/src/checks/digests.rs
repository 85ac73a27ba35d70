//! Bytes that do not match their digest.

use anyhow::{ensure, Result};

use crate::checks::check::{Check, ERRORS};
use crate::file::{md5_hex, TestFile};
use crate::probe::Probe;
use crate::response::Response;
use crate::send::SendRequest;
use crate::verdict::{not_supported, pass, Outcome};

pub const CHECKS: &[Check] = &[
    Check {
        id: "digest-md5",
        section: ERRORS,
        holds:
            "a wrong md5 gets 422 with an offset; the file is not complete, and can be sent again",
        run: whole,
    },
    Check {
        id: "digest-prefix-md5",
        section: ERRORS,
        holds: "a wrong prefix_md5 gets 422 with an offset, and the bytes are dropped; or it is not checked, and the md5 at the end finds it",
        run: prefix,
    },
    Check {
        id: "digest-of-resumed",
        section: ERRORS,
        holds: "the md5 is that of the whole file, with the bytes of earlier requests",
        run: resumed,
    },
];

/// Checks that a send gets 422 with an offset of at most `most`, and that a locate has the same.
/// Returns it.
fn expect_mismatch(probe: &Probe, file: &TestFile, send: &SendRequest, most: u64) -> Result<u64> {
    expect_dropped(probe, file, probe.send(send)?, most)
}

/// Does the same with the response to the send.
fn expect_dropped(probe: &Probe, file: &TestFile, response: Response, most: u64) -> Result<u64> {
    let response = response.expect(422)?;
    let offset = response.offset()?;
    ensure!(
        offset <= most,
        "the offset is {offset} though the bytes from {most} on are wrong"
    );
    let found = probe.find(file)?;
    ensure!(
        !found.complete,
        "the file is complete though its digest was refused"
    );
    ensure!(
        found.offset == offset,
        "the offset is {offset} in the 422, and {} in a locate",
        found.offset
    );
    Ok(offset)
}

fn whole(probe: &Probe) -> Outcome {
    let file = probe.file(3000);
    let id = probe.find(&file)?.id;
    let wrong = SendRequest::of(&file, &id, 0, file.size()).tail(&[("md5", &md5_hex(b"wrong"))]);
    expect_mismatch(probe, &file, &wrong, 0)?;
    // The same, but now the bytes are wrong.
    let mut wrong = SendRequest::of(&file, &id, 0, file.size());
    wrong.bytes[0] ^= 1;
    expect_mismatch(probe, &file, &wrong, 0)?;
    let right = SendRequest::of(&file, &id, 0, file.size());
    probe.send(&right)?.expect_complete(file.size())?;
    pass()
}

fn prefix(probe: &Probe) -> Outcome {
    let file = probe.file(3000);
    let held = file.at(1, 3);
    let id = probe.begin_upload(&file, held)?;
    let mut wrong = SendRequest::of(&file, &id, held, file.at(2, 3));
    wrong.bytes[0] ^= 1;
    let response = probe.send(&wrong)?;
    if response.status == 200 {
        return unchecked_prefix(probe, &file, &id, response);
    }
    let offset = expect_dropped(probe, &file, response, held)?;
    let right = SendRequest::of(&file, &id, offset, file.at(2, 3));
    probe.send(&right)?.expect_partial(file.at(2, 3))?;
    let rest = SendRequest::of(&file, &id, file.at(2, 3), file.size());
    probe.send(&rest)?.expect_complete(file.size())?;
    pass()
}

/// Checks that a receiver that took wrong bytes in the middle of a file refuses them at the file's end, and that a
/// client gets the file there after that.
fn unchecked_prefix(probe: &Probe, file: &TestFile, id: &str, response: Response) -> Outcome {
    let to = file.at(2, 3);
    response.expect_partial(to)?;
    let rest = SendRequest::of(file, id, to, file.size());
    let response = probe.send(&rest)?.expect(422)?;
    // What the client does then: it goes on from the offset, or begins again if the digest is of other bytes.
    let offset = response.offset()?;
    let ours = file.prefix(offset.min(file.size()));
    let same = response
        .prefix_md5()
        .map_or(offset <= file.at(1, 3), |theirs| theirs == ours);
    ensure!(
        same || response.prefix_md5().is_some(),
        "offset {offset} after wrong bytes from {} on, without the prefix_md5 that shows it: {}",
        file.at(1, 3),
        response.summary()
    );
    let again = match (same, response.prefix_md5()) {
        (false, Some(theirs)) => SendRequest::of(file, id, 0, file.size()).set("restart", theirs),
        _ => SendRequest::of(file, id, offset, file.size()),
    };
    probe.send(&again)?.expect_complete(file.size())?;
    not_supported("the prefix_md5 of a send is not checked; the md5 at the end is")
}

fn resumed(probe: &Probe) -> Outcome {
    let file = probe.file(3000);
    let held = file.at(1, 3);
    let id = probe.begin_upload(&file, held)?;
    let rest = SendRequest::of(&file, &id, held, file.size());
    let rest_md5 = md5_hex(&rest.bytes);
    expect_mismatch(probe, &file, &rest.tail(&[("md5", &rest_md5)]), held)?;
    probe.finish(&file)?;
    pass()
}
