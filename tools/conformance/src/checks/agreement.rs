//! Digests by agreement.

use anyhow::{ensure, Context, Result};

use crate::checks::check::{Check, AGREEMENT};
use crate::checks::newer::{agreed, with_digests, with_each_digest};
use crate::file::{digest_hex, TestFile, DIGESTS};
use crate::offer::Offer;
use crate::probe::Probe;
use crate::response::Response;
use crate::send::SendRequest;
use crate::verdict::{not_supported, pass, Outcome};

pub const CHECKS: &[Check] = &[
    Check {
        id: "agree-first",
        section: AGREEMENT,
        holds: "the digest is the first one of the client's digests that the receiver can use",
        run: |probe| with_digests(probe, first),
    },
    Check {
        id: "agree-unknown",
        section: AGREEMENT,
        holds: "unknown digests are passed over; if there is no other, the response has no digest, and the file is sent with its md5",
        run: |probe| with_digests(probe, unknown),
    },
    Check {
        id: "agree-members",
        section: AGREEMENT,
        holds: "the responses to a client of 1.1 name the agreed digest, and the members of 1.1 have the right types",
        run: |probe| with_each_digest(probe, members),
    },
    Check {
        id: "agree-prefix",
        section: AGREEMENT,
        holds: "the prefix digest is the agreed one of the receiver's bytes",
        run: |probe| with_each_digest(probe, prefix),
    },
    Check {
        id: "agree-whole",
        section: AGREEMENT,
        holds: "a file sent in pieces with the agreed digest is complete",
        run: |probe| with_each_digest(probe, whole),
    },
    Check {
        id: "agree-wrong",
        section: AGREEMENT,
        holds: "a wrong agreed digest gets 422; the file is not complete, and can be sent again",
        run: |probe| with_each_digest(probe, wrong),
    },
    Check {
        id: "agree-restart",
        section: AGREEMENT,
        holds: "restart has the agreed digest: the right one drops the receiver's bytes, another one drops nothing",
        run: |probe| with_each_digest(probe, restart),
    },
    Check {
        id: "agree-instant",
        section: AGREEMENT,
        holds: "content is known by its agreed digest, and no other content is",
        run: |probe| with_each_digest(probe, instant),
    },
    Check {
        id: "agree-identity",
        section: AGREEMENT,
        holds: "files of other agreed digests are other uploads, and the time of the last change does not matter",
        run: |probe| with_each_digest(probe, identity),
    },
];

/// Locates a file by a client that can use these digests.
fn locate_with(probe: &Probe, file: &TestFile, digests: &[&str]) -> Result<Response> {
    let mut fields = probe.locate_fields(file);
    fields.push(("digests".into(), digests.join(",")));
    probe.post(fields)?.expect(200)
}

fn first(probe: &Probe, offer: &Offer) -> Outcome {
    let [a, b, c] = DIGESTS;
    let orders = [[a, b, c], [c, b, a], [b, c, a], [b, a, c]];
    let singles = DIGESTS.map(|digest| vec![digest]);
    let lists = orders.map(Vec::from).into_iter().chain(singles);
    for list in lists {
        let response = locate_with(probe, &probe.file(1000), &list)?;
        let due = list.iter().find(|digest| offer.digests.contains(digest));
        ensure!(
            agreed(&response) == due.copied(),
            "the client can use {list:?}, the receiver {:?}; the response is {}",
            offer.digests,
            response.summary()
        );
    }
    pass()
}

fn unknown(probe: &Probe, offer: &Offer) -> Outcome {
    let unknown = "x-conformance";
    let response = locate_with(probe, &probe.file(1000), &[unknown, offer.digests[0]])?;
    ensure!(
        agreed(&response) == Some(offer.digests[0]),
        "an unknown digest stands before {}; the response is {}",
        offer.digests[0],
        response.summary()
    );
    let file = probe.file(1000);
    let response = locate_with(probe, &file, &[unknown])?;
    ensure!(
        response.member("digest").is_none(),
        "the client can use no digest that there is; the response is {}",
        response.summary()
    );
    probe.upload(&file)?;
    pass()
}

/// Checks the members of a response to a client that uses this digest.
fn check_members(response: &Response, digest: &str) -> Result<()> {
    ensure!(
        agreed(response) == Some(digest),
        "digest is not {digest} in {}",
        response.summary()
    );
    for name in ["small", "parts"] {
        let is_whole = response.member(name).is_none_or(|value| value.is_u64());
        ensure!(
            is_whole,
            "{name} is no whole number in {}",
            response.summary()
        );
    }
    ensure!(
        response.number("parts").is_none_or(|parts| parts >= 2),
        "parts is less than 2 in {}",
        response.summary()
    );
    if let Some(prefix) = response.member(&format!("prefix_{digest}")) {
        let length = digest_hex(digest, b"").len();
        let is_digest = prefix.as_str().is_some_and(|hex| {
            hex.len() == length && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
        });
        ensure!(is_digest, "no {digest} in {}", response.summary());
    }
    Ok(())
}

