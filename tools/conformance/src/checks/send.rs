//! Send: the request that brings the next bytes.

use std::thread::sleep;
use std::time::Duration;

use anyhow::ensure;

use crate::checks::check::{Check, SEND};
use crate::form::escape;
use crate::probe::Probe;
use crate::send::SendRequest;
use crate::verdict::{not_supported, pass, Outcome};

pub const CHECKS: &[Check] = &[
    Check {
        id: "send-whole",
        section: SEND,
        holds: "a file sent in one request is complete",
        run: |probe| probe.upload(&probe.file(20_000)).and_then(|_| pass()),
    },
    Check {
        id: "send-odd-offsets",
        section: SEND,
        holds: "a file sent in pieces of odd lengths is complete, and each response has the right offset",
        run: odd_offsets,
    },
    Check {
        id: "send-empty-file",
        section: SEND,
        holds: "a file of no bytes is complete after a send of length 0",
        run: empty_file,
    },
    Check {
        id: "send-empty-segment",
        section: SEND,
        holds: "a send of length 0 in the middle of a file changes nothing",
        run: empty_segment,
    },
    Check {
        id: "send-any-bytes",
        section: SEND,
        holds: "bytes that look like line ends and boundaries are stored unchanged",
        run: any_bytes,
    },
    Check {
        id: "send-in-pieces",
        section: SEND,
        holds: "a request that arrives a few bytes at a time works",
        run: in_pieces,
    },
    Check {
        id: "send-prefix-md5",
        section: SEND,
        holds: "prefix_md5 in the response to a send is that of the sent bytes",
        run: prefix_md5,
    },
    Check {
        id: "send-filename-star",
        section: SEND,
        holds: "filename* after filename (RFC 8187) does no harm",
        run: filename_star,
    },
    Check {
        id: "send-sha256",
        section: SEND,
        holds: "the file's sha256 beside its md5 is accepted, and a wrong one refused (422)",
        run: sha256,
    },
    Check {
        id: "send-expect-continue",
        section: SEND,
        holds: "a send with Expect: 100-continue gets 100, or no response before its body",
        run: expect_continue,
    },
    Check {
        id: "send-repeated",
        section: SEND,
        holds: "the end of a file, sent again because the response was lost, does no harm",
        run: repeated,
    },
];

fn odd_offsets(probe: &Probe) -> Outcome {
    let file = probe.file(70_000);
    let id = probe.find(&file)?.id;
    let mut ends = vec![1, 2, 64, 127, 1000, 4097, 65_535];
    ends.push(probe.random(4098, 65_535));
    ends.retain(|end| *end < file.size());
    ends.sort_unstable();
    ends.dedup();
    let mut from = 0;
    for to in ends {
        let piece = SendRequest::of(&file, &id, from, to);
        probe.send(&piece)?.expect_partial(to)?;
        from = to;
    }
    let rest = SendRequest::of(&file, &id, from, file.size());
    probe.send(&rest)?.expect_complete(file.size())?;
    pass()
}

fn empty_file(probe: &Probe) -> Outcome {
    let file = probe.file(0);
    let response = probe.locate(&file)?.expect(200)?;
    ensure!(
        response.state()? == "new",
        "expected new; the response is {}",
        response.summary()
    );
    let empty = SendRequest::of(&file, &response.id()?, 0, 0);
    probe.send(&empty)?.expect_complete(0)?;
    probe.locate(&file)?.expect_complete(0)?;
    pass()
}

fn empty_segment(probe: &Probe) -> Outcome {
    let file = probe.file(1000);
    let held = file.at(1, 2);
    let id = probe.begin_upload(&file, held)?;
    let nothing = SendRequest::of(&file, &id, held, held);
    probe.send(&nothing)?.expect_partial(held)?;
    let rest = SendRequest::of(&file, &id, held, file.size());
    probe.send(&rest)?.expect_complete(file.size())?;
    pass()
}

fn any_bytes(probe: &Probe) -> Outcome {
    let almost = "\r\n------resupConformance\r\n\r\n--\r\n\r\n----\r\r\n\n--\0\r\n--";
    let mut file = probe.file(8000);
    for (index, byte) in file.content.iter_mut().enumerate().skip(16) {
        *byte = match index % 1024 {
            inside @ 0..768 => almost.as_bytes()[inside % almost.len()],
            inside => inside as u8,
        };
    }
    probe.upload(&file)?;
    let mut ends = file.with_name(probe.file(0).name);
    let end = b"\r\n------resupConformance\r\n";
    let length = ends.content.len();
    ends.content[length - end.len()..].copy_from_slice(end);
    ends.content[..2].copy_from_slice(b"\r\n");
    probe.upload(&ends)?;
    pass()
}

