//! Users and their credentials.

use anyhow::{ensure, Context, Result};

use super::early::{deaf, too_slow};
use super::{Check, LOGIN};
use crate::answer::Answer;
use crate::form::Send;
use crate::probe::Probe;
use crate::verdict::{not_supported, pass, Outcome};
use crate::visitor::{Credentials, Refused, Visitor};

pub const CHECKS: &[Check] = &[
    Check {
        id: "login-accepted",
        section: LOGIN,
        holds: "with the credentials locate and send are taken",
        run: |probe| {
            given(probe, |probe| {
                probe.upload(&probe.file(1000)).and_then(|_| pass())
            })
        },
    },
    Check {
        id: "login-needed",
        section: LOGIN,
        holds: "without credentials locate and send are turned away (401, 403 or a redirect)",
        run: |probe| given(probe, needed),
    },
    Check {
        id: "login-wrong",
        section: LOGIN,
        holds: "with a wrong password requests are turned away",
        run: |probe| given(probe, wrong),
    },
    Check {
        id: "login-early",
        section: LOGIN,
        holds: "a client that is turned away can read so after sending all of its 3 MB",
        run: |probe| given(probe, early),
    },
    Check {
        id: "login-session",
        section: LOGIN,
        holds: "a second login beside the first one lets requests in, too; the first goes on",
        run: |probe| given(probe, session),
    },
];

fn given(probe: &Probe, check: fn(&Probe) -> Outcome) -> Outcome {
    match probe.kit.credentials.are_given() {
        true => check(probe),
        false => not_supported("no credentials were given (--basic, --token, --login)"),
    }
}

fn anonymous<'k>(probe: &Probe<'k>) -> Probe<'k> {
    probe.by(Visitor {
        headers: probe.kit.headers.clone(),
    })
}

fn turned_away(answer: Answer) -> Result<()> {
    ensure!(
        matches!(answer.status, 401 | 403 | 301 | 302 | 303),
        "401, 403 or a redirect was due, the answer is {}",
        answer.tell()
    );
    Ok(())
}

fn none_of_it(probe: &Probe, stranger: &Probe) -> Outcome {
    let file = probe.file(1000);
    let id = probe.find(&file)?.id;
    turned_away(stranger.locate(&file)?).context("a locate")?;
    turned_away(stranger.locate_by_get(&file)?).context("a locate by GET")?;
    let send = Send::of(&file, &id, 0, file.size());
    turned_away(stranger.send(&send)?).context("a send")?;
    let found = probe.find(&file)?;
    ensure!(
        found.offset == 0,
        "a stranger has moved the offset to {}",
        found.offset
    );
    probe.finish(&file)?;
    pass()
}

fn needed(probe: &Probe) -> Outcome {
    none_of_it(probe, &anonymous(probe))
}

fn wrong(probe: &Probe) -> Outcome {
    match probe.kit.credentials.spoiled().enter(&probe.kit.headers) {
        Err(error) if error.is::<Refused>() => pass(),
        Err(error) => Err(error),
        Ok(visitor) => none_of_it(probe, &probe.by(visitor)),
    }
}

fn early(probe: &Probe) -> Outcome {
    let mut file = probe.file(1000);
    file.content.resize((3 << 20) + 100, 0);
    let send = Send::of(&file, "none", 0, 20);
    match deaf(&anonymous(probe), &send)? {
        None => too_slow(),
        Some(answer) => turned_away(answer).and_then(|()| pass()),
    }
}

fn session(probe: &Probe) -> Outcome {
    if !matches!(probe.kit.credentials, Credentials::Form(..)) {
        return not_supported("the credentials are not those of a form (--login)");
    }
    let visitor = probe.kit.credentials.enter(&probe.kit.headers)?;
    let again = probe.by(visitor);
    again.upload(&again.file(1000))?;
    probe.upload(&probe.file(1000))?;
    pass()
}