fn members(probe: &Probe, digest: &'static str) -> Outcome {
    let file = probe.file(1000).agreed(digest);
    let half = file.at(1, 2);
    let response = probe.locate(&file)?.expect(200)?;
    check_members(&response, digest)?;
    let id = response.id()?;
    for (from, to) in [(0, half), (half, file.size())] {
        check_members(&probe.locate_by_get(&file)?.expect(200)?, digest)?;
        let response = probe
            .send(&SendRequest::of(&file, &id, from, to))?
            .expect(200)?;
        check_members(&response, digest).context("the response to a send")?;
    }
    check_members(&probe.locate(&file)?.expect(200)?, digest)?;
    pass()
}

fn prefix(probe: &Probe, digest: &'static str) -> Outcome {
    let file = probe.file(5000).agreed(digest);
    let id = probe.find(&file)?.id;
    let mut from = 0;
    let mut digests = 0;
    for to in [1, file.at(1, 3), file.at(1, 2) + 1, file.size()] {
        let sent = probe
            .send(&SendRequest::of(&file, &id, from, to))?
            .expect(200)?;
        let located = probe.locate(&file)?.expect(200)?;
        for response in [sent, located] {
            if let Some(theirs) = response.prefix(digest) {
                digests += 1;
                let ours = file.prefix(to);
                ensure!(
                    theirs == ours,
                    "the first {to} bytes have the {digest} {ours}, the response is {}",
                    response.summary()
                );
            }
        }
        from = to;
    }
    match digests {
        0 => not_supported("the responses have no prefix digest"),
        _ => pass(),
    }
}

fn whole(probe: &Probe, digest: &'static str) -> Outcome {
    let file = probe.file(60_000).agreed(digest);
    let id = probe.find(&file)?.id;
    let mut from = 0;
    for to in [1, 1024, 1025, probe.random(1026, 40_000)] {
        let to = to.min(file.size() - 1);
        if to > from {
            probe
                .send(&SendRequest::of(&file, &id, from, to))?
                .expect_partial(to)?;
            from = to;
        }
    }
    let rest = SendRequest::of(&file, &id, from, file.size());
    probe.send(&rest)?.expect_complete(file.size())?;
    probe.locate(&file)?.expect_complete(file.size())?;
    let empty = probe.file(0).agreed(digest);
    probe.upload(&empty)?;
    pass()
}

fn wrong(probe: &Probe, digest: &'static str) -> Outcome {
    let file = probe.file(3000).agreed(digest);
    let id = probe.find(&file)?.id;
    let right = SendRequest::of(&file, &id, 0, file.size());
    let other = file.with_other_content().whole();
    let mut other_bytes = right.clone();
    other_bytes.bytes[0] ^= 1;
    for wrong in [right.clone().tail(&[(digest, &other)]), other_bytes] {
        let offset = probe.send(&wrong)?.expect(422)?.offset()?;
        ensure!(offset == 0, "offset {offset} though all bytes are wrong");
        let found = probe.find(&file)?;
        ensure!(
            !found.complete && found.offset == 0,
            "the offset is {} though the digest was refused",
            found.offset
        );
    }
    probe.send(&right)?.expect_complete(file.size())?;
    pass()
}

fn restart(probe: &Probe, digest: &'static str) -> Outcome {
    let file = probe.file(3000).agreed(digest);
    let old = file.with_other_content();
    let held = file.at(2, 3);
    let id = probe.begin_upload(&old, held)?;
    let third = SendRequest::of(&file, &id, 0, file.at(1, 3));
    let late = third.clone().set("restart", digest_hex(digest, b"late"));
    let response = probe.send(&late)?;
    ensure!(
        response.status == 409 && response.offset()? == held,
        "expected 409 with offset {held}; the response is {}",
        response.summary()
    );
    let Some(theirs) = probe.find(&file)?.prefix else {
        return not_supported("the responses have no prefix digest, which a restart needs");
    };
    probe
        .send(&third.set("restart", theirs))?
        .expect_partial(file.at(1, 3))?;
    let rest = SendRequest::of(&file, &id, file.at(1, 3), file.size());
    probe.send(&rest)?.expect_complete(file.size())?;
    pass()
}

fn instant(probe: &Probe, digest: &'static str) -> Outcome {
    let file = probe.file(2000).agreed(digest);
    probe.upload(&file)?;
    let copy = file.with_known().with_name(probe.file(0).name);
    let mut other = copy.with_name(probe.file(0).name);
    other.known = Some(file.with_other_content().whole());
    let response = probe.locate(&other)?.expect(200)?;
    ensure!(
        response.state()? == "new",
        "expected new for other content; the response is {}",
        response.summary()
    );
    let response = probe.locate(&copy)?.expect(200)?;
    if response.state()? == "new" {
        return not_supported("content that the receiver has already must be sent again");
    }
    response.expect_complete(copy.size())?;
    pass()
}

fn identity(probe: &Probe, digest: &'static str) -> Outcome {
    let file = probe.file(1013).agreed(digest).with_known();
    let other = file.with_other_content().with_known();
    let (held, other_held) = (file.at(1, 4), file.at(3, 4));
    probe.begin_upload(&file, held)?;
    let found = probe.find(&other)?;
    ensure!(
        found.offset == 0,
        "the bytes of one file count for the other too: its offset is {}",
        found.offset
    );
    probe.begin_upload(&other, other_held)?;
    let later = file.with_mtime(Some(1_800_000_000_000));
    probe.locate(&later)?.expect_partial(held)?;
    let timeless = file.with_mtime(None);
    probe.locate(&timeless)?.expect_partial(held)?;
    probe.finish(&file)?;
    pass()
}