fn in_pieces(probe: &Probe) -> Outcome {
    let file = probe.file(600);
    let id = probe.find(&file)?.id;
    let body = probe.body(&SendRequest::of(&file, &id, 0, file.size()));
    let mut connection = probe.connect()?;
    for part in [probe.post_head(&body), body.whole()] {
        let mut rest = &part[..];
        // Long enough for the receiver to read the first bytes before the next ones are sent.
        let mut pause = Duration::from_millis(250);
        while !rest.is_empty() {
            let count = (probe.random(1, 40) as usize).min(rest.len());
            connection.write(&rest[..count])?;
            rest = &rest[count..];
            sleep(pause);
            pause = Duration::from_millis(5);
        }
    }
    connection.read_response()?.expect_complete(file.size())?;
    pass()
}

fn prefix_md5(probe: &Probe) -> Outcome {
    let file = probe.file(3000);
    let id = probe.find(&file)?.id;
    let mut digests = 0;
    let mut from = 0;
    for to in [file.at(1, 3), file.at(1, 2) + 1, file.size()] {
        let response = probe
            .send(&SendRequest::of(&file, &id, from, to))?
            .expect(200)?;
        if let Some(theirs) = response.prefix_md5() {
            digests += 1;
            let ours = file.prefix(to);
            ensure!(
                theirs == ours,
                "the first {to} bytes have the MD5 {ours}, the response is {}",
                response.summary()
            );
        }
        from = to;
    }
    match digests {
        0 => not_supported("no prefix_md5 in the responses to sends"),
        _ => pass(),
    }
}

fn filename_star(probe: &Probe) -> Outcome {
    let plain = probe.file(500);
    let file = plain.with_name(format!("Übersicht {}", plain.name));
    let id = probe.find(&file)?.id;
    let mut send = SendRequest::of(&file, &id, 0, file.size());
    let encoded: String = file
        .name
        .bytes()
        .map(|byte| match byte {
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect();
    let name = escape(&file.name);
    send.file_name = format!("; filename=\"{name}\"; filename*=UTF-8''{encoded}");
    probe.send(&send)?.expect_complete(file.size())?;
    probe.locate(&file)?.expect_complete(file.size())?;
    pass()
}

fn sha256(probe: &Probe) -> Outcome {
    use sha2::{Digest, Sha256};
    let file = probe.file(1000);
    let sha256 = crate::file::hex(&Sha256::digest(&file.content));
    let md5 = file.whole();
    let id = probe.find(&file)?.id;
    let send = SendRequest::of(&file, &id, 0, file.size());
    let right = send.tail(&[("md5", &md5), ("sha256", &sha256)]);
    probe.send(&right)?.expect_complete(file.size())?;

    let file = probe.file(1000);
    let md5 = file.whole();
    let id = probe.find(&file)?.id;
    let send = SendRequest::of(&file, &id, 0, file.size());
    let wrong = send.tail(&[("md5", &md5), ("sha256", &sha256)]);
    let response = probe.send(&wrong)?;
    if response.is_complete() {
        return not_supported("the receiver accepts sha256 and does not check it");
    }
    response.expect(422)?;
    ensure!(
        !probe.find(&file)?.complete,
        "the file is complete though its sha256 was refused"
    );
    pass()
}

fn expect_continue(probe: &Probe) -> Outcome {
    let file = probe.file(20_000);
    let id = probe.find(&file)?.id;
    let body = probe.body(&SendRequest::of(&file, &id, 0, file.size()));
    let mut head = probe.post_head(&body);
    head.truncate(head.len() - 2);
    head.extend(b"Expect: 100-continue\r\n\r\n");
    let mut connection = probe.connect()?;
    connection.write(&head)?;
    if connection.receives(Duration::from_secs(1))? {
        let interim = connection.read_head()?;
        if interim.status == 417 {
            return not_supported("the response to Expect is 417");
        }
        ensure!(
            interim.status == 100,
            "expected 100 or nothing; the response to the head is {}",
            interim.status
        );
    }
    connection.write(&body.whole())?;
    connection.read_response()?.expect_complete(file.size())?;
    pass()
}

fn repeated(probe: &Probe) -> Outcome {
    let file = probe.file(2000);
    let held = file.at(1, 2);
    let id = probe.begin_upload(&file, held)?;
    let rest = SendRequest::of(&file, &id, held, file.size());
    probe.send(&rest)?.expect_complete(file.size())?;
    for again in [rest, SendRequest::of(&file, &id, file.size(), file.size())] {
        let response = probe.send(&again)?;
        ensure!(
            response.is_complete() || (response.status == 409 && response.offset()? == file.size()),
            "expected complete, or 409 with offset {}; the response is {}",
            file.size(),
            response.summary()
        );
        probe.locate(&file)?.expect_complete(file.size())?;
    }
    pass()
}
