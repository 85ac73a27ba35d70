//! Responses that cannot be used, and impossible offsets.

use super::*;

#[test]
fn a_locate_fails_on_what_is_no_response() {
    run_all(&[
        Case {
            name: "a web page",
            script: |_| Step::reply(200, "<html>Please log in</html>"),
            status: BAD_RESPONSE,
            error: &["JSON", "Please log in"],
            ..CASE
        },
        Case {
            name: "nothing",
            script: |_| Step::reply(200, ""),
            status: BAD_RESPONSE,
            error: &["JSON"],
            ..CASE
        },
        Case {
            name: "JSON that is cut by the server, with a length that fits",
            script: |_| Step::reply(200, r#"{"state":"part"#),
            status: BAD_RESPONSE,
            error: &["JSON", "part"],
            ..CASE
        },
        Case {
            name: "a response cut by the connection",
            script: |_| {
                let whole = reply(200, &json("new", 0, "k"));
                raw(&whole[..whole.len() - 5])
            },
            status: CONNECTION_LOST,
            // A response that is not whole has no status.
            http: 0,
            retryable: true,
            attempts: 3,
            error: &["127.0.0.1:"],
            ..CASE
        },
        Case {
            name: "a head cut by the connection",
            script: |_| raw("HTTP/1.1 200 OK\r\nContent-Le"),
            status: CONNECTION_LOST,
            http: 0,
            retryable: true,
            attempts: 3,
            error: &["127.0.0.1:"],
            ..CASE
        },
        Case {
            name: "no response at all",
            script: |_| raw(""),
            status: CONNECTION_LOST,
            http: 0,
            retryable: true,
            attempts: 3,
            error: &["127.0.0.1:"],
            ..CASE
        },
        Case {
            name: "a reset",
            script: |_| Step::new().read(Read::All).end(End::Reset),
            status: CONNECTION_LOST,
            http: 0,
            retryable: true,
            attempts: 3,
            error: &["127.0.0.1:"],
            ..CASE
        },
        Case {
            name: "another protocol",
            script: |_| raw("SSH-2.0-OpenSSH_9.2\r\n\r\n"),
            status: BAD_RESPONSE,
            http: 0,
            error: &["HTTP"],
            ..CASE
        },
        Case {
            name: "10 MB of blanks",
            script: |_| Step::reply(200, &" ".repeat(10 << 20)),
            status: TOO_LONG,
            http: 0,
            error: &["262144"],
            ..CASE
        },
        Case {
            name: "10 MB of head",
            script: |_| {
                raw(format!(
                    "HTTP/1.1 200 OK\r\nX: {}\r\n\r\n",
                    "x".repeat(10 << 20)
                ))
            },
            status: BAD_RESPONSE,
            http: 0,
            error: &["HTTP"],
            ..CASE
        },
        Case {
            name: "10 MB of refusal",
            script: |_| Step::reply(400, &"no ".repeat(3 << 20)),
            status: REFUSED,
            http: 400,
            error: &["400", "no no"],
            ..CASE
        },
    ]);
}

#[test]
fn impossible_offsets_are_refused() {
    run_all(&[
        Case {
            name: "past the size",
            script: |_| Step::reply(200, &json("partial", SIZE + 1, "k")),
            status: BAD_OFFSET,
            error: &["100001", "100000"],
            ..CASE
        },
        Case {
            name: "negative",
            script: |_| Step::reply(200, r#"{"state":"partial","offset":-1}"#),
            status: BAD_OFFSET,
            error: &["-1"],
            ..CASE
        },
        Case {
            name: "past 64 bits",
            script: |_| Step::reply(200, r#"{"state":"partial","offset":18446744073709551616}"#),
            status: BAD_OFFSET,
            error: &["not a whole number"],
            ..CASE
        },
        Case {
            name: "a new upload that has bytes",
            script: |_| Step::reply(200, &json("new", 7, "k")),
            status: BAD_OFFSET,
            error: &["7", "new"],
            ..CASE
        },
        Case {
            name: "complete with half",
            script: |_| Step::reply(200, &json("complete", SIZE / 2, "k")),
            status: BAD_OFFSET,
            error: &["50000", "100000"],
            ..CASE
        },
        Case {
            name: "a text",
            script: |_| Step::reply(200, r#"{"state":"partial","offset":"seven"}"#),
            status: BAD_RESPONSE,
            error: &["seven", "not a whole number"],
            ..CASE
        },
    ]);
}

/// The first send loses its connection early; then the server claims to hold more than it was sent.
#[test]
fn an_offset_past_what_was_sent_is_not_followed() {
    let mut asked = 0;
    let server = ScriptedServer::start_with(move |head, _| match head.boundary() {
        None if asked == 0 => {
            asked += 1;
            Step::reply(200, &json("new", 0, "k"))
        }
        None => Step::reply(200, &json("partial", BIG - 1, "k")),
        Some(_) => Step::new()
            .read(Read::HeadAndBodyBytes(50_000))
            .end(End::Reset),
    });
    let report = One::new().upload(&server.endpoint(), BIG, &BRIEF);
    // Another program may have sent them.
    assert_eq!(report.number("status"), 72, "{report:?}");
    assert_eq!(report.number("retryable"), 1, "{report:?}");
    assert_eq!(report.number("attempts"), 3, "{report:?}");
    let claim = format!("{} bytes of it, but only", BIG - 1);
    assert!(report.text("error").contains(&claim), "{report:?}");
}
