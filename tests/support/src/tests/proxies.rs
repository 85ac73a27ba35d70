//! The real proxies, each tested with curl.

use crate::dante::Dante;
use crate::scripted::{ScriptedServer, Step};
use crate::squid::{Setup, Squid};
use crate::tools;
use crate::v2ray::V2Ray;

fn curl(proxy: &str, url: &str) -> String {
    super::curl(&["-k", "-d", "a=1", "-x", proxy, url])
}

fn server() -> ScriptedServer {
    ScriptedServer::start(vec![Step::reply(200, "{}")])
}

fn tls_server() -> ScriptedServer {
    ScriptedServer::start_tls(vec![Step::reply(200, "{}")])
}

#[test]
fn squid_forwards_tunnels_and_logs() {
    if tools::find("curl").is_none() {
        return;
    }
    let (plain, tls) = (server(), tls_server());
    let Some(squid) = Squid::start() else {
        return;
    };
    let proxy = format!("http://{}", squid.addr());
    assert_eq!(squid.log(), "");
    let url = plain.endpoint();
    assert_eq!(curl(&proxy, &url), "200");
    let line = squid.wait_for("POST");
    assert_eq!(line, format!("POST {url} TCP_MISS/200 -"));
    assert_eq!(plain.requests()[0].body, b"a=1");
    assert_eq!(curl(&proxy, &tls.endpoint()), "200");
    let line = squid.wait_for("CONNECT");
    assert_eq!(line, format!("CONNECT {} TCP_TUNNEL/200 -", tls.addr()));
}

#[test]
fn squid_asks_for_a_password() {
    if tools::find("curl").is_none() {
        return;
    }
    let (plain, tls) = (server(), tls_server());
    let Some(squid) = Setup::new().user("joe", "se cr:et").start() else {
        return;
    };
    let addr = squid.addr();
    let right = format!("http://joe:se%20cr%3Aet@{addr}");
    assert_eq!(curl(&right, &plain.endpoint()), "200");
    assert_eq!(curl(&right, &tls.endpoint()), "200");
    assert!(squid.wait_for("CONNECT").ends_with("/200 joe"));
    for proxy in [format!("http://{addr}"), format!("http://joe:x@{addr}")] {
        assert_eq!(curl(&proxy, &plain.endpoint()), "407");
        assert!(curl(&proxy, &tls.endpoint()).contains("407"));
    }
    assert_eq!(plain.requests().len() + tls.requests().len(), 2);
}

#[test]
fn squid_tunnels_to_permitted_ports_only() {
    if tools::find("curl").is_none() {
        return;
    }
    let (plain, one, other) = (server(), tls_server(), tls_server());
    let setup = Setup::new().connect_only_to(one.addr().port());
    let Some(squid) = setup.start() else {
        return;
    };
    let proxy = format!("http://{}", squid.addr());
    assert_eq!(curl(&proxy, &one.endpoint()), "200");
    assert!(curl(&proxy, &other.endpoint()).contains("403"));
    assert_eq!(curl(&proxy, &plain.endpoint()), "200");
}

#[test]
fn dante_speaks_socks_4_and_5() {
    if tools::find("curl").is_none() {
        return;
    }
    let (plain, tls) = (server(), tls_server());
    let Some(dante) = Dante::start() else {
        return;
    };
    for scheme in ["socks4", "socks5", "socks5h"] {
        let proxy = format!("{scheme}://{}", dante.addr());
        assert_eq!(curl(&proxy, &plain.endpoint()), "200", "{scheme}");
        assert_eq!(curl(&proxy, &tls.endpoint()), "200", "{scheme}");
    }
    dante.wait_for(plain.addr());
    dante.wait_for(tls.addr());
}

#[test]
fn v2ray_speaks_every_socks() {
    if tools::find("curl").is_none() {
        return;
    }
    let (plain, tls) = (server(), tls_server());
    let Some(v2ray) = V2Ray::start() else {
        return;
    };
    for scheme in ["socks4", "socks4a", "socks5", "socks5h"] {
        let proxy = format!("{scheme}://{}", v2ray.addr());
        assert_eq!(curl(&proxy, &plain.endpoint()), "200", "{scheme}");
        assert_eq!(curl(&proxy, &tls.endpoint()), "200", "{scheme}");
    }
    v2ray.wait_for(&tls.addr().to_string());
    let named = format!("localhost:{}", plain.addr().port());
    for (scheme, remote) in [("socks4", 0), ("socks5", 0), ("socks4a", 1), ("socks5h", 2)] {
        let proxy = format!("{scheme}://{}", v2ray.addr());
        assert_eq!(curl(&proxy, &format!("http://{named}/upload")), "200");
        // It writes its log before it connects.
        let times = v2ray.log().matches(&named).count();
        assert_eq!(times, remote, "{scheme}");
    }
}

#[test]
fn v2ray_asks_for_a_password() {
    if tools::find("curl").is_none() {
        return;
    }
    let plain = server();
    let Some(v2ray) = V2Ray::start_with_user("joe", "se cr:et") else {
        return;
    };
    let addr = v2ray.addr();
    let url = plain.endpoint();
    assert_eq!(
        curl(&format!("socks5h://joe:se%20cr%3Aet@{addr}"), &url),
        "200"
    );
    assert!(curl(&format!("socks5h://joe:x@{addr}"), &url).contains("rejected"));
    v2ray.wait_for_rejection("invalid username or password");
    assert!(curl(&format!("socks5h://{addr}"), &url).contains("No authentication"));
    v2ray.wait_for_rejection("no matching auth method");
    assert!(curl(&format!("socks4://{addr}"), &url).starts_with("000"));
    assert_eq!(plain.requests().len(), 1);
}
