//! Sessions against a server without a network.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::Arc;

use http::{header, HeaderMap};

use super::*;
use crate::error::{ErrorKind, RefusalKind};

/// A request: its line and body, and its headers.
type Sent = (String, Vec<(String, String)>);

/// A server without a network: the requests that it got, and its next responses.
#[derive(Default)]
struct Server {
    sent: RefCell<Vec<Sent>>,
    responses: RefCell<VecDeque<(u16, &'static str)>>,
}

impl Exchange for &Server {
    fn exchange(&self, request: Request<'_>) -> Result<Response, Error> {
        let headers = request
            .headers
            .iter()
            .map(|(name, value)| (name.clone(), value.text().to_owned()));
        let body = match &request.body {
            Some(Body::Text(text)) => String::from_utf8_lossy(text).into_owned(),
            _ => String::new(),
        };
        let line = format!("{} {} {body}", request.method, request.url);
        self.sent.borrow_mut().push((line, headers.collect()));
        let (status, cookie) = self.responses.borrow_mut().pop_front().expect("a response");
        let mut headers = HeaderMap::new();
        if status / 100 == 3 {
            headers.insert(header::LOCATION, "/login?again".parse().unwrap());
        }
        if !cookie.is_empty() {
            headers.insert(header::SET_COOKIE, cookie.parse().unwrap());
        }
        Ok(Response {
            status,
            headers,
            ..Response::default()
        })
    }
}

struct Setting {
    server: Server,
    credentials: Credentials,
    endpoint: Endpoint,
    state: Arc<SessionState>,
    history: AuthHistory,
}

fn setting(responses: &[(u16, &'static str)]) -> Setting {
    let endpoint = Endpoint::parse("http://h:1/upload").unwrap();
    let mut credentials = Credentials::default();
    let origin = endpoint.origin();
    credentials.set_login("http://h:1/login", &origin).unwrap();
    credentials.set_login_field("user", "joe").unwrap();
    credentials.set_login_field("password", "a&b").unwrap();
    let server = Server::default();
    server.responses.borrow_mut().extend(responses);
    Setting {
        server,
        credentials,
        endpoint,
        state: Arc::default(),
        history: AuthHistory::default(),
    }
}

impl Setting {
    /// Makes the session of an upload.
    fn session<'a>(
        &'a self,
        inner: impl Exchange + 'a,
        history: &'a AuthHistory,
    ) -> SessionExchange<'a> {
        SessionExchange {
            inner: Box::new(inner),
            credentials: &self.credentials,
            endpoint: &self.endpoint,
            state: &self.state,
            history,
        }
    }

    /// Makes a request of one upload; `stream` for one that cannot be repeated.
    fn send(&self, stream: bool) -> Result<u16, Error> {
        let session = self.session(&self.server, &self.history);
        let mut bytes: &[u8] = b"x";
        let body = match stream {
            true => Body::Stream {
                length: 1,
                bytes: &mut bytes,
            },
            false => Body::Text(b"locate"),
        };
        let response = session.exchange(Request {
            method: "POST",
            url: "http://h:1/upload".to_owned(),
            content_type: None,
            headers: Vec::new(),
            body: Some(body),
            needs: Needs::Whole,
        })?;
        Ok(response.status)
    }

    fn sent(&self) -> Vec<String> {
        let sent = self.server.sent.borrow();
        assert!(self.server.responses.borrow().is_empty(), "{sent:?}");
        let short = |(line, headers): &Sent| {
            let cookies: String = headers
                .iter()
                .filter(|(name, _)| name == "cookie")
                .map(|(_, value)| value.as_str())
                .collect();
            format!("{line} {cookies}").trim().to_owned()
        };
        sent.iter().map(short).collect()
    }
}

const LOGIN: &str = "POST http://h:1/login user=joe&password=a%26b";
const LOCATE: &str = "POST http://h:1/upload locate";

#[test]
fn the_first_request_logs_in_and_cookies_go_along() {
    let it = setting(&[(302, "s=1; HttpOnly"), (200, ""), (200, "t=2"), (200, "")]);
    for stream in [false, true, false] {
        assert_eq!(it.send(stream), Ok(200));
    }
    let with = |cookies: &str| format!("{LOCATE} {cookies}");
    let send = "POST http://h:1/upload  s=1".to_owned();
    assert_eq!(
        it.sent(),
        [LOGIN.to_owned(), with("s=1"), send, with("s=1; t=2")]
    );
}

#[test]
fn a_session_that_ended_is_renewed_without_an_error() {
    for rejected in [401, 403, 302, 303] {
        let it = setting(&[
            (200, "s=1"),
            (200, ""),
            (rejected, ""),
            (200, "s=2"),
            (200, ""),
        ]);
        assert_eq!(it.send(false), Ok(200));
        assert_eq!(it.send(false), Ok(200));
        assert_eq!(it.sent()[4], format!("{LOCATE} s=2"));
    }
}

#[test]
fn a_send_that_is_rejected_is_a_passing_failure_and_the_next_request_logs_in() {
    let it = setting(&[(200, "s=1"), (200, ""), (401, ""), (200, "s=2"), (200, "")]);
    assert_eq!(it.send(false), Ok(200));
    let error = it.send(true).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SessionExpired);
    assert!(error.is_passing());
    assert_eq!(it.send(false), Ok(200));
    assert_eq!(it.sent()[3], format!("{LOGIN} s=1"));
}

