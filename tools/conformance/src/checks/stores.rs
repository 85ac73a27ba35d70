//! Stores: a small file in one request.

use anyhow::{ensure, Context};

use crate::checks::check::{Check, STORE};
use crate::checks::newer::{new_run, with_stores, Extent, Stores};
use crate::probe::{close, Probe};
use crate::send::SendRequest;
use crate::verdict::{not_supported, pass, Outcome};

pub const CHECKS: &[Check] = &[
    Check {
        id: "store-whole",
        section: STORE,
        holds: "a file of any size up to small is complete after one store",
        run: |probe| with_stores(probe, whole),
    },
    Check {
        id: "store-again",
        section: STORE,
        holds: "a store of a file that is there already is complete, after a store and after sends",
        run: |probe| with_stores(probe, again),
    },
    Check {
        id: "store-partial",
        section: STORE,
        holds: "a store of a file of which a part is held gets partial as a locate does, and changes nothing",
        run: |probe| with_stores(probe, partial),
    },
    Check {
        id: "store-wrong",
        section: STORE,
        holds: "a store whose bytes do not match the digest gets 422, and its bytes are dropped",
        run: |probe| with_stores(probe, wrong),
    },
    Check {
        id: "store-broken",
        section: STORE,
        holds: "a broken store leaves nothing",
        run: |probe| with_stores(probe, broken),
    },
    Check {
        id: "store-too-large",
        section: STORE,
        holds: "a store of more than small is refused so that the client locates (400, 404, 405, 413, 422, 501)",
        run: |probe| with_stores(probe, too_large),
    },
    Check {
        id: "store-owner",
        section: STORE,
        holds: "the store of another user is another upload",
        run: |probe| with_stores(probe, owner),
    },
    Check {
        id: "store-signed",
        section: STORE,
        holds: "a store without sign, or with a wrong or no sign_tail, is refused (4xx)",
        run: |probe| with_stores(probe, signed),
    },
];

/// The largest store that is checked.
const MAX_CHECKED: u64 = 1 << 20;

fn whole(probe: &Probe, stores: &Stores) -> Outcome {
    for size in [0, 1, 1000, 20_000, MAX_CHECKED] {
        let file = stores.file(size);
        let describe = || format!("a store of {} bytes", file.size());
        let response = probe
            .send(&SendRequest::store(&file))
            .with_context(describe)?;
        response
            .expect_complete(file.size())
            .with_context(describe)?;
        let found = probe.find(&file)?;
        ensure!(found.complete, "{}: a locate does not find it", describe());
        if let Some(theirs) = found.prefix {
            ensure!(
                theirs == file.whole(),
                "{}: other bytes are there",
                describe()
            );
        }
    }
    pass()
}

fn again(probe: &Probe, stores: &Stores) -> Outcome {
    let stored = stores.file(2000);
    let store = SendRequest::store(&stored);
    probe.send(&store)?.expect_complete(stored.size())?;
    probe
        .send(&store)?
        .expect_complete(stored.size())
        .context("the second store")?;
    let sent = stores.file(2000);
    probe.upload(&sent)?;
    probe
        .send(&SendRequest::store(&sent))?
        .expect_complete(sent.size())
        .context("a store of a file that was sent")?;
    pass()
}

fn partial(probe: &Probe, stores: &Stores) -> Outcome {
    let file = stores.file(2000);
    let held = file.at(1, 2);
    let id = probe.begin_upload(&file, held)?;
    let response = probe
        .send(&SendRequest::store(&file))?
        .expect_partial(held)?;
    ensure!(response.id()? == id, "another id in {}", response.summary());
    probe.locate(&file)?.expect_partial(held)?;
    probe.finish(&file)?;
    // The same where the part is not at the beginning.
    let file = stores.file(2000);
    let id = probe.find(&file)?.id;
    let range = (file.at(1, 4), file.at(1, 2));
    let part = SendRequest::part(&file, &id, range, &new_run());
    if probe.send(&part)?.status != 200 || Extent::find(probe, &file)?.ranges.is_empty() {
        return pass();
    }
    let store = SendRequest::store(&file);
    probe
        .send(&store)?
        .expect_partial(0)
        .context("a store beside a range")?;
    let found = Extent::find(probe, &file)?;
    ensure!(
        found.ranges == [range],
        "the store has changed the ranges to {found:?}"
    );
    pass()
}

