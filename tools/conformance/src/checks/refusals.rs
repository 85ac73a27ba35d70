//! Requests that make no sense, by mistake or on purpose.

use anyhow::{ensure, Context, Result};

use super::{Check, ERRORS};
use crate::answer::Answer;
use crate::form::{parts, Body, Fields, Send};
use crate::probe::Probe;
use crate::verdict::{pass, Outcome};

pub const CHECKS: &[Check] = &[
    Check {
        id: "unknown-id",
        section: ERRORS,
        holds: "a send with an id that was never given is 404 or 410",
        run: unknown_id,
    },
    Check {
        id: "hostile-ids",
        section: ERRORS,
        holds: "an id that is a path, SQL or very long is refused (4xx)",
        run: hostile_ids,
    },
    Check {
        id: "wrong-locates",
        section: ERRORS,
        holds: "a locate without name or size, or with a size that is none, is refused (4xx)",
        run: locates,
    },
    Check {
        id: "wrong-sends",
        section: ERRORS,
        holds: "a send whose id, offset or length is missing or none is refused (4xx)",
        run: sends,
    },
    Check {
        id: "wrong-range",
        section: ERRORS,
        holds: "a send past the file's size is refused (4xx), and changes nothing",
        run: range,
    },
    Check {
        id: "wrong-length",
        section: ERRORS,
        holds: "a file part longer or shorter than length is refused, and spoils nothing",
        run: length,
    },
    Check {
        id: "hostile-multipart",
        section: ERRORS,
        holds: "multipart bodies that are none are answered, with an error, and do no harm",
        run: multipart,
    },
    Check {
        id: "hostile-urlencoded",
        section: ERRORS,
        holds: "urlencoded bodies that are none are answered, and do no harm",
        run: urlencoded_bodies,
    },
];

fn unknown_id(probe: &Probe) -> Outcome {
    let file = probe.file(500);
    let id = probe.find(&file)?.id;
    // Of the same form, if that is one of letters and digits.
    let other: String = id
        .chars()
        .map(|char| match char {
            '0'..='8' | 'a'..='e' => char::from(char as u8 + 1),
            '9' => '0',
            'f' => 'a',
            other => other,
        })
        .collect();
    for unknown in [format!("{:032x}", fastrand::u128(..)), other] {
        let answer = probe.send(&Send::of(&file, &unknown, 0, file.size()))?;
        ensure!(
            matches!(answer.status, 404 | 410),
            "404 or 410 was due to the id \"{unknown}\", the answer is {}",
            answer.tell()
        );
    }
    probe.finish(&file)?;
    pass()
}

fn hostile_ids(probe: &Probe) -> Outcome {
    let file = probe.file(500);
    let id = probe.find(&file)?.id;
    let hostile = [
        String::new(),
        "../../../../etc/passwd".into(),
        "..\\..\\x".into(),
        format!("./{id}"),
        format!("{id}/"),
        format!("{id}' OR '1'='1"),
        format!("{id}%00"),
        format!("{id}\0"),
        "id-".repeat(3000),
        "👻".into(),
    ];
    for hostile in hostile {
        let answer = probe.send(&Send::of(&file, &hostile, 0, file.size()));
        let tried = || format!("the id {:?}", hostile.chars().take(40).collect::<String>());
        let answer = answer.and_then(Answer::expect_refusal);
        answer.with_context(tried)?;
    }
    probe.finish(&file)?;
    pass()
}

/// `fields` with another value, or without it.
fn with(fields: &Fields, name: &str, value: Option<&str>) -> Fields {
    let mut fields = fields.clone();
    match value {
        None => fields.retain(|(known, _)| known != name),
        Some(value) => {
            let field = fields.iter_mut().find(|(known, _)| known == name);
            field.expect("a field that is there").1 = value.to_owned();
        }
    }
    fields
}

const NO_NUMBERS: [&str; 6] = ["-1", "x", "1e3", "0x10", "1.5", "99999999999999999999999"];

fn locates(probe: &Probe) -> Outcome {
    let fields = probe.locate_fields(&probe.file(500));
    let refuse = |name: &str, value: Option<&str>| -> Result<()> {
        for answer in [
            probe.post(with(&fields, name, value))?,
            probe.get(with(&fields, name, value))?,
        ] {
            let tried = || format!("{name} is {}", value.unwrap_or("missing"));
            answer.expect_refusal().with_context(tried)?;
        }
        Ok(())
    };
    refuse("name", None)?;
    refuse("name", Some(""))?;
    refuse("size", None)?;
    refuse("size", Some(""))?;
    for size in NO_NUMBERS {
        refuse("size", Some(size))?;
    }
    pass()
}

fn sends(probe: &Probe) -> Outcome {
    let file = probe.file(500);
    let held = file.at(1, 2);
    let id = probe.begun(&file, held)?;
    let send = Send::of(&file, &id, held, file.size());
    for name in ["id", "offset", "length"] {
        let missing = probe.send(&send.clone().without(name))?;
        let tried = || format!("{name} is missing");
        missing.expect_refusal().with_context(tried)?;
        for value in NO_NUMBERS {
            let answer = probe.send(&send.clone().set(name, value))?;
            let tried = || format!("{name} is \"{value}\"");
            answer.expect_refusal().with_context(tried)?;
        }
    }
    probe.locate(&file)?.expect_partial(held)?;
    probe.finish(&file)?;
    pass()
}

