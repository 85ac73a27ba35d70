//! Two users of one receiver.

use anyhow::ensure;

use super::{Check, IDENTITY};
use crate::form::Send;
use crate::probe::Probe;
use crate::verdict::{not_supported, pass, Outcome};

pub const CHECKS: &[Check] = &[
    Check {
        id: "owner-files",
        section: IDENTITY,
        holds: "another user's file of the same description is another upload",
        run: |probe| with_other(probe, files),
    },
    Check {
        id: "owner-ids",
        section: IDENTITY,
        holds: "an id is of no use to another user, and tells him nothing",
        run: |probe| with_other(probe, ids),
    },
    Check {
        id: "owner-instant",
        section: IDENTITY,
        holds: "content that only another user has sent is not known",
        run: |probe| with_other(probe, instant),
    },
];

fn with_other(probe: &Probe, check: fn(&Probe, &Probe) -> Outcome) -> Outcome {
    match &probe.kit.other {
        Some(other) => check(probe, &probe.by(other.clone())),
        None => not_supported("no second user was given (--other-basic, --other-token)"),
    }
}

fn files(probe: &Probe, other: &Probe) -> Outcome {
    let file = probe.file(1000);
    let held = file.at(1, 2);
    probe.begun(&file, held)?;
    let found = other.find(&file)?;
    ensure!(
        found.offset == 0 && !found.complete,
        "the other user is told offset {} of the first one's file",
        found.offset
    );
    let theirs = file.with_other_content();
    other.begun(&theirs, theirs.at(3, 4))?;
    probe.locate(&file)?.expect_partial(held)?;
    probe.finish(&file)?;
    other.finish(&theirs)?;
    pass()
}

fn ids(probe: &Probe, other: &Probe) -> Outcome {
    let file = probe.file(1000);
    let held = file.at(1, 2);
    let id = probe.begun(&file, held)?;
    let unknown = format!("{:032x}", fastrand::u128(..));
    let never = other.send(&Send::of(&file, &unknown, held, file.size()))?;
    for offset in [held, 0] {
        let send = Send::of(&file, &id, offset, file.size());
        let answer = other.send(&send)?.expect_refusal()?;
        let tells = ["offset", "state", "prefix_md5", "location"]
            .iter()
            .any(|member| answer.member(member).is_some());
        ensure!(
            answer.status == never.status && !tells,
            "an unknown id is {}, the first user's is {}",
            never.tell(),
            answer.tell()
        );
    }
    probe.locate(&file)?.expect_partial(held)?;
    probe.finish(&file)?;
    pass()
}

fn instant(probe: &Probe, other: &Probe) -> Outcome {
    let file = probe.file(1000).with_md5();
    probe.upload(&file)?;
    let answer = other.locate(&file)?.expect(200)?;
    ensure!(
        answer.state()? == "new",
        "new was due, the answer is {}",
        answer.tell()
    );
    pass()
}
