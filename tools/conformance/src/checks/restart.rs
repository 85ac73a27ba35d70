//! The field `restart`: drop what you have.

use anyhow::ensure;

use super::{Check, SEND};
use crate::file::md5_hex;
use crate::form::Send;
use crate::probe::{cut, Probe};
use crate::verdict::{not_supported, pass, Outcome};

pub const CHECKS: &[Check] = &[
    Check {
        id: "restart-unfinished",
        section: SEND,
        holds: "restart with the held bytes' digest drops them, and the file begins anew",
        run: unfinished,
    },
    Check {
        id: "restart-finished",
        section: SEND,
        holds: "restart with its digest replaces a finished file",
        run: finished,
    },
    Check {
        id: "restart-late",
        section: SEND,
        holds: "restart with another digest is passed over: it wipes out nothing",
        run: late,
    },
    Check {
        id: "restart-broken",
        section: SEND,
        holds: "a restart that breaks off leaves the new file's bytes only",
        run: broken,
    },
];

const UNKNOWN: &str = "no prefix_md5 in the answers, so that a restart has no value";

fn unfinished(probe: &Probe) -> Outcome {
    let file = probe.file(3000);
    let old = file.with_other_content();
    let held = file.at(2, 3);
    let id = probe.begun(&old, held)?;
    let Some(digest) = probe.find(&file)?.prefix_md5 else {
        return not_supported(UNKNOWN);
    };
    let begin = Send::of(&file, &id, 0, file.at(1, 3)).set("restart", digest);
    probe.send(&begin)?.expect_partial(file.at(1, 3))?;
    let rest = Send::of(&file, &id, file.at(1, 3), file.size());
    probe.send(&rest)?.expect_complete(file.size())?;
    pass()
}

fn finished(probe: &Probe) -> Outcome {
    let file = probe.file(3000);
    let old = file.with_other_content();
    let id = probe.upload(&old)?;
    let Some(digest) = probe.find(&file)?.prefix_md5 else {
        return not_supported(UNKNOWN);
    };
    let replace = Send::of(&file, &id, 0, file.size()).set("restart", digest);
    let answer = probe.send(&replace)?.expect_complete(file.size())?;
    let theirs = match answer.prefix_md5() {
        Some(digest) => Some(digest),
        None => probe.find(&file)?.prefix_md5,
    };
    ensure!(
        theirs.is_none_or(|theirs| theirs == file.whole_md5()),
        "the old content is still there: {}",
        answer.tell()
    );
    pass()
}

fn late(probe: &Probe) -> Outcome {
    let file = probe.file(3000);
    let held = file.at(2, 3);
    let id = probe.begun(&file, held)?;
    let late = Send::of(&file, &id, 0, file.at(1, 3)).set("restart", md5_hex(b"late"));
    let answer = probe.send(&late)?;
    ensure!(
        answer.status == 409 && answer.offset()? == held,
        "409 with offset {held} was due, the answer is {}",
        answer.tell()
    );
    probe.locate(&file)?.expect_partial(held)?;
    probe.finish(&file)?;
    probe.send(&late)?;
    probe.locate(&file)?.expect_complete(file.size())?;
    pass()
}

fn broken(probe: &Probe) -> Outcome {
    let file = probe.file(3000);
    let old = file.with_other_content();
    let held = file.at(1, 2);
    let id = probe.begun(&old, held)?;
    let Some(digest) = probe.find(&file)?.prefix_md5 else {
        return not_supported(UNKNOWN);
    };
    let begin = Send::of(&file, &id, 0, file.size()).set("restart", digest);
    let sent = file.at(1, 4);
    cut(probe.begin(&begin, sent)?);
    let found = probe.find(&file)?;
    let digest = found.prefix_md5.unwrap_or_default();
    let dropped = found.offset <= sent && digest == file.prefix_md5(found.offset);
    // Where a broken request leaves nothing, the old bytes stay.
    let untouched = found.offset == held && digest == old.prefix_md5(held);
    ensure!(
        dropped || untouched,
        "after {sent} bytes of the new file offset {} has the digest {digest}",
        found.offset
    );
    if dropped {
        probe.finish(&file)?;
    }
    pass()
}
