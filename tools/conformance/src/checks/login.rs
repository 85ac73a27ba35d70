//! Users and their credentials.

use std::time::Duration;

use anyhow::{ensure, Context, Result};

use crate::checks::check::{Check, LOGIN};
use crate::checks::early::{send_then_read, too_slow};
use crate::probe::Probe;
use crate::response::Response;
use crate::send::SendRequest;
use crate::verdict::{not_supported, pass, Outcome};
use crate::visitor::{Credentials, LoginRefused, Visitor};

pub const CHECKS: &[Check] = &[
    Check {
        id: "login-accepted",
        section: LOGIN,
        holds: "with the credentials locate and send are accepted",
        run: |probe| {
            with_credentials(probe, |probe| {
                probe.upload(&probe.file(1000)).and_then(|_| pass())
            })
        },
    },
    Check {
        id: "login-needed",
        section: LOGIN,
        holds: "without credentials locate and send are refused (401, 403 or a redirect)",
        run: |probe| with_credentials(probe, needed),
    },
    Check {
        id: "login-wrong",
        section: LOGIN,
        holds: "with a wrong password requests are refused",
        run: |probe| with_credentials(probe, wrong),
    },
    Check {
        id: "login-early",
        section: LOGIN,
        holds: "a client without credentials can read the refusal after sending all of its 3 MB",
        run: |probe| with_credentials(probe, early),
    },
    Check {
        id: "login-session",
        section: LOGIN,
        holds: "a second login works beside the first one",
        run: |probe| with_credentials(probe, session),
    },
];

/// Runs a check that needs credentials.
fn with_credentials(probe: &Probe, check: fn(&Probe) -> Outcome) -> Outcome {
    match probe.shared.credentials.exist() {
        true => check(probe),
        false => not_supported("the kit has no credentials (--basic, --token, --login)"),
    }
}

/// Makes a probe without credentials.
fn anonymous<'k>(probe: &Probe<'k>) -> Probe<'k> {
    probe.with_visitor(Visitor {
        headers: probe.shared.headers.clone(),
    })
}

/// Checks that a response refuses a request for want of a login.
fn expect_login_refusal(response: Response) -> Result<()> {
    ensure!(
        matches!(response.status, 401 | 403 | 301 | 302 | 303),
        "expected 401, 403 or a redirect; the response is {}",
        response.summary()
    );
    Ok(())
}

/// Checks that all requests of `outsider` are refused as `expect` has it, and change nothing.
fn check_all_refused(
    probe: &Probe,
    outsider: &Probe,
    expect: fn(Response) -> Result<()>,
) -> Outcome {
    let file = probe.file(1000);
    let id = probe.find(&file)?.id;
    expect(outsider.locate(&file)?).context("a locate")?;
    expect(outsider.locate_by_get(&file)?).context("a locate by GET")?;
    let send = SendRequest::of(&file, &id, 0, file.size());
    expect(outsider.send(&send)?).context("a send")?;
    let found = probe.find(&file)?;
    ensure!(
        found.offset == 0,
        "a request without login has changed the offset to {}",
        found.offset
    );
    probe.finish(&file)?;
    pass()
}

fn needed(probe: &Probe) -> Outcome {
    check_all_refused(probe, &anonymous(probe), expect_login_refusal)
}

fn wrong(probe: &Probe) -> Outcome {
    match probe
        .shared
        .credentials
        .with_wrong_password()
        .log_in(&probe.shared.headers)
    {
        Err(error) if error.is::<LoginRefused>() => pass(),
        Err(error) => Err(error),
        Ok(visitor) => {
            let mut outsider = probe.with_visitor(visitor);
            outsider.patience = Duration::ZERO;
            check_all_refused(probe, &outsider, |response| match response.status {
                // A limit for wrong passwords.
                429 => Ok(()),
                _ => expect_login_refusal(response),
            })
        }
    }
}

fn early(probe: &Probe) -> Outcome {
    let mut file = probe.file(1000);
    file.content.resize((3 << 20) + 100, 0);
    let send = SendRequest::of(&file, "none", 0, 20);
    match send_then_read(&anonymous(probe), &send)? {
        None => too_slow(),
        Some(response) => expect_login_refusal(response).and_then(|()| pass()),
    }
}

fn session(probe: &Probe) -> Outcome {
    if !matches!(probe.shared.credentials, Credentials::Form(..)) {
        return not_supported("the kit does not log in by form (--login)");
    }
    let visitor = probe.shared.credentials.log_in(&probe.shared.headers)?;
    probe.with_visitor(visitor).upload(&probe.file(1000))?;
    probe.upload(&probe.file(1000))?;
    pass()
}
