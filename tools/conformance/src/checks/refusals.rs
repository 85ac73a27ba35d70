//! Invalid requests, by mistake or on purpose.

use anyhow::{ensure, Context, Result};

use crate::checks::check::{Check, ERRORS};
use crate::form::{parts, Fields};
use crate::probe::Probe;
use crate::response::Response;
use crate::send::{Body, SendRequest};
use crate::verdict::{pass, Outcome};

pub const CHECKS: &[Check] = &[
    Check {
        id: "unknown-id",
        section: ERRORS,
        holds: "a send with an unknown id gets 404 or 410",
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
        holds: "a locate without name or size, or with an invalid size, is refused (4xx)",
        run: locates,
    },
    Check {
        id: "wrong-sends",
        section: ERRORS,
        holds: "a send whose id, offset or length is missing or invalid is refused (4xx)",
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
        holds: "a file part longer or shorter than length is refused, and does no harm",
        run: length,
    },
    Check {
        id: "hostile-multipart",
        section: ERRORS,
        holds: "invalid multipart bodies get an error as response, and do no harm",
        run: multipart,
    },
    Check {
        id: "hostile-urlencoded",
        section: ERRORS,
        holds: "invalid urlencoded bodies get a response, and do no harm",
        run: urlencoded_bodies,
    },
];

fn unknown_id(probe: &Probe) -> Outcome {
    let file = probe.file(500);
    let id = probe.find(&file)?.id;
    let other = unknown_like(&id);
    for unknown in [format!("{:032x}", fastrand::u128(..)), other] {
        let response = probe.send(&SendRequest::of(&file, &unknown, 0, file.size()))?;
        ensure!(
            matches!(response.status, 404 | 410),
            "expected 404 or 410 for the id \"{unknown}\"; the response is {}",
            response.summary()
        );
    }
    probe.finish(&file)?;
    pass()
}

/// Gives an id of the same form that no upload has.
fn unknown_like(id: &str) -> String {
    // A short one may be a count, and all counts near it are other uploads' or will be.
    if id.len() < 16 {
        return format!("{id}{:09}", fastrand::u32(..1_000_000_000));
    }
    let next = |char| match char {
        '0'..='8' | 'a'..='e' => char::from(char as u8 + 1),
        '9' => '0',
        'f' => 'a',
        other => other,
    };
    id.chars().map(next).collect()
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
        let describe = || format!("the id {:?}", hostile.chars().take(40).collect::<String>());
        probe
            .send(&SendRequest::of(&file, &hostile, 0, file.size()))
            .and_then(Response::expect_refusal)
            .with_context(describe)?;
    }
    probe.finish(&file)?;
    pass()
}

/// Returns `fields` with another value for one of them, or without it.
fn with_field(fields: &Fields, name: &str, value: Option<&str>) -> Fields {
    let mut fields = fields.clone();
    match value {
        None => fields.retain(|(known, _)| known != name),
        Some(value) => {
            let found = fields.iter_mut().find(|(known, _)| known == name);
            let (_, old) = found.expect("fields has the field");
            *old = value.to_owned();
        }
    }
    fields
}

/// Texts that are no whole number, or too large.
const NO_NUMBERS: [&str; 6] = ["-1", "x", "1e3", "0x10", "1.5", "99999999999999999999999"];

fn locates(probe: &Probe) -> Outcome {
    let fields = probe.locate_fields(&probe.file(500));
    let expect_refusal = |name: &str, value: Option<&str>| -> Result<()> {
        for response in [
            probe.post(with_field(&fields, name, value))?,
            probe.get(with_field(&fields, name, value))?,
        ] {
            let describe = || format!("{name} is {}", value.unwrap_or("missing"));
            response.expect_refusal().with_context(describe)?;
        }
        Ok(())
    };
    expect_refusal("name", None)?;
    expect_refusal("name", Some(""))?;
    expect_refusal("size", None)?;
    expect_refusal("size", Some(""))?;
    for size in NO_NUMBERS {
        expect_refusal("size", Some(size))?;
    }
    pass()
}

fn sends(probe: &Probe) -> Outcome {
    let file = probe.file(500);
    let held = file.at(1, 2);
    let id = probe.begin_upload(&file, held)?;
    let send = SendRequest::of(&file, &id, held, file.size());
    for name in ["id", "offset", "length"] {
        let missing = probe.send(&send.clone().without(name))?;
        let describe = || format!("{name} is missing");
        missing.expect_refusal().with_context(describe)?;
        for value in NO_NUMBERS {
            let response = probe.send(&send.clone().set(name, value))?;
            let describe = || format!("{name} is \"{value}\"");
            response.expect_refusal().with_context(describe)?;
        }
    }
    probe.locate(&file)?.expect_partial(held)?;
    probe.finish(&file)?;
    pass()
}

fn range(probe: &Probe) -> Outcome {
    let file = probe.file(500);
    let held = file.at(1, 2);
    let id = probe.begin_upload(&file, held)?;
    let send = SendRequest::of(&file, &id, held, file.size());
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
        let wrong = half.saturating_add_signed(change);
        let send = SendRequest::of(&file, &id, 0, half).set("length", wrong);
        let describe = || format!("length {wrong}, but {half} bytes of the file");
        let response = probe.send(&send).with_context(describe)?;
        ensure!(
            response.status >= 400,
            "{}: accepted with {}",
            describe(),
            response.summary()
        );
        let found = probe.find(&file).with_context(describe)?;
        ensure!(!found.complete, "{}: the file is complete", describe());
        probe.finish(&file).with_context(describe)?;
    }
    pass()
}

/// Sends an invalid body, and checks that the response is an error.
fn expect_error(probe: &Probe, what: &str, kind: &str, body: Vec<u8>) -> Result<()> {
    let body = Body {
        kind: kind.to_owned(),
        opening: body,
        bytes: Vec::new(),
        closing: Vec::new(),
    };
    let response = probe
        .exchange(&probe.request(&body))
        .with_context(|| what.to_owned())?;
    ensure!(
        response.status >= 400,
        "{what} is accepted with {}",
        response.summary()
    );
    Ok(())
}

fn multipart(probe: &Probe) -> Outcome {
    let file = probe.file(500);
    let id = probe.find(&file)?.id;
    let boundary = "----resupConformanceHostile";
    let kind = format!("multipart/form-data; boundary={boundary}");
    let send = SendRequest::of(&file, &id, 0, file.size());
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
        expect_error(probe, what, &kind, body)?;
    }
    expect_error(
        probe,
        "multipart without a boundary",
        "multipart/form-data",
        fields,
    )?;
    let text = b"{\"action\": \"locate\"}".to_vec();
    expect_error(probe, "JSON", "application/json", text)?;
    probe
        .finish(&file)
        .context("a normal upload after the invalid bodies")?;
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
        expect_error(probe, what, kind, text.into_bytes())?;
    }
    let form = "action=locate&size=5&mtime=1&name=";
    for (what, name) in [
        ("a name that is not UTF-8", "%FF%FE"),
        ("a name with half an escape", "a%2"),
    ] {
        let response = probe
            .post_text(&format!("{form}{name}"))
            .with_context(|| what.to_owned())?;
        ensure!(response.status < 500, "{what} is {}", response.summary());
    }
    let nul = probe.locate(&file.with_name("\0"))?;
    ensure!(nul.status < 500, "a name of NUL is {}", nul.summary());
    probe
        .finish(&file)
        .context("a normal upload after the invalid bodies")?;
    pass()
}
