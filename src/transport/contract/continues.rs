//! `Expect: 100-continue`, as servers understand it, refuse it and ignore it.

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
        let link = link_to(server, |_| {});
        for length in [BIG, 1000, BIG] {
            assert_eq!(post_zeros(&link, server, length).unwrap().status, 200);
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
        // A reset destroys what was not read yet: it is given time.
        let patience = Duration::from_millis(100);
        let step = Step::new().write(refusal).wait(patience).end(end);
        with_and_without_tls(&step, |server| {
            let link = link_to(server, |_| {});
            let mut body = Counted(0);
            let response = post(&link, server.endpoint(), &mut body, 4 << 30).unwrap();
            assert_eq!(response.status, 401);
            assert!(String::from_utf8_lossy(&response.body).contains("log in"));
            assert_eq!(body.0, 0, "{end:?}");
        });
    }
}

#[test]
fn interim_answers_with_fields_and_in_pieces_are_leave_to_send() {
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
        let link = link_to(server, |_| {});
        for _ in 0..2 {
            assert_eq!(post_zeros(&link, server, BIG).unwrap().status, 200);
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
        let link = link_to(&server, |_| {});
        for _ in 0..2 {
            assert_eq!(post_zeros(&link, &server, BIG).unwrap().status, 200);
        }
        assert_eq!(expected(&server), [true, false, false]);
        assert_eq!(server.requests()[1].body_len, BIG);
    }
}

#[test]
fn a_server_that_ignores_it_gets_the_body_and_is_not_asked_again() {
    with_and_without_tls(&Step::reply(200, "{}").ignore_expect(), |server| {
        let link = link_to(server, |_| {});
        for _ in 0..2 {
            assert_eq!(post_zeros(&link, server, BIG).unwrap().status, 200);
        }
        assert_eq!(expected(server), [true, false]);
    });
}

#[test]
fn a_connection_that_ends_instead_of_a_100_is_broken() {
    for end in [End::Close, End::Reset] {
        with_and_without_tls(&Step::new().end(end), |server| {
            let error = post_zeros(&link_to(server, |_| {}), server, BIG).unwrap_err();
            assert!(matches!(error, Error::ConnectionBroken { .. }), "{error}");
        });
    }
}
