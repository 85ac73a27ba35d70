//! Whose answer it is: late ones on a kept connection, answers about other uploads, and kept
//! connections that are dead.

mod common;

use std::path::Path;
use std::time::Duration;

use common::{client, make_file};
use resup::{Client, DigestMode, Error, Flow, LogLevel, Upload};
use resup_test_support::files;
use resup_test_support::head::RequestHead;
use resup_test_support::scripted::{json, reply, reply_with, End, Read, ScriptedServer, Step};

const SIZE: u64 = 100_000;
/// How late an answer comes that nobody waits for: by then the next upload has asked.
const LATE: Duration = Duration::from_millis(500);

fn is_send(head: &RequestHead) -> bool {
    head.boundary().is_some()
}

/// Makes a client with one attempt.
fn impatient(server: &ScriptedServer) -> Client {
    let client = client(&server.endpoint());
    client.set_retry_limit(0);
    client
}

fn upload(client: &Client, path: &Path, digest: DigestMode) -> (Result<(), Error>, Upload) {
    let mut upload = Upload::from_file(client, path).unwrap();
    upload.set_digest(digest).unwrap();
    (upload.run(), upload)
}

/// Answers the first `sends` with this answer, and all later ones with the right one.
fn wrong_sends(sends: u64, answer: &str) -> ScriptedServer {
    let wrong = Step::reply(200, answer);
    let mut seen = 0;
    ScriptedServer::start_with(move |head, _| {
        if !is_send(head) {
            return Step::reply(200, &json("new", 0, "k"));
        }
        seen += 1;
        match seen <= sends {
            true => wrong.clone(),
            false => Step::reply(200, &json("complete", SIZE, "k")),
        }
    })
}

#[test]
fn odd_lines_in_heads_are_in_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let path = make_file(&dir, "f", SIZE);
    let answer = |state, offset, line: &str| {
        let body = json(state, offset, "k");
        let length = body.len();
        let head = format!("HTTP/1.1 200 OK\r\n{line}\r\nContent-Length: {length}\r\n\r\n");
        Step::new().read(Read::All).write(head + &body)
    };
    let server = ScriptedServer::start_with(move |head, _| match is_send(head) {
        false => answer("new", 0, "PHP Warning: secret"),
        true => answer("complete", SIZE, "no field at all"),
    });
    let client = client(&server.endpoint());
    let (sender, lines) = std::sync::mpsc::channel();
    client.on_log(LogLevel::Debug, move |level, line| {
        sender.send((level, line.to_owned())).unwrap();
        Flow::Continue
    });
    upload(&client, &path, DigestMode::OnePass).0.unwrap();
    let odd: Vec<_> = lines
        .try_iter()
        .filter(|(_, line)| line.contains("no field"))
        .collect();
    let noted = |text: &str| {
        let line = format!("a line in the response's head is no field: \"{text}\"");
        (LogLevel::Debug, line)
    };
    assert_eq!(odd, [noted("PHP Warning:"), noted("no field at all")]);
}

const OTHER: &str = r#"{"state":"complete","offset":100000,"id":"other","location":"/other"}"#;

#[test]
fn an_answer_about_another_upload_is_not_believed() {
    let dir = tempfile::tempdir().unwrap();
    let path = make_file(&dir, "a", SIZE);
    let server = wrong_sends(1, OTHER);
    let mut upload = Upload::from_file(&client(&server.endpoint()), &path).unwrap();
    upload.run().unwrap();
    let remote = upload.remote();
    assert_eq!(remote.snapshot().attempts, 2);
    assert_eq!(remote.id().as_deref(), Some("k"));
    assert_eq!(remote.location(), None);
    let used: Vec<_> = server.requests().iter().map(|r| r.connection).collect();
    assert_eq!(used, [0, 0, 1, 1], "it is asked on a new connection");
}

#[test]
fn an_answer_about_another_upload_is_told_and_its_values_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let path = make_file(&dir, "a", SIZE);
    let conflict = reply_with(409, &[], r#"{"offset":5,"id":"other","location":"/other"}"#);
    for step in [
        Step::reply(200, OTHER),
        Step::new().read(Read::All).write(conflict),
    ] {
        let server = ScriptedServer::start_with(move |head, _| match is_send(head) {
            true => step.clone(),
            false => Step::reply(200, &json("new", 0, "k")),
        });
        let client = impatient(&server);
        let (result, upload) = upload(&client, &path, DigestMode::OnePass);
        let error = result.unwrap_err();
        assert!(matches!(error, Error::BadResponse { .. }), "{error}");
        let message = r#"about the upload "other", but bytes of "k" were sent"#;
        assert!(error.to_string().contains(message), "{error}");
        assert!(error.is_retryable());
        assert_eq!(upload.remote().id().as_deref(), Some("k"));
        assert_eq!(upload.remote().location(), None);
    }
}

