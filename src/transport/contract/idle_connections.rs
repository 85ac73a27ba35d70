//! Connections that were kept alive and turn out to be dead.

use super::*;
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

#[test]
fn a_new_connection_that_ends_is_lost() {
    let server = ScriptedServer::start(vec![Step::new().end(End::Close)]);
    let error = get(&connection_to(&server, |_| {}), &server).unwrap_err();
    assert!(matches!(error, Error::ConnectionLost { .. }), "{error}");
    assert_eq!(server.connections(), 1);
}
