//! Taking uploads back.

use anyhow::{ensure, Context, Result};
use serde_json::Value;

use crate::checks::check::{Check, DISCARD};
use crate::checks::writers::locked_out;
use crate::file::TestFile;
use crate::form::{urlencoded, Fields};
use crate::probe::Probe;
use crate::response::Response;
use crate::verdict::{not_supported, pass, Outcome};

pub const CHECKS: &[Check] = &[
    Check {
        id: "discard-asks",
        section: DISCARD,
        holds: "a locate with discard makes nothing, and only such a one is told that there are discards",
        run: |probe| with_discards(probe, asks),
    },
    Check {
        id: "discard-drops",
        section: DISCARD,
        holds: "an unfinished upload that is discarded is new afterwards, and can be uploaded again",
        run: |probe| with_discards(probe, drops),
    },
    Check {
        id: "discard-unknown",
        section: DISCARD,
        holds: "a discard of what the receiver does not have is answered like one of what it had",
        run: |probe| with_discards(probe, unknown),
    },
    Check {
        id: "discard-id",
        section: DISCARD,
        holds: "a discard with an id is about that upload only",
        run: |probe| with_discards(probe, id),
    },
    Check {
        id: "discard-finished",
        section: DISCARD,
        holds: "a finished file stays, and its discard gets 409 without offset",
        run: |probe| with_discards(probe, finished),
    },
    Check {
        id: "discard-writer",
        section: DISCARD,
        holds: "a writer that is sending stays, and a discard gets 423",
        run: |probe| with_discards(probe, writer),
    },
    Check {
        id: "discard-get",
        section: DISCARD,
        holds: "a discard by GET is refused (4xx), and drops nothing",
        run: |probe| with_discards(probe, get),
    },
    Check {
        id: "discard-owner",
        section: DISCARD,
        holds: "another user cannot discard an upload",
        run: |probe| with_discards(probe, owner),
    },
    Check {
        id: "discard-signed",
        section: DISCARD,
        holds: "where forms have to be signed, a discard without a signature is refused (4xx)",
        run: |probe| with_discards(probe, signed),
    },
];

/// Runs a check of discards.
fn with_discards(probe: &Probe, check: fn(&Probe) -> Outcome) -> Outcome {
    match look(probe, &probe.file(1000))?.member("discard") {
        Some(Value::Bool(true)) => check(probe),
        _ => not_supported("the receiver takes no discards"),
    }
}

/// Sends a locate that only asks in order to discard.
fn look(probe: &Probe, file: &TestFile) -> Result<Response> {
    let mut fields: Fields = vec![("action".into(), "locate".into())];
    fields.extend(file.fields());
    fields.push(("discard".into(), "1".into()));
    probe.post(fields)
}

/// Makes the fields of a discard.
fn fields(file: &TestFile, id: Option<&str>) -> Fields {
    let mut fields: Fields = vec![("action".into(), "discard".into())];
    fields.extend(file.fields());
    fields.extend(id.map(|id| ("id".into(), id.to_owned())));
    if let Some(known) = &file.known {
        fields.push((file.digest().into(), known.clone()));
    }
    fields
}

/// Discards an upload, and expects a success.
fn discard(probe: &Probe, file: &TestFile, id: Option<&str>) -> Result<()> {
    let response = probe.post(fields(file, id))?.expect(200)?;
    ensure!(
        response.state()? == "new" && response.offset()? == 0,
        "expected new with offset 0; the response is {}",
        response.summary()
    );
    Ok(())
}

fn ensure_gone(probe: &Probe, file: &TestFile) -> Result<()> {
    let found = probe.find(file)?;
    ensure!(
        found.offset == 0 && !found.complete,
        "a locate afterwards finds {} bytes",
        found.offset
    );
    Ok(())
}

fn ensure_held(probe: &Probe, file: &TestFile) -> Result<()> {
    let found = probe.find(file)?;
    ensure!(found.offset > 0, "a locate afterwards finds nothing");
    Ok(())
}

