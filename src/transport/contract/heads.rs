//! Heads with odd lines, interim responses at any time, and what says where a body ends.

use super::*;

/// Makes a step that answers with `text` once the request came whole.
fn whole(text: impl Into<Vec<u8>>) -> Step {
    Step::new().read(Take::All).write(text)
}

fn get_from(step: Step) -> Result<Response, Error> {
    let server = ScriptedServer::start(vec![step]);
    get(&connection_to(&server, |_| {}), &server)
}

#[test]
fn odd_lines_spoil_no_response_and_no_connection() {
    let many = "X: a\r\n".repeat(500);
    for lines in [
        "X-A: a\r\n b\r\n",
        "X-A : a\r\n",
        "PHP Warning x\r\n",
        "X-A: \x01\r\n",
        &many,
    ] {
        let text = format!("HTTP/1.1 200 OK\r\n{lines}Content-Length: 2\r\n\r\n{{}}");
        // A piece that ends within the odd line.
        let (start, rest) = text.split_at(text.len() - 25);
        let pause = Duration::from_millis(20);
        let in_pieces = whole(start).wait(pause).write(rest);
        for server in [
            ScriptedServer::start(vec![in_pieces.clone()]),
            ScriptedServer::start_tls(vec![in_pieces]),
        ] {
            let connection = connection_to(&server, |_| {});
            for length in [10, 3 << 20] {
                let response = post_zeros(&connection, &server, length).unwrap();
                assert_eq!(response.body, b"{}", "{lines:?}");
            }
            assert_eq!(server.connections(), 1, "{lines:?}");
        }
    }
}

#[test]
fn a_folded_line_is_one_value() {
    let text = "HTTP/1.1 307 x\r\nLocation:\r\n /there\r\nContent-Length: 0\r\n\r\n";
    let response = get_from(whole(text)).unwrap();
    assert_eq!(response.location().unwrap().trim(), "/there");
}

#[test]
fn interim_responses_come_at_any_time_and_in_any_number() {
    let interim = "HTTP/1.1 100 Continue\r\nServer: x\r\nDate: y\r\n\r\n\
                   HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n";
    let unasked = whole(interim.repeat(3)).write(reply(200, "{}"));
    let twice = Step::new()
        .write(interim)
        .read(Take::HeadAndBodyBytes(2 << 20))
        .write(interim)
        .read(Take::All)
        .write(interim)
        .write(reply(200, "{}"));
    let late = Step::new()
        .ignore_expect()
        .wait(Duration::from_millis(1200))
        .write(interim)
        .read(Take::All)
        .write(reply(200, "{}"));
    for step in [unasked, twice, late] {
        for server in [
            ScriptedServer::start(vec![step.clone()]),
            ScriptedServer::start_tls(vec![step.clone()]),
        ] {
            let connection = connection_to(&server, |_| {});
            for _ in 0..2 {
                let response = post_zeros(&connection, &server, 3 << 20).unwrap();
                assert_eq!((response.status, &*response.body), (200, &b"{}"[..]));
            }
            assert_eq!(server.requests()[1].body_len, 3 << 20);
            assert_eq!(server.connections(), 1);
        }
    }
}

#[test]
fn a_final_response_right_after_a_100_is_read() {
    let both = [b"HTTP/1.1 100 Continue\r\n\r\n".to_vec(), reply(401, "{}")].concat();
    let step = Step::new()
        .ignore_expect()
        .write(both)
        .end(End::DrainThenClose {
            max_bytes: u64::MAX,
            max_time: SOON,
        });
    let server = ScriptedServer::start(vec![step]);
    for length in [3 << 20, 64 << 20] {
        let connection = connection_to(&server, |_| {});
        let response = post_zeros(&connection, &server, length).unwrap();
        assert_eq!(response.status, 401);
    }
}

#[test]
fn a_head_that_is_cut_is_a_lost_connection() {
    for text in [
        "HTTP/1.1 200 OK\r\nX-A: a\r\n b",
        "HTTP/1.1 200 OK\r\nno colon\r\n",
    ] {
        let error = get_from(whole(text).end(End::Close)).unwrap_err();
        assert!(matches!(error, Error::ConnectionLost { .. }), "{error}");
    }
}

