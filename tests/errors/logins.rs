//! Logins that do not lead to an upload.

use std::time::{Duration, SystemTime};

use resup_test_support::head::RequestHead;
use resup_test_support::scripted::{json, reply_with, Read, ScriptedServer, Step};

use crate::messages::Case;
use crate::one::{One, Report};
use crate::servers::{is_send, ONCE, SIZE};

/// A login that is refused by a server whose clock is 10 minutes behind.
pub fn other_time(one: &One) -> Case {
    let seconds = Duration::from_secs(630);
    let date = httpdate::fmt_http_date(SystemTime::now() - seconds);
    let body = r#"{"message":"the form is not signed as it has to be"}"#;
    let refusal = reply_with(403, &[("Date", &date)], body);
    let step = Step::new().read(Read::All).write(refusal);
    let server = ScriptedServer::start(vec![step]);
    let told = logged_in(one, &server, &ONCE);
    Case::new(&told, vec![("127.0.0.1:80", server.addr().to_string())])
}

/// A login at a URL where there is none.
pub fn no_login(one: &One) -> Case {
    let server = ScriptedServer::start(vec![Step::reply(404, "")]);
    let told = logged_in(one, &server, &ONCE);
    Case::new(&told, vec![("127.0.0.1:80", server.addr().to_string())])
}

/// An upload with a login by a form, to a server that takes the login.
fn logged_in(one: &One, server: &ScriptedServer, more: &[&str]) -> Report {
    let form = format!("http://{}/login", server.addr());
    let login = [
        "client_set_login_form",
        &form,
        "client_set_login_field",
        "user,joe",
    ];
    one.upload(&server.endpoint(), SIZE, &[&login[..], more].concat())
}

fn is_login(head: &RequestHead) -> bool {
    head.target == "/login"
}

/// A user who is let in, and may not upload.
pub fn forbidden(one: &One) -> Case {
    let server = ScriptedServer::start_with(|head, _| match (is_login(head), is_send(head)) {
        (true, _) => Step::reply(200, "{}"),
        (_, true) => Step::reply(403, r#"{"message":"joe may not upload here"}"#),
        _ => Step::reply(200, &json("new", 0, "k")),
    });
    Case::new(&logged_in(one, &server, &ONCE), Vec::new())
}

/// Of every two sends the server takes one and forgets it, and turns the other one away.
pub fn sessions_end(one: &One) -> Case {
    let mut sends = 0;
    let server = ScriptedServer::start_with(move |head, _| {
        sends += u32::from(is_send(head));
        match (is_login(head), is_send(head)) {
            (true, _) => Step::reply(200, "{}"),
            (_, true) if sends % 2 == 0 => Step::reply(401, "{}"),
            (_, true) => Step::reply(200, &json("partial", 5, "k")),
            _ => Step::reply(200, &json("new", 0, "k")),
        }
    });
    let more = [
        "client_set_retry_limit",
        "3",
        "client_set_retry_backoff",
        "1,2",
        "upload_set_segment_size",
        "5",
    ];
    let told = logged_in(one, &server, &more);
    Case::new(&told, vec![("127.0.0.1:80", server.addr().to_string())])
}