#[test]
fn a_rejection_after_a_login_is_a_refusal() {
    for status in [401, 403, 302] {
        let it = setting(&[(200, ""), (status, ""), (200, ""), (status, "")]);
        for _run in 0..2 {
            let error = it.send(false).unwrap_err();
            let refusal = error.refusal().unwrap();
            assert_eq!(refusal.status, status);
            assert_eq!(refusal.kind, RefusalKind::NotAllowed);
            assert!(error.to_string().contains("still not accepted"), "{error}");
            assert!(!error.is_passing());
        }
        assert_eq!(it.sent()[2], LOGIN, "a second run tries again");
    }
}

#[test]
fn a_refused_login_has_its_status() {
    let it = setting(&[(401, ""), (503, "")]);
    assert!(!it.send(false).unwrap_err().is_passing());
    assert!(it.send(false).unwrap_err().is_passing());
    assert_eq!(it.sent(), [LOGIN, LOGIN]);
}

#[test]
fn other_settings_begin_a_session_of_their_own() {
    let client = crate::Client::new("http://h:1/upload").unwrap();
    let mut it = setting(&[(200, "s=1"), (200, ""), (200, "s=2"), (200, "")]);
    it.state = client.state().session;
    assert_eq!(it.send(false), Ok(200));
    client.set_user("another").unwrap();
    it.state = client.state().session;
    assert_eq!(it.send(false), Ok(200));
    assert_eq!(it.sent()[2], LOGIN, "without the old cookie");
}

#[test]
fn headers_and_authorization_go_along_and_nowhere_else() {
    let mut it = setting(&[(200, "")]);
    it.credentials.login = None;
    it.credentials.set_bearer("t0ken").unwrap();
    it.credentials.set_header("X-Api-Key", "k3y").unwrap();
    it.credentials.set_cookie("c", "1").unwrap();
    assert_eq!(it.send(false), Ok(200));
    let (_, headers) = it.server.sent.borrow()[0].clone();
    let expected = [
        ("x-api-key", "k3y"),
        ("authorization", "Bearer t0ken"),
        ("cookie", "c=1"),
    ];
    assert_eq!(headers, expected.map(|(n, v)| (n.to_owned(), v.to_owned())));
    // Whatever asks for it.
    for url in [
        "http://h:2/upload",
        "http://i:1/upload",
        "https://h:1/upload",
    ] {
        it.endpoint = Endpoint::parse(url).unwrap();
        assert_eq!(
            it.send(false).unwrap_err().kind(),
            ErrorKind::Internal,
            "{url}"
        );
    }
}

/// A connection on which another upload overtakes a request: `Self::2` runs before the request
/// reaches the server (if `Self::1`), or before its response comes back.
struct Overtaken<'a>(&'a Server, bool, &'a dyn Fn());

impl Exchange for Overtaken<'_> {
    fn exchange(&self, request: Request<'_>) -> Result<Response, Error> {
        let Overtaken(server, on_its_way, others) = self;
        if *on_its_way {
            others();
        }
        let response = server.exchange(request)?;
        if !on_its_way {
            others();
        }
        Ok(response)
    }
}

fn locate() -> Request<'static> {
    Request {
        method: "POST",
        url: "http://h:1/upload".to_owned(),
        content_type: None,
        headers: Vec::new(),
        body: Some(Body::Text(b"locate")),
        needs: Needs::Whole,
    }
}

#[test]
fn the_cookies_of_an_ended_session_do_not_replace_those_of_the_next() {
    let it = setting(&[
        (200, "s=1"), // a login
        (200, ""),
        (200, "s=1"), // overtaken by:
        (401, ""),
        (200, "s=2"), // the next login
        (200, ""),
        (200, ""),
    ]);
    assert_eq!(it.send(false), Ok(200));
    let others = || assert_eq!(it.send(false), Ok(200));
    let history = AuthHistory::default();
    let late = it.session(Overtaken(&it.server, false, &others), &history);
    assert_eq!(late.exchange(locate()).unwrap().status, 200);
    assert_eq!(it.send(false), Ok(200));
    assert_eq!(it.sent()[6], format!("{LOCATE} s=2"));
}