/// Uploads two files with one client. The answer to the first one's send comes a second time, when
/// the second upload has asked. Gives the bytes that the second one sent, and the connections.
fn late_answer(answer: &str, digest: DigestMode) -> (u64, u64) {
    let dir = tempfile::tempdir().unwrap();
    let (first, second) = (make_file(&dir, "a", SIZE), dir.path().join("b"));
    files::make(&second, SIZE, 12).unwrap();
    let twice = Step::reply(200, answer).wait(LATE);
    let twice = twice.write(reply(200, answer));
    let id = answer.contains("\"id\"").then_some(",\"id\":\"k\"");
    let new = format!(r#"{{"state":"new","offset":0{}}}"#, id.unwrap_or_default());
    let mut sends = 0;
    let server = ScriptedServer::start_with(move |head, _| {
        sends += u64::from(is_send(head));
        match (is_send(head), sends) {
            (true, 1) => twice.clone(),
            (true, _) => Step::reply(200, r#"{"state":"complete"}"#),
            _ => Step::reply(200, &new),
        }
    });
    let client = impatient(&server);
    let (result, _) = upload(&client, &first, digest);
    result.unwrap();
    let (result, upload) = upload(&client, &second, digest);
    result.unwrap();
    assert_eq!(upload.remote().location(), None);
    (upload.remote().snapshot().bytes_sent, server.connections())
}

#[test]
fn a_late_answer_on_a_kept_connection_is_not_the_next_uploads() {
    let complete = |more: &str| format!(r#"{{"state":"complete","location":"/a"{more}}}"#);
    let dir = tempfile::tempdir().unwrap();
    let md5 = files::md5_hex(&make_file(&dir, "a", SIZE)).unwrap();
    let md5 = format!(r#","prefix_md5":"{md5}""#);
    for (answer, digest) in [
        (complete(""), DigestMode::None),
        (complete(""), DigestMode::OnePass),
        (complete(r#","id":"k""#), DigestMode::None),
        (complete(&md5), DigestMode::None),
        (complete(&md5), DigestMode::OnePass),
    ] {
        assert_eq!(late_answer(&answer, digest), (SIZE, 2), "{answer}");
    }
}

/// Uploads two files with one client. An answer to the first one's locate comes a second time, when
/// the second upload has asked. Gives the server.
fn late_new(late: String) -> ScriptedServer {
    let dir = tempfile::tempdir().unwrap();
    let (first, second) = (make_file(&dir, "a", SIZE), dir.path().join("b"));
    std::fs::copy(&first, &second).unwrap();
    let complete = |id| Step::reply(200, &json("complete", SIZE, id));
    let server = ScriptedServer::start(vec![
        Step::reply(200, &json("new", 0, "first")),
        complete("first").wait(LATE).write(reply(200, &late)),
        Step::reply(200, &json("new", 0, "second")),
        Step::reply(200, &json("new", 0, "second")),
        complete("second"),
    ]);
    let client = impatient(&server);
    for path in [first, second] {
        let (result, _) = upload(&client, &path, DigestMode::OnePass);
        result.unwrap();
    }
    server
}

#[test]
fn the_id_of_another_upload_is_not_taken_from_a_late_answer() {
    let dir = tempfile::tempdir().unwrap();
    let md5 = files::md5_hex(&make_file(&dir, "a", SIZE)).unwrap();
    for late in [
        json("new", 0, "first"),
        json("partial", 0, "first"),
        // Both files have the same bytes.
        format!(r#"{{"state":"complete","id":"first","prefix_md5":"{md5}"}}"#),
    ] {
        let server = late_new(late.clone());
        let requests = server.requests();
        let last = requests.last().unwrap().body_text();
        assert!(last.contains("name=\"id\"\r\n\r\nsecond\r\n"), "{late}");
        assert_eq!(server.connections(), 2, "{late}");
    }
}

#[test]
fn what_proves_itself_or_costs_nothing_is_asked_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = make_file(&dir, "a", SIZE);
    let md5 = files::md5_hex(&path).unwrap();
    let proven = format!(r#"{{"state":"complete","prefix_md5":"{md5}"}}"#);
    for (answer, digest, connections) in [
        (json("new", 0, "k"), DigestMode::None, 1),
        (proven.clone(), DigestMode::OnePass, 1),
        // Not compared, and so no proof.
        (proven, DigestMode::None, 3),
    ] {
        let server = ScriptedServer::start_with(move |head, _| match is_send(head) {
            true => Step::reply(200, r#"{"state":"complete"}"#),
            false => Step::reply(200, &answer),
        });
        let client = impatient(&server);
        for _ in 0..3 {
            let (result, _) = upload(&client, &path, digest);
            result.unwrap();
        }
        assert_eq!(server.connections(), connections, "{digest:?}");
    }
}

/// The upload of a run that had to wait for long may be forgotten, and begin anew.
#[test]
fn another_id_is_believed_on_a_new_connection() {
    let dir = tempfile::tempdir().unwrap();
    let path = make_file(&dir, "a", SIZE);
    let server = ScriptedServer::start(vec![
        Step::reply(200, &json("new", 0, "k")),
        Step::reply(503, "{}"),
        Step::reply(200, &json("new", 0, "later")),
        Step::reply(200, &json("complete", SIZE, "later")),
    ]);
    let mut upload = Upload::from_file(&client(&server.endpoint()), &path).unwrap();
    upload.run().unwrap();
    assert_eq!(upload.remote().id().as_deref(), Some("later"));
    assert_eq!(server.requests().len(), 4);
}

/// A server that closes the connection when the next request comes.
#[test]
fn a_dead_connection_costs_a_send_no_attempt() {
    let dir = tempfile::tempdir().unwrap();
    // The second is sent with Expect, and digested by a thread of its own.
    for size in [SIZE, 3_000_000] {
        for digest in [DigestMode::None, DigestMode::OnePass] {
            for end in [End::Close, End::Reset] {
                let path = make_file(&dir, "a", size);
                let server = ScriptedServer::start(vec![
                    Step::reply(200, &json("new", 0, "k")),
                    Step::new().end(end),
                    Step::reply(200, &json("new", 0, "k")),
                    Step::new().end(end),
                    Step::reply(200, &json("new", 0, "k")),
                    Step::reply(200, &json("complete", size, "k")),
                ]);
                let client = impatient(&server);
                let (result, upload) = upload(&client, &path, digest);
                result.unwrap();
                let used: Vec<_> = server.requests().iter().map(|r| r.connection).collect();
                // From the second dead one on, each connection is used once.
                assert_eq!(used, [0, 0, 1, 1, 2, 3]);
                let md5 = files::md5_hex(&path).unwrap();
                let told = upload.remote().md5();
                assert_eq!(told, (digest == DigestMode::OnePass).then_some(md5));
            }
        }
    }
}

#[test]
fn a_server_that_ends_every_send_without_a_byte_uses_attempts_up() {
    let dir = tempfile::tempdir().unwrap();
    let path = make_file(&dir, "a", SIZE);
    let server = ScriptedServer::start_with(|head, _| match is_send(head) {
        true => Step::new().read(Read::All).end(End::Close),
        false => Step::reply(200, &json("new", 0, "k")),
    });
    let (result, _) = upload(&impatient(&server), &path, DigestMode::OnePass);
    let error = result.unwrap_err();
    assert!(matches!(error, Error::ConnectionLost { .. }), "{error}");
    let sends = server
        .requests()
        .iter()
        .filter(|r| is_send(&r.head))
        .count();
    assert_eq!(sends, 3);
}

/// The server gets all of a send, and the connection is lost before a byte of its answer.
#[test]
fn bytes_that_arrived_on_a_dead_connection_are_not_sent_again() {
    let dir = tempfile::tempdir().unwrap();
    for digest in [DigestMode::None, DigestMode::OnePass] {
        let path = make_file(&dir, "a", SIZE);
        let server = ScriptedServer::start(vec![
            Step::reply(200, &json("new", 0, "k")),
            Step::new().read(Read::All).end(End::Close),
            Step::reply(200, &json("partial", SIZE, "k")),
            Step::reply(200, &json("complete", SIZE, "k")),
        ]);
        let (result, upload) = upload(&impatient(&server), &path, digest);
        result.unwrap();
        assert_eq!(upload.remote().snapshot().bytes_sent, SIZE);
    }
}
