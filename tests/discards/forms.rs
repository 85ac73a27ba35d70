//! Servers of forms: what they are asked, and what is believed.

use resup::{Error, ErrorKind, LogLevel, ProtocolName, RefusalKind, Upload};
use resup_test_support::model::{ModelReceiver, Options};
use resup_test_support::scripted::{reply_with, End, Read, ScriptedServer, Step};

use crate::common::{client, make_file};
use crate::REFUSED;

const OFFER: &str = r#"{"state":"partial","offset":3,"id":"k","discard":true}"#;
const DONE: &str = r#"{"state":"new","offset":0}"#;

/// Discards a file at a server.
fn discard(server: &ScriptedServer) -> Result<(), Error> {
    let dir = tempfile::tempdir().unwrap();
    let path = make_file(&dir, "f", 1000);
    let client = client(&server.endpoint());
    client.set_protocol(ProtocolName::Form);
    client.set_retry_limit(3);
    let mut upload = Upload::from_file(&client, &path).unwrap();
    upload.set_directory("d").unwrap();
    upload.set_field("album", "7").unwrap();
    upload.discard()
}

/// Gives the values of a field of all requests.
fn values(server: &ScriptedServer, name: &str) -> Vec<Option<String>> {
    let requests = server.requests();
    requests.iter().map(|request| request.field(name)).collect()
}

fn actions(server: &ScriptedServer) -> Vec<String> {
    values(server, "action").into_iter().flatten().collect()
}

#[test]
fn the_requests_are_those_of_the_protocol() {
    let server = ScriptedServer::start(vec![Step::reply(200, OFFER), Step::reply(200, DONE)]);
    discard(&server).unwrap();
    let requests = server.requests();
    let names = |index: usize| -> Vec<String> {
        let fields = requests[index].fields().into_iter();
        fields.map(|(name, _)| name).collect()
    };
    let file = ["action", "name", "size", "mtime", "dir", "album"];
    assert_eq!(names(0), [&file[..], &["discard"]].concat());
    assert_eq!(names(1), [&file[..], &["id"]].concat());
    assert_eq!(actions(&server), ["locate", "discard"]);
    assert_eq!(requests[0].field("discard").unwrap(), "1");
    assert_eq!(requests[1].field("id").unwrap(), "k");
    let kind = requests[1].head.header("content-type");
    assert_eq!(kind, Some("application/x-www-form-urlencoded"));
    assert_eq!(requests[1].head.method, "POST");
}

#[test]
fn digests_go_only_where_they_cannot_complete_an_upload() {
    let server = ScriptedServer::start(vec![Step::reply(200, OFFER), Step::reply(200, DONE)]);
    let client = client(&server.endpoint());
    let mut upload = Upload::from_memory(&client, *b"abc", "a").unwrap();
    upload.discard().unwrap();
    for digest in ["md5", "sha256", "blake3"] {
        let given: Vec<_> = values(&server, digest)
            .iter()
            .map(Option::is_some)
            .collect();
        assert_eq!(given, [false, true], "{digest}");
    }
    // The id may be that of another content of the same name.
    assert_eq!(values(&server, "id"), [None, None]);
}

#[test]
fn a_server_that_does_not_offer_it_is_not_asked() {
    for options in [
        Options::default(),
        Options {
            discards: false,
            ..Options::newest()
        },
    ] {
        let receiver = ModelReceiver::with(options);
        let client = client(&receiver.endpoint());
        let mut upload = Upload::from_memory(&client, *b"abc", "a").unwrap();
        let error = upload.discard().unwrap_err();
        assert!(matches!(error, Error::NotDiscarded { .. }), "{error}");
        assert_eq!(error.kind(), REFUSED);
        assert_eq!(receiver.stats().requests, 1);
    }
}

