//! Where a locate goes, and how each one is signed.

mod common;

use std::collections::HashSet;

use resup::{Client, Error, ErrorKind, LocateMethod, SegmentSize, Upload};
use resup_test_support::head::RequestHead;
use resup_test_support::scripted::{json, End, Read, ScriptedServer, Step};

use common::{client, make_file};

const SIZE: u64 = 30;

fn upload(client: &Client) -> Result<(), Error> {
    let dir = tempfile::tempdir().unwrap();
    let mut upload = Upload::from_file(client, make_file(&dir, "f", SIZE)).unwrap();
    upload.set_segment_size(SegmentSize::Fixed(10)).unwrap();
    upload.run()
}

fn is_send(head: &RequestHead) -> bool {
    head.boundary().is_some()
}

/// Takes segments of 10 bytes.
fn take(head: &RequestHead, at: &mut u64) -> Step {
    if is_send(head) {
        *at += 10;
    }
    match *at {
        0 => Step::reply(200, &json("new", 0, "k")),
        SIZE => Step::reply(200, &json("complete", SIZE, "k")),
        at => Step::reply(200, &json("partial", at, "k")),
    }
}

fn redirect(status: u16, to: &str) -> Step {
    Step::new().read(Read::All).write(format!(
        "HTTP/1.1 {status} Elsewhere\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"
    ))
}

fn path(head: &RequestHead) -> &str {
    head.target.split('?').next().unwrap()
}

/// Returns the nonces of all requests but logins.
fn nonces(server: &ScriptedServer) -> Vec<String> {
    let nonce = |request: &resup_test_support::scripted::Request| match is_send(&request.head) {
        false => request.field("nonce").unwrap(),
        true => {
            let body = request.body_text();
            let nonce = body.split("name=\"nonce\"\r\n\r\n").nth(1).unwrap();
            nonce.split("\r\n").next().unwrap().to_owned()
        }
    };
    let requests = server.requests();
    let signed = requests.iter().filter(|r| r.head.target != "/login");
    signed.map(nonce).collect()
}

#[test]
fn every_request_that_goes_out_is_signed_anew() {
    for method in [LocateMethod::Post, LocateMethod::Get] {
        let (mut at, mut locates) = (0, 0);
        let server = ScriptedServer::start_with(move |head, _| {
            if head.target == "/login" {
                return Step::reply(200, "{}");
            }
            locates += u32::from(!is_send(head));
            match locates {
                _ if is_send(head) => take(head, &mut at),
                // A redirect, with the fields of a GET.
                1 => redirect(307, &head.target.replace("/upload", "/moved")),
                // The session's end.
                3 => Step::reply(401, "{}"),
                // A connection that is lost before the response.
                4 => Step::new().read(Read::All).end(End::Close),
                _ => take(head, &mut at),
            }
        });
        let client = client(&server.endpoint());
        client.set_retry_limit(0);
        client.set_locate_method(method);
        client.set_signing_secret(b"geheim").unwrap();
        let login = format!("http://{}/login", server.addr());
        client.set_login_form(&login).unwrap();
        for _ in 0..2 {
            upload(&client).unwrap();
        }
        let nonces = nonces(&server);
        assert_eq!(nonces.iter().collect::<HashSet<_>>().len(), nonces.len());
        let requests = server.requests();
        let locates = requests
            .iter()
            .filter(|request| !is_send(&request.head) && request.head.target != "/login");
        assert_eq!(locates.clone().count(), 5, "{method:?}");
        for locate in locates {
            let signs = locate
                .fields()
                .iter()
                .filter(|(name, _)| name == "sign")
                .count();
            assert_eq!(signs, 1, "{}", locate.head.target);
        }
    }
}

#[test]
fn each_locate_starts_at_the_endpoint_and_sends_go_where_its_redirects_lead() {
    for status in [307, 308] {
        let (mut at, mut locates, mut closed) = (0, 0, false);
        let server = ScriptedServer::start_with(move |head, _| {
            if path(head) == "/upload" {
                locates += 1;
                return redirect(status, &format!("/{locates}"));
            }
            if is_send(head) && at == 10 && !closed {
                closed = true;
                return Step::new().read(Read::All).end(End::Close);
            }
            take(head, &mut at)
        });
        assert_eq!(upload(&client(&server.endpoint())), Ok(()));
        let requests = server.requests();
        let paths: Vec<_> = requests.iter().map(|request| path(&request.head)).collect();
        let expected = [
            "/upload", "/1", "/1", "/1", // the second send loses its connection
            "/upload", "/2", "/2", "/2",
        ];
        assert_eq!(paths, expected, "{status}");
    }
}

#[test]
fn redirects_may_have_every_kind_of_reference() {
    for (location, target) in [
        ("/a?next=http://elsewhere/x", "/a?next=http://elsewhere/x"),
        ("?x=1", "/upload?x=1"),
        ("sub/../other", "/other"),
        ("./a:b", "/a:b"),
        ("/a#part", "/a"),
    ] {
        for method in [LocateMethod::Post, LocateMethod::Get] {
            let (mut at, mut first) = (0, true);
            let server =
                ScriptedServer::start_with(move |head, _| match std::mem::take(&mut first) {
                    true => redirect(307, location),
                    false => take(head, &mut at),
                });
            let client = client(&server.endpoint());
            client.set_locate_method(method);
            assert_eq!(upload(&client), Ok(()), "{location}");
            let requests = server.requests();
            assert!(requests[1].head.target.starts_with(target), "{location}");
            assert_eq!(requests[2].head.target, target, "{location}");
        }
    }
}

#[test]
fn a_get_that_is_too_long_is_an_error_with_the_way_out() {
    let mut at = 0;
    let server = ScriptedServer::start_with(move |head, _| take(head, &mut at));
    let run = |client: &Client, length: usize| {
        let dir = tempfile::tempdir().unwrap();
        let mut upload = Upload::from_file(client, make_file(&dir, "f", SIZE)).unwrap();
        upload.set_field("x", &"y".repeat(length)).unwrap();
        upload.run()
    };
    let through_a_proxy = client("http://far.invalid/upload");
    let proxy = format!("http://{}", server.addr());
    through_a_proxy.set_proxy(&proxy).unwrap();
    for client in [client(&server.endpoint()), through_a_proxy] {
        client.set_locate_method(LocateMethod::Get);
        assert_eq!(run(&client, 59_800), Ok(()));
        let before = server.requests().len();
        for length in [60_000, 65_500, 70_000, 1 << 20] {
            let error = run(&client, length).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
            let text = error.to_string();
            assert!(text.contains("POST") && text.contains("60000"), "{text}");
            assert!(!error.is_retryable());
        }
        assert_eq!(server.requests().len(), before, "nothing goes out");
        client.set_locate_method(LocateMethod::Post);
        assert_eq!(run(&client, 70_000), Ok(()));
    }
}
