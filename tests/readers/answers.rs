//! What a server answers to an upload whose size is not known.

use std::time::Duration;

use resup::{Client, ErrorKind, ProtocolName, RefusalKind};
use resup_test_support::files;
use resup_test_support::head::RequestHead;
use resup_test_support::model::ModelReceiver;
use resup_test_support::scripted::{reply_with, End, Read, ScriptedServer, Step};

use crate::of_bytes;
use crate::readers::SIZE;
use crate::scene::client;

/// Answers by tus.
fn answer(status: u16, headers: &[(&str, &str)]) -> Step {
    let mut all = vec![("Tus-Resumable", "1.0.0")];
    all.extend(headers);
    Step::new()
        .read(Read::All)
        .write(reply_with(status, &all, ""))
}

/// Answers as a right server of tus does that has `at` bytes of an upload without a size.
fn right(head: &RequestHead, at: &mut u64) -> Step {
    match head.method.as_str() {
        "OPTIONS" => answer(
            204,
            &[
                ("Tus-Version", "1.0.0"),
                ("Tus-Extension", "creation,creation-defer-length"),
            ],
        ),
        "POST" => answer(201, &[("Location", "/files/1")]),
        "PATCH" => {
            *at += head.content_length().unwrap_or(0);
            answer(204, &[("Upload-Offset", &at.to_string())])
        }
        _ => answer(
            200,
            &[
                ("Upload-Offset", &at.to_string()),
                ("Upload-Defer-Length", "1"),
            ],
        ),
    }
}

fn tus(server: &ScriptedServer) -> Client {
    let client = client(&server.endpoint());
    client.set_protocol(ProtocolName::Tus);
    client.set_retry_limit(3);
    client
}

fn methods(server: &ScriptedServer) -> Vec<String> {
    let requests = server.requests();
    requests.into_iter().map(|it| it.head.method).collect()
}

#[test]
fn a_server_that_goes_back_before_the_window_or_forgets_ends_the_upload() {
    let back = answer(
        200,
        &[("Upload-Offset", "100000"), ("Upload-Defer-Length", "1")],
    );
    let cases = [
        (
            back,
            "goes on from byte 100000, and the bytes before 200000 were passed",
        ),
        (answer(404, &[]), "shows no upload to go on with"),
        (answer(410, &[]), "shows no upload to go on with"),
        (answer(403, &[]), "shows no upload to go on with"),
    ];
    for (step, due) in cases {
        let (mut at, mut patches) = (0, 0);
        let server = ScriptedServer::start_with(move |head, _| match head.method.as_str() {
            "PATCH" => {
                patches += 1;
                match patches {
                    3 => Step::new().end(End::Reset),
                    _ => right(head, &mut at),
                }
            }
            "HEAD" => step.clone(),
            _ => right(head, &mut at),
        });
        let mut upload = of_bytes(&tus(&server), &files::bytes(SIZE as usize, 4));
        for _ in 0..2 {
            let error = upload.run().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::SourceIo, "{error}");
            assert!(error.to_string().contains(due), "{error}");
        }
        let made = methods(&server).iter().filter(|it| *it == "POST").count();
        assert_eq!(made, 1, "{due}: nothing begins anew");
    }
}

#[test]
fn an_upload_that_is_gone_before_a_byte_was_passed_begins_anew() {
    let (mut at, mut gone) = (0, ["HEAD", "PATCH"].to_vec());
    let server = ScriptedServer::start_with(move |head, _| {
        let is_gone = gone.last() == Some(&head.method.as_str());
        match is_gone && gone.pop().is_some() {
            true => answer(404, &[]),
            false => right(head, &mut at),
        }
    });
    let mut upload = of_bytes(&tus(&server), &files::bytes(SIZE as usize, 5));
    upload.run().unwrap();
    let methods = methods(&server);
    assert_eq!(methods[..5], ["OPTIONS", "POST", "PATCH", "HEAD", "POST"]);
}

#[test]
fn a_server_that_does_not_know_the_upload_for_a_moment_is_asked_again() {
    let content = files::bytes(SIZE as usize, 5);
    let (mut at, mut patches) = (0, 0);
    let server = ScriptedServer::start_with(move |head, _| {
        patches += u32::from(head.method == "PATCH");
        match head.method == "PATCH" && patches == 3 {
            true => answer(404, &[]),
            false => right(head, &mut at),
        }
    });
    of_bytes(&tus(&server), &content).run().unwrap();
    let made = methods(&server).iter().filter(|it| *it == "POST").count();
    assert_eq!(made, 1);
}

