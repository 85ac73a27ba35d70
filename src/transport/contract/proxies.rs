//! Requests through proxies. These proxies are scripted servers; real ones have tests of their own.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};

use ureq::http::Uri;
use ureq::unversioned::resolver::ResolvedSocketAddrs;
use ureq::unversioned::transport::NextTimeout;

use super::*;
use crate::http::proxy::ProxySetting;

/// Makes a connection to `endpoint` through an HTTP proxy with `login`.
fn through(proxy: &ScriptedServer, login: &str, endpoint: &str) -> Connection {
    let mut options = ConnectionOptions::new(endpoint).unwrap();
    let url = format!("http://{login}{}", proxy.addr());
    options.proxy = ProxySetting::parse(&url).unwrap();
    new_connection(&options)
}

fn ask(connection: &Connection, url: &str) -> Result<Response, Error> {
    connection.exchange(Request {
        method: "POST",
        url: url.to_owned(),
        content_type: None,
        headers: Vec::new(),
        body: Some(Body::Text(b"a=1")),
        needs: Needs::Whole,
    })
}

#[test]
fn http_requests_have_the_absolute_form_and_the_proxys_password() {
    let steps = vec![Step::reply(200, "{}"), Step::reply(200, "{}")];
    let proxy = ScriptedServer::start(steps);
    let url = "http://far.invalid:81/up?x=1";
    let connection = through(&proxy, "joe:a%40b@", url);
    for _ in 0..2 {
        let response = ask(&connection, url).unwrap();
        assert_eq!(response.status, 200);
        assert_eq!(response.proxy, Some(proxy.addr().to_string()));
    }
    for request in proxy.requests() {
        assert_eq!(request.head.target, url);
        assert_eq!(request.head.header("host"), Some("far.invalid:81"));
        // joe:a@b
        let sent = request.head.header("proxy-authorization");
        assert_eq!(sent, Some("Basic am9lOmFAYg=="));
        assert_eq!(request.body_text(), "a=1");
    }
}

#[test]
fn large_bodies_go_through_a_proxy_unchanged() {
    let proxy = ScriptedServer::start(vec![Step::reply(200, "{}")]);
    let url = "http://far.invalid/up";
    let connection = through(&proxy, "", url);
    let body = vec![b' '; 3_000_000];
    let response = connection.exchange(Request {
        method: "POST",
        url: url.to_owned(),
        content_type: None,
        headers: Vec::new(),
        body: Some(Body::Stream {
            length: body.len() as u64,
            bytes: &mut &body[..],
        }),
        needs: Needs::Whole,
    });
    assert_eq!(response.unwrap().status, 200);
    let request = &proxy.requests()[0];
    assert_eq!(request.head.header("proxy-authorization"), None);
    assert_eq!(request.body_len, body.len() as u64);
    assert!(body.starts_with(&request.body), "the body differs");
}

