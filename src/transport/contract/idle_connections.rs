//! Connections that were kept alive and turn out to be dead.

use super::*;
use crate::control::stop::Interrupted;
use resup_test_support::scripted::End;

/// Makes two requests on one connection. The server ends the connection, in this way, when it has
/// the second request.
fn ask_twice(end: End, stream: bool) -> (Result<Response, Error>, u64, usize) {
    let server = ScriptedServer::start(vec![
        Step::reply(200, "{}"),
        Step::new().end(end),
        Step::reply(200, "{}"),
    ]);
    let connection = connection_to(&server, |_| {});
    let ask = |stream: bool| {
        let mut bytes: &[u8] = b"a=1";
        connection.exchange(Request {
            method: "POST",
            url: server.endpoint(),
            content_type: None,
            headers: Vec::new(),
            body: Some(match stream {
                true => Body::Stream {
                    length: 3,
                    bytes: &mut bytes,
                },
                false => Body::Text(b"a=1"),
            }),
            needs: Needs::Whole,
        })
    };
    assert_eq!(ask(false).unwrap().status, 200);
    let second = ask(stream);
    (second, server.connections(), server.requests().len())
}

#[test]
fn a_dead_connection_is_replaced_without_an_error() {
    for end in [End::Close, End::Reset] {
        let (second, connections, requests) = ask_twice(end, false);
        assert_eq!(second.unwrap().status, 200);
        assert_eq!((connections, requests), (2, 3), "{end:?}");
    }
}

#[test]
fn a_body_that_cannot_be_sent_again_is_not() {
    let (second, connections, _) = ask_twice(End::Close, true);
    let error = second.unwrap_err();
    assert!(matches!(error, Error::ConnectionLost { .. }), "{error}");
    assert_eq!(connections, 1);
}

/// Makes a connection that was used once. The server closes it after `bytes` of the next body.
fn used_once(bytes: u64) -> (ScriptedServer, Connection) {
    let server = ScriptedServer::start(vec![
        Step::reply(200, "{}"),
        Step::new()
            .read(Take::HeadAndBodyBytes(bytes))
            .end(End::Reset),
        Step::reply(200, "{}"),
    ]);
    let connection = connection_to(&server, |_| {});
    assert_eq!(get(&connection, &server).unwrap().status, 200);
    assert_eq!(connection.link(), Link::New);
    (server, connection)
}

#[test]
fn a_dead_connection_is_told_from_one_that_is_lost() {
    for (bytes, length, link) in [
        (0, 100_000, Link::Dead),
        // Nothing of the body is sent: the server gives no 100 Continue.
        (0, 3_000_000, Link::Dead),
        // The server took some of it.
        (800_000, 1_000_000, Link::Kept),
    ] {
        let (server, connection) = used_once(bytes);
        assert!(post_zeros(&connection, &server, length).is_err());
        assert_eq!(connection.link(), link, "{length}");
        assert_eq!(post_zeros(&connection, &server, 10).unwrap().status, 200);
        assert_eq!(connection.link(), Link::New);
        assert_eq!(post_zeros(&connection, &server, 10).unwrap().status, 200);
        assert_eq!(connection.link(), Link::Kept);
    }
}

#[test]
fn a_server_that_closes_kept_connections_gets_new_ones_only() {
    let dead = || Step::new().end(End::Close);
    let response = || Step::reply(200, "{}");
    let server = ScriptedServer::start(vec![response(), dead(), response(), dead(), response()]);
    let connection = connection_to(&server, |_| {});
    for _ in 0..5 {
        assert_eq!(get(&connection, &server).unwrap().status, 200);
    }
    let used: Vec<_> = server.requests().iter().map(|r| r.connection).collect();
    assert_eq!(used, [0, 0, 1, 1, 2, 3, 4]);
}

#[test]
fn a_renewed_connection_is_a_new_one() {
    let server = ScriptedServer::start(vec![Step::reply(200, "{}")]);
    let connection = connection_to(&server, |_| {});
    for _ in 0..2 {
        assert_eq!(get(&connection, &server).unwrap().status, 200);
        assert_eq!(get(&connection, &server).unwrap().status, 200);
        assert_eq!(connection.link(), Link::Kept);
        connection.renew();
    }
    assert_eq!(server.connections(), 2);
}

#[test]
fn a_new_connection_that_ends_is_lost() {
    let server = ScriptedServer::start(vec![Step::new().end(End::Close)]);
    let error = get(&connection_to(&server, |_| {}), &server).unwrap_err();
    assert!(matches!(error, Error::ConnectionLost { .. }), "{error}");
    assert_eq!(server.connections(), 1);
}

/// The program's command ends two requests on kept connections in a row: one that waits for its
/// response, and one whose body is read.
#[test]
fn a_connection_that_the_program_ends_was_not_dead() {
    struct Stopped;
    impl Read for Stopped {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other(Interrupted))
        }
    }
    let habits = Arc::<Habits>::default();
    let kept = || {
        let step = Step::new().read(Take::All).end(End::HoldOpen);
        let server = ScriptedServer::start(vec![Step::reply(200, "{}"), step]);
        let connection =
            Connection::new(&options(&server.endpoint()), habits.clone(), tls::config).unwrap();
        assert_eq!(get(&connection, &server).unwrap().status, 200);
        (server, connection)
    };
    let (server, connection) = kept();
    thread::scope(|scope| {
        let asking = scope.spawn(|| get(&connection, &server));
        assert!(server.wait_for(2, SOON));
        connection.abort_handle().abort();
        assert!(asking.join().unwrap().is_err());
    });
    assert_eq!(connection.link(), Link::Kept);
    assert_eq!(server.connections(), 1, "it was not asked again");

    let (server, connection) = kept();
    assert!(post(&connection, server.endpoint(), &mut Stopped, 100).is_err());
    assert_eq!(connection.link(), Link::Kept);
    assert!(!habits.closes_kept());
}
