//! Clients of version 1.0 and 1.1 that continue each other's uploads.

use anyhow::{ensure, Context, Result};

use crate::checks::check::{Check, AGREEMENT};
use crate::checks::newer::{new_run, with_digests};
use crate::file::TestFile;
use crate::offer::Offer;
use crate::probe::{Probe, UploadState};
use crate::response::Response;
use crate::send::SendRequest;
use crate::verdict::{pass, Outcome};

pub const CHECKS: &[Check] = &[
    Check {
        id: "agree-older-answers",
        section: AGREEMENT,
        holds: "the responses to a client of 1.0 have no members of 1.1, also after a client of 1.1",
        run: |probe| with_digests(probe, older_answers),
    },
    Check {
        id: "agree-older-continues",
        section: AGREEMENT,
        holds: "a client of 1.0 continues and finishes what a client of 1.1 began, with parts, too",
        run: |probe| with_digests(probe, older_continues),
    },
    Check {
        id: "agree-newer-continues",
        section: AGREEMENT,
        holds: "a client of 1.1 continues and finishes what a client of 1.0, or with another digest, began",
        run: |probe| with_digests(probe, newer_continues),
    },
];

/// The members that only clients of 1.1 get.
const NEW_MEMBERS: [&str; 6] = [
    "digest",
    "prefix_sha256",
    "prefix_blake3",
    "small",
    "parts",
    "ranges",
];

/// Begins an upload as a client of 1.1: a quarter of the file, and a part behind it if the receiver takes parts.
fn begin_newer(probe: &Probe, file: &TestFile, offer: &Offer) -> Result<String> {
    let file = file.agreed(offer.digests[0]);
    let id = probe.begin_upload(&file, file.at(1, 4))?;
    if offer.parts.is_some() {
        let range = (file.at(1, 2), file.at(3, 4));
        let part = SendRequest::part(&file, &id, range, &new_run());
        probe
            .send(&part)?
            .expect_partial(file.at(1, 4))
            .context("a part")?;
    }
    Ok(id)
}

fn older_answers(probe: &Probe, offer: &Offer) -> Outcome {
    let file = probe.file(3000);
    let id = begin_newer(probe, &file, offer)?;
    let quarter = file.at(1, 4);
    let send = |from, to| probe.send(&SendRequest::of(&file, &id, from, to));
    let check = |response: Response| -> Result<()> {
        for name in NEW_MEMBERS {
            ensure!(
                response.member(name).is_none(),
                "a client of 1.0 gets {name}: {}",
                response.summary()
            );
        }
        Ok(())
    };
    check(probe.locate(&file)?)?;
    check(probe.locate_by_get(&file)?)?;
    // This one gets 409.
    check(send(0, quarter)?)?;
    check(send(quarter, file.at(1, 2))?)?;
    check(send(file.at(1, 2), file.size())?)?;
    check(probe.locate(&file)?)?;
    pass()
}

/// Locates a file, and checks its offset and the digest of its first bytes.
fn find_at(probe: &Probe, file: &TestFile, offset: u64) -> Result<UploadState> {
    let found = probe.find(file)?;
    let digest = file.digest();
    ensure!(
        found.offset == offset,
        "with {digest} the offset is {}; {offset} bytes were sent",
        found.offset
    );
    let ours = file.prefix(offset);
    ensure!(
        found.prefix.as_ref().is_none_or(|theirs| *theirs == ours),
        "the first {offset} bytes have the {digest} {ours}, the receiver says {:?}",
        found.prefix
    );
    Ok(found)
}

fn older_continues(probe: &Probe, offer: &Offer) -> Outcome {
    let file = probe.file(3000);
    begin_newer(probe, &file, offer)?;
    let id = find_at(probe, &file, file.at(1, 4))?.id;
    // It reaches into the part.
    let to = file.at(5, 8);
    let response = probe.send(&SendRequest::of(&file, &id, file.at(1, 4), to))?;
    response.expect_partial(to)?;
    find_at(probe, &file, to)?;
    let rest = SendRequest::of(&file, &id, to, file.size());
    probe.send(&rest)?.expect_complete(file.size())?;
    let newer = file.agreed(offer.digests[0]);
    find_at(probe, &newer, file.size())?;
    pass()
}

fn newer_continues(probe: &Probe, offer: &Offer) -> Outcome {
    let mut clients = vec![None];
    for digest in &offer.digests {
        clients.extend([Some(*digest), None]);
    }
    clients.extend(offer.digests.iter().copied().map(Some));
    let file = probe.file(5000);
    let mut from = 0;
    let count = clients.len() as u64;
    for (turn, agreed) in clients.into_iter().enumerate() {
        let file = TestFile {
            agreed,
            ..file.clone()
        };
        let id = find_at(probe, &file, from)?.id;
        let to = file.at(turn as u64 + 1, count);
        let response = probe.send(&SendRequest::of(&file, &id, from, to))?;
        match to == file.size() {
            true => response.expect_complete(to)?,
            false => response.expect_partial(to)?,
        };
        from = to;
    }
    pass()
}
