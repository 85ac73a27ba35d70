//! Content that the receiver has already.

use anyhow::ensure;
use sha2::{Digest, Sha256};

use crate::checks::check::{Check, LOCATE};
use crate::file::hex;
use crate::probe::Probe;
use crate::verdict::{not_supported, pass, Outcome};

pub const CHECKS: &[Check] = &[
    Check {
        id: "instant-upload",
        section: LOCATE,
        holds:
            "a file whose md5 and size the receiver has already is complete without sending a byte",
        run: upload,
    },
    Check {
        id: "instant-other-size",
        section: LOCATE,
        holds: "a known md5 with another size is other content",
        run: other_size,
    },
    Check {
        id: "instant-other-sha256",
        section: LOCATE,
        holds: "a known md5 with another sha256 is other content",
        run: other_sha256,
    },
    Check {
        id: "instant-unfinished",
        section: LOCATE,
        holds: "content of which only a part has arrived is not known",
        run: unfinished,
    },
];

fn upload(probe: &Probe) -> Outcome {
    let file = probe.file(2000);
    probe.upload(&file)?;
    let copy = file.with_known().with_name(probe.file(0).name);
    let response = probe.locate(&copy)?.expect(200)?;
    if response.state()? == "new" {
        return not_supported("content that the receiver has already must be sent again");
    }
    response.expect_complete(copy.size())?;
    probe.locate(&copy)?.expect_complete(copy.size())?;
    pass()
}

fn other_size(probe: &Probe) -> Outcome {
    let file = probe.file(2000);
    probe.upload(&file)?;
    let mut other = file.with_known().with_name(probe.file(0).name);
    other.content.pop();
    let response = probe.locate(&other)?.expect(200)?;
    ensure!(
        response.state()? == "new",
        "expected new; the response is {}",
        response.summary()
    );
    pass()
}

fn other_sha256(probe: &Probe) -> Outcome {
    let file = probe.file(2000);
    probe.upload(&file)?;
    let mut other = file.with_known().with_name(probe.file(0).name);
    let sha256 = hex(&Sha256::digest(b"other content"));
    other.extra.push(("sha256".to_owned(), sha256));
    let response = probe.locate(&other)?.expect(200)?;
    ensure!(
        response.state()? == "new",
        "expected new; the response is {}",
        response.summary()
    );
    pass()
}

fn unfinished(probe: &Probe) -> Outcome {
    let file = probe.file(2000).with_known();
    probe.begin_upload(&file, file.at(1, 2))?;
    let copy = file.with_name(probe.file(0).name);
    let response = probe.locate(&copy)?.expect(200)?;
    ensure!(
        response.state()? != "complete",
        "only half of the content was sent; the response is {}",
        response.summary()
    );
    pass()
}
