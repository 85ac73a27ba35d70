//! Failures that pass: one of each, after which the upload completes.

use std::time::SystemTime;

use super::*;
use crate::one::Report;

/// The report of an upload, and its sends as `offset+length`.
struct Recovery {
    report: Report,
    sends: Vec<String>,
}

/// Uploads to a server that responds to the first send with `failure`, and takes everything after it.
fn recover(failure: Step) -> Recovery {
    let mut failures = Some(failure).into_iter();
    let server = ScriptedServer::start_with(move |head, _| {
        send(head, || {
            let failure = failures.next();
            failure.unwrap_or_else(|| Step::reply(200, &json("complete", SIZE, "k")))
        })
    });
    let report = One::new().upload(&server.endpoint(), SIZE, &BRIEF);
    let field = |text: &str, name: &str| {
        let (_, rest) = text
            .split_once(&format!("name=\"{name}\"\r\n\r\n"))
            .unwrap();
        rest.split("\r\n").next().unwrap().to_owned()
    };
    let requests = server.requests();
    let sent = requests.iter().filter(|r| r.head.boundary().is_some());
    let sends = sent.map(|request| {
        let text = request.body_text();
        format!("{}+{}", field(&text, "offset"), field(&text, "length"))
    });
    Recovery {
        sends: sends.collect(),
        report,
    }
}

fn assert_recovers(name: &str, failure: Step, attempts: u64, sends: &[&str]) {
    let recovery = recover(failure);
    let report = &recovery.report;
    assert_eq!(report.number("status"), 0, "{name}: {report:?}");
    assert_eq!(report.number("attempts"), attempts, "{name}: {report:?}");
    assert_eq!(recovery.sends, sends, "{name}: {report:?}");
}

const WHOLE: &str = "0+100000";

/// What follows a send that brought nothing, if its length may be the reason: the smallest segment.
const LESS: &str = "0+65536";

#[test]
fn passing_failures_are_tried_again_after_a_new_locate() {
    for status in [423, 429, 503, 404, 410] {
        let name = status.to_string();
        assert_recovers(&name, refused(status), 2, &[WHOLE, WHOLE]);
    }
    for status in [302, 400, 408, 417, 421, 425, 500, 502, 504, 511, 520, 599] {
        let name = status.to_string();
        assert_recovers(&name, refused(status), 2, &[WHOLE, LESS]);
    }
}

#[test]
fn a_lost_connection_is_tried_again_after_a_new_locate() {
    for end in [End::Close, End::Reset] {
        let before = Step::new().read(Read::HeadAndBodyBytes(1000)).end(end);
        assert_recovers("a request cut short", before, 2, &[WHOLE, WHOLE]);
        let after = Step::new().read(Read::All).end(end);
        assert_recovers("a lost response", after, 2, &[WHOLE, WHOLE]);
    }
}

#[test]
fn a_server_with_another_offset_is_followed_within_the_attempt() {
    // The only proof that the server has these bytes is that so many were sent to it.
    let mismatch = Step::reply(409, r#"{"offset":60000}"#);
    assert_recovers("409", mismatch, 1, &[WHOLE, "60000+40000"]);
}

#[test]
fn damage_on_the_way_is_mended_within_the_attempt() {
    let corrupt = Step::reply(422, r#"{"offset":0,"message":"differs"}"#);
    assert_recovers("422", corrupt, 1, &[WHOLE, WHOLE]);
    let some = Step::reply(422, r#"{"offset":30000}"#);
    assert_recovers("422 past 0", some, 1, &[WHOLE, "30000+70000"]);
}

#[test]
fn a_413_halves_the_segment() {
    let half = ["0+100000", "0+65536"];
    assert_recovers("413", refused(413), 2, &half);
}

#[test]
fn retry_after_is_waited_for_and_reported() {
    let wait = |value: &str| {
        let busy = reply_with(503, &[("Retry-After", value)], "{}");
        let report = recover(Step::new().read(Read::All).write(busy)).report;
        assert_eq!(report.number("status"), 0, "{report:?}");
        report.number("wait")
    };
    // Without Retry-After no wait is longer than the 20 ms that are set.
    let seconds = wait("1");
    assert!((100..=1500).contains(&seconds), "{seconds} ms");
    // A date has whole seconds: three of them are more than two.
    let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(3));
    let dated = wait(&date);
    assert!((100..=4500).contains(&dated), "{dated} ms");
}

#[test]
fn a_run_that_fails_leaves_its_state_file() {
    let one = One::new();
    for setting in ["upload_set_state_file", "upload_set_state_file_utf16"] {
        let server = ScriptedServer::start_with(|head, index| match (head.boundary(), index) {
            (None, _) => Step::reply(200, &json("new", 0, "k")),
            (Some(_), 1) => Step::reply(200, &json("partial", 40_000, "k")),
            _ => Step::reply(507, "{}"),
        });
        let state = one.bench.path(setting);
        let path = state.to_str().unwrap();
        let settings = ["upload_set_segment_size", "40000", setting, path];
        let report = one.upload(&server.endpoint(), SIZE, &settings);
        assert_eq!(report.number("status"), 75, "{report:?}");
        assert!(state.exists(), "{setting}");
    }
}
