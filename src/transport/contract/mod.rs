//! The promises of the transport above ureq, each tested against a real server.

use std::io::{self, Read};
use std::net::SocketAddr;
use std::sync::{mpsc, Arc};
use std::thread;
use std::time::{Duration, Instant};

use resup_test_support::chaos::{ChaosProxy, Faults};
use resup_test_support::scripted::{reply, reply_with, End, Read as Take, ScriptedServer, Step};
use ureq::config::Config;
use ureq::unversioned::resolver::Resolver;

use super::connection::Connection;
use super::habits::Habits;
use super::options::ConnectionOptions;
use super::tls;
use crate::error::Error;
use crate::http::{Body, Exchange, Link, Needs, Request, Response};

/// A time far longer than any step here takes, and far shorter than the default limits.
const SOON: Duration = Duration::from_secs(20);

mod continues;
mod early_responses;
mod heads;
mod idle_connections;
mod interrupted_writes;
mod lookups;
mod proxies;
mod several_addresses;
mod short_requests;
mod tls_records;

fn options(endpoint: &str) -> ConnectionOptions {
    ConnectionOptions::new(endpoint).unwrap()
}

fn new_connection(options: &ConnectionOptions) -> Connection {
    Connection::new(options, Arc::default(), tls::config).unwrap()
}

impl Connection {
    /// Makes a connection that trusts one authority, and no other.
    pub(crate) fn trusting(options: &ConnectionOptions, ca_pem: &str) -> Self {
        let mut options = options.clone();
        let certificates = &mut options.certificates;
        certificates.add_own(ca_pem.as_bytes(), "test").unwrap();
        new_connection(&options)
    }
}

/// Makes a connection to a server, with or without TLS.
fn connection_to(
    server: &ScriptedServer,
    change: impl FnOnce(&mut ConnectionOptions),
) -> Connection {
    let mut options = options(&server.endpoint());
    change(&mut options);
    match server.endpoint().starts_with("https") {
        true => Connection::trusting(&options, server.ca_pem()),
        false => new_connection(&options),
    }
}

fn post(
    connection: &Connection,
    url: String,
    body: &mut dyn Read,
    length: u64,
) -> Result<Response, Error> {
    connection.exchange(Request {
        method: "POST",
        url,
        content_type: Some("text/plain".to_owned()),
        headers: Vec::new(),
        body: Some(Body::Stream {
            length,
            bytes: body,
        }),
        needs: Needs::Whole,
    })
}

fn post_zeros(
    connection: &Connection,
    server: &ScriptedServer,
    length: u64,
) -> Result<Response, Error> {
    post(
        connection,
        server.endpoint(),
        &mut io::repeat(0).take(length),
        length,
    )
}

fn get(connection: &Connection, server: &ScriptedServer) -> Result<Response, Error> {
    get_url(connection, server.endpoint())
}

fn get_url(connection: &Connection, url: impl Into<String>) -> Result<Response, Error> {
    connection.exchange(Request {
        method: "GET",
        url: url.into(),
        content_type: None,
        headers: Vec::new(),
        body: None,
        needs: Needs::Whole,
    })
}

/// Gives an address without a listener.
fn nobody() -> SocketAddr {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    free.local_addr().unwrap()
}

/// A reader that counts the bytes that are read.
struct Counted(u64);

impl Read for Counted {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0 += buf.len() as u64;
        Ok(buf.len())
    }
}

