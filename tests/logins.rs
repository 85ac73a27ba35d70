//! Uploads to a server that requires a login by its form.

mod common;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;
use std::time::Duration;

use resup::{Client, Error, ErrorKind, RefusalKind, SegmentSize, Upload};
use resup_test_support::head::RequestHead;
use resup_test_support::scripted::{json, End, Read, ScriptedServer, Step};

const SIZE: u64 = 100;

fn client(server: &ScriptedServer) -> Client {
    let client = common::client(&server.endpoint());
    let login = format!("http://{}/login", server.addr());
    client.set_login_form(&login).unwrap();
    client.set_login_field("password", "sesame").unwrap();
    client
}

fn upload(client: &Client) -> Result<(), Error> {
    let dir = tempfile::tempdir().unwrap();
    let mut upload = Upload::from_file(client, common::make_file(&dir, "f", SIZE)).unwrap();
    upload.set_segment_size(SegmentSize::Fixed(10)).unwrap();
    upload.run()
}

/// Returns the kinds of the requests so far: `login`, `locate` or `send`.
fn kinds(server: &ScriptedServer) -> Vec<&'static str> {
    let requests = server.requests();
    requests.iter().map(|request| kind(&request.head)).collect()
}

fn kind(head: &RequestHead) -> &'static str {
    match head.boundary() {
        Some(_) => "send",
        None if head.target == "/login" => "login",
        None => "locate",
    }
}

/// Takes segments of 10 bytes.
fn take(head: &RequestHead, at: &mut u64) -> Step {
    if kind(head) == "send" {
        *at += 10;
    }
    match *at {
        0 => Step::reply(200, &json("new", 0, "k")),
        SIZE => Step::reply(200, &json("complete", SIZE, "k")),
        at => Step::reply(200, &json("partial", at, "k")),
    }
}

fn accepted() -> Step {
    Step::new()
        .read(Read::All)
        .write("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n")
}

fn forbidden() -> Step {
    Step::reply(403, r#"{"message":"this folder is not yours"}"#)
}

#[test]
fn only_status_and_cookies_of_the_response_to_a_login_count() {
    const COOKIE: &str = "Set-Cookie: sid=42; Path=/";
    let page = "x".repeat(1 << 20);
    for (head, body, end) in [
        ("204 No Content", "", End::KeepAlive),
        ("200 OK", "<h1>Welcome</h1>", End::Close),
        ("200 OK", "<h1>Welcome</h1>", End::HoldOpen),
        ("303 See Other", "", End::HoldOpen),
        ("200 OK\r\nContent-Length: 1048576", &page, End::KeepAlive),
        ("200 OK\r\nContent-Length: 1048576", "cut", End::Close),
        ("200 OK\r\nTransfer-Encoding: chunked", "cut", End::Reset),
    ] {
        let response = format!("HTTP/1.1 {head}\r\n{COOKIE}\r\n\r\n{body}");
        let step = Step::new()
            .read(Read::All)
            .write(response)
            // A reset destroys what was not read yet, so it comes later.
            .wait(Duration::from_millis(50))
            .end(end);
        let mut at = 0;
        let server =
            ScriptedServer::start_with(move |head, _| match (kind(head), head.header("cookie")) {
                ("login", _) => step.clone(),
                (_, Some("sid=42")) => take(head, &mut at),
                _ => Step::reply(401, "{}"),
            });
        let result = upload(&client(&server));
        assert_eq!(result, Ok(()), "{head} {end:?}");
        assert_eq!(kinds(&server)[..2], ["login", "locate"], "{head}");
    }
}

#[test]
fn the_error_of_a_refused_login_has_the_reason() {
    let server = ScriptedServer::start(vec![Step::new()
        .read(Read::All)
        .write("HTTP/1.1 403 Forbidden\r\n\r\nToo many tries")
        .end(End::Close)]);
    let error = upload(&client(&server)).unwrap_err();
    assert!(error.to_string().contains("Too many tries"), "{error}");
    assert_eq!(kinds(&server), ["login"]);
}

#[test]
fn a_login_that_is_refused_for_good_is_not_allowed_whatever_its_status() {
    for (status, kind) in [
        (400, RefusalKind::NotAllowed),
        (401, RefusalKind::NotAllowed),
        (404, RefusalKind::NotAllowed),
        (405, RefusalKind::NotAllowed),
        (501, RefusalKind::NotAllowed),
        (429, RefusalKind::Busy),
        (502, RefusalKind::Failing),
    ] {
        let server = ScriptedServer::start_with(move |_, _| Step::reply(status, "{}"));
        let client = client(&server);
        client.set_retry_limit(0);
        let error = upload(&client).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused(kind), "{error}");
        let words = format!("/login failed: the server refused with HTTP status {status}");
        assert!(error.to_string().contains(&words), "{error}");
    }
}

