//! Requests that are cut off.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{ensure, Result};

use crate::checks::check::{Check, SEND};
use crate::file::{md5_hex, TestFile};
use crate::probe::{close, Probe, UploadState};
use crate::send::SendRequest;
use crate::verdict::{not_supported, pass, Outcome};

pub const CHECKS: &[Check] = &[
    Check {
        id: "broken-keeps",
        section: SEND,
        holds: "the bytes that arrived before a connection loss are kept, and the offset counts no others",
        run: keeps,
    },
    Check {
        id: "broken-resumes",
        section: SEND,
        holds: "a file can be completed from the offset after a connection loss",
        run: resumes,
    },
    Check {
        id: "broken-by-reset",
        section: SEND,
        holds: "after a reset the offset is not higher than what was sent, and the file can be completed",
        run: by_reset,
    },
    Check {
        id: "broken-before-file",
        section: SEND,
        holds: "a request that ends before the file's first byte changes nothing",
        run: before_file,
    },
    Check {
        id: "broken-before-digest",
        section: SEND,
        holds: "a file is not complete while its digest is missing",
        run: before_digest,
    },
    Check {
        id: "broken-empty-end",
        section: SEND,
        holds: "a file of which only the digest is missing is completed by a send of length 0",
        run: empty_end,
    },
    Check {
        id: "broken-wrong-end",
        section: SEND,
        holds: "a wrong md5 in a send of length 0 gets 422, and all bytes are dropped",
        run: wrong_end,
    },
];

const LAST_BYTES: &str = "the last bytes before a connection loss are not kept";

const COMPLETE_ONLY: &str = "the receiver keeps nothing of a request that is cut off: \
                             it seems to see only complete bodies";

/// Finds out whether the receiver keeps the bytes of a request that is cut off. Does so once in a
/// run.
pub fn keeps_broken_requests(probe: &Probe) -> Result<bool> {
    if let Some(kept) = probe.shared.keeps_broken.get() {
        return Ok(*kept);
    }
    let file = probe.file(60_000);
    let id = probe.find(&file)?.id;
    close(probe.send_part(&SendRequest::of(&file, &id, 0, file.size()), file.at(1, 2))?);
    let found = find_until(probe, &file, 1)?;
    Ok(*probe.shared.keeps_broken.get_or_init(|| found.offset > 0))
}

/// The time in which a receiver notices the end of a connection. The protocol sets none.
pub const NOTICE: Duration = Duration::from_secs(3);

/// Locates a file until its offset is at least `offset`, or [`NOTICE`] is over.
fn find_until(probe: &Probe, file: &TestFile, offset: u64) -> Result<UploadState> {
    let until = Instant::now() + NOTICE;
    loop {
        let found = probe.find(file)?;
        if found.offset >= offset || Instant::now() >= until {
            return Ok(found);
        }
        sleep(Duration::from_millis(100));
    }
}

/// Locates a file after a request for it was cut off, of which the receiver can have kept the bytes before `most`.
pub fn find_after_break(probe: &Probe, file: &TestFile, most: u64) -> Result<UploadState> {
    match keeps_broken_requests(probe)? {
        true => find_until(probe, file, most),
        false => probe.find(file),
    }
}

/// Locates a file after a request for it was cut off. Checks that its offset is in `least..=most` and its digest that
/// of the first bytes.
fn find_between(probe: &Probe, file: &TestFile, least: u64, most: u64) -> Result<UploadState> {
    let found = find_after_break(probe, file, most)?;
    let offset = found.offset;
    ensure!(
        offset >= least,
        "the offset is {offset}; {least} had been confirmed before the connection loss"
    );
    ensure!(
        offset <= most,
        "the offset is {offset}; no more than {most} bytes were sent"
    );
    if let Some(theirs) = &found.prefix {
        let ours = file.prefix(offset);
        ensure!(
            *theirs == ours,
            "prefix_md5 is {theirs}; the first {offset} bytes have {ours}"
        );
    }
    Ok(found)
}

fn keeps(probe: &Probe) -> Outcome {
    let kept = keeps_broken_requests(probe)?;
    let file = probe.file(60_000);
    let id = probe.find(&file)?.id;
    let (mut offset, mut most, mut grew) = (0, 0, false);
    let counts = [1, file.at(1, 3), 0, 1, probe.random(2, file.at(1, 3))];
    for count in counts {
        let rest = SendRequest::of(&file, &id, offset, file.size());
        close(probe.send_part(&rest, count)?);
        // An earlier request may have brought more than the receiver had stored when it was asked.
        most = most.max(offset + count);
        let found = find_between(probe, &file, offset, most)?;
        grew |= found.offset > offset;
        offset = found.offset;
    }
    match (grew, kept) {
        (true, _) | (_, true) => pass(),
        (false, false) => not_supported(COMPLETE_ONLY),
    }
}

