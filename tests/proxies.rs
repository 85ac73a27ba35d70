//! Uploads through real proxies: squid, danted, V2Ray.

mod common;

use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use resup::{Client, Error, ErrorKind, Upload};
use resup_test_support::chaos::{ChaosProxy, Cut, Faults};
use resup_test_support::dante::Dante;
use resup_test_support::files;
use resup_test_support::model::{ModelReceiver, Options};
use resup_test_support::receiver::Receiver;
use resup_test_support::squid::{Setup, Squid};
use resup_test_support::tools;
use resup_test_support::v2ray::V2Ray;

use common::{client, make_file};

const SIZE: u64 = 300_000;
const USER: &str = "joe";
const PASSWORD: &str = "se cr:e@t/ü";
/// User and password as a URL has them.
const LOGIN: &str = "joe:se%20cr%3Ae%40t%2F%C3%BC@";
const WRONG: &str = "joe:another-secret@";

/// A receiver, with or without TLS, and files for it.
struct Target {
    receiver: ModelReceiver,
    tls: bool,
    dir: tempfile::TempDir,
}

impl Target {
    fn new(tls: bool) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap(), tls)
    }

    fn on(listener: TcpListener, tls: bool) -> Self {
        let options = Options {
            tls,
            ..Options::default()
        };
        Target {
            receiver: ModelReceiver::on(listener, options),
            tls,
            dir: tempfile::tempdir().unwrap(),
        }
    }

    /// Starts one for `http` and one for `https`.
    fn both() -> [Self; 2] {
        [Self::new(false), Self::new(true)]
    }

    /// Returns its URL with this name of this machine.
    fn endpoint(&self, host: &str) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{host}:{}/upload", self.receiver.addr().port())
    }

    fn client(&self, endpoint: &str, proxy: &str) -> Client {
        let client = client(endpoint);
        if self.tls {
            client.set_ca_pem(self.receiver.ca_pem()).unwrap();
        }
        client.set_proxy(proxy).unwrap();
        client
    }

    /// Uploads a file of this name and checks that it arrived.
    fn take(&self, client: &Client, name: &str) {
        let path = make_file(&self.dir, name, SIZE);
        upload(client, &path).unwrap_or_else(|error| panic!("{name}: {error}"));
        let files = self.receiver.files();
        let stored = files.iter().find(|(stored, _)| stored == name);
        assert!(stored.unwrap().1 == std::fs::read(path).unwrap(), "{name}");
    }

    /// Tries an upload, and checks that it fails before anything arrives.
    fn refuse(&self, client: &Client) -> Error {
        let requests = self.receiver.stats().requests;
        let error = upload(client, &make_file(&self.dir, "refused", SIZE)).unwrap_err();
        assert_eq!(self.receiver.stats().requests, requests);
        error
    }
}

fn upload(client: &Client, path: &Path) -> Result<(), Error> {
    Upload::from_file(client, path)?.run()
}

/// Checks that an error says that this proxy refused the client.
fn assert_refused(error: &Error, proxy: SocketAddr) {
    assert_eq!(error.kind(), ErrorKind::ProxyRefused, "{error}");
    assert!(!error.is_retryable());
    assert_names(error, proxy);
}

/// Checks that an error names this proxy, and no password.
fn assert_names(error: &Error, proxy: SocketAddr) {
    let text = error.to_string();
    assert!(text.contains(&proxy.to_string()), "{text}");
    for secret in [PASSWORD, LOGIN, WRONG, "another-secret"] {
        assert!(!text.contains(secret), "{text}");
    }
}

/// Returns an address where nobody listens.
fn dead() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

/// Starts a chaos proxy in front of a proxy; it cuts the first three connections after so many bytes each.
fn cut_thrice(proxy: SocketAddr, after: u64) -> ChaosProxy {
    let faults = move |number: u64, _: &mut fastrand::Rng| {
        let cut = number < 3;
        Faults {
            cut_up_after: cut.then_some(after),
            how: Cut::Rst,
            // The proxy reads as fast as this: a reset would destroy what it has not read yet.
            rate_up: cut.then_some(48 << 20),
            ..Faults::default()
        }
    };
    ChaosProxy::start(proxy, faults, 0)
}

#[test]
fn squid_gets_absolute_urls_for_http_and_connect_for_https() {
    let Some(squid) = Squid::start() else {
        return;
    };
    let [plain, tls] = Target::both();
    let proxy = format!("http://{}", squid.addr());

    let endpoint = plain.endpoint("localhost");
    plain.take(&plain.client(&endpoint, &proxy), "plain");
    let line = squid.wait_for("POST");
    assert_eq!(line, format!("POST {endpoint} TCP_MISS/200 -"));
    assert!(!squid.log().contains("CONNECT"), "{}", squid.log());

    let client = tls.client(&tls.endpoint("localhost"), &proxy);
    tls.take(&client, "tls");
    drop(client);
    let line = squid.wait_for("CONNECT");
    let port = tls.receiver.addr().port();
    assert_eq!(line, format!("CONNECT localhost:{port} TCP_TUNNEL/200 -"));
    assert!(!squid.log().contains("https://"), "{}", squid.log());
}

