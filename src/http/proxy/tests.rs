//! Proxies: their URLs, the environment, the exceptions.

use super::*;
use crate::http::endpoint::Endpoint;

fn origin(url: &str) -> Origin {
    Endpoint::parse(url).unwrap().origin()
}

fn parsed(url: &str) -> Proxy {
    match ProxySetting::parse(url).unwrap() {
        ProxySetting::Given(proxy) => proxy,
        other => panic!("{url}: {other:?}"),
    }
}

#[test]
fn usual_proxies_are_accepted() {
    for (url, kind, host, port) in [
        ("http://proxy:3128", ProxyKind::Http, "proxy", 3128),
        (
            "proxy.example.org:8080/",
            ProxyKind::Http,
            "proxy.example.org",
            8080,
        ),
        ("http://proxy", ProxyKind::Http, "proxy", 80),
        ("socks4://10.0.0.1", ProxyKind::Socks4, "10.0.0.1", 1080),
        ("socks4a://p:1", ProxyKind::Socks4a, "p", 1),
        ("SOCKS5://[::1]:9050", ProxyKind::Socks5, "::1", 9050),
        ("socks5h://p", ProxyKind::Socks5h, "p", 1080),
    ] {
        let proxy = parsed(url);
        assert_eq!(
            (proxy.kind, &*proxy.host, proxy.port),
            (kind, host, port),
            "{url}"
        );
        assert_eq!(proxy.login, None, "{url}");
    }
    assert_eq!(parsed("socks5://[::1]:9050").authority(), "[::1]:9050");
}

#[test]
fn a_user_and_password_are_decoded() {
    let proxy = parsed("http://joe%40corp:a%3Ab%25@proxy:1");
    let (user, password) = proxy.login.unwrap();
    assert_eq!((&*user, password.text()), ("joe@corp", "a:b%"));
    let (user, password) = parsed("http://joe@proxy").login.unwrap();
    assert_eq!((&*user, password.text()), ("joe", ""));
}

#[test]
fn unusable_proxies_are_refused_with_a_reason_and_without_the_password() {
    for (url, why) in [
        (
            "https://joe:hunter2@proxy",
            "\"https://…@proxy\" has a scheme",
        ),
        ("ftp://proxy", "\"ftp://proxy\" has a scheme"),
        ("http://joe:hunter2@proxy:0", "port"),
        ("http://joe:hunter2", "port"),
        ("joe:hunter2://x@proxy", "\"…@proxy\" has a scheme"),
        ("http://proxy:99999", "port"),
        ("http://proxy:x", "port"),
        ("http://", "neither a name"),
        ("http://joe:hunter2@pro xy", "pro xy"),
        ("http://proxy/path", "proxy/path"),
        ("", "neither a name"),
        ("socks4://joe:hunter2@proxy", "SOCKS4"),
        ("http://joe:hunter2%0d%0aX: y@proxy", "one line"),
    ] {
        let error = ProxySetting::parse(url).unwrap_err().to_string();
        assert!(error.contains(why), "{url}: {error}");
        assert!(!error.contains("hunter2"), "{url}: {error}");
    }
}

proptest::proptest! {
    #[test]
    fn a_possible_password_is_not_shown(secret in "[a-zA-Z0-9][ -~]{7,15}") {
        for before_and_after in [
            "http://joe:|@proxy:0",
            "http://joe:|@pro xy",
            "http://joe:|@",
            "http://joe:|",
            "http://joe:|/",
            "http://joe%3A|%40proxy",
            "http://|@pro xy",
            "https://joe:|@proxy",
            "socks4://joe:|@proxy",
            "socks5:/joe:|@pro xy",
            "http//joe:|",
            "joe:|@pro xy",
            "joe:|",
            "joe:|://x@proxy",
            "joe:|://x",
            "|://x@proxy",
            "joe:|;x@proxy",
            "joe:| x@proxy",
            "http=joe:|@pro/xy",
            "socks=joe:|",
        ] {
            let address = before_and_after.replace('|', &secret);
            let env = |name: &str| (name == "all_proxy").then(|| address.clone());
            let user = || Some(WindowsSetting {
                server: address.clone(),
                exceptions: String::new(),
            });
            let origin = origin("http://h/");
            for error in [
                ProxySetting::parse(&address).err(),
                ProxySetting::System.choose(&origin, None, env, || None).err(),
                ProxySetting::System.choose(&origin, None, |_| None, user).err(),
            ].into_iter().flatten() {
                let text = format!("{error} {error:?}");
                proptest::prop_assert!(!text.contains(&secret), "{before_and_after} {text}");
            }
        }
    }
}

/// Gives the host of the proxy for `url`, by the system setting in this environment.
fn system(url: &str, env: &[(&str, &str)]) -> Option<String> {
    let get = |name: &str| {
        let found = env.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.to_string())
    };
    let proxy = ProxySetting::System.choose(&origin(url), None, get, || None);
    proxy.unwrap().map(|proxy| proxy.host)
}

#[test]
fn the_environment_has_a_proxy_for_each_scheme() {
    let both = [("http_proxy", "http://a"), ("HTTPS_PROXY", "http://b")];
    assert_eq!(system("http://h/", &both).as_deref(), Some("a"));
    assert_eq!(system("https://h/", &both).as_deref(), Some("b"));
    assert_eq!(system("https://h/", &[("http_proxy", "http://a")]), None);
    let all = [("ALL_PROXY", "socks5://s"), ("https_proxy", "")];
    assert_eq!(system("https://h/", &all).as_deref(), Some("s"));
    let cgi = [("HTTP_PROXY", "http://evil"), ("REQUEST_METHOD", "GET")];
    assert_eq!(system("http://h/", &cgi), None);
}

