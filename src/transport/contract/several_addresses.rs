//! A name with several addresses.

use resup_test_support::hole::Hole;
use ureq::http::Uri;
use ureq::unversioned::resolver::ResolvedSocketAddrs;
use ureq::unversioned::transport::NextTimeout;

use super::*;
use crate::http::proxy::ProxySetting;

/// The time limit for connecting. Tried one after the other, an address that swallows connects
/// takes more than a third of it.
const LIMIT: Duration = Duration::from_secs(60);

/// A resolver that gives all of these addresses for every name.
#[derive(Debug, Clone)]
struct All(Vec<SocketAddr>);

impl Resolver for All {
    fn resolve(
        &self,
        _: &Uri,
        _: &Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let mut found = self.empty();
        self.0.iter().for_each(|addr| found.push(*addr));
        Ok(found)
    }
}

fn ask(proxy: &str, addrs: &[SocketAddr], habits: &Arc<Habits>) -> Result<Response, Error> {
    let url = "http://far.invalid/up";
    let mut options = options(url);
    options.proxy = ProxySetting::parse(proxy).unwrap();
    options.limits.connect = LIMIT;
    options.limits.response = SOON / 10;
    let resolver = All(addrs.to_vec());
    let connection =
        Connection::with_resolver(&options, resolver, habits.clone(), tls::config).unwrap();
    get_url(&connection, url)
}

#[test]
fn an_address_that_swallows_connects_costs_little() {
    let hole = Hole::new();
    for proxy in ["none", "http://near.invalid"] {
        let server = ScriptedServer::start(vec![Step::reply(200, "{}")]);
        let addrs = [hole.addr(), hole.addr(), server.addr(), nobody()];
        let habits = Arc::default();
        let began = Instant::now();
        assert_eq!(ask(proxy, &addrs, &habits).unwrap().status, 200);
        assert!(began.elapsed() < LIMIT / 6, "{:?}", began.elapsed());
        assert_eq!(
            habits.address(),
            Some(server.addr()),
            "the next one's first"
        );
        assert_eq!(ask(proxy, &addrs, &habits).unwrap().status, 200);
        assert_eq!(server.connections(), 2);
    }
}

#[test]
fn a_socks_proxy_may_have_such_an_address_too() {
    let hole = Hole::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addrs = [hole.addr(), listener.local_addr().unwrap()];
    let accepted = accept_all(listener);
    let habits = Arc::default();
    let began = Instant::now();
    assert!(ask("socks5h://near.invalid", &addrs, &habits).is_err());
    assert!(began.elapsed() < LIMIT / 6, "{:?}", began.elapsed());
    assert!(accepted.recv_timeout(SOON).is_ok());
    assert!(accepted.try_recv().is_err(), "one connection is enough");
}

/// Accepts connections, and closes each one. Gives a message for each.
fn accept_all(listener: std::net::TcpListener) -> mpsc::Receiver<()> {
    let (sender, accepted) = mpsc::channel();
    thread::spawn(move || while listener.accept().is_ok() && sender.send(()).is_ok() {});
    accepted
}

#[test]
fn a_socks_proxys_known_address_is_given_up_when_it_refuses() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let habits = Arc::<Habits>::default();
    let gone = nobody();
    habits.set_address(gone);
    let addrs = [listener.local_addr().unwrap(), gone];
    let accepted = accept_all(listener);
    assert!(ask("socks5h://near.invalid", &addrs, &habits).is_err());
    assert!(accepted.recv_timeout(SOON).is_ok());
}

#[test]
fn a_socks4_proxy_gets_an_ipv4_address() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addrs = ["[::1]:1".parse().unwrap(), listener.local_addr().unwrap()];
    let (sender, asked) = mpsc::channel();
    thread::spawn(move || {
        let mut request = [0; 9];
        let mut near = listener.accept().unwrap().0;
        near.read_exact(&mut request).map(|()| sender.send(request))
    });
    assert!(ask("socks4://near.invalid", &addrs, &Arc::default()).is_err());
    let request = asked.recv_timeout(SOON).unwrap();
    assert_eq!(request[4..8], [127, 0, 0, 1]);
}

#[test]
fn an_address_that_only_accepts_connections_is_given_up() {
    let server = ScriptedServer::start(vec![Step::reply(200, "{}")]);
    for end in [End::Close, End::Reset, End::HoldOpen] {
        let bad = ScriptedServer::start(vec![Step::new().end(end)]);
        let worse = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let addrs = [bad.addr(), worse.local_addr().unwrap(), server.addr()];
        let _accepted = accept_all(worse);
        let habits = Arc::default();
        for _ in 0..2 {
            assert!(ask("none", &addrs, &habits).is_err(), "{end:?}");
        }
        for _ in 0..2 {
            assert_eq!(ask("none", &addrs, &habits).unwrap().status, 200, "{end:?}");
        }
    }
}

#[test]
fn the_known_address_is_given_up_when_it_refuses() {
    let server = ScriptedServer::start(vec![Step::reply(200, "{}")]);
    let habits = Arc::<Habits>::default();
    let gone = nobody();
    habits.set_address(gone);
    let addrs = [server.addr(), gone];
    assert_eq!(ask("none", &addrs, &habits).unwrap().status, 200);
    assert_eq!(habits.address(), Some(server.addr()));
}

#[test]
fn the_time_limit_is_for_all_addresses_together() {
    let hole = Hole::new();
    let mut options = options("http://far.invalid/up");
    options.limits.connect = Duration::from_millis(600);
    let resolver = All(vec![hole.addr(); 4]);
    let connection =
        Connection::with_resolver(&options, resolver, Arc::default(), tls::config).unwrap();
    let url = "http://far.invalid/up".to_owned();
    let error = post(&connection, url, &mut io::empty(), 0).unwrap_err();
    assert!(
        error.to_string().contains("no connection within 600 ms"),
        "{error}"
    );
}

#[test]
fn if_all_addresses_refuse_that_is_the_error() {
    let error = ask("none", &[nobody(), nobody()], &Arc::default()).unwrap_err();
    assert!(matches!(error, Error::ConnectFailed { .. }), "{error}");
    assert!(error.to_string().contains("refused"), "{error}");
}