fn asks(probe: &Probe) -> Outcome {
    let file = probe.file(1000);
    for _ in 0..2 {
        let response = look(probe, &file)?.expect(200)?;
        ensure!(
            response.state()? == "new" && response.member("id").is_none(),
            "expected new without an id; the response is {}",
            response.summary()
        );
    }
    let response = probe.locate(&file)?.expect(200)?;
    ensure!(
        response.member("discard").is_none(),
        "the locate has no discard; the response is {}",
        response.summary()
    );
    let found = look(probe, &file)?.expect(200)?;
    ensure!(
        found.id()? == response.id()?,
        "the id is {}; the response is {}",
        response.id()?,
        found.summary()
    );
    pass()
}

fn drops(probe: &Probe) -> Outcome {
    let file = probe.file(1000);
    let id = probe.begin_upload(&file, file.at(1, 2))?;
    discard(probe, &file, Some(&id))?;
    ensure_gone(probe, &file)?;
    probe.finish(&file)?;
    let file = probe.file(1000).with_mtime(None).with_known();
    probe.begin_upload(&file, file.at(1, 2))?;
    discard(probe, &file, None).context("by its digest")?;
    ensure_gone(probe, &file).context("by its digest")?;
    pass()
}

fn unknown(probe: &Probe) -> Outcome {
    let file = probe.file(1000);
    discard(probe, &file, None)?;
    let id = probe.find(&file)?.id;
    discard(probe, &file, Some(&id))?;
    discard(probe, &file, Some(&id)).context("a second time")?;
    pass()
}

fn id(probe: &Probe) -> Outcome {
    let [one, other] = [probe.file(1000), probe.file(1000)];
    let id = probe.begin_upload(&one, one.at(1, 2))?;
    let id_of_other = probe.begin_upload(&other, other.at(1, 2))?;
    discard(probe, &one, Some(&id_of_other))?;
    ensure_held(probe, &one).context("with the id of another file")?;
    ensure_held(probe, &other).context("with the name of another file")?;
    discard(probe, &one, Some(&id))?;
    probe.begin_upload(&one, one.at(1, 2))?;
    discard(probe, &one, Some(&id))?;
    ensure_held(probe, &one).context("after a late discard")?;
    pass()
}

fn finished(probe: &Probe) -> Outcome {
    let file = probe.file(1000);
    let id = probe.upload(&file)?;
    for id in [Some(&*id), None] {
        let response = probe.post(fields(&file, id))?.expect(409)?;
        ensure!(
            response.member("offset").is_none(),
            "there is an offset in {}",
            response.summary()
        );
        probe.locate(&file)?.expect_complete(file.size())?;
    }
    pass()
}

fn writer(probe: &Probe) -> Outcome {
    locked_out(probe, |probe, file, id| probe.post(fields(file, Some(id))))
}

fn get(probe: &Probe) -> Outcome {
    let file = probe.file(1000);
    let id = probe.begin_upload(&file, file.at(1, 2))?;
    probe.get(fields(&file, Some(&id)))?.expect_refusal()?;
    ensure_held(probe, &file)?;
    pass()
}

fn owner(probe: &Probe) -> Outcome {
    let Some(other) = &probe.shared.other else {
        return not_supported("the kit has no second user (--other-basic, --other-token)");
    };
    let other = probe.with_visitor(other.clone());
    let file = probe.file(1000);
    let id = probe.begin_upload(&file, file.at(1, 2))?;
    discard(&other, &file, Some(&id))?;
    discard(&other, &file, None)?;
    ensure_held(probe, &file)?;
    pass()
}

fn signed(probe: &Probe) -> Outcome {
    if probe.signer.is_none() {
        return not_supported("the kit has no secret (--secret)");
    }
    let file = probe.file(1000);
    let id = probe.begin_upload(&file, file.at(1, 2))?;
    let unsigned = urlencoded(&fields(&file, Some(&id)));
    probe.post_text(&unsigned)?.expect_refusal()?;
    ensure_held(probe, &file)?;
    pass()
}
