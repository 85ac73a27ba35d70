//! Answers that are given while the body is still on its way.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure, Result};

use super::{Check, ERRORS};
use crate::answer::Answer;
use crate::form::Send;
use crate::probe::Probe;
use crate::verdict::{not_supported, pass, Outcome, Verdict};

pub const CHECKS: &[Check] = &[
    Check {
        id: "early-conflict",
        section: ERRORS,
        holds: "a refusal can be read by a client that first sends all of its 3 MB",
        run: conflict,
    },
    Check {
        id: "early-unknown-id",
        section: ERRORS,
        holds: "so can the refusal of an id that is not known",
        run: unknown,
    },
];

/// Less than what a receiver goes on reading.
const BODY: usize = 3 << 20;
/// As long as it goes on reading.
const LINGER: Duration = Duration::from_secs(2);

/// Sends a large body to the end, whatever comes, and only then looks for the answer.
/// `None` where the network is too slow to tell.
pub fn deaf(probe: &Probe, send: &Send) -> Result<Option<Answer>> {
    let mut send = send.clone().set("length", BODY);
    send.bytes = vec![7; BODY];
    let body = probe.body(&send);
    let mut link = probe.link()?;
    let begun = Instant::now();
    let mut sent = 0;
    let all = [probe.post_head(&body), body.whole()].concat();
    for piece in all.chunks(128 << 10) {
        if let Err(error) = link.write(piece) {
            if begun.elapsed() > LINGER {
                return Ok(None);
            }
            bail!("the connection was closed after {sent} bytes of the request ({error}), which destroys the answer");
        }
        if sent == 0 {
            // Time for the answer, and for a receiver that hangs up.
            sleep(Duration::from_millis(100));
        }
        sent += piece.len();
    }
    let answer = link.read_answer()?;
    // A reset would have destroyed it on many systems, even if not on this one.
    if let Err(error) = link.hears(Duration::from_millis(200)) {
        if begun.elapsed() > LINGER {
            return Ok(None);
        }
        bail!("the connection ended with a reset ({error:#}), which destroys the answer");
    }
    Ok(Some(answer))
}

/// The verdict where [`deaf`] gave nothing.
pub fn too_slow() -> Outcome {
    Ok(Verdict::NotSupported(format!(
        "{BODY} bytes took more than the {} s for which a receiver goes on reading",
        LINGER.as_secs()
    )))
}

fn conflict(probe: &Probe) -> Outcome {
    let mut file = probe.file(1000);
    file.content.resize(BODY + 100, 0);
    let id = probe.find(&file)?.id;
    let send = Send::of(&file, &id, 10, 20);
    let Some(answer) = deaf(probe, &send)? else {
        return too_slow();
    };
    if answer.status == 413 {
        return pass();
    }
    let answer = answer.expect(409)?;
    ensure!(
        answer.offset()? == 0,
        "offset 0 was due, the answer is {}",
        answer.tell()
    );
    pass()
}

fn unknown(probe: &Probe) -> Outcome {
    let mut file = probe.file(1000);
    file.content.resize(BODY + 100, 0);
    let send = Send::of(&file, &format!("{:032x}", fastrand::u128(..)), 0, 20);
    match deaf(probe, &send)? {
        None => not_supported("the network is too slow to tell"),
        Some(answer) => answer.expect_refusal().and_then(|_| pass()),
    }
}