fn resumes(probe: &Probe) -> Outcome {
    let file = probe.file(60_000);
    let id = probe.find(&file)?.id;
    let mut offset = 0;
    for part in 1..5 {
        let rest = SendRequest::of(&file, &id, offset, file.size());
        let count = (file.at(part, 5)).saturating_sub(offset);
        close(probe.send_part(&rest, count)?);
        offset = find_after_break(probe, &file, offset + count)?.offset;
        if part == 2 {
            // A whole request in between.
            let to = file.at(1, 2).max(offset);
            let response = probe.send_on(&file, &id, offset, to)?;
            response.expect_partial(to)?;
            offset = to;
        }
    }
    let response = probe.send_on(&file, &id, offset, file.size())?;
    response.expect_complete(file.size())?;
    pass()
}

fn by_reset(probe: &Probe) -> Outcome {
    let file = probe.file(60_000);
    let held = file.at(1, 4);
    let id = probe.begin_upload(&file, held)?;
    let connection = probe.send_part(
        &SendRequest::of(&file, &id, held, file.size()),
        file.at(1, 2),
    )?;
    // The receiver needs time to read: a reset destroys what it has not read.
    sleep(Duration::from_millis(300));
    connection.reset();
    find_between(probe, &file, held, held + file.at(1, 2))?;
    probe.finish(&file)?;
    pass()
}

fn before_file(probe: &Probe) -> Outcome {
    let file = probe.file(2000);
    let held = file.at(1, 4);
    let id = probe.begin_upload(&file, held)?;
    let body = probe.body(&SendRequest::of(&file, &id, held, file.size()));
    let head = probe.post_head(&body);
    let opening = body.opening.len();
    for count in [0, 1, opening / 3, opening / 2, opening - 2, opening] {
        let mut connection = probe.connect()?;
        connection.write(&[&head, &body.opening[..count]].concat())?;
        close(connection);
        let found = probe.find(&file)?;
        ensure!(
            found.offset == held && !found.complete,
            "cut off {} bytes before the file, the offset is {} instead of {held}",
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
    close(probe.send_part(&SendRequest::of(&file, &id, 0, file.size()), file.size())?);
    let found = find_after_break(probe, &file, file.size())?;
    ensure!(
        !found.complete,
        "the file is complete though its digest was not sent"
    );
    probe.finish(&file)?;
    pass()
}

/// Sends a file without its digest. Returns it and its id; `None` if the receiver does not keep the last
/// bytes before a connection loss.
fn send_without_digest(probe: &Probe) -> Result<Option<(TestFile, String)>> {
    let file = probe.file(2000);
    let id = probe.find(&file)?.id;
    let mut found = probe.find(&file)?;
    for _ in 0..3 {
        let rest = SendRequest::of(&file, &id, found.offset, file.size());
        close(probe.send_part(&rest, file.size() - found.offset)?);
        found = find_after_break(probe, &file, file.size())?;
    }
    ensure!(
        !found.complete,
        "the file is complete though its digest was not sent"
    );
    Ok((found.offset == file.size()).then_some((file, id)))
}

fn empty_end(probe: &Probe) -> Outcome {
    if !keeps_broken_requests(probe)? {
        return not_supported(COMPLETE_ONLY);
    }
    let Some((file, id)) = send_without_digest(probe)? else {
        return not_supported(LAST_BYTES);
    };
    let empty = SendRequest::of(&file, &id, file.size(), file.size());
    probe.send(&empty)?.expect_complete(file.size())?;
    pass()
}

fn wrong_end(probe: &Probe) -> Outcome {
    if !keeps_broken_requests(probe)? {
        return not_supported(COMPLETE_ONLY);
    }
    let Some((file, id)) = send_without_digest(probe)? else {
        return not_supported(LAST_BYTES);
    };
    let empty = SendRequest::of(&file, &id, file.size(), file.size());
    let response = probe.send(&empty.tail(&[("md5", &md5_hex(b"wrong"))]))?;
    let offset = response.expect(422)?.offset()?;
    ensure!(
        offset == 0,
        "{offset} bytes are kept though their digest is wrong"
    );
    probe.finish(&file)?;
    pass()
}