#[test]
fn the_systems_proxy_is_not_used_to_reach_this_machine() {
    let env = [("all_proxy", "http://a")];
    for url in [
        "http://127.9.9.9/",
        "http://[::1]:1/",
        "http://localhost/",
        "http://LOCALHOST./",
    ] {
        assert_eq!(system(url, &env), None, "{url}");
    }
    let given = ProxySetting::parse("http://a").unwrap();
    let chosen = given.choose(&origin("http://localhost/"), None, |_| None, || None);
    assert_eq!(chosen.unwrap().unwrap().host, "a");
}

#[test]
fn an_invalid_variable_is_an_error_that_names_it() {
    let get = |name: &str| (name == "https_proxy").then(|| "https://joe:hunter2@p".to_owned());
    let error = ProxySetting::System.choose(&origin("https://h/"), None, get, || None);
    let text = error.unwrap_err().to_string();
    assert!(
        text.contains("https_proxy") && !text.contains("hunter2"),
        "{text}"
    );
}

#[test]
fn an_invalid_proxy_is_no_error_for_an_excepted_host() {
    let env = |name: &str| match name {
        "all_proxy" => Some("https://p".to_owned()),
        "no_proxy" => Some("listed".to_owned()),
        _ => None,
    };
    let user = || {
        Some(WindowsSetting {
            server: "p:0".to_owned(),
            exceptions: "*.intern".to_owned(),
        })
    };
    let list = NoProxy::parse("own");
    let set = ProxySetting::System;
    let chosen = |url: &str, except: Option<&NoProxy>| {
        let of_environment = set.choose(&origin(url), except, env, user);
        let of_user = set.choose(&origin(url), except, |_| None, user);
        [of_environment, of_user].map(|chosen| chosen.map(|proxy| proxy.is_some()).ok())
    };
    assert_eq!(chosen("http://listed/", None), [Some(false), None]);
    assert_eq!(chosen("http://own/", Some(&list)), [Some(false); 2]);
    assert_eq!(chosen("http://h.intern/", None), [None, Some(false)]);
    assert_eq!(chosen("http://h.intern/", Some(&list)), [None, None]);
}

#[test]
fn exceptions_are_domains_addresses_and_blocks() {
    for (list, url, listed) in [
        ("example.org", "http://example.org/", true),
        ("example.org", "http://up.example.org/", true),
        ("example.org", "http://notexample.org/", false),
        (".Example.org", "http://up.example.org/", true),
        ("*.example.org", "http://up.example.org/", true),
        ("example.org:8080", "http://example.org:8080/", true),
        ("example.org:8080", "http://example.org/", false),
        ("a, b ,example.org", "http://example.org./", true),
        ("a b\tc", "http://b/", true),
        ("*", "https://anything/", true),
        ("", "http://h/", false),
        (",.,", "http://h/", false),
        ("10.0.0.0/8", "http://10.1.2.3/", true),
        ("10.0.0.0/8", "http://11.1.2.3/", false),
        ("10.1.2.0/23", "http://10.1.3.9/", true),
        ("10.1.2.0/23", "http://10.1.4.9/", false),
        ("0.0.0.0/0", "http://9.9.9.9/", true),
        ("10.1.2.3", "http://10.1.2.3:99/", true),
        ("10.1.2.3:98", "http://10.1.2.3:99/", false),
        ("fd00::/8", "http://[fd12::1]/", true),
        ("fd00::/8", "http://[fe80::1]/", false),
        ("[fd12::1]:80", "http://[fd12::1]/", true),
        ("::/0", "http://10.0.0.1/", false),
        ("10.0.0.0/8", "http://ten.example/", false),
    ] {
        assert_eq!(
            NoProxy::parse(list).has(&origin(url)),
            listed,
            "{list} {url}"
        );
    }
}

#[test]
fn the_programs_list_replaces_that_of_the_environment() {
    let env = |name: &str| match name {
        "all_proxy" => Some("http://a".to_owned()),
        "NO_PROXY" => Some("listed".to_owned()),
        _ => None,
    };
    let choose = |url: &str, except: Option<&str>| {
        let list = except.map(NoProxy::parse);
        let chosen = ProxySetting::System.choose(&origin(url), list.as_ref(), env, || None);
        chosen.unwrap().is_some()
    };
    assert!(!choose("http://listed/", None));
    assert!(choose("http://listed/", Some("other")));
    assert!(!choose("http://other/", Some("other")));
}

#[test]
fn the_windows_users_setting_counts_where_the_environment_has_none() {
    let user = || {
        Some(WindowsSetting {
            server: "user:8080".to_owned(),
            exceptions: "*.intern".to_owned(),
        })
    };
    let host = |url: &str, env: &[(&str, &str)], except: Option<&str>| {
        let get = |name: &str| {
            let found = env.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.to_string())
        };
        let list = except.map(NoProxy::parse);
        let chosen = ProxySetting::System.choose(&origin(url), list.as_ref(), get, user);
        chosen.unwrap().map(|proxy| proxy.host)
    };
    assert_eq!(host("http://h/", &[], None).as_deref(), Some("user"));
    assert_eq!(host("http://h.intern/", &[], None), None);
    let set = host("http://h.intern/", &[], Some("other"));
    assert_eq!(
        set.as_deref(),
        Some("user"),
        "the program's list replaces the Windows user's"
    );
    let env = [("http_proxy", "http://a")];
    assert_eq!(host("http://h.intern/", &env, None).as_deref(), Some("a"));
    assert_eq!(host("http://localhost/", &[], None), None);
}