#[test]
fn a_send_that_stays_forbidden_is_an_error_after_one_more_login() {
    for status in [401, 403, 302] {
        let mut at = 0;
        let server = ScriptedServer::start_with(move |head, _| match kind(head) {
            "login" => accepted(),
            "send" if status == 302 => accepted(),
            "send" => Step::reply(status, r#"{"message":"this folder is not yours"}"#),
            _ => take(head, &mut at),
        });
        let error = upload(&client(&server)).unwrap_err();
        let refusal = error.refusal().unwrap_or_else(|| panic!("{error}"));
        assert_eq!(refusal.status, status);
        assert_eq!(refusal.kind, RefusalKind::NotAllowed);
        let message = refusal.message.as_deref().unwrap();
        assert!(status == 302 || message == "this folder is not yours");
        let once = ["login", "locate", "send"];
        assert_eq!(kinds(&server), [once, once].concat(), "{status}");
    }
}

#[test]
fn a_part_that_stays_forbidden_is_an_error_after_one_more_login() {
    let parts = r#"{"state":"new","offset":0,"id":"k","digest":"blake3","parts":6}"#;
    let server = ScriptedServer::start_with(move |head, _| match kind(head) {
        "login" => accepted(),
        "send" => forbidden(),
        _ => Step::reply(200, parts),
    });
    let dir = tempfile::tempdir().unwrap();
    let path = common::make_file(&dir, "f", 4 << 20);
    let mut upload = Upload::from_file(&client(&server), path).unwrap();
    let error = upload.run().unwrap_err();
    let not_allowed = ErrorKind::Refused(RefusalKind::NotAllowed);
    assert_eq!(error.kind(), not_allowed, "{error}");
    let once = ["login", "locate", "send"];
    assert_eq!(kinds(&server), [once, once].concat());
}

#[test]
fn the_login_page_of_a_network_is_waited_for_in_the_middle() {
    let (mut at, mut requests) = (0, 0);
    let server = ScriptedServer::start_with(move |head, _| {
        requests += 1;
        match requests {
            // The page is there from the third send on, also in place of the login.
            5..=10 => accepted(),
            _ if kind(head) == "login" => accepted(),
            _ => take(head, &mut at),
        }
    });
    assert_eq!(upload(&client(&server)), Ok(()));
    let kinds = kinds(&server);
    let logins = kinds.iter().filter(|kind| **kind == "login").count();
    assert!((3..=6).contains(&logins), "{kinds:?}");
}

#[test]
fn a_send_that_is_forbidden_from_some_byte_on_is_an_error_after_one_more_login() {
    let mut at = 0;
    let server = ScriptedServer::start_with(move |head, _| match kind(head) {
        "login" => accepted(),
        "send" if at == 30 => forbidden(),
        _ => take(head, &mut at),
    });
    let error = upload(&client(&server)).unwrap_err();
    assert_eq!(
        error.kind(),
        ErrorKind::Refused(RefusalKind::NotAllowed),
        "{error}"
    );
    let kinds = kinds(&server);
    let before = ["login", "locate", "send", "send", "send", "send"];
    assert_eq!(kinds, [&before[..], &["login", "locate", "send"]].concat());
}

#[test]
fn a_busy_server_between_does_not_hide_that_a_send_is_forbidden() {
    let mut sends = 0;
    let server = ScriptedServer::start_with(move |head, _| {
        if kind(head) == "send" {
            sends += 1;
        }
        match kind(head) {
            "login" => accepted(),
            "send" if sends % 2 == 0 => Step::reply(503, "{}"),
            "send" => forbidden(),
            _ => take(head, &mut 0),
        }
    });
    let error = upload(&client(&server)).unwrap_err();
    assert_eq!(error.refusal().unwrap().status, 403);
    let kinds = kinds(&server);
    assert_eq!(kinds.iter().filter(|kind| **kind == "login").count(), 2);
    assert_eq!(kinds.iter().filter(|kind| **kind == "send").count(), 3);
}

#[test]
fn a_login_is_repeated_each_time_that_the_session_ends() {
    // The number of requests that are accepted after a login.
    for length in [2, 3, 4] {
        let (mut at, mut left) = (0, 0);
        let server = ScriptedServer::start_with(move |head, _| {
            if kind(head) == "login" {
                left = length;
                return accepted();
            }
            if left == 0 {
                return Step::reply(401, "{}");
            }
            left -= 1;
            take(head, &mut at)
        });
        assert_eq!(upload(&client(&server)), Ok(()), "{length}");
        assert!(
            kinds(&server)
                .iter()
                .filter(|kind| **kind == "login")
                .count()
                > 3
        );
    }
}

#[test]
fn a_login_is_repeated_even_without_retries() {
    let (mut at, mut left) = (0, 0);
    let ending = ScriptedServer::start_with(move |head, _| {
        if kind(head) == "login" {
            left = 2;
            return accepted();
        }
        if left == 0 {
            return Step::reply(401, "{}");
        }
        left -= 1;
        take(head, &mut at)
    });
    let patient = client(&ending);
    patient.set_retry_limit(0);
    assert_eq!(upload(&patient), Ok(()));
    // And the error of what is forbidden has the server's message.
    let forbidding = ScriptedServer::start_with(move |head, _| match kind(head) {
        "login" => accepted(),
        "send" => forbidden(),
        _ => take(head, &mut 0),
    });
    let patient = client(&forbidding);
    patient.set_retry_limit(0);
    let error = upload(&patient).unwrap_err();
    assert!(error.to_string().ends_with("not yours"), "{error}");
    assert_eq!(kinds(&forbidding).len(), 6);
}

#[test]
fn a_server_that_forgets_and_ends_sessions_is_given_up() {
    // Of every two sends it takes one and forgets it, and responds to the other as if nobody were
    // logged in.
    let mut sends = 0;
    let server = ScriptedServer::start_with(move |head, _| {
        if kind(head) == "send" {
            sends += 1;
        }
        match kind(head) {
            "login" => accepted(),
            "send" if sends % 2 == 0 => Step::reply(401, "{}"),
            "send" => Step::reply(200, &json("partial", 10, "k")),
            _ => Step::reply(200, &json("new", 0, "k")),
        }
    });
    let client = client(&server);
    client.set_retry_limit(3);
    let error = upload(&client).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SessionExpired);
}