#[test]
fn connections_are_kept_alive_between_exchanges() {
    let server = ScriptedServer::start(vec![Step::reply(200, "{}")]);
    let connection = connection_to(&server, |_| {});
    for _ in 0..3 {
        assert_eq!(post_zeros(&connection, &server, 100).unwrap().status, 200);
        assert_eq!(get(&connection, &server).unwrap().status, 200);
    }
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_response_right_after_the_end_of_the_body_is_not_early() {
    /// A body that gives all at once, longer after the head than the time between two looks.
    struct Late;
    impl Read for Late {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            thread::sleep(Duration::from_millis(60));
            Ok(buf.len())
        }
    }
    let server = ScriptedServer::start(vec![Step::reply(200, "{}")]);
    let connection = connection_to(&server, |_| {});
    for _ in 0..10 {
        let response = post(&connection, server.endpoint(), &mut Late.take(100), 100).unwrap();
        assert_eq!(response.status, 200);
    }
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_body_shorter_than_announced_is_an_error() {
    let server = ScriptedServer::start(vec![Step::reply(200, "{}")]);
    let connection = connection_to(&server, |_| {});
    let error = post(
        &connection,
        server.endpoint(),
        &mut io::repeat(0).take(50),
        100,
    )
    .unwrap_err();
    assert!(matches!(error, Error::ConnectionLost { .. }), "{error}");
}

#[test]
fn an_error_of_the_body_comes_back_unchanged() {
    struct Failing;
    impl Read for Failing {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other(Error::WrongState("mine")))
        }
    }
    let server = ScriptedServer::start(vec![Step::reply(200, "{}")]);
    let connection = connection_to(&server, |_| {});
    let error = post(&connection, server.endpoint(), &mut Failing, 100).unwrap_err();
    assert_eq!(error, Error::WrongState("mine"));
}

#[test]
fn a_network_that_accepts_no_data_is_a_timeout() {
    let server = ScriptedServer::start(vec![Step::new().read(Take::HeadOnly).end(End::HoldOpen)]);
    let connection = connection_to(&server, |s| s.limits.stall = Duration::from_millis(300));
    let began = Instant::now();
    let error = post_zeros(&connection, &server, 256 << 20).unwrap_err();
    assert!(matches!(error, Error::TimedOut { .. }), "{error}");
    assert!(began.elapsed() < SOON);
}

#[test]
fn a_slow_network_is_not_a_stalled_one() {
    let server = ScriptedServer::start(vec![Step::reply(200, "{}")]);
    let slow = |_: u64, _: &mut fastrand::Rng| Faults {
        rate_up: Some(4_000_000),
        ..Faults::default()
    };
    let proxy = ChaosProxy::start(server.addr(), slow, 1);
    let url = format!("http://{}/upload", proxy.addr());
    let mut options = options(&url);
    options.limits.stall = Duration::from_secs(2);
    let connection = new_connection(&options);
    let length = 14_000_000;
    let response = post(&connection, url, &mut io::repeat(0).take(length), length).unwrap();
    assert_eq!(response.status, 200);
}

#[test]
fn a_server_without_a_response_is_a_timeout() {
    let server = ScriptedServer::start(vec![Step::new().read(Take::All).end(End::HoldOpen)]);
    let connection = connection_to(&server, |s| s.limits.response = Duration::from_millis(200));
    let error = post_zeros(&connection, &server, 10).unwrap_err();
    assert!(
        error.to_string().contains("no response within 200 ms"),
        "{error}"
    );
}

#[test]
fn bytes_in_the_systems_buffers_are_not_delivered() {
    let server = ScriptedServer::start(vec![Step::new().read(Take::HeadOnly).end(End::HoldOpen)]);
    let connection = connection_to(&server, |s| s.limits.response = Duration::from_millis(200));
    let error = post_zeros(&connection, &server, 100_000).unwrap_err();
    // The system accepted the whole body, so the missing response is the error.
    assert!(error.to_string().contains("no response within"), "{error}");
    assert_eq!(server.requests()[0].body_len, 0);
}

/// Aborts a connection while an exchange on it is blocked; the exchange has to end with an error.
fn abort_ends(server: &ScriptedServer, length: u64) {
    let connection = connection_to(server, |_| {});
    let abort = connection.abort_handle();
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        scope.spawn(move || {
            sender
                .send(post_zeros(&connection, server, length))
                .unwrap()
        });
        assert!(server.wait_for(1, SOON));
        thread::sleep(Duration::from_millis(150));
        abort.abort();
        let result = receiver.recv_timeout(SOON).expect("the exchange hangs");
        assert!(result.is_err());
    });
}

