//! Responses that arrive before the end of their request.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure, Result};

use crate::checks::check::{Check, ERRORS};
use crate::probe::Probe;
use crate::response::Response;
use crate::send::SendRequest;
use crate::verdict::{not_supported, pass, Outcome};

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
        holds: "the refusal of an unknown id can be read in the same way",
        run: unknown,
    },
];

/// The size of the body: less than what a receiver reads after its response.
const BODY: usize = 3 << 20;
/// The time for which a receiver reads after its response.
const LINGER: Duration = Duration::from_secs(2);

/// Sends a large body to its end, then reads the response. Returns `None` if the network is too
/// slow for this.
pub fn send_then_read(probe: &Probe, send: &SendRequest) -> Result<Option<Response>> {
    let mut send = send.clone().set("length", BODY);
    send.bytes = vec![7; BODY];
    let body = probe.body(&send);
    let mut connection = probe.connect()?;
    let start = Instant::now();
    let mut sent = 0;
    let all = [probe.post_head(&body), body.whole()].concat();
    for piece in all.chunks(128 << 10) {
        if let Err(error) = connection.write(piece) {
            if start.elapsed() > LINGER {
                return Ok(None);
            }
            bail!("the connection was closed after {sent} bytes of the request ({error}), which destroys the response");
        }
        if sent == 0 {
            // The receiver needs time to respond, and a wrong one to close the connection.
            sleep(Duration::from_millis(100));
        }
        sent += piece.len();
    }
    let response = connection.read_response()?;
    // A reset after the response destroys it on many systems.
    if let Err(error) = connection.receives(Duration::from_millis(200)) {
        if start.elapsed() > LINGER {
            return Ok(None);
        }
        bail!("the connection ended with a reset ({error:#}), which destroys the response");
    }
    Ok(Some(response))
}

/// Makes the outcome for the case that [`send_then_read`] returns `None`.
pub fn too_slow() -> Outcome {
    not_supported(format!(
        "{BODY} bytes took more than the {} s that a receiver reads after its response",
        LINGER.as_secs()
    ))
}

fn conflict(probe: &Probe) -> Outcome {
    let mut file = probe.file(1000);
    file.content.resize(BODY + 100, 0);
    let id = probe.find(&file)?.id;
    let send = SendRequest::of(&file, &id, 10, 20);
    let Some(response) = send_then_read(probe, &send)? else {
        return too_slow();
    };
    if response.status == 413 {
        return pass();
    }
    let response = response.expect(409)?;
    ensure!(
        response.offset()? == 0,
        "expected offset 0; the response is {}",
        response.summary()
    );
    pass()
}

fn unknown(probe: &Probe) -> Outcome {
    let mut file = probe.file(1000);
    file.content.resize(BODY + 100, 0);
    let send = SendRequest::of(&file, &format!("{:032x}", fastrand::u128(..)), 0, 20);
    match send_then_read(probe, &send)? {
        None => too_slow(),
        Some(response) => response.expect_refusal().and_then(|_| pass()),
    }
}
