//! Signed forms.

use anyhow::{ensure, Context, Result};

use crate::checks::check::{Check, SIGNING};
use crate::file::TestFile;
use crate::form::{urlencoded, Fields};
use crate::probe::Probe;
use crate::response::Response;
use crate::send::SendRequest;
use crate::signer::{now, Signer};
use crate::verdict::{not_supported, pass, Outcome};

pub const CHECKS: &[Check] = &[
    Check {
        id: "sign-accepted",
        section: SIGNING,
        holds: "signed forms are accepted, with names and fields in any script",
        run: |probe| with_signer(probe, accepted),
    },
    Check {
        id: "sign-needed",
        section: SIGNING,
        holds: "forms without a signature are refused (4xx)",
        run: |probe| with_signer(probe, needed),
    },
    Check {
        id: "sign-wrong",
        section: SIGNING,
        holds: "forms signed with another secret are refused (4xx)",
        run: |probe| with_signer(probe, wrong),
    },
    Check {
        id: "sign-changed",
        section: SIGNING,
        holds: "a form with a field changed, added or removed after signing is refused (4xx)",
        run: |probe| with_signer(probe, changed),
    },
    Check {
        id: "sign-tail",
        section: SIGNING,
        holds: "a send whose sign_tail is wrong, missing or that of another form is refused (4xx)",
        run: |probe| with_signer(probe, tail),
    },
    Check {
        id: "sign-nonce",
        section: SIGNING,
        holds: "a nonce works once: the same form again is refused (4xx)",
        run: |probe| with_signer(probe, nonce),
    },
    Check {
        id: "sign-time",
        section: SIGNING,
        holds: "a ts of 4 minutes ago or ahead is accepted, one of 6 minutes refused (4xx)",
        run: |probe| with_signer(probe, time),
    },
];

/// Runs a check that needs a signer.
fn with_signer(probe: &Probe, check: fn(&Probe, &Signer) -> Outcome) -> Outcome {
    match &probe.signer {
        Some(signer) => check(probe, signer),
        None => not_supported("the kit has no secret (--secret)"),
    }
}

