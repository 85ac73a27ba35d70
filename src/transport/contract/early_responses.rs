//! Responses that come before the end of the body.

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};

use super::*;
use crate::http::proxy::ProxySetting;

/// Makes a script: a response to the first byte of a body, so after a 100 Continue.
fn early(end: End) -> Vec<Step> {
    vec![Step::new()
        .read(Take::HeadAndBodyBytes(1))
        .write(reply(413, r#"{"message":"too much"}"#))
        .end(end)]
}

fn early_responses_arrive(server: &ScriptedServer) {
    for length in [10_000, 1_000_000, 5_000_000, 40_000_000] {
        for _ in 0..10 {
            let connection = connection_to(server, |_| {});
            let response = post_zeros(&connection, server, length)
                .unwrap_or_else(|e| panic!("{length} bytes: {e}"));
            assert_eq!(response.status, 413);
            assert!(String::from_utf8_lossy(&response.body).contains("too much"));
        }
    }
}

#[test]
fn an_early_response_is_read_when_the_server_drains_and_closes() {
    let drain = End::DrainThenClose {
        max_bytes: 4 << 20,
        max_time: Duration::from_secs(2),
    };
    early_responses_arrive(&ScriptedServer::start(early(drain)));
}

#[test]
fn an_early_response_is_read_over_tls() {
    let drain = End::DrainThenClose {
        max_bytes: 4 << 20,
        max_time: Duration::from_secs(2),
    };
    early_responses_arrive(&ScriptedServer::start_tls(early(drain)));
}

#[test]
fn an_early_response_stops_the_body() {
    let server = ScriptedServer::start(early(End::DrainThenClose {
        max_bytes: u64::MAX,
        max_time: SOON,
    }));
    let connection = connection_to(&server, |_| {});
    let huge = 1 << 40;
    let mut body = Counted(0);
    let response = post(&connection, server.endpoint(), &mut body, huge).unwrap();
    assert_eq!(response.status, 413);
    assert!(body.0 < huge / 100, "{} bytes were read", body.0);
}

#[test]
fn an_early_response_of_a_server_that_stops_reading_is_found_when_the_write_stalls() {
    let server = ScriptedServer::start(early(End::HoldOpen));
    let connection = connection_to(&server, |s| s.limits.stall = Duration::from_millis(400));
    let response = post_zeros(&connection, &server, 64 << 20).unwrap();
    assert_eq!(response.status, 413);
}

#[test]
fn an_early_response_is_read_from_a_server_that_goes_on_to_wait_for_the_rest() {
    let some = Take::HeadAndBodyBytes(100_000);
    let response = reply(413, r#"{"message":"too much"}"#);
    let step = Step::new().read(some).write(response);
    for server in [
        ScriptedServer::start(vec![step.clone()]),
        ScriptedServer::start_tls(vec![step]),
    ] {
        for ignores_expect in [true, false, true] {
            let connection = connection_to(&server, |s| s.limits.response = SOON);
            connection.set_ignores_expect(ignores_expect);
            assert_eq!(
                post_zeros(&connection, &server, 64 << 30).unwrap().status,
                413
            );
        }
    }
}

#[test]
fn a_connection_with_an_early_response_is_not_used_again() {
    let server = ScriptedServer::start(early(End::DrainThenClose {
        max_bytes: u64::MAX,
        max_time: SOON,
    }));
    let connection = connection_to(&server, |_| {});
    for _ in 0..2 {
        assert_eq!(
            post_zeros(&connection, &server, 8 << 20).unwrap().status,
            413
        );
    }
    assert_eq!(server.connections(), 2);
}

/// On a connection that was used before, ureq takes a waiting head without a call to the transport.
/// Its next call is for the response's body.
#[test]
fn an_early_response_whose_body_comes_later_is_read_on_a_used_connection() {
    /// A body that gives so little at a time that the response comes before its end.
    struct Slow;
    impl Read for Slow {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            thread::sleep(Duration::from_millis(10));
            Ok(buf.len().min(4096))
        }
    }
    let body = r#"{"message":"too much"}"#;
    let early = reply(413, body);
    let head = early.len() - body.len();
    let in_pieces = |step: Step| {
        step.write(&early[..head])
            .wait(Duration::from_millis(300))
            .write(&early[head..])
            .end(End::DrainThenClose {
                max_bytes: 4 << 20,
                max_time: SOON,
            })
    };
    let during = in_pieces(Step::new().read(Take::HeadAndBodyBytes(1)));
    let instead_of_100 = in_pieces(Step::new());
    for (step, length) in [
        (&during, 100_000),
        (&during, 3_000_000),
        (&instead_of_100, 3_000_000),
    ] {
        let script = vec![Step::reply(200, "{}"), step.clone()];
        for server in [
            ScriptedServer::start(script.clone()),
            ScriptedServer::start_tls(script),
        ] {
            let connection = connection_to(&server, |_| {});
            assert_eq!(get(&connection, &server).unwrap().status, 200);
            let response = post(&connection, server.endpoint(), &mut Slow, length)
                .unwrap_or_else(|e| panic!("{length} bytes: {e}"));
            assert_eq!(response.status, 413);
            assert_eq!(String::from_utf8_lossy(&response.body), body);
            assert_eq!(server.connections(), 1);
        }
    }
}

const HINTS: &[u8] = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n";

/// Makes a script: while the client is blocked in a write, the server writes `meanwhile`.
fn while_blocked(meanwhile: Vec<u8>) -> Step {
    // What is written first tells the client of the last free bytes in the server's buffer.
    let wait = Duration::from_millis(500);
    let read = Step::new().read(Take::HeadAndBodyBytes(1)).wait(wait);
    read.write(HINTS).wait(wait).write(meanwhile)
}

/// The stall limit is 60 s here.
#[test]
fn an_early_response_is_found_though_the_server_stopped_reading_before() {
    let response = reply(507, r#"{"message":"full"}"#);
    let step = while_blocked(response).end(End::HoldOpen);
    for server in [
        ScriptedServer::start(vec![step.clone()]),
        ScriptedServer::start_tls(vec![step]),
    ] {
        for ignores_expect in [true, false] {
            let connection = connection_to(&server, |_| {});
            connection.set_ignores_expect(ignores_expect);
            let began = Instant::now();
            let response = post_zeros(&connection, &server, 64 << 20).unwrap();
            assert_eq!(response.status, 507);
            assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
        }
    }
}

/// Starts a SOCKS5 proxy for one connection, to `far`.
fn socks_proxy(far: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    thread::spawn(move || {
        let mut near = listener.accept().unwrap().0;
        near.read_exact(&mut [0; 3]).unwrap();
        near.write_all(&[5, 0]).unwrap();
        near.read_exact(&mut [0; 10]).unwrap();
        near.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).unwrap();
        let mut far = TcpStream::connect(far).unwrap();
        let (mut up, mut down) = (near.try_clone().unwrap(), far.try_clone().unwrap());
        thread::spawn(move || io::copy(&mut up, &mut far));
        let _ = io::copy(&mut down, &mut near);
    });
    addr
}

/// The stall limit is 60 s here.
#[test]
fn an_early_response_is_found_behind_a_socks_proxy_too() {
    let step = while_blocked(reply(507, r#"{"message":"full"}"#)).end(End::HoldOpen);
    for server in [
        ScriptedServer::start(vec![step.clone()]),
        ScriptedServer::start_tls(vec![step]),
    ] {
        let proxy = format!("socks5h://{}", socks_proxy(server.addr()));
        let proxy = ProxySetting::parse(&proxy).unwrap();
        let connection = connection_to(&server, |options| options.proxy = proxy);
        connection.set_ignores_expect(true);
        let began = Instant::now();
        let response = post_zeros(&connection, &server, 64 << 20).unwrap();
        assert_eq!(response.status, 507);
        assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    }
}

/// The write that is blocked is the body's last one, after which no response is early.
#[test]
fn a_response_is_found_when_the_last_write_is_blocked() {
    let step = while_blocked(reply(507, "{}")).end(End::HoldOpen);
    for server in [
        ScriptedServer::start(vec![step.clone()]),
        ScriptedServer::start_tls(vec![step]),
    ] {
        let began = Instant::now();
        let mut length = 64 << 20;
        for _ in 0..3 {
            let connection = connection_to(&server, |_| {});
            let mut body = Counted(0);
            let response = post(&connection, server.endpoint(), &mut body, length).unwrap();
            assert_eq!(response.status, 507);
            // The last byte that was read belongs to the write that was blocked.
            length = body.0.min(length);
        }
        assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    }
}

/// A server with TLS 1.3 sends tickets right after the handshake, and nobody has read them when the
/// first write is blocked. A server may also send interim responses.
#[test]
fn what_comes_during_a_write_and_is_no_final_response_ends_nothing() {
    for meanwhile in [&b""[..], HINTS] {
        let step = while_blocked(meanwhile.to_vec())
            .wait(Duration::from_millis(700))
            .read(Take::All)
            .write(reply(200, "{}"));
        for server in [
            ScriptedServer::start(vec![step.clone()]),
            ScriptedServer::start_tls(vec![step]),
        ] {
            for length in [20 << 20, 5 << 20] {
                let connection = connection_to(&server, |_| {});
                connection.set_ignores_expect(true);
                let response = post_zeros(&connection, &server, length).unwrap();
                assert_eq!(response.status, 200);
                let request = server.requests().pop().unwrap();
                assert_eq!(request.body_len, length);
            }
        }
    }
}

#[test]
fn no_byte_is_lost_when_a_write_is_interrupted() {
    use std::io::{BufRead, BufReader};

    let body = resup_test_support::files::bytes(24 << 20, 7);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/up", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let mut socket = BufReader::new(listener.accept().unwrap().0);
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            socket.read_line(&mut line).unwrap();
        }
        let mut got = vec![0; 24 << 20];
        for piece in got.chunks_mut(6 << 20) {
            thread::sleep(Duration::from_millis(400));
            socket
                .get_mut()
                .write_all(b"HTTP/1.1 103 x\r\n\r\n")
                .unwrap();
            socket.read_exact(piece).unwrap();
        }
        socket.get_mut().write_all(&reply(200, "{}")).unwrap();
        got
    });
    let connection = new_connection(&options(&url));
    connection.set_ignores_expect(true);
    let length = body.len() as u64;
    let response = post(&connection, url, &mut &body[..], length).unwrap();
    assert_eq!(response.status, 200);
    assert!(server.join().unwrap() == body, "the bytes differ");
}