fn wrong(probe: &Probe, stores: &Stores) -> Outcome {
    let file = stores.file(2000);
    let right = SendRequest::store(&file);
    let mut other_bytes = right.clone();
    other_bytes.bytes[7] ^= 1;
    let other_digest = right
        .clone()
        .set(file.digest(), file.with_other_content().whole());
    for wrong in [other_bytes, other_digest] {
        probe.send(&wrong)?.expect(422)?;
        let found = probe.find(&file)?;
        ensure!(
            found.offset == 0 && !found.complete,
            "the offset is {} though the digest was refused",
            found.offset
        );
    }
    let mut short = right.clone();
    short.bytes.pop();
    probe
        .send(&short)?
        .expect_refusal()
        .context("a store with a byte too few")?;
    ensure!(
        !probe.find(&file)?.complete,
        "a store with a byte too few is complete"
    );
    probe.send(&right)?.expect_complete(file.size())?;
    pass()
}

fn broken(probe: &Probe, stores: &Stores) -> Outcome {
    let file = stores.file(20_000);
    let store = SendRequest::store(&file);
    for count in [0, file.at(1, 2), file.size() - 1] {
        close(probe.send_part(&store, count)?);
        let found = probe.find(&file)?;
        ensure!(
            found.offset == 0 && !found.complete,
            "{} bytes are there after a store that was cut off",
            found.offset
        );
        let held = Extent::find(probe, &file)?;
        ensure!(
            held.ranges.is_empty(),
            "a store that was cut off left {held:?}"
        );
    }
    probe.send(&store)?.expect_complete(file.size())?;
    pass()
}

fn too_large(probe: &Probe, stores: &Stores) -> Outcome {
    let mut file = stores.file(MAX_CHECKED);
    if file.size() < stores.small {
        return not_supported("its small is too large to be checked");
    }
    file.content.push(0);
    let response = probe.send(&SendRequest::store(&file))?;
    ensure!(
        matches!(response.status, 400 | 404 | 405 | 413 | 422 | 501),
        "expected a refusal; the response is {}",
        response.summary()
    );
    ensure!(!probe.find(&file)?.complete, "a refused store is complete");
    pass()
}

fn owner(probe: &Probe, stores: &Stores) -> Outcome {
    let Some(other) = &probe.shared.other else {
        return not_supported("the kit has no second user (--other-basic, --other-token)");
    };
    let other = probe.with_visitor(other.clone());
    let file = stores.file(2000);
    probe.begin_upload(&file, file.at(1, 2))?;
    let store = SendRequest::store(&file);
    other.send(&store)?.expect_complete(file.size())?;
    probe.locate(&file)?.expect_partial(file.at(1, 2))?;
    probe.finish(&file)?;
    pass()
}

fn signed(probe: &Probe, stores: &Stores) -> Outcome {
    let Some(signer) = &probe.signer else {
        return not_supported("the kit has no secret (--secret)");
    };
    let file = stores.file(1000);
    let unsigned = SendRequest::store(&file);
    let mut only_head = unsigned.clone();
    signer.head(&mut only_head.fields, fastrand::u128(..));
    let mut other_tail = unsigned.clone();
    signer.head(&mut other_tail.fields, fastrand::u128(..));
    signer.tail(&mut other_tail.tail, &"0".repeat(64));
    for (what, store) in [
        ("without signatures", unsigned),
        ("without sign_tail", only_head),
        ("with the sign_tail of another form", other_tail),
    ] {
        let body = store.body("----resupConformanceSigned");
        let response = probe.exchange(&probe.request(&body))?;
        response.expect_refusal().context(what)?;
        ensure!(!probe.find(&file)?.complete, "{what}: the file is complete");
    }
    let store = SendRequest::store(&file);
    probe.send(&store)?.expect_complete(file.size())?;
    pass()
}
