//! Locate: the request that asks what the receiver has of a file.

use anyhow::{bail, ensure, Result};

use crate::checks::check::{Check, LOCATE};
use crate::file::TestFile;
use crate::form::urlencoded;
use crate::probe::Probe;
use crate::response::Response;
use crate::send::SendRequest;
use crate::verdict::{not_supported, pass, Outcome};

pub const CHECKS: &[Check] = &[
    Check {
        id: "locate-new-post",
        section: LOCATE,
        holds: "by POST, an unknown file is new, with offset 0 and an id",
        run: |probe| expect_new(probe.locate(&probe.file(1000))?),
    },
    Check {
        id: "locate-new-get",
        section: LOCATE,
        holds: "by GET, an unknown file is new, with offset 0 and an id",
        run: |probe| expect_new(probe.locate_by_get(&probe.file(1000))?),
    },
    Check {
        id: "locate-partial",
        section: LOCATE,
        holds: "an unfinished file is partial, at the offset in the response to the send",
        run: partial,
    },
    Check {
        id: "locate-complete",
        section: LOCATE,
        holds: "a finished file is complete, with offset = size and an id",
        run: complete,
    },
    Check {
        id: "locate-again",
        section: LOCATE,
        holds: "a locate changes nothing: the first response's id stays valid after more locates",
        run: again,
    },
    Check {
        id: "locate-prefix-md5",
        section: LOCATE,
        holds: "with prefix=1 the response's prefix_md5 is that of the sent bytes",
        run: prefix_md5,
    },
    Check {
        id: "locate-encodings",
        section: LOCATE,
        holds: "a name is the same, however its form is encoded: + or %20, %2f or %2F",
        run: encodings,
    },
    Check {
        id: "locate-extra-fields",
        section: LOCATE,
        holds: "fields that the receiver does not know, and an empty dir, do no harm",
        run: extra_fields,
    },
    Check {
        id: "locate-huge-size",
        section: LOCATE,
        holds: "a file of 2^53 + 1 bytes is new, or refused for its size (4xx, 507)",
        run: huge,
    },
];

/// Checks that a response to a locate is that for an unknown file.
fn expect_new(response: Response) -> Outcome {
    let response = response.expect(200)?;
    ensure!(
        response.state()? == "new" && response.offset()? == 0,
        "expected new with offset 0; the response is {}",
        response.summary()
    );
    response.id()?;
    pass()
}

fn partial(probe: &Probe) -> Outcome {
    let file = probe.file(5000);
    let held = file.at(2, 5);
    probe.begin_upload(&file, held)?;
    probe.locate(&file)?.expect_partial(held)?.id()?;
    probe.locate_by_get(&file)?.expect_partial(held)?;
    pass()
}

fn complete(probe: &Probe) -> Outcome {
    let file = probe.file(1000);
    probe.upload(&file)?;
    for response in [probe.locate(&file)?, probe.locate_by_get(&file)?] {
        let response = response.expect_complete(file.size())?;
        response.id()?;
    }
    pass()
}

fn again(probe: &Probe) -> Outcome {
    let file = probe.file(1000);
    let id = probe.find(&file)?.id;
    probe.locate(&file)?.expect(200)?;
    probe.locate_by_get(&file)?.expect(200)?;
    let first = SendRequest::of(&file, &id, 0, file.at(1, 2));
    probe.send(&first)?.expect_partial(file.at(1, 2))?;
    for _ in 0..3 {
        probe.locate(&file)?.expect_partial(file.at(1, 2))?;
    }
    let rest = SendRequest::of(&file, &id, file.at(1, 2), file.size());
    probe.send(&rest)?.expect_complete(file.size())?;
    pass()
}

fn prefix_md5(probe: &Probe) -> Outcome {
    let file = probe.file(5000);
    let mut has_digest = false;
    let mut compare = |offset: u64| -> Result<()> {
        let response = probe.locate(&file)?.expect(200)?;
        let Some(theirs) = response.prefix_md5() else {
            return Ok(());
        };
        has_digest |= offset > 0;
        let ours = file.prefix(offset);
        ensure!(
            theirs == ours,
            "the first {offset} bytes have the MD5 {ours}, the response is {}",
            response.summary()
        );
        Ok(())
    };
    let id = probe.find(&file)?.id;
    compare(0)?;
    let mut from = 0;
    for to in [1, file.at(1, 3), file.at(2, 3) + 1, file.size()] {
        probe
            .send(&SendRequest::of(&file, &id, from, to))?
            .expect(200)?;
        compare(to)?;
        from = to;
    }
    match has_digest {
        true => pass(),
        false => not_supported("no prefix_md5 in the responses to a locate"),
    }
}

fn encodings(probe: &Probe) -> Outcome {
    let plain = probe.file(1000);
    let file = plain.with_name(format!("a b+c&d=e%20é~({})", plain.name));
    let held = file.at(1, 2);
    probe.begin_upload(&file, held)?;
    let encode = |probe: &Probe| urlencoded(&probe.signed(probe.locate_fields(&file)));
    let changes: [fn(String) -> String; 3] = [
        |form| form.replace('+', "%20"),
        lower_case_escapes,
        |form| form.replace('~', "%7E").replace("%28", "("),
    ];
    for change in changes {
        let form = change(encode(probe));
        let response = probe.post_text(&form)?.expect(200)?;
        if response.offset()? != held {
            let begin: String = form.chars().take(80).collect();
            bail!(
                "the form {begin}… was decoded to another name: {}",
                response.summary()
            );
        }
    }
    pass()
}

/// Writes `%2F` as `%2f`.
fn lower_case_escapes(form: String) -> String {
    let mut left = 0;
    form.chars()
        .map(|char| {
            if char == '%' {
                left = 3;
            }
            let inside = left > 0;
            left -= i32::from(inside);
            match inside {
                true => char.to_ascii_lowercase(),
                false => char,
            }
        })
        .collect()
}

fn extra_fields(probe: &Probe) -> Outcome {
    let mut file: TestFile = probe.file(1000);
    file.extra = [("tenant", "7&8"), ("客户", "值 \"x\""), ("empty", "")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
    probe.upload(&file)?;
    probe.locate_by_get(&file)?.expect_complete(file.size())?;
    pass()
}

fn huge(probe: &Probe) -> Outcome {
    let mut fields = probe.locate_fields(&probe.file(0));
    for (name, value) in &mut fields {
        if name == "size" {
            *value = ((1_u64 << 53) + 1).to_string();
        }
    }
    let response = probe.post(fields)?;
    match response.status {
        200 => expect_new(response),
        507 => pass(),
        _ => response.expect_refusal().and_then(|_| pass()),
    }
}
