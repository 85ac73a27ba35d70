//! What makes a file the same file.

use anyhow::{ensure, Result};

use crate::checks::check::{Check, IDENTITY};
use crate::file::TestFile;
use crate::probe::Probe;
use crate::verdict::{pass, Outcome};

pub const CHECKS: &[Check] = &[
    Check {
        id: "identity-name",
        section: IDENTITY,
        holds: "files of other names are other uploads",
        run: |probe| differ(probe, |file| file.with_name(format!("x{}", file.name))),
    },
    Check {
        id: "identity-dir",
        section: IDENTITY,
        holds: "files in other directories are other uploads",
        run: |probe| {
            differ(probe, |file| file.with_dir("d"))?;
            differ(probe, |file| file.with_dir("d/e"))
        },
    },
    Check {
        id: "identity-size",
        section: IDENTITY,
        holds: "files of other sizes are other uploads",
        run: |probe| {
            differ(probe, |file| {
                let mut longer = file.clone();
                longer.content.push(0);
                longer
            })
        },
    },
    Check {
        id: "identity-mtime",
        section: IDENTITY,
        holds: "without md5, files that changed at other times are other uploads",
        run: |probe| differ(probe, |file| file.with_mtime(Some(1_700_000_000_124))),
    },
    Check {
        id: "identity-md5",
        section: IDENTITY,
        holds: "with md5, files of other digests are other uploads",
        run: |probe| {
            let other = |file: &TestFile| file.with_other_content().with_known();
            differ_from(probe, &probe.file(1000).with_known(), other)
        },
    },
    Check {
        id: "identity-md5-first",
        section: IDENTITY,
        holds: "with md5, the time of the last change does not matter",
        run: md5_first,
    },
    Check {
        id: "identity-no-mtime",
        section: IDENTITY,
        holds: "a source without mtime is found by its md5",
        run: no_mtime,
    },
];

/// Checks that a file and a changed copy of it are two uploads.
fn differ(probe: &Probe, change: fn(&TestFile) -> TestFile) -> Outcome {
    differ_from(probe, &probe.file(1000), change)
}

/// Sends a part of one file, then a part of another, and checks that they are two uploads.
fn differ_from(probe: &Probe, file: &TestFile, change: fn(&TestFile) -> TestFile) -> Outcome {
    let other = change(file);
    let (held, other_held) = (file.at(1, 4), other.at(3, 4));
    probe.begin_upload(file, held)?;
    let found = probe.find(&other)?;
    ensure!(
        found.offset == 0,
        "the bytes of one file count for the other too: its offset is {}",
        found.offset
    );
    probe.begin_upload(&other, other_held)?;
    probe.locate(file)?.expect_partial(held)?;
    probe.locate(&other)?.expect_partial(other_held)?;
    // Only one is finished, since some receivers allow one finished file with a name.
    probe.finish(file)?;
    pass()
}

/// Sends a part of one file, and checks that another is the same upload.
fn expect_same(probe: &Probe, file: &TestFile, again: &TestFile) -> Result<()> {
    let held = file.at(1, 2);
    probe.begin_upload(file, held)?;
    probe.locate(again)?.expect_partial(held)?;
    probe.finish(again)?;
    Ok(())
}

fn md5_first(probe: &Probe) -> Outcome {
    let file = probe.file(1000).with_known();
    expect_same(probe, &file, &file.with_mtime(Some(1_800_000_000_000)))?;
    pass()
}

fn no_mtime(probe: &Probe) -> Outcome {
    let file = probe.file(1000).with_known().with_mtime(None);
    expect_same(probe, &file, &file.clone())?;
    pass()
}
