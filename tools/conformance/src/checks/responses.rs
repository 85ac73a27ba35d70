//! The form of answers.

use anyhow::{ensure, Result};

use super::{Check, ERRORS};
use crate::answer::Answer;
use crate::form::Send;
use crate::probe::Probe;
use crate::verdict::{pass, Outcome};

pub const CHECKS: &[Check] = &[
    Check {
        id: "answer-length",
        section: ERRORS,
        holds: "answers have a Content-Length or are chunked, errors too",
        run: |probe| every(probe, length),
    },
    Check {
        id: "answer-json",
        section: ERRORS,
        holds: "answers to locate and send are application/json, their members of the right kind",
        run: |probe| every(probe, json),
    },
    Check {
        id: "answer-errors",
        section: ERRORS,
        holds: "a message in an error is text",
        run: errors,
    },
];

/// Looks at an answer of each kind.
fn every(probe: &Probe, look: fn(&Answer) -> Result<()>) -> Outcome {
    let file = probe.file(1000);
    let answer = probe.locate(&file)?;
    look(&answer)?;
    let id = answer.id()?;
    look(&probe.send(&Send::of(&file, &id, 0, file.at(1, 2)))?)?;
    look(&probe.locate_by_get(&file)?)?;
    // 409.
    look(&probe.send(&Send::of(&file, &id, 0, file.at(1, 2)))?)?;
    look(&probe.send(&Send::of(&file, &id, file.at(1, 2), file.size()))?)?;
    look(&probe.locate(&file)?)?;
    pass()
}

fn length(answer: &Answer) -> Result<()> {
    ensure!(
        answer.head.is_chunked() || answer.head.content_length()?.is_some(),
        "neither Content-Length nor chunked: {}",
        answer.tell()
    );
    Ok(())
}

fn json(answer: &Answer) -> Result<()> {
    let kind = answer.head.header("content-type").unwrap_or("");
    let essence = kind.split(';').next().unwrap_or("").trim();
    ensure!(
        essence.eq_ignore_ascii_case("application/json"),
        "Content-Type is \"{kind}\": {}",
        answer.tell()
    );
    let texts = ["state", "id", "location", "prefix_md5", "message"];
    for name in texts {
        let text = answer.member(name).is_none_or(|value| value.is_string());
        ensure!(text, "{name} is no text in {}", answer.tell());
    }
    if let Some(digest) = answer.prefix_md5() {
        let hex = digest.len() == 32 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        ensure!(hex, "prefix_md5 is no MD5 in {}", answer.tell());
    }
    for name in ["offset", "max_segment"] {
        let whole = answer.member(name).is_none_or(|value| value.is_u64());
        ensure!(whole, "{name} is no whole number in {}", answer.tell());
    }
    ensure!(
        answer.max_segment() != Some(0),
        "max_segment is 0 in {}",
        answer.tell()
    );
    Ok(())
}

fn errors(probe: &Probe) -> Outcome {
    let file = probe.file(100);
    let wrong = probe.post(vec![("action".into(), "locate".into())])?;
    let unknown = probe.send(&Send::of(&file, "none", 0, file.size()))?;
    for answer in [wrong, unknown] {
        let answer = answer.expect_refusal()?;
        length(&answer)?;
        let message = answer.member("message");
        ensure!(
            message.is_none_or(|message| message.is_string()),
            "message is no text in {}",
            answer.tell()
        );
    }
    pass()
}