#[test]
fn a_server_that_stalls_gets_the_same_bytes_again() {
    let content = files::bytes(250_000, 7);
    let (mut at, mut patches) = (0, 0);
    let server = ScriptedServer::start_with(move |head, _| {
        patches += u32::from(head.method == "PATCH");
        match head.method == "PATCH" && matches!(patches, 2 | 4) {
            true => Step::new()
                .read(Read::HeadAndBodyBytes(70_000))
                .end(End::HoldOpen),
            false => right(head, &mut at),
        }
    });
    let client = tus(&server);
    let limit = Duration::from_millis(300);
    client.set_response_timeout(limit).unwrap();
    client.set_stall_timeout(limit).unwrap();
    of_bytes(&client, &content).run().unwrap();
    let requests = server.requests();
    let whole = requests.iter().filter(|it| it.head.method == "PATCH");
    let whole = whole.filter(|it| Some(it.body_len) == it.head.content_length());
    let sent: Vec<u8> = whole.flat_map(|it| it.body.clone()).collect();
    assert!(sent == content);
}

#[test]
fn the_size_is_told_once_with_the_last_bytes() {
    let content = files::bytes(250_000, 6);
    let mut at = 0;
    // It ends each connection after a response.
    let server = ScriptedServer::start_with(move |head, _| right(head, &mut at).end(End::Close));
    of_bytes(&tus(&server), &content).run().unwrap();
    let requests = server.requests();
    let field = |name: &str| -> Vec<_> {
        let told = requests
            .iter()
            .map(|it| it.head.header(name).map(str::to_owned));
        told.collect()
    };
    let creation = requests
        .iter()
        .position(|it| it.head.method == "POST")
        .unwrap();
    assert_eq!(field("upload-defer-length")[creation].as_deref(), Some("1"));
    let sizes: Vec<_> = field("upload-length").into_iter().flatten().collect();
    assert_eq!(sizes, ["250000"]);
    let last = requests.last().unwrap();
    assert_eq!(last.head.header("upload-length"), Some("250000"));
    let bodies = requests.iter().filter(|it| it.head.method == "PATCH");
    let sent: Vec<u8> = bodies.flat_map(|it| it.body.clone()).collect();
    assert!(sent == content);
}

#[test]
fn what_takes_no_such_upload_is_named_with_the_way_out() {
    let server = ScriptedServer::start_with(|head, _| match head.method.as_str() {
        "OPTIONS" => answer(
            204,
            &[("Tus-Version", "1.0.0"), ("Tus-Extension", "creation")],
        ),
        _ => answer(201, &[("Location", "/files/1")]),
    });
    let plain = ModelReceiver::start();
    let silent = ScriptedServer::start_with(|_, _| Step::reply(405, "{}"));
    let cases = [
        (
            server.endpoint(),
            ProtocolName::Tus,
            "its extension creation-defer-length",
        ),
        (
            server.endpoint(),
            ProtocolName::Auto,
            "its extension creation-defer-length",
        ),
        (
            plain.endpoint(),
            ProtocolName::Auto,
            "shows neither tus nor the IETF's protocol",
        ),
        (
            silent.endpoint(),
            ProtocolName::Auto,
            "shows neither tus nor the IETF's protocol",
        ),
        (
            "http://127.0.0.1:1/".to_owned(),
            ProtocolName::Form,
            "(set_protocol), which needs the size",
        ),
    ];
    for (endpoint, protocol, due) in cases {
        let client = client(&endpoint);
        client.set_protocol(protocol);
        let error = of_bytes(&client, b"abc").run().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        let words = error.to_string();
        assert!(
            words.contains(due) && words.contains("give the size"),
            "{words}"
        );
    }
    assert_eq!(methods(&server), ["OPTIONS", "OPTIONS", "OPTIONS"]);
    assert_eq!(plain.files(), []);
}

#[test]
fn a_server_that_is_busy_or_is_not_there_is_not_taken_for_one_of_forms() {
    for (status, kind) in [
        (503, RefusalKind::Busy),
        (401, RefusalKind::NotAllowed),
        (404, RefusalKind::Other),
    ] {
        let server = ScriptedServer::start_with(move |_, _| Step::reply(status, "{}"));
        let client = client(&server.endpoint());
        client.set_retry_limit(1);
        let error = of_bytes(&client, b"abc").run().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused(kind), "{error}");
    }
}
