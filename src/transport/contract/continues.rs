//! `Expect: 100-continue`, with servers that obey, refuse or ignore it.

use std::io::Write;
use std::net::TcpListener;

use super::*;

const BIG: u64 = 3 << 20;

fn with_and_without_tls(step: &Step, check: impl Fn(&ScriptedServer)) {
    check(&ScriptedServer::start(vec![step.clone()]));
    check(&ScriptedServer::start_tls(vec![step.clone()]));
}

fn expected(server: &ScriptedServer) -> Vec<bool> {
    let requests = server.requests();
    requests.iter().map(|r| r.head.expects_continue()).collect()
}

#[test]
fn a_large_body_is_sent_after_the_100_and_a_small_one_at_once() {
    with_and_without_tls(&Step::reply(200, "{}"), |server| {
        let connection = connection_to(server, |_| {});
        for length in [BIG, 1000, BIG] {
            assert_eq!(post_zeros(&connection, server, length).unwrap().status, 200);
        }
        assert_eq!(expected(server), [true, false, true]);
        assert_eq!(server.connections(), 1);
        let whole = |r: &resup_test_support::scripted::Request| r.body_len;
        let lengths: Vec<_> = server.requests().iter().map(whole).collect();
        assert_eq!(lengths, [BIG, 1000, BIG]);
    });
}

#[test]
fn a_refusal_comes_before_a_byte_of_the_body_is_read() {
    for end in [End::HoldOpen, End::Close, End::Reset] {
        let refusal = reply(401, r#"{"message":"log in"}"#);
        // A reset destroys bytes that are not read yet, so it comes a little later.
        let pause = Duration::from_millis(100);
        let step = Step::new().write(refusal).wait(pause).end(end);
        with_and_without_tls(&step, |server| {
            let connection = connection_to(server, |_| {});
            let mut body = Counted(0);
            let response = post(&connection, server.endpoint(), &mut body, 4 << 30).unwrap();
            assert_eq!(response.status, 401);
            assert!(String::from_utf8_lossy(&response.body).contains("log in"));
            assert_eq!(body.0, 0, "{end:?}");
        });
    }
}

#[test]
fn interim_responses_with_fields_and_in_pieces_are_understood() {
    let pause = Duration::from_millis(20);
    let step = Step::new()
        .ignore_expect()
        .write("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Proc")
        .wait(pause)
        .write("essing\r\n\r\nHTTP/1.1 100 Continue\r\nX-Proxy: a\r\n")
        .wait(pause)
        .write("X-More: b\r\n\r\n")
        .read(Take::All)
        .write("HTTP/1.1 104 Upload Resumption Supported\r\nLocation: /x\r\n\r\n")
        .write(reply(200, "{}"));
    with_and_without_tls(&step, |server| {
        let connection = connection_to(server, |_| {});
        for _ in 0..2 {
            assert_eq!(post_zeros(&connection, server, BIG).unwrap().status, 200);
        }
        assert_eq!(expected(server), [true, true]);
        assert_eq!(server.requests()[1].body_len, BIG);
    });
}

#[test]
fn a_417_is_obeyed_at_once_and_remembered() {
    let refusal = Step::new().write(reply(417, "{}"));
    let closing = refusal.clone().end(End::Close);
    for first in [refusal, closing] {
        let server = ScriptedServer::start(vec![first, Step::reply(200, "{}")]);
        let connection = connection_to(&server, |_| {});
        for _ in 0..2 {
            assert_eq!(post_zeros(&connection, &server, BIG).unwrap().status, 200);
        }
        assert_eq!(expected(&server), [true, false, false]);
        assert_eq!(server.requests()[1].body_len, BIG);
    }
}

#[test]
fn after_two_ignored_expects_in_a_row_no_more_is_sent() {
    with_and_without_tls(&Step::reply(200, "{}").ignore_expect(), |server| {
        let connection = connection_to(server, |_| {});
        for _ in 0..3 {
            assert_eq!(post_zeros(&connection, server, BIG).unwrap().status, 200);
        }
        assert_eq!(expected(server), [true, true, false]);
    });
}

#[test]
fn one_slow_100_does_not_mean_that_the_server_ignores_expect() {
    let given = Step::reply(200, "{}");
    let ignored = given.clone().ignore_expect();
    let script = vec![ignored.clone(), given.clone(), ignored, given];
    let server = ScriptedServer::start(script);
    let connection = connection_to(&server, |_| {});
    for _ in 0..4 {
        assert_eq!(post_zeros(&connection, &server, BIG).unwrap().status, 200);
    }
    assert_eq!(expected(&server), [true; 4]);
}

#[test]
fn a_server_with_a_late_100_does_not_ignore_expect() {
    let late = Step::new()
        .wait(Duration::from_millis(1200))
        .read(Take::All)
        .write(reply(200, "{}"));
    with_and_without_tls(&late, |server| {
        let connection = connection_to(server, |_| {});
        for _ in 0..3 {
            assert_eq!(post_zeros(&connection, server, BIG).unwrap().status, 200);
        }
        assert_eq!(expected(server), [true; 3]);
    });
}

#[test]
fn an_early_response_does_not_mean_that_the_server_ignores_expect() {
    let some = Step::new().ignore_expect().read(Take::HeadAndBodyBytes(1));
    let drain = End::DrainThenClose {
        max_bytes: u64::MAX,
        max_time: SOON,
    };
    let early = some.write(reply(413, "{}")).end(drain);
    let server = ScriptedServer::start(vec![early]);
    let connection = connection_to(&server, |_| {});
    for _ in 0..3 {
        assert_eq!(
            post_zeros(&connection, &server, 64 << 30).unwrap().status,
            413
        );
    }
    assert_eq!(expected(&server), [true; 3]);
}

#[test]
fn endless_interim_responses_do_not_hold_the_body_back() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/up", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let mut buf = vec![0; 1 << 16];
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let n = socket.read(&mut buf).unwrap();
            head.extend_from_slice(&buf[..n]);
        }
        let pause = Some(Duration::from_millis(50));
        socket.set_read_timeout(pause).unwrap();
        let began = Instant::now();
        let mut came = 0;
        while came < BIG && began.elapsed() < SOON {
            if came == 0 {
                let work = b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Hints\r\n\r\n";
                socket.write_all(work).unwrap();
            }
            came += socket.read(&mut buf).unwrap_or(0) as u64;
        }
        socket.write_all(&reply(200, "{}")).unwrap();
        came
    });
    let connection = new_connection(&options(&url));
    let response = post(&connection, url, &mut io::repeat(0).take(BIG), BIG).unwrap();
    assert_eq!(response.status, 200);
    assert_eq!(server.join().unwrap(), BIG);
}

#[test]
fn a_connection_that_ends_before_the_100_is_lost() {
    for end in [End::Close, End::Reset] {
        with_and_without_tls(&Step::new().end(end), |server| {
            let error = post_zeros(&connection_to(server, |_| {}), server, BIG).unwrap_err();
            assert!(matches!(error, Error::ConnectionLost { .. }), "{error}");
        });
    }
}