#[test]
fn squid_gets_the_password_and_a_wrong_one_is_an_error_at_once() {
    let Some(squid) = Setup::new().user(USER, PASSWORD).start() else {
        return;
    };
    let addr = squid.addr();
    for target in Target::both() {
        let endpoint = target.endpoint("127.0.0.1");
        let client = target.client(&endpoint, &format!("http://{LOGIN}{addr}"));
        target.take(&client, "right");
        for login in ["", WRONG] {
            let client = target.client(&endpoint, &format!("http://{login}{addr}"));
            let error = target.refuse(&client);
            assert_refused(&error, addr);
            assert!(error.to_string().contains("407"), "{error}");
        }
    }
    assert!(squid.log().contains(&format!("TCP_MISS/200 {USER}")));
}

#[test]
fn a_squid_that_tunnels_to_443_only_forwards_http_to_any_port() {
    let Some(squid) = Setup::new().connect_only_to(443).start() else {
        return;
    };
    let [plain, tls] = Target::both();
    let proxy = format!("http://{}", squid.addr());
    let endpoint = plain.endpoint("127.0.0.1");
    plain.take(&plain.client(&endpoint, &proxy), "plain");
    let endpoint = tls.endpoint("127.0.0.1");
    let error = tls.refuse(&tls.client(&endpoint, &proxy));
    assert_refused(&error, squid.addr());
    assert!(error.to_string().contains("403"), "{error}");
}

#[test]
fn large_files_go_through_squid_and_go_on_after_cuts() {
    let Some(squid) = Squid::start() else {
        return;
    };
    // Without users the receiver refuses requests that come from a proxy.
    let receiver = Receiver::start();
    receiver.admin(&["user", "add", "joe"], "correct horse");
    let chaos = cut_thrice(squid.addr(), 3_000_000);
    let client = client(&receiver.endpoint());
    client.set_basic_auth("joe", "correct horse").unwrap();
    client
        .set_proxy(&format!("http://{}", chaos.addr()))
        .unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = make_file(&dir, "large", 16_000_000);
    let mut upload = Upload::from_file(&client, &path).unwrap();
    upload.run().unwrap();
    let id = upload.remote().id().unwrap();
    files::assert_same(&path, &receiver.stored_file(&id));
    assert_eq!(upload.remote().snapshot().attempts, 4);
    assert!(chaos.bytes_up() < 20_000_000, "{}", chaos.bytes_up());
}

#[test]
fn a_tunnel_that_was_cut_is_opened_again() {
    let (Some(squid), Some(v2ray)) = (Squid::start(), V2Ray::start()) else {
        return;
    };
    for (scheme, proxy) in [("http", squid.addr()), ("socks5h", v2ray.addr())] {
        let target = Target::new(true);
        let chaos = cut_thrice(proxy, 100_000);
        let endpoint = target.endpoint("127.0.0.1");
        let client = target.client(&endpoint, &format!("{scheme}://{}", chaos.addr()));
        target.take(&client, "cut");
        // One for each cut and one more. Where two in a row look as if the server had closed them
        // before the send, each one is used once from then on.
        let connections = chaos.connections();
        assert!((4..=5).contains(&connections), "{scheme}: {connections}");
    }
}

#[test]
fn uploads_go_through_dante_by_socks_4_and_5() {
    let Some(dante) = Dante::start() else {
        return;
    };
    for target in Target::both() {
        for scheme in ["socks4", "socks5", "socks5h"] {
            let endpoint = target.endpoint("127.0.0.1");
            let client = target.client(&endpoint, &format!("{scheme}://{}", dante.addr()));
            target.take(&client, scheme);
        }
        dante.wait_for(target.receiver.addr());
        let client = target.client(
            &target.endpoint("localhost"),
            &format!("socks5h://{}", dante.addr()),
        );
        target.take(&client, "by-name");
    }
}

#[test]
fn names_are_looked_up_by_the_proxy_with_4a_and_5h_only() {
    let Some(v2ray) = V2Ray::start() else {
        return;
    };
    for target in Target::both() {
        let named = format!("localhost:{}", target.receiver.addr().port());
        for (scheme, remote) in [
            ("socks4", false),
            ("socks5", false),
            ("socks4a", true),
            ("socks5h", true),
        ] {
            let before = v2ray.log().matches(&named).count();
            let endpoint = target.endpoint("localhost");
            let client = target.client(&endpoint, &format!("{scheme}://{}", v2ray.addr()));
            target.take(&client, scheme);
            let asked = v2ray.log().matches(&named).count() > before;
            assert_eq!(asked, remote, "{scheme}, TLS: {}", target.tls);
        }
        v2ray.wait_for(&target.receiver.addr().to_string());
    }
}