#[test]
fn a_refusal_by_the_proxy_is_an_error_of_its_own() {
    for (status, endpoint, words) in [
        (407, "http://far.invalid/up", "asks for a user"),
        (407, "https://far.invalid/up", "asks for a user"),
        (403, "https://far.invalid:81/up", "no tunnel"),
    ] {
        let proxy = ScriptedServer::start(vec![Step::reply(status, "")]);
        let error = ask(&through(&proxy, "", endpoint), endpoint).unwrap_err();
        assert!(matches!(error, Error::ProxyRefused { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains(words), "{text}");
        assert!(
            text.contains(&format!("through the proxy {}", proxy.addr())),
            "{text}"
        );
        assert!(!error.is_passing());
    }
}

/// Asks an https server through a proxy that answers the CONNECT with `text`.
fn connect(text: &str, end: End) -> Error {
    let proxy = ScriptedServer::start(vec![Step::new().write(text).end(end)]);
    let endpoint = "https://far.invalid/up";
    let error = ask(&through(&proxy, "", endpoint), endpoint).unwrap_err();
    let named = format!("through the proxy {}", proxy.addr());
    assert!(error.to_string().contains(&named), "{text:?}: {error}");
    error
}

#[test]
fn any_2xx_makes_a_tunnel() {
    for head in [
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.0 201 Connection made\r\nContent-Length: 9\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204\r\nTransfer-Encoding: gzip\r\nodd\r\n\r\n",
        &format!("HTTP/1.1 299 x\r\n{}\r\n", "X: a\r\n".repeat(300)),
    ] {
        // What comes through the tunnel is no TLS.
        let text = format!("{head}HTTP/1.1 400 no\r\n\r\n");
        let error = connect(&text, End::Close);
        assert!(matches!(error, Error::Tls { .. }), "{head:?}: {error}");
    }
}

#[test]
fn a_loss_in_a_tunnel_is_not_taken_for_a_proxy_without_http() {
    for (text, advises) in [("", true), ("HTTP/1.1 200 OK\r\n\r\n", false)] {
        let error = connect(text, End::Reset).to_string();
        assert_eq!(error.contains("speaks HTTP"), advises, "{error}");
    }
}

#[test]
fn what_comes_through_a_tunnel_has_no_limit() {
    let page = " ".repeat(60_000);
    let server = ScriptedServer::start_tls(vec![Step::reply(200, &page)]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = listener.local_addr().unwrap();
    let far = server.addr();
    thread::spawn(move || {
        let (mut near, _) = listener.accept().unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            near.read_exact(&mut byte).unwrap();
            head.push(byte[0]);
        }
        near.write_all(b"HTTP/1.0 299 Made\r\nodd\r\n\r\n").unwrap();
        let mut far = std::net::TcpStream::connect(far).unwrap();
        let (mut up, mut down) = (near.try_clone().unwrap(), far.try_clone().unwrap());
        thread::spawn(move || io::copy(&mut up, &mut far));
        let _ = io::copy(&mut down, &mut near);
    });
    let mut options = options(&server.endpoint());
    options.proxy = ProxySetting::parse(&format!("http://{proxy}")).unwrap();
    let connection = Connection::trusting(&options, server.ca_pem());
    for _ in 0..40 {
        let response = get(&connection, &server).unwrap();
        assert_eq!(response.body.len(), page.len());
    }
    assert_eq!(server.connections(), 1);
}

#[test]
fn the_words_of_a_proxy_that_makes_no_tunnel_are_told() {
    let page =
        "<html><head><title>Blocked</title><style>a{}</style></head><body><p>By policy&nbsp;7";
    let length = format!("Content-Length: {}\r\n", page.len());
    for (head, end) in [
        (&*length, End::KeepAlive),
        ("", End::Close),
        (&*length, End::HoldOpen),
    ] {
        let error = connect(&format!("HTTP/1.1 403 Not here\r\n{head}\r\n{page}"), end);
        assert!(matches!(error, Error::ProxyRefused { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains("(403 Not here: Blocked By policy"), "{text}");
    }
    let ntlm = "Proxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM\r\n";
    let text = connect(&format!("HTTP/1.1 407 x\r\n{ntlm}\r\n"), End::Close).to_string();
    assert!(
        text.contains("by Negotiate or NTLM, and only Basic"),
        "{text}"
    );
    let busy = connect(
        "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nlate",
        End::HoldOpen,
    );
    assert!(matches!(busy, Error::ConnectFailed { .. }), "{busy}");
    assert!(busy.to_string().contains("503 Busy: late"), "{busy}");
}

#[test]
fn the_faults_of_a_proxy_are_not_the_servers() {
    let long = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(100_000));
    for (text, words) in [
        ("SSH-2.0-OpenSSH_9.2\r\n", "it begins: SSH-2.0"),
        ("HTTP/1.1 2000 OK\r\n\r\n", "it begins: HTTP/1.1 2000"),
        (&long, "head exceeds"),
        ("HTTP/1.1 200 OK\r\nX-", "did not respond"),
    ] {
        let error = connect(text, End::Close);
        assert!(matches!(error, Error::ConnectFailed { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains(words) && !text.contains("server's"), "{text}");
    }
}

#[test]
fn a_407_of_a_server_is_not_a_proxys() {
    let server = ScriptedServer::start(vec![Step::reply(407, "{}")]);
    let response = ask(&connection_to(&server, |_| {}), &server.endpoint()).unwrap();
    assert_eq!(response.status, 407);
}

#[test]
fn a_forward_proxy_that_wants_another_login_is_told() {
    let digest = [("Proxy-Authenticate", "Digest realm=\"a, b\", nonce=\"c\"")];
    let refusal = reply_with(407, &digest, "<p>Log in");
    let proxy = ScriptedServer::start(vec![Step::new().read(Take::All).write(refusal)]);
    let endpoint = "http://far.invalid/up";
    let error = ask(&through(&proxy, "", endpoint), endpoint).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("by Digest, and only Basic is supported (407: Log in)"),
        "{text}"
    );
}

#[test]
fn no_http_through_a_forward_proxy_names_it() {
    let proxy = ScriptedServer::start(vec![Step::new().read(Take::All).write("oops\r\n\r\n")]);
    let endpoint = "http://far.invalid/up";
    let error = ask(&through(&proxy, "", endpoint), endpoint).unwrap_err();
    assert!(
        error
            .to_string()
            .contains(&format!("or the proxy {}", proxy.addr())),
        "{error}"
    );
}

#[test]
fn a_proxy_that_cannot_connect_is_a_passing_failure() {
    let proxy = ScriptedServer::start(vec![Step::reply(502, "")]);
    let endpoint = "https://far.invalid/up";
    let error = ask(&through(&proxy, "", endpoint), endpoint).unwrap_err();
    assert!(matches!(error, Error::ConnectFailed { .. }), "{error}");
    assert_eq!(proxy.requests()[0].head.target, "far.invalid:443");
}

#[test]
fn the_error_names_a_proxy_that_speaks_no_socks_and_the_way_out() {
    for kind in ["socks4", "socks4a", "socks5", "socks5h"] {
        for response in [Some("HTTP/1.1 400 Bad Request\r\n\r\n"), Some(""), None] {
            let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
            let addr = proxy.local_addr().unwrap();
            let server = thread::spawn(move || {
                let (mut socket, _) = proxy.accept().unwrap();
                let _ = socket.read(&mut [0; 3]).unwrap();
                let held = response.map(|text| socket.write_all(text.as_bytes()).unwrap());
                // Without a response the connection stays open until the client gives up.
                let _ = held.is_none().then(|| socket.read_to_end(&mut Vec::new()));
            });
            let endpoint = "http://127.0.0.1:1/up";
            let mut options = ConnectionOptions::new(endpoint).unwrap();
            options.proxy = ProxySetting::parse(&format!("{kind}://{addr}")).unwrap();
            options.limits.connect = Duration::from_millis(300);
            let text = ask(&new_connection(&options), endpoint)
                .unwrap_err()
                .to_string();
            let named = format!("through the proxy {addr}");
            assert!(text.contains(&named), "{kind} {response:?}: {text}");
            assert!(text.contains("speaks SOCKS"), "{kind} {response:?}: {text}");
            server.join().unwrap();
        }
    }
}

/// A resolver that takes its time.
#[derive(Debug)]
struct Slow(SocketAddr, Duration);

impl Resolver for Slow {
    fn resolve(
        &self,
        _: &Uri,
        _: &Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        thread::sleep(self.1);
        let mut found = self.empty();
        found.push(self.0);
        Ok(found)
    }
}

#[test]
fn the_time_for_connecting_is_for_lookup_connection_and_tunnel_together() {
    let limit = Duration::from_secs(1);
    let endpoint = "https://far.invalid/up";
    for (lookup, answer, words) in [
        (limit * 2 / 3, limit * 2 / 3, "no connection within 1 s"),
        (limit * 3 / 2, Duration::ZERO, "no connection within 1 s"),
        (Duration::ZERO, Duration::ZERO, "(403 no)"),
    ] {
        let text = "HTTP/1.1 403 no\r\nContent-Length: 0\r\n\r\n";
        let proxy = ScriptedServer::start(vec![Step::new().wait(answer).write(text)]);
        let mut options = options(endpoint);
        options.proxy = ProxySetting::parse("http://near.invalid").unwrap();
        options.limits.connect = limit;
        let resolver = Slow(proxy.addr(), lookup);
        let connection =
            Connection::with_resolver(&options, resolver, Arc::default(), tls::config).unwrap();
        let error = ask(&connection, endpoint).unwrap_err();
        assert!(error.to_string().contains(words), "{lookup:?}: {error}");
    }
}