#[test]
fn lengths_that_contradict_each_other_are_errors() {
    for lines in [
        "Content-Length: 2\r\nContent-Length: 3\r\n",
        "Content-Length : 2\r\nContent-Length: 3\r\n",
        "Content-Length: 2\r\nContent-Length: 3\x01\r\n",
        "Content-Length: 2, 3\r\n",
        "Content-Length: 2\r\n 0\r\n",
        "Content-Length: two\r\n",
        "Content-Length 2\r\n",
        "Transfer-Encoding : gzip\r\nContent-Length: 2\r\n",
    ] {
        let text = format!("HTTP/1.1 200 OK\r\n{lines}\r\n{{}}");
        let error = get_from(whole(text).end(End::Close)).unwrap_err();
        assert!(
            matches!(error, Error::BadResponse { .. }),
            "{lines:?}: {error}"
        );
    }
    let same = "Content-Length: 2\r\nContent-Length : 2\r\nContent-Length: 2, 2\r\n";
    let text = format!("HTTP/1.1 200 OK\r\n{same}\r\n{{}}");
    assert_eq!(get_from(whole(text)).unwrap().body, b"{}");
}

#[test]
fn only_chunked_is_a_known_transfer_coding() {
    let with = |version: &str, codings: &str| {
        let text =
            format!("HTTP/1.{version} 200 OK\r\n{codings}\r\n2\r\n{{}}\r\n0\r\nX: a\r\n\r\n");
        get_from(whole(text).end(End::Close))
    };
    for codings in [
        "Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding : Chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 7\r\n",
    ] {
        assert_eq!(with("1", codings).unwrap().body, b"{}", "{codings:?}");
    }
    for codings in [
        "Transfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: identity, chunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\n gzip\r\n",
    ] {
        let error = with("1", codings).unwrap_err();
        assert!(matches!(error, Error::BadResponse { .. }), "{error}");
        assert!(error.to_string().contains("Transfer-Encoding"), "{error}");
    }
    let old = with("0", "Transfer-Encoding: chunked\r\n").unwrap_err();
    assert!(old.to_string().contains("may be cut"), "{old}");
    let text = "HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nContent-Length: 2\r\n\r\n{}";
    assert_eq!(get_from(whole(text)).unwrap().body, b"{}");
}

#[test]
fn trailers_come_to_an_end() {
    let trailer = "X-Trailer: a\r\n";
    let text = |count: usize| {
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n";
        format!("{chunked}{}", trailer.repeat(count))
    };
    let some = format!("{}\r\n", text(100));
    assert_eq!(get_from(whole(some)).unwrap().body, b"{}");
    // Without a bound, this waits for the time limit.
    let endless = whole(text(1_000_000)).end(End::HoldOpen);
    let error = get_from(endless).unwrap_err();
    assert!(error.to_string().contains("trailers"), "{error}");
    assert!(matches!(error, Error::BadResponse { .. }), "{error}");
}

#[test]
fn endless_interim_responses_end_with_the_time_limit() {
    let flood = "HTTP/1.1 102 Processing\r\n\r\n".repeat(200_000);
    for length in [10, 40 << 20] {
        let step = Step::new()
            .ignore_expect()
            .write(flood.as_bytes())
            .end(End::HoldOpen);
        let server = ScriptedServer::start(vec![step]);
        let connection = connection_to(&server, |s| {
            s.limits.response = Duration::from_millis(300);
            s.limits.stall = Duration::from_millis(600);
        });
        let began = Instant::now();
        let error = post_zeros(&connection, &server, length).unwrap_err();
        assert!(matches!(error, Error::TimedOut { .. }), "{error}");
        assert!(began.elapsed() < SOON);
    }
}

#[test]
fn no_compression_is_accepted() {
    let server = ScriptedServer::start(vec![Step::reply(200, "{}")]);
    get(&connection_to(&server, |_| {}), &server).unwrap();
    let request = &server.requests()[0];
    assert_eq!(request.head.header("accept-encoding"), Some("identity"));
}

#[test]
fn a_beginning_tells_whether_there_was_more() {
    let mut long = b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n".to_vec();
    long.resize(long.len() + 300_000, b' ');
    for (text, is_cut) in [
        (
            &b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"[..],
            false,
        ),
        (b"HTTP/1.1 200 OK\r\n\r\n{}", false),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", true),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n",
            true,
        ),
        (&long, true),
    ] {
        let server = ScriptedServer::start(vec![whole(text).end(End::Close)]);
        let response = connection_to(&server, |_| {}).exchange(Request {
            method: "GET",
            url: server.endpoint(),
            content_type: None,
            headers: Vec::new(),
            body: None,
            needs: Needs::Beginning,
        });
        let head = String::from_utf8_lossy(&text[..text.len().min(60)]);
        assert_eq!(response.unwrap().is_cut, is_cut, "{head}");
    }
}
