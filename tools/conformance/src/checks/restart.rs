//! The field `restart`, which makes the receiver drop its bytes.

use anyhow::ensure;

use crate::checks::broken::find_after_break;
use crate::checks::check::{Check, SEND};
use crate::file::{md5_hex, TestFile};
use crate::probe::{close, Probe};
use crate::send::SendRequest;
use crate::verdict::{not_supported, pass, Outcome};

pub const CHECKS: &[Check] = &[
    Check {
        id: "restart-unfinished",
        section: SEND,
        holds:
            "restart with the digest of the receiver's bytes drops them, and the file begins again",
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
        holds: "restart with another digest is ignored: nothing is dropped",
        run: late,
    },
    Check {
        id: "restart-broken",
        section: SEND,
        holds: "after a restart that was cut off there are only bytes of the new file",
        run: broken,
    },
];

const NO_PREFIX_MD5: &str = "the responses have no prefix_md5, which a restart needs";

fn unfinished(probe: &Probe) -> Outcome {
    let file = probe.file(3000);
    let old = file.with_other_content();
    let held = file.at(2, 3);
    let id = probe.begin_upload(&old, held)?;
    let Some(digest) = probe.find(&file)?.prefix else {
        return not_supported(NO_PREFIX_MD5);
    };
    let restart = SendRequest::of(&file, &id, 0, file.at(1, 3)).set("restart", digest);
    probe.send(&restart)?.expect_partial(file.at(1, 3))?;
    let rest = SendRequest::of(&file, &id, file.at(1, 3), file.size());
    probe.send(&rest)?.expect_complete(file.size())?;
    pass()
}

fn finished(probe: &Probe) -> Outcome {
    let file = probe.file(3000);
    let old = file.with_other_content();
    let id = probe.upload(&old)?;
    let Some(digest) = probe.find(&file)?.prefix else {
        return not_supported(NO_PREFIX_MD5);
    };
    let replace = SendRequest::of(&file, &id, 0, file.size()).set("restart", digest);
    let response = probe.send(&replace)?.expect_complete(file.size())?;
    let theirs = match response.prefix_md5() {
        Some(digest) => Some(digest),
        None => probe.find(&file)?.prefix,
    };
    ensure!(
        theirs.is_none_or(|theirs| theirs == file.whole()),
        "the old content is still there: {}",
        response.summary()
    );
    pass()
}

fn late(probe: &Probe) -> Outcome {
    let file = probe.file(3000);
    let held = file.at(2, 3);
    let id = probe.begin_upload(&file, held)?;
    let late = SendRequest::of(&file, &id, 0, file.at(1, 3)).set("restart", md5_hex(b"late"));
    let response = probe.send(&late)?;
    ensure!(
        response.status == 409 && response.offset()? == held,
        "expected 409 with offset {held}; the response is {}",
        response.summary()
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
    let id = probe.begin_upload(&old, held)?;
    let Some(digest) = probe.find(&file)?.prefix else {
        return not_supported(NO_PREFIX_MD5);
    };
    let restart = SendRequest::of(&file, &id, 0, file.size()).set("restart", digest);
    let sent = file.at(1, 4);
    close(probe.send_part(&restart, sent)?);
    let found = find_after_break(probe, &file, sent)?;
    // Each response may do without prefix_md5.
    let is_of = |file: &TestFile| {
        let digest = found.prefix.as_deref();
        digest.is_none_or(|digest| digest == file.prefix(found.offset))
    };
    let dropped = found.offset <= sent && is_of(&file);
    // A receiver that keeps nothing of a request that is cut off still has the old bytes.
    let untouched = found.offset == held && is_of(&old);
    ensure!(
        dropped || untouched,
        "after {sent} bytes of the new file offset {} has the digest {}",
        found.offset,
        found.prefix.as_deref().unwrap_or("of neither file")
    );
    if dropped {
        probe.finish(&file)?;
    }
    pass()
}