#[test]
fn a_socks_proxy_gets_the_password_and_a_wrong_one_is_an_error_at_once() {
    let Some(v2ray) = V2Ray::start_with_user(USER, PASSWORD) else {
        return;
    };
    let addr = v2ray.addr();
    for target in Target::both() {
        let endpoint = target.endpoint("127.0.0.1");
        for scheme in ["socks5", "socks5h"] {
            let client = target.client(&endpoint, &format!("{scheme}://{LOGIN}{addr}"));
            target.take(&client, scheme);
            for login in ["", WRONG] {
                let client = target.client(&endpoint, &format!("{scheme}://{login}{addr}"));
                assert_refused(&target.refuse(&client), addr);
            }
        }
    }
    v2ray.wait_for_rejection("invalid username or password");
    v2ray.wait_for_rejection("no matching auth method");
}

#[test]
fn hosts_in_the_no_proxy_list_are_reached_directly() {
    let Some(squid) = Squid::start() else {
        return;
    };
    let proxy = format!("http://{}", squid.addr());
    for target in Target::both() {
        let port = target.receiver.addr().port();
        let with_port = format!("127.0.0.1:{port}");
        for (host, list) in [
            ("127.0.0.1", "127.0.0.1"),
            ("127.0.0.1", "example.com, 127.0.0.0/8"),
            ("127.0.0.1", with_port.as_str()),
            ("127.0.0.1", "*"),
            ("localhost", "LocalHost"),
            ("localhost", ".localhost"),
        ] {
            let client = target.client(&target.endpoint(host), &proxy);
            client.set_no_proxy(list).unwrap();
            target.take(&client, "excepted");
        }
        assert_eq!(squid.log(), "");
    }
    let target = Target::new(false);
    for (times, list) in ["10.0.0.0/8,example.com,127.0.0.1:1,host", ""]
        .iter()
        .enumerate()
    {
        let client = target.client(&target.endpoint("localhost"), &proxy);
        client.set_no_proxy(list).unwrap();
        target.take(&client, &format!("listed-{times}"));
        assert!(squid.log().lines().count() > times, "{list}");
    }
}

#[test]
fn ipv6_endpoints_are_reached_through_proxies() {
    let (Some(squid), Some(dante), Some(v2ray)) = (Squid::start(), Dante::start(), V2Ray::start())
    else {
        return;
    };
    for tls in [false, true] {
        let Ok(listener) = TcpListener::bind("[::1]:0") else {
            tools::skip("there is no IPv6 here");
            return;
        };
        let target = Target::on(listener, tls);
        let endpoint = target.endpoint("[::1]");
        for (name, scheme, addr) in [
            ("squid", "http", squid.addr()),
            ("dante", "socks5", dante.addr()),
            ("dante-h", "socks5h", dante.addr()),
            ("v2ray", "socks5", v2ray.addr()),
            ("v2ray-h", "socks5h", v2ray.addr()),
        ] {
            let client = target.client(&endpoint, &format!("{scheme}://{addr}"));
            target.take(&client, name);
        }
        let client = target.client(&endpoint, &format!("socks4://{}", dante.addr()));
        client.set_retry_limit(1);
        let error = target.refuse(&client);
        assert_names(&error, dante.addr());
        println!("SOCKS4: {error}");
    }
}

#[test]
fn a_dead_proxy_is_named() {
    for target in Target::both() {
        for scheme in ["http", "socks4", "socks4a", "socks5", "socks5h"] {
            let (addr, endpoint) = (dead(), target.endpoint("127.0.0.1"));
            let client = target.client(&endpoint, &format!("{scheme}://{addr}"));
            client.set_retry_limit(1);
            let error = target.refuse(&client);
            assert_eq!(error.kind(), ErrorKind::ConnectFailed, "{scheme}: {error}");
            assert_names(&error, addr);
        }
    }
}

#[test]
fn a_server_that_is_down_behind_a_proxy_is_waited_for() {
    let (Some(squid), Some(dante)) = (Squid::start(), Dante::start()) else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let path = make_file(&dir, "waiting", SIZE);
    for proxy in [
        format!("http://{}", squid.addr()),
        format!("socks5://{}", dante.addr()),
    ] {
        for scheme in ["http", "https"] {
            let client = client(&format!("{scheme}://{}/upload", dead()));
            client.set_proxy(&proxy).unwrap();
            client.set_retry_limit(2);
            let mut upload = Upload::from_file(&client, &path).unwrap();
            let error = upload.run().unwrap_err();
            assert!(error.is_retryable(), "{proxy} {scheme}: {error}");
            assert_eq!(upload.remote().snapshot().attempts, 3, "{proxy} {scheme}");
            // Also with squid's 503, which looks like one of the server.
            let (_, proxy) = proxy.split_once("://").unwrap();
            assert_names(&error, proxy.parse().unwrap());
        }
    }
}
