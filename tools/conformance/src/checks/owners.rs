//! Two users of one receiver.

use anyhow::ensure;

use crate::checks::check::{Check, IDENTITY};
use crate::probe::Probe;
use crate::send::SendRequest;
use crate::verdict::{not_supported, pass, Outcome};

pub const CHECKS: &[Check] = &[
    Check {
        id: "owner-files",
        section: IDENTITY,
        holds: "the same file of another user is another upload",
        run: |probe| with_second_user(probe, files),
    },
    Check {
        id: "owner-ids",
        section: IDENTITY,
        holds: "another user cannot use an id, and learns nothing from it",
        run: |probe| with_second_user(probe, ids),
    },
    Check {
        id: "owner-instant",
        section: IDENTITY,
        holds: "content that only another user has sent is new",
        run: |probe| with_second_user(probe, instant),
    },
];

/// Runs a check that needs a second user.
fn with_second_user(probe: &Probe, check: fn(&Probe, &Probe) -> Outcome) -> Outcome {
    match &probe.shared.other {
        Some(other) => check(probe, &probe.with_visitor(other.clone())),
        None => not_supported("the kit has no second user (--other-basic, --other-token)"),
    }
}

fn files(probe: &Probe, other: &Probe) -> Outcome {
    let file = probe.file(1000);
    let held = file.at(1, 2);
    probe.begin_upload(&file, held)?;
    let found = other.find(&file)?;
    ensure!(
        found.offset == 0 && !found.complete,
        "the other user gets offset {} for the first one's file",
        found.offset
    );
    let theirs = file.with_other_content();
    other.begin_upload(&theirs, theirs.at(3, 4))?;
    probe.locate(&file)?.expect_partial(held)?;
    probe.finish(&file)?;
    other.finish(&theirs)?;
    pass()
}

fn ids(probe: &Probe, other: &Probe) -> Outcome {
    let file = probe.file(1000);
    let held = file.at(1, 2);
    let id = probe.begin_upload(&file, held)?;
    let unknown = format!("{:032x}", fastrand::u128(..));
    let unknown_response = other.send(&SendRequest::of(&file, &unknown, held, file.size()))?;
    for offset in [held, 0] {
        let send = SendRequest::of(&file, &id, offset, file.size());
        let response = other.send(&send)?.expect_refusal()?;
        let reveals = ["offset", "state", "prefix_md5", "location"]
            .iter()
            .any(|member| response.member(member).is_some());
        ensure!(
            response.status == unknown_response.status && !reveals,
            "for an unknown id the response is {}, for the first user's id {}",
            unknown_response.summary(),
            response.summary()
        );
    }
    probe.locate(&file)?.expect_partial(held)?;
    probe.finish(&file)?;
    pass()
}

fn instant(probe: &Probe, other: &Probe) -> Outcome {
    let file = probe.file(1000).with_known();
    probe.upload(&file)?;
    let response = other.locate(&file)?.expect(200)?;
    ensure!(
        response.state()? == "new",
        "expected new; the response is {}",
        response.summary()
    );
    pass()
}
