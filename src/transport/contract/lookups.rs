//! Name lookups: when they happen, and for which name.

use std::sync::Mutex;

use ureq::http::Uri;
use ureq::unversioned::resolver::ResolvedSocketAddrs;
use ureq::unversioned::transport::NextTimeout;

use super::*;
use crate::http::proxy::ProxySetting;

/// A resolver that gives these addresses in turn, and then the last one; it records the names.
#[derive(Debug, Clone)]
struct Leading {
    to: Vec<SocketAddr>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Leading {
    fn to(to: &[SocketAddr]) -> Self {
        Leading {
            to: to.to_vec(),
            asked: Arc::default(),
        }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Resolver for Leading {
    fn resolve(
        &self,
        uri: &Uri,
        _: &Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut asked = self.asked.lock().unwrap();
        let mut found = self.empty();
        found.push(self.to[asked.len().min(self.to.len() - 1)]);
        asked.push(uri.host().unwrap().to_owned());
        Ok(found)
    }
}

fn connection(url: &str, proxy: &str, resolver: &Leading) -> Connection {
    let mut options = options(url);
    options.proxy = ProxySetting::parse(proxy).unwrap();
    options.limits.connect = Duration::from_secs(2);
    Connection::with_resolver(&options, resolver.clone(), Arc::default(), tls::config).unwrap()
}

const URL: &str = "http://far.invalid/up";

#[test]
fn a_name_is_looked_up_once_for_a_connection() {
    let server = ScriptedServer::start(vec![Step::reply(200, "{}")]);
    let names = Leading::to(&[server.addr()]);
    let connection = connection(URL, "none", &names);
    for _ in 0..3 {
        assert_eq!(get_url(&connection, URL).unwrap().status, 200);
    }
    assert_eq!(names.asked(), ["far.invalid"]);
}

#[test]
fn a_new_connection_goes_to_the_names_present_address() {
    let response = Step::reply(200, "{}");
    let moved = ScriptedServer::start(vec![response.clone()]);
    for end in [End::Close, End::Reset] {
        let old = ScriptedServer::start(vec![response.clone(), response.clone().end(end)]);
        let names = Leading::to(&[old.addr(), moved.addr()]);
        let connection = connection(URL, "none", &names);
        for _ in 0..3 {
            assert_eq!(get_url(&connection, URL).unwrap().status, 200);
        }
        assert_eq!((old.requests().len(), names.asked().len()), (2, 2));
    }
}

#[test]
fn a_repeated_request_goes_to_the_names_present_address() {
    let response = Step::reply(200, "{}");
    let moved = ScriptedServer::start(vec![response.clone()]);
    let old = ScriptedServer::start(vec![response, Step::new().end(End::Close)]);
    let names = Leading::to(&[old.addr(), moved.addr()]);
    let connection = connection(URL, "none", &names);
    for _ in 0..2 {
        assert_eq!(get_url(&connection, URL).unwrap().status, 200);
    }
    assert_eq!((old.requests().len(), moved.requests().len()), (2, 1));
}

#[test]
fn an_address_that_refuses_is_looked_up_again() {
    let server = ScriptedServer::start(vec![Step::reply(200, "{}")]);
    let names = Leading::to(&[nobody(), server.addr()]);
    let connection = connection(URL, "none", &names);
    let error = get_url(&connection, URL).unwrap_err();
    assert!(matches!(error, Error::ConnectFailed { .. }), "{error}");
    assert_eq!(get_url(&connection, URL).unwrap().status, 200);
}

#[test]
fn through_a_proxy_each_name_that_is_needed_is_looked_up_once() {
    let tls = "https://far.invalid/up";
    for (proxy, url, looked_up) in [
        ("http://near.invalid", URL, &["near.invalid"][..]),
        ("http://near.invalid", tls, &["near.invalid"]),
        ("socks5h://near.invalid", URL, &["near.invalid"]),
        (
            "socks5://near.invalid",
            URL,
            &["far.invalid", "near.invalid"],
        ),
    ] {
        let server = ScriptedServer::start(vec![Step::reply(403, "").end(End::Close)]);
        let names = Leading::to(&[server.addr()]);
        let _ = get_url(&connection(url, proxy, &names), url);
        assert_eq!(server.connections(), 1, "{proxy}");
        assert_eq!(names.asked(), looked_up, "{proxy} {url}");
    }
}
