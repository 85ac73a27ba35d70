//! The form of responses.

use anyhow::{ensure, Result};

use crate::checks::check::{Check, ERRORS};
use crate::probe::Probe;
use crate::response::{Response, BYTE_ORDER_MARK};
use crate::send::SendRequest;
use crate::verdict::{pass, Outcome};

pub const CHECKS: &[Check] = &[
    Check {
        id: "answer-length",
        section: ERRORS,
        holds: "responses have a Content-Length or are chunked, errors too",
        run: |probe| check_responses(probe, length),
    },
    Check {
        id: "answer-json",
        section: ERRORS,
        holds: "responses to locate and send are application/json without a byte order mark and compression, with members of the right types",
        run: |probe| check_responses(probe, json),
    },
    Check {
        id: "answer-id",
        section: ERRORS,
        holds: "all responses about an upload have the same id",
        run: same_id,
    },
    Check {
        id: "answer-errors",
        section: ERRORS,
        holds: "an error's message is a string",
        run: errors,
    },
];

/// Runs `check` on a response of each kind.
fn check_responses(probe: &Probe, check: fn(&Response) -> Result<()>) -> Outcome {
    let file = probe.file(1000);
    let response = probe.locate(&file)?;
    check(&response)?;
    let id = response.id()?;
    check(&probe.send(&SendRequest::of(&file, &id, 0, file.at(1, 2)))?)?;
    check(&probe.locate_by_get(&file)?)?;
    // This one gets 409.
    check(&probe.send(&SendRequest::of(&file, &id, 0, file.at(1, 2)))?)?;
    check(&probe.send(&SendRequest::of(&file, &id, file.at(1, 2), file.size()))?)?;
    check(&probe.locate(&file)?)?;
    pass()
}

fn same_id(probe: &Probe) -> Outcome {
    let file = probe.file(1000);
    let id = probe.locate(&file)?.id()?;
    let half = file.at(1, 2);
    // The second one gets 409.
    for (from, to) in [(0, half), (0, half), (half, file.size())] {
        let response = probe.send(&SendRequest::of(&file, &id, from, to))?;
        let other = response.member("id").filter(|other| *other != id.as_str());
        ensure!(other.is_none(), "another id in {}", response.summary());
    }
    ensure!(probe.locate(&file)?.id()? == id, "another id in a locate");
    pass()
}

fn length(response: &Response) -> Result<()> {
    ensure!(
        response.head.is_chunked() || response.head.content_length()?.is_some(),
        "neither Content-Length nor chunked: {}",
        response.summary()
    );
    Ok(())
}

fn json(response: &Response) -> Result<()> {
    let kind = response.head.header("content-type").unwrap_or("");
    let essence = kind.split(';').next().unwrap_or("").trim();
    ensure!(
        essence.eq_ignore_ascii_case("application/json"),
        "Content-Type is \"{kind}\": {}",
        response.summary()
    );
    ensure!(
        !response.body.starts_with(BYTE_ORDER_MARK),
        "a byte order mark before the JSON: {}",
        response.summary()
    );
    if let Some(coding) = response.head.header("content-encoding") {
        let is_plain = coding.eq_ignore_ascii_case("identity");
        ensure!(is_plain, "Content-Encoding is \"{coding}\"");
    }
    let strings = ["state", "id", "location", "prefix_md5", "message"];
    for name in strings {
        let is_string = response.member(name).is_none_or(|value| value.is_string());
        ensure!(is_string, "{name} is no string in {}", response.summary());
    }
    if let Some(digest) = response.prefix_md5() {
        let hex = digest.len() == 32 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        ensure!(hex, "prefix_md5 is no MD5 in {}", response.summary());
    }
    for name in ["offset", "max_segment"] {
        let is_whole = response.member(name).is_none_or(|value| value.is_u64());
        ensure!(
            is_whole,
            "{name} is no whole number in {}",
            response.summary()
        );
    }
    ensure!(
        response.max_segment() != Some(0),
        "max_segment is 0 in {}",
        response.summary()
    );
    Ok(())
}

fn errors(probe: &Probe) -> Outcome {
    let file = probe.file(100);
    let wrong = probe.post(vec![("action".into(), "locate".into())])?;
    let unknown = probe.send(&SendRequest::of(&file, "none", 0, file.size()))?;
    for response in [wrong, unknown] {
        let response = response.expect_refusal()?;
        length(&response)?;
        let message = response.member("message");
        ensure!(
            message.is_none_or(|message| message.is_string()),
            "message is no string in {}",
            response.summary()
        );
    }
    pass()
}