#[test]
fn a_lost_answer_is_asked_again_for_the_same_upload() {
    let lost = Step::new().read(Read::All).end(End::Close);
    let script = vec![
        Step::reply(503, "{}"),
        Step::reply(200, OFFER),
        lost,
        Step::reply(423, r#"{"message":"busy"}"#),
        Step::reply(200, DONE),
    ];
    let server = ScriptedServer::start(script);
    discard(&server).unwrap();
    let expected = ["locate", "locate", "discard", "discard", "discard"];
    assert_eq!(actions(&server), expected);
    let ids: Vec<_> = values(&server, "id").into_iter().flatten().collect();
    assert_eq!(ids, ["k"; 3]);
}

#[test]
fn only_the_protocols_answer_is_a_success() {
    let page = reply_with(
        200,
        &[("Content-Type", "text/html")],
        "<html>Please log in</html>",
    );
    let page = Step::new().read(Read::All).write(page);
    let long = format!("{{\"state\":\"new\",\"x\":\"{}\"}}", "x".repeat(300_000));
    let elsewhere = reply_with(302, &[("Location", "http://127.0.0.1:9/login")], "");
    let elsewhere = Step::new().read(Read::All).write(elsewhere);
    let failing = ErrorKind::Refused(RefusalKind::Failing);
    let cases = [
        ("a page", page, ErrorKind::BadResponse, 2),
        (
            "partial",
            Step::reply(200, OFFER),
            ErrorKind::BadResponse,
            2,
        ),
        (
            "complete",
            Step::reply(200, r#"{"state":"complete","offset":1000}"#),
            ErrorKind::BadResponse,
            2,
        ),
        (
            "204",
            Step::new().read(Read::All).write(reply_with(204, &[], "")),
            ErrorKind::BadResponse,
            2,
        ),
        (
            "long",
            Step::reply(200, &long),
            ErrorKind::ResponseTooLong,
            2,
        ),
        ("elsewhere", elsewhere, REFUSED, 2),
        ("404", Step::reply(404, "{}"), REFUSED, 2),
        (
            "409",
            Step::reply(409, r#"{"message":"finished"}"#),
            REFUSED,
            2,
        ),
        (
            "403",
            Step::reply(403, "{}"),
            ErrorKind::Refused(RefusalKind::NotAllowed),
            2,
        ),
        // Three more attempts.
        ("500", Step::reply(500, "{}"), failing, 5),
    ];
    for (name, step, kind, requests) in cases {
        let server = ScriptedServer::start(vec![Step::reply(200, OFFER), step]);
        let error = discard(&server).unwrap_err();
        assert_eq!(error.kind(), kind, "{name}: {error}");
        assert_eq!(server.requests().len(), requests, "{name}");
    }
}

#[test]
fn a_locate_is_followed_and_its_lies_are_seen() {
    let target = ScriptedServer::start(vec![Step::reply(200, DONE)]);
    let away = format!("{}?x=1", target.endpoint());
    let away = Step::new()
        .read(Read::All)
        .write(reply_with(307, &[("Location", &away)], ""));
    let server = ScriptedServer::start(vec![away]);
    assert_eq!(discard(&server).unwrap_err().kind(), REFUSED);
    assert_eq!(target.requests().len(), 0);

    let there = Step::new()
        .read(Read::All)
        .write(reply_with(307, &[("Location", "/there")], ""));
    let script = vec![there, Step::reply(200, OFFER), Step::reply(200, DONE)];
    let server = ScriptedServer::start(script);
    discard(&server).unwrap();
    let targets: Vec<_> = server
        .requests()
        .into_iter()
        .map(|it| it.head.target)
        .collect();
    assert_eq!(targets[1..], ["/there", "/there"]);

    for text in [
        r#"{"discard":true}"#,
        "<html>",
        r#"{"state":"new","offset":5,"discard":true}"#,
    ] {
        let server = ScriptedServer::start(vec![Step::reply(200, text)]);
        discard(&server).unwrap_err();
        assert_eq!(server.requests().len(), 1, "{text}");
    }
    for value in ["false", "\"true\"", "1", "null"] {
        let text = format!(r#"{{"state":"new","offset":0,"discard":{value}}}"#);
        let server = ScriptedServer::start(vec![Step::reply(200, &text)]);
        let error = discard(&server).unwrap_err();
        assert!(
            matches!(error, Error::NotDiscarded { .. }),
            "{value}: {error}"
        );
    }
}

#[test]
fn the_log_says_what_was_done() {
    let server = ScriptedServer::start(vec![
        Step::reply(200, OFFER),
        Step::reply(503, "{}"),
        Step::reply(200, DONE),
    ]);
    let client = client(&server.endpoint());
    let lines = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let sink = lines.clone();
    client.on_log(LogLevel::Info, move |_, line| {
        sink.lock().unwrap().push(line.to_owned());
        resup::Flow::Continue
    });
    let mut upload = Upload::from_memory(&client, *b"abc", "a").unwrap();
    upload.discard().unwrap();
    let lines = lines.lock().unwrap().join("\n");
    assert!(lines.contains("next attempt in"), "{lines}");
    assert!(lines.ends_with("a: discarded, by form"), "{lines}");
}