fn accepted(probe: &Probe, _: &Signer) -> Outcome {
    let mut file = probe.file(1000);
    file.name = format!("报告 ~*'()!+&=% \"x\" {}", file.name);
    file.dir = "a b/目录".into();
    // In a form, a"b has the last of these names. It is signed as it stands there.
    file.extra = [
        ("z", "1"),
        ("Z", "2"),
        ("a.b-c_d", ""),
        ("客户", "值"),
        ("a%22b", "3"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec();
    let id = probe.begin_upload(&file, file.at(1, 2))?;
    probe.locate_by_get(&file)?.expect_partial(file.at(1, 2))?;
    let rest = SendRequest::of(&file, &id, file.at(1, 2), file.size());
    probe.send(&rest)?.expect_complete(file.size())?;
    pass()
}

fn needed(probe: &Probe, signer: &Signer) -> Outcome {
    let file = probe.file(1000);
    let id = probe.find(&file)?.id;
    let mut unsigned = probe.for_thread();
    unsigned.signer = None;
    unsigned.locate(&file)?.expect_refusal()?;
    unsigned.locate_by_get(&file)?.expect_refusal()?;
    let send = SendRequest::of(&file, &id, 0, file.size());
    unsigned.send(&send)?.expect_refusal()?;
    for missing in ["ts", "nonce", "sign"] {
        let mut fields = probe.locate_fields(&file);
        signer.head(&mut fields, fastrand::u128(..));
        fields.retain(|(name, _)| name != missing);
        probe
            .post_text(&urlencoded(&fields))?
            .expect_refusal()
            .context(format!("without {missing}"))?;
    }
    check_unchanged(probe, &file)
}

fn wrong(probe: &Probe, signer: &Signer) -> Outcome {
    let file = probe.file(1000);
    let id = probe.find(&file)?.id;
    let mut forger = probe.for_thread();
    forger.signer = Some(Signer {
        secret: format!("{}x", signer.secret),
        ..signer.clone()
    });
    forger.locate(&file)?.expect_refusal()?;
    let send = SendRequest::of(&file, &id, 0, file.size());
    forger.send(&send)?.expect_refusal()?;
    check_unchanged(probe, &file)
}

fn changed(probe: &Probe, signer: &Signer) -> Outcome {
    let file = probe.file(1000);
    let id = probe.find(&file)?.id;
    let changes: [fn(&mut Fields); 3] = [
        |fields| fields.push(("tenant".into(), "7".into())),
        |fields| fields.retain(|(name, _)| name != "mtime"),
        |fields| {
            let size = fields.iter_mut().find(|(name, _)| name == "size");
            size.expect("a size").1.push('0');
        },
    ];
    for change in changes {
        let mut fields = probe.locate_fields(&file);
        signer.head(&mut fields, fastrand::u128(..));
        change(&mut fields);
        probe
            .post_text(&urlencoded(&fields))?
            .expect_refusal()
            .context("a locate")?;

        let mut send = SendRequest::of(&file, &id, 0, file.size());
        signer.head(&mut send.fields, fastrand::u128(..));
        let sign = send.fields.last().expect("sign").1.clone();
        signer.tail(&mut send.tail, &sign);
        change(&mut send.fields);
        send_unsigned(probe, &send)?
            .expect_refusal()
            .context("a send")?;
    }
    check_unchanged(probe, &file)
}

/// A function that signs the fields after a file, in a wrong way or not at all.
type SignTail = fn(&Signer, &mut Fields, &str);

fn tail(probe: &Probe, signer: &Signer) -> Outcome {
    let variants: [(&str, SignTail); 3] = [
        ("no sign_tail", |_, _, _| {}),
        ("the sign_tail of another form", |signer, tail, _| {
            signer.tail(tail, &"0".repeat(64));
        }),
        ("the sign_tail of another digest", |signer, tail, sign| {
            let mut other: Fields = vec![("md5".into(), "0".repeat(32))];
            signer.tail(&mut other, sign);
            tail.extend(other.pop());
        }),
    ];
    for (what, sign_tail) in variants {
        let file = probe.file(1000);
        let id = probe.find(&file)?.id;
        let mut send = SendRequest::of(&file, &id, 0, file.size());
        signer.head(&mut send.fields, fastrand::u128(..));
        let sign = send.fields.last().expect("sign").1.clone();
        sign_tail(signer, &mut send.tail, &sign);
        send_unsigned(probe, &send)?
            .expect_refusal()
            .context(what)?;
        ensure!(!probe.find(&file)?.complete, "{what}: the file is complete");
        probe.finish(&file)?;
    }
    pass()
}

fn nonce(probe: &Probe, signer: &Signer) -> Outcome {
    let file = probe.file(1000);
    let mut fields = probe.locate_fields(&file);
    let once = fastrand::u128(..);
    signer.head(&mut fields, once);
    let form = urlencoded(&fields);
    probe.post_text(&form)?.expect(200)?;
    probe
        .post_text(&form)?
        .expect_refusal()
        .context("the same form again")?;
    let mut fields = probe.locate_fields(&probe.file(1000));
    signer.head(&mut fields, once);
    probe
        .post_text(&urlencoded(&fields))?
        .expect_refusal()
        .context("the nonce in another form")?;

    let id = probe.find(&file)?.id;
    let body = probe.body(&SendRequest::of(&file, &id, 0, file.at(1, 2)));
    let request = probe.request(&body);
    probe.exchange(&request)?.expect_partial(file.at(1, 2))?;
    let again = probe
        .exchange(&request)?
        .expect_refusal()
        .context("the same send again")?;
    ensure!(
        again.status != 409,
        "the same send again was not refused for its signature: {}",
        again.summary()
    );
    pass()
}

fn time(probe: &Probe, signer: &Signer) -> Outcome {
    let locate_at = |ts: u64| {
        let mut fields = probe.locate_fields(&probe.file(1000));
        signer.head_at(&mut fields, fastrand::u128(..), ts);
        probe.post_text(&urlencoded(&fields))
    };
    for ts in [now() - 240, now() + 240] {
        locate_at(ts)?.expect(200).context("within 5 minutes")?;
    }
    for ts in [now() - 360, now() + 360, 0, u64::MAX] {
        locate_at(ts)?
            .expect_refusal()
            .context("more than 5 minutes off")?;
    }
    pass()
}

/// Sends a send without adding signatures.
fn send_unsigned(probe: &Probe, send: &SendRequest) -> Result<Response> {
    let body = send.body("----resupConformanceSigned");
    probe.exchange(&probe.request(&body))
}

/// Checks that refused forms have changed nothing.
fn check_unchanged(probe: &Probe, file: &TestFile) -> Outcome {
    let found = probe.find(file)?;
    ensure!(
        found.offset == 0,
        "a refused form has changed the offset to {}",
        found.offset
    );
    probe.finish(file)?;
    pass()
}