#[test]
fn an_upload_goes_on_after_lost_sends_and_ended_sessions() {
    // The session ends between the first locate and its send, and then during every send. No send but the
    // last gets a response, but the server keeps the bytes of each.
    let (mut at, mut sends, mut alive) = (0, 0, false);
    let server = ScriptedServer::start_with(move |head, _| {
        let kind = kind(head);
        if kind == "login" {
            alive = true;
            return accepted();
        }
        sends += u64::from(kind == "send");
        if !alive || sends == 1 && kind == "send" {
            alive = false;
            return Step::reply(401, "{}");
        }
        if kind == "locate" {
            return take(head, &mut at);
        }
        alive = false;
        let response = take(head, &mut at);
        match at {
            SIZE => response,
            _ => Step::new().read(Read::All).end(End::Close),
        }
    });
    assert_eq!(upload(&client(&server)), Ok(()));
}

#[test]
fn a_forbidden_upload_does_not_end_the_session_of_others() {
    let logins = Arc::new(AtomicU32::new(0));
    let (count, mut at) = (logins.clone(), 0);
    let server = ScriptedServer::start_with(move |head, _| match kind(head) {
        "login" => {
            count.fetch_add(1, Ordering::Relaxed);
            accepted()
        }
        "send" if at == 0 => forbidden(),
        _ => take(head, &mut at),
    });
    let client = client(&server);
    upload(&client).unwrap_err();
    assert_eq!(logins.load(Ordering::Relaxed), 2);
    upload(&client).unwrap_err();
    assert_eq!(
        logins.load(Ordering::Relaxed),
        3,
        "the last one still holds"
    );
}
