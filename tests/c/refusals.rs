//! Refusals: each has its status and the server's message, also one that comes before the body is all sent.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::*;

/// Each row: an HTTP status, our status, whether it is retryable, and the attempts of a locate and of a send.
#[test]
fn each_refusal_has_its_status() {
    macro_rules! row {
        ($http:literal, $status:literal, $retryable:literal, $attempts:literal) => {
            row!($http, $status, $retryable, $attempts, $attempts)
        };
        ($http:literal, $status:literal, $retryable:literal, $attempts:literal, $sends:literal) => {
            [
                Case {
                    name: concat!("locate ", $http),
                    script: |_| refused($http),
                    status: $status,
                    http: $http,
                    retryable: $retryable,
                    attempts: $attempts,
                    error: &[stringify!($http), "因为 not today"],
                    ..CASE
                },
                Case {
                    name: concat!("send ", $http),
                    script: |head| send(head, || refused($http)),
                    status: $status,
                    http: $http,
                    retryable: $retryable,
                    attempts: $sends,
                    error: &[stringify!($http), "因为 not today"],
                    ..CASE
                },
            ]
        };
    }
    let rows = [
        // A body that was cut on the way, or found too long, is not told from a wrong one: a send is
        // tried again, until one of the same length is refused again.
        row!(400, 76, false, 1, 3),
        row!(401, 70, false, 1),
        row!(403, 70, false, 1),
        row!(405, 76, false, 1),
        row!(409, 76, false, 1),
        // A send is tried again in a smaller segment, down to the smallest.
        row!(413, 71, false, 1, 2),
        row!(422, 76, false, 1),
        row!(408, 74, true, 3),
        row!(417, 74, true, 3),
        row!(421, 74, true, 3),
        row!(425, 74, true, 3),
        row!(423, 72, true, 3),
        row!(429, 73, true, 3),
        row!(500, 74, true, 3),
        row!(501, 76, false, 1),
        row!(502, 74, true, 3),
        row!(503, 73, true, 3),
        row!(504, 74, true, 3),
        row!(505, 76, false, 1),
        row!(507, 75, true, 1),
        // One that nobody knows is a 500.
        row!(520, 74, true, 3),
        row!(599, 74, true, 3),
    ];
    run_all(&rows.into_iter().flatten().collect::<Vec<_>>());
}

#[test]
fn refusals_of_other_kinds_have_their_status() {
    fn elsewhere() -> Step {
        let location = [("Location", "http://127.0.0.1:1/other")];
        let response = reply_with(302, &location, "moved");
        Step::new().read(Read::All).write(response)
    }
    run_all(&[
        Case {
            name: "locate 404",
            script: |_| refused(404),
            status: REFUSED,
            http: 404,
            error: &["404", "not today"],
            ..CASE
        },
        Case {
            name: "send 404, again and again",
            script: |head| send(head, || refused(404)),
            status: BAD_RESPONSE,
            http: 404,
            retryable: true,
            attempts: 3,
            error: &["no longer knows the upload", "not today"],
            ..CASE
        },
        Case {
            name: "locate 410",
            script: |_| refused(410),
            status: REFUSED,
            http: 410,
            error: &["410", "not today"],
            ..CASE
        },
        Case {
            name: "locate 302",
            script: |_| elsewhere(),
            status: REFUSED,
            http: 302,
            error: &["302"],
            ..CASE
        },
        Case {
            name: "send 302: the login page of a network, perhaps",
            script: |head| send(head, elsewhere),
            status: FAILING,
            http: 302,
            retryable: true,
            attempts: 3,
            error: &["302"],
            ..CASE
        },
        Case {
            name: "locate 511",
            script: |_| refused(511),
            status: REFUSED,
            http: 511,
            error: &["511"],
            ..CASE
        },
        Case {
            name: "send 511",
            script: |head| send(head, || refused(511)),
            status: FAILING,
            http: 511,
            retryable: true,
            attempts: 3,
            error: &["511"],
            ..CASE
        },
        Case {
            name: "send 409, at the very offset that was sent",
            script: |head| send(head, || Step::reply(409, r#"{"offset":0}"#)),
            status: 93,
            http: 409,
            retryable: true,
            error: &["digest", "409 to bytes at its own offset"],
            ..CASE
        },
        Case {
            name: "send 409, and always another offset",
            script: |head| {
                static OFFSET: AtomicU64 = AtomicU64::new(1);
                send(head, || {
                    let offset = OFFSET.fetch_add(1, Relaxed);
                    Step::reply(409, &format!(r#"{{"offset":{offset}}}"#))
                })
            },
            status: BAD_RESPONSE,
            http: 409,
            retryable: true,
            attempts: 3,
            error: &["another offset each time"],
            ..CASE
        },
        Case {
            name: "what arrived is corrupt, twice",
            script: |head| {
                send(head, || {
                    Step::reply(422, r#"{"offset":0,"message":"digest differs"}"#)
                })
            },
            status: 93,
            http: 422,
            retryable: true,
            error: &["digest differs"],
            ..CASE
        },
        Case {
            name: "success with another meaning",
            script: |_| Step::reply(202, &json("complete", SIZE, "k")),
            status: BAD_RESPONSE,
            http: 202,
            error: &["202"],
            ..CASE
        },
    ]);
}

#[test]
fn the_start_of_a_page_reaches_the_program() {
    let page = "<html>\n<h1>Bad Gateway</h1>";
    let server = ScriptedServer::start(vec![Step::reply(502, page)]);
    let report = One::new().upload(&server.endpoint(), SIZE, &BRIEF);
    assert_eq!(report.text("excerpt"), "<html> <h1>Bad Gateway</h1>");
    assert_eq!(report.text("message"), "");
}

#[test]
fn early_responses_are_read() {
    fn drain() -> End {
        End::DrainThenClose {
            max_bytes: BIG,
            max_time: Duration::from_secs(5),
        }
    }
    run_all(&[
        Case {
            name: "401 to the head of a big body, and a close with a reset",
            script: |head| send(head, || early(401, End::Close)),
            status: 70,
            http: 401,
            error: &["401", "log in first"],
            size: BIG,
            ..CASE
        },
        Case {
            name: "401 to the head of a big body that is read on",
            script: |head| send(head, || early(401, drain())),
            status: 70,
            http: 401,
            error: &["401", "log in first"],
            size: BIG,
            ..CASE
        },
        Case {
            name: "413 to the head of a big body, and no reading on",
            script: |head| send(head, || early(413, End::HoldOpen)),
            status: 71,
            http: 413,
            error: &["413", "log in first"],
            attempts: 11, // 64 MiB, halved down to 64 KiB
            size: BIG,
            ..CASE
        },
        Case {
            name: "a reset in the middle of a big body, each time",
            script: |head| {
                send(head, || {
                    let some = Read::HeadAndBodyBytes(100_000);
                    Step::new().read(some).end(End::Reset)
                })
            },
            status: CONNECTION_LOST,
            retryable: true,
            attempts: 3,
            error: &["127.0.0.1:"],
            size: BIG,
            ..CASE
        },
    ]);
}
