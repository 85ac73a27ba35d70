//! Requests through proxies. These proxies are scripted servers; real ones have tests of their own.

use std::io::Write;
use std::net::TcpListener;

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
