//! Content that the receiver has already.

use anyhow::ensure;

use super::{Check, LOCATE};
use crate::probe::Probe;
use crate::verdict::{not_supported, pass, Outcome};

pub const CHECKS: &[Check] = &[
    Check {
        id: "instant-upload",
        section: LOCATE,
        holds: "a file whose md5 and size the receiver has already is complete without a byte sent",
        run: upload,
    },
    Check {
        id: "instant-other-size",
        section: LOCATE,
        holds: "a known md5 with another size is not taken for the known content",
        run: other_size,
    },
    Check {
        id: "instant-unfinished",
        section: LOCATE,
        holds: "content of which only a part has come is not taken for known",
        run: unfinished,
    },
];

fn upload(probe: &Probe) -> Outcome {
    let file = probe.file(2000);
    probe.upload(&file)?;
    let copy = file.with_md5().named(probe.file(0).name);
    let answer = probe.locate(&copy)?.expect(200)?;
    if answer.state()? == "new" {
        return not_supported("known content is sent again");
    }
    let answer = answer.expect_complete(copy.size())?;
    ensure!(
        answer.member("location").is_some(),
        "no location in {}",
        answer.tell()
    );
    probe.locate(&copy)?.expect_complete(copy.size())?;
    pass()
}

fn other_size(probe: &Probe) -> Outcome {
    let file = probe.file(2000);
    probe.upload(&file)?;
    let mut other = file.with_md5().named(probe.file(0).name);
    other.content.pop();
    let answer = probe.locate(&other)?.expect(200)?;
    ensure!(
        answer.state()? == "new",
        "new was due, the answer is {}",
        answer.tell()
    );
    pass()
}

fn unfinished(probe: &Probe) -> Outcome {
    let file = probe.file(2000).with_md5();
    probe.begun(&file, file.at(1, 2))?;
    let copy = file.named(probe.file(0).name);
    let answer = probe.locate(&copy)?.expect(200)?;
    ensure!(
        answer.state()? != "complete",
        "half of the content has come, the answer is {}",
        answer.tell()
    );
    pass()
}