#[test]
fn an_abort_ends_a_blocked_write() {
    let step = Step::new().read(Take::HeadOnly).end(End::HoldOpen);
    abort_ends(&ScriptedServer::start(vec![step.clone()]), 256 << 20);
    abort_ends(&ScriptedServer::start_tls(vec![step]), 256 << 20);
}

#[test]
fn an_abort_ends_a_blocked_read() {
    let step = Step::new().read(Take::All).end(End::HoldOpen);
    abort_ends(&ScriptedServer::start(vec![step.clone()]), 10);
    abort_ends(&ScriptedServer::start_tls(vec![step]), 10);
}

#[test]
fn redirects_are_responses_like_others() {
    for status in [301, 302, 303, 307, 308] {
        let away = reply_with(status, &[("Location", "/elsewhere")], "{}");
        let server = ScriptedServer::start(vec![Step::new()
            .read(Take::All)
            .write(away)
            .end(End::Close)]);
        let connection = connection_to(&server, |_| {});
        assert_eq!(post_zeros(&connection, &server, 10).unwrap().status, status);
        assert_eq!(server.requests().len(), 1, "{status} was followed");
    }
}

#[test]
fn extreme_settings_do_not_panic() {
    let server = ScriptedServer::start(vec![Step::reply(200, "{}")]);
    let client = crate::Client::new(&server.endpoint()).unwrap();
    let year = Duration::from_secs(365 * 86400);
    for limit in [Duration::from_nanos(1), year] {
        client.set_connect_timeout(limit).unwrap();
        client.set_response_timeout(limit).unwrap();
        client.set_stall_timeout(limit).unwrap();
        let _ = get(&new_connection(&client.state().options.connection), &server);
    }
    assert!(client.set_connect_timeout(year * 2).is_err());
    assert!(client.set_user_agent("a\r\nb").is_err());
}

#[test]
fn a_response_that_may_be_cut_is_an_error() {
    let whole = |text: &str| Step::new().read(Take::All).write(text).end(End::Close);
    for (text, wanted) in [
        ("HTTP/1.1 200 OK\r\n\r\n{}", "neither Content-Length"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", "was lost"),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
            "was lost",
        ),
        ("HTTP/1.1 200 OK\r\nContent-Le", "was lost"),
        ("", "was lost"),
        ("garbage\r\n\r\n", "not valid HTTP"),
    ] {
        let server = ScriptedServer::start(vec![whole(text)]);
        let error = get(&connection_to(&server, |_| {}), &server).unwrap_err();
        assert!(error.to_string().contains(wanted), "{text:?}: {error}");
    }
}

#[test]
fn a_huge_response_is_not_read_to_its_end() {
    let mut huge = b"HTTP/1.1 200 OK\r\nContent-Length: 9000000000\r\n\r\n".to_vec();
    huge.resize(10_000_000, b' ');
    let step = Step::new().read(Take::All).write(huge).end(End::Close);
    let server = ScriptedServer::start(vec![step]);
    let error = get(&connection_to(&server, |_| {}), &server).unwrap_err();
    assert!(matches!(error, Error::ResponseTooLong { .. }), "{error}");
}

#[test]
fn each_failure_to_connect_has_its_error() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let try_url = |url: &str| {
        let connection = new_connection(&options(url));
        post(&connection, url.to_owned(), &mut io::empty(), 0).unwrap_err()
    };
    let refused = try_url(&format!("http://127.0.0.1:{port}/up"));
    assert!(matches!(refused, Error::ConnectFailed { .. }), "{refused}");
    let unknown = try_url("http://no-such-host.invalid/up");
    assert!(matches!(unknown, Error::ResolveFailed { .. }), "{unknown}");
    assert!(unknown.to_string().contains("no-such-host.invalid"));
    let unknown_ca = ScriptedServer::start_tls(vec![Step::reply(200, "{}")]);
    let tls = try_url(&unknown_ca.endpoint());
    let is_final = matches!(
        tls,
        Error::Tls {
            may_be_damage: false,
            ..
        }
    );
    assert!(is_final, "{tls}");
}