#[test]
fn a_request_that_a_login_overtook_is_made_again_without_another() {
    let it = setting(&[
        (200, "s=1"),
        (200, ""),
        (401, "s=; Max-Age=0"), // of the other upload
        (200, "s=2"),
        (200, ""),
        (401, "s=; Max-Age=0"), // of the one that is overtaken
        (200, ""),
    ]);
    assert_eq!(it.send(false), Ok(200));
    let once = std::cell::Cell::new(true);
    let others = || {
        if once.take() {
            assert_eq!(it.send(false), Ok(200));
        }
    };
    let history = AuthHistory::default();
    let late = it.session(Overtaken(&it.server, true, &others), &history);
    assert_eq!(late.exchange(locate()).unwrap().status, 200);
    let sent = it.sent();
    assert_eq!(sent[5], format!("{LOCATE} s=1"), "overtaken");
    assert_eq!(sent[6], format!("{LOCATE} s=2"));
}

/// A server that rejects every request, while another upload logs in.
struct Contested<'a>(&'a SessionState, RefCell<u32>);

impl Exchange for &Contested<'_> {
    fn exchange(&self, request: Request<'_>) -> Result<Response, Error> {
        let login = request.url.ends_with("/login");
        if !login {
            *self.1.borrow_mut() += 1;
            self.0.current.lock().unwrap().generation += 1;
        }
        Ok(Response {
            status: if login { 200 } else { 401 },
            ..Response::default()
        })
    }
}

#[test]
fn the_logins_of_other_uploads_cause_no_endless_loop() {
    let it = setting(&[]);
    let contested = Contested(&it.state, RefCell::default());
    let history = AuthHistory::default();
    let result = it.session(&contested, &history).exchange(locate());
    let refusal = result.unwrap_err();
    assert_eq!(refusal.refusal().unwrap().kind, RefusalKind::NotAllowed);
    assert_eq!(*contested.1.borrow(), 2);
}

#[test]
fn a_send_is_forbidden_when_another_login_does_not_help() {
    let rejected = |it: &Setting| {
        assert_eq!(it.send(false), Ok(200));
        assert_eq!(it.send(true).unwrap_err().kind(), ErrorKind::SessionExpired);
    };
    let forbidden = |result: Result<u16, Error>| {
        let error = result.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused(RefusalKind::NotAllowed));
    };
    let begin = [(200, ""), (200, ""), (403, ""), (200, "")];
    // Its next send shows it, whatever the locates and failed sends between; or the locate after
    // the login does.
    let it = setting(&[&begin[..], &[(200, ""), (503, ""), (200, ""), (403, "")]].concat());
    rejected(&it);
    for (stream, status) in [(false, 200), (true, 503), (false, 200)] {
        assert_eq!(it.send(stream), Ok(status));
    }
    forbidden(it.send(true));
    it.sent();
    let it = setting(&[&begin[..], &[(403, "")]].concat());
    rejected(&it);
    forbidden(it.send(false));
    it.sent();
    // Another upload is accepted meanwhile.
    let it = setting(&[&begin[..], &[(200, ""), (403, "")]].concat());
    rejected(&it);
    let other = AuthHistory::default();
    let session = it.session(&it.server, &other);
    assert_eq!(session.exchange(locate()).unwrap().status, 200);
    forbidden(it.send(false));
    assert_eq!(it.state.current.lock().unwrap().login, LoginState::In);
    it.sent();
    // An accepted send, or a locate of the same session, shows that the session has ended instead.
    for (stream, status) in [(true, 200), (true, 503)] {
        let rest = [(200, ""), (status, ""), (401, ""), (200, ""), (200, "")];
        let it = setting(&[&begin[..], &rest].concat());
        rejected(&it);
        for (stream, status) in [(false, 200), (stream, status), (false, 200)] {
            assert_eq!(it.send(stream), Ok(status));
        }
        it.sent();
    }
}

#[test]
fn sends_at_a_time_that_find_one_session_ended_are_not_forbidden() {
    let history = AuthHistory::default();
    for _ in 0..6 {
        assert!(!history.is_in_doubt(1));
        history.reject(1);
    }
    assert!(history.is_in_doubt(2), "another login does not help");
    // It did help, and the last one of the earlier session comes late.
    history.accepted.store(2, Relaxed);
    history.rejected.store(0, Relaxed);
    history.reject(1);
    assert!(!history.is_in_doubt(2) && !history.is_in_doubt(3));
}