fn range(probe: &Probe) -> Outcome {
    let file = probe.file(500);
    let held = file.at(1, 2);
    let id = probe.begun(&file, held)?;
    let send = Send::of(&file, &id, held, file.size());
    let mut longer = send.clone().set("length", file.size() - held + 1);
    longer.bytes.push(0);
    let max = i64::MAX;
    for send in [
        longer,
        send.clone().set("offset", file.size() + 1),
        send.clone().set("length", max),
        send.set("offset", max).set("length", max),
    ] {
        probe.send(&send)?.expect_refusal()?;
        probe.locate(&file)?.expect_partial(held)?;
    }
    probe.finish(&file)?;
    pass()
}

fn length(probe: &Probe) -> Outcome {
    for change in [-100_i64, -1, 1, 100] {
        let file = probe.file(1000);
        let id = probe.find(&file)?.id;
        let half = file.at(1, 2);
        let lie = half.saturating_add_signed(change);
        let send = Send::of(&file, &id, 0, half).set("length", lie);
        let tried = || format!("length {lie}, but {half} bytes of the file");
        let answer = probe.send(&send).with_context(tried)?;
        ensure!(
            answer.status >= 400,
            "{}: taken with {}",
            tried(),
            answer.tell()
        );
        let found = probe.find(&file).with_context(tried)?;
        ensure!(!found.complete, "{}: the file is complete", tried());
        probe.finish(&file).with_context(tried)?;
    }
    pass()
}

/// Sends a body that is none; whatever is answered, it is an error and comes at once.
fn refuse(probe: &Probe, what: &str, kind: &str, body: Vec<u8>) -> Result<()> {
    let body = Body {
        kind: kind.to_owned(),
        opening: body,
        bytes: Vec::new(),
        closing: Vec::new(),
    };
    let answer = probe.exchange(&probe.request(&body));
    let answer = answer.with_context(|| what.to_owned())?;
    ensure!(
        answer.status >= 400,
        "{what} is taken with {}",
        answer.tell()
    );
    Ok(())
}

fn multipart(probe: &Probe) -> Outcome {
    let file = probe.file(500);
    let id = probe.find(&file)?.id;
    let boundary = "----resupConformanceHostile";
    let kind = format!("multipart/form-data; boundary={boundary}");
    let send = Send::of(&file, &id, 0, file.size());
    let fields = parts(&probe.signed(send.fields.clone()), boundary).into_bytes();
    let field = |name: &str, value: &str| parts(&vec![(name.into(), value.into())], boundary);
    let end = format!("--{boundary}--\r\n");
    let open_header = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"");
    let many = field("x", "y").repeat(3000);
    let long = field("x", &"y".repeat(1 << 20));
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("an empty body", Vec::new()),
        ("a body without its boundary", vec![b'-'; 5000]),
        (
            "another boundary than announced",
            b"--other\r\n\r\n--other--\r\n".to_vec(),
        ),
        ("a form without a part", end.clone().into_bytes()),
        ("a form without a file", [&fields, end.as_bytes()].concat()),
        ("a part's header cut off", open_header.clone().into_bytes()),
        (
            "a part's header of 200 kB",
            [open_header.as_bytes(), &[b'x'; 200_000]].concat(),
        ),
        (
            "3000 fields and no file",
            [many.as_bytes(), end.as_bytes()].concat(),
        ),
        (
            "a field of 1 MB and no file",
            [long.as_bytes(), end.as_bytes()].concat(),
        ),
        (
            "a field that is not UTF-8, and no file",
            [
                field("name", "?").replace('?', "\u{1}").as_bytes(),
                b"\xff\r\n",
                end.as_bytes(),
            ]
            .concat(),
        ),
    ];
    for (what, body) in cases {
        refuse(probe, what, &kind, body)?;
    }
    refuse(
        probe,
        "multipart without a boundary",
        "multipart/form-data",
        fields,
    )?;
    let text = b"{\"action\": \"locate\"}".to_vec();
    refuse(probe, "JSON", "application/json", text)?;
    probe.finish(&file).context("after all that")?;
    pass()
}

fn urlencoded_bodies(probe: &Probe) -> Outcome {
    let file = probe.file(500);
    let kind = "application/x-www-form-urlencoded";
    for (what, text) in [
        ("an empty form", String::new()),
        ("a form of nothing but &", "&".repeat(1000)),
        ("a form that is no form", "\0\u{1}%%%=%zz&=&==".into()),
        ("1 MB of one letter", "x".repeat(1 << 20)),
        ("20000 fields", "x=y&".repeat(20_000)),
    ] {
        refuse(probe, what, kind, text.into_bytes())?;
    }
    let form = "action=locate&size=5&mtime=1&name=";
    for (what, name) in [
        ("a name that is not UTF-8", "%FF%FE"),
        ("a name with half an escape", "a%2"),
    ] {
        let answer = probe.post_text(&format!("{form}{name}"));
        let answer = answer.with_context(|| what.to_owned())?;
        ensure!(answer.status < 500, "{what} is {}", answer.tell());
    }
    let nul = probe.locate(&file.named("\0"))?;
    ensure!(nul.status < 500, "a name of NUL is {}", nul.tell());
    probe.finish(&file).context("after all that")?;
    pass()
}
