//! Proxies, TLS, logins and redirects through the C ABI. Real proxies and TLS servers have tests of
//! their own, in Rust.

use resup_test_support::head::RequestHead;
use resup_test_support::scripted::{json, ScriptedServer, Step};
use resup_test_support::tls::{Authority, Identity};

use super::one::One;
use super::settings::{accept, accepting_server, SIZE};

/// A URL whose host only the proxy can find.
const FAR: &str = "http://far.invalid/upload";

#[test]
fn a_proxy_is_used_when_it_is_set_or_the_environment_names_it() {
    let (one, proxy) = (One::new(), accepting_server());
    let url = format!("http://{}", proxy.addr());
    let status = |settings: &[&str], env: &[(&str, &str)]| {
        let once = ["client_set_retry_limit", "0"];
        let mut command = one.command(FAR, SIZE, &[&once, settings].concat());
        for name in [
            "http_proxy",
            "HTTP_PROXY",
            "all_proxy",
            "ALL_PROXY",
            "no_proxy",
            "NO_PROXY",
        ] {
            command.env_remove(name);
        }
        one.run(command_with(command, env)).number("status")
    };
    assert_eq!(status(&[], &[]), 50, "no such host");
    assert_eq!(status(&["client_set_proxy", &url], &[]), 0);
    let env = [("http_proxy", url.as_str())];
    assert_eq!(status(&[], &env), 0);
    assert_eq!(status(&["client_set_proxy", "system"], &env), 0);
    assert_eq!(status(&["client_set_proxy", "none"], &env), 50);
    let except = ["client_set_no_proxy", "near.invalid,far.invalid"];
    assert_eq!(status(&except, &env), 50);
    assert_eq!(status(&[], &[env[0], ("no_proxy", ".invalid")]), 50);
    let none = ["client_set_no_proxy", ""];
    assert_eq!(status(&none, &[env[0], ("no_proxy", ".invalid")]), 0);
    let requests = proxy.requests();
    assert!(requests.iter().all(|request| request.head.target == FAR));
}

fn command_with(mut command: std::process::Command, env: &[(&str, &str)]) -> std::process::Command {
    command.envs(env.iter().copied());
    command
}

#[test]
fn a_proxy_that_refuses_has_a_status_of_its_own() {
    let (one, proxy) = (
        One::new(),
        ScriptedServer::start(vec![Step::reply(407, "")]),
    );
    let url = format!("http://joe:hunter2@{}", proxy.addr());
    let report = one.upload(FAR, SIZE, &["client_set_proxy", &url]);
    assert_eq!(report.number("status"), 55, "{report:?}");
    assert!(report.text("error").contains("407"), "{report:?}");
    assert!(!report.0.contains("hunter2"), "{report:?}");
    assert_eq!(report.number("attempts"), 1);
}

#[test]
fn certificates_are_trusted_as_the_settings_say() {
    let one = One::new();
    let server = |identity: Identity| {
        let mut at = 0;
        ScriptedServer::start_tls_with(identity, move |head, _| accept(head, &mut at))
    };
    let ca = one.bench.path("ca.pem");
    let ca_path = ca.to_str().unwrap();
    for (settings, system, status) in [
        (&[][..], false, 54),
        (&[], true, 0),
        (&["client_set_trust", "0"], true, 0),
        (&["client_set_trust", "1"], true, 54),
        (&["client_set_ca_file", ca_path], false, 0),
        (&["client_set_ca_file_utf16", ca_path], false, 0),
        (
            &["client_set_ca_file", ca_path, "client_set_trust", "1"],
            false,
            0,
        ),
        (&["client_set_tls_verify", "0"], false, 0),
        (&["client_set_tls_verify", "-1"], false, 54),
    ] {
        let server = server(Identity::new());
        std::fs::write(&ca, server.ca_pem()).unwrap();
        let mut command = one.command(&server.endpoint(), SIZE, settings);
        if system {
            command.env("SSL_CERT_FILE", &ca);
        }
        let report = one.run(command);
        assert_eq!(
            report.number("status"),
            status,
            "{settings:?} {system} {report:?}"
        );
    }
    let server = server(Identity::named(&["elsewhere.invalid"]));
    let pem = ["client_set_ca_pem", server.ca_pem()];
    let report = one.upload(&server.endpoint(), SIZE, &pem);
    assert_eq!(
        report.number("status"),
        54,
        "the name is not the certificate's: {report:?}"
    );
}

#[test]
fn a_client_certificate_is_shown() {
    let one = One::new();
    let (authority, clients) = (Authority::new(), Authority::new());
    let dir = one.bench.dir("certificates");
    let (certificate, key) = clients.certify().write(&dir, "client");
    let (_, wrong_key) = clients.certify().write(&dir, "wrong");
    let both = format!("{},{}", certificate.display(), key.display());
    for (setting, status) in [
        (None, 54),
        (Some("client_set_client_certificate"), 0),
        (Some("client_set_client_certificate_utf16"), 0),
    ] {
        let identity = Identity::of(authority.certify(), &authority).for_clients_of(&clients);
        let mut at = 0;
        let server = ScriptedServer::start_tls_with(identity, move |head, _| accept(head, &mut at));
        let mut settings = vec!["client_set_ca_pem", authority.pem()];
        settings.extend(setting.into_iter().flat_map(|setting| [setting, &both]));
        let report = one.upload(&server.endpoint(), SIZE, &settings);
        assert_eq!(report.number("status"), status, "{setting:?}: {report:?}");
    }
    let both = format!("{},{}", certificate.display(), wrong_key.display());
    let report = one.upload(
        "https://h/",
        SIZE,
        &["client_set_client_certificate", &both],
    );
    assert!(
        report
            .text("refused")
            .contains("the key does not belong to the certificate"),
        "{report:?}"
    );
}

#[test]
fn a_system_without_root_certificates_is_an_error_with_a_way_out() {
    let (one, server) = (
        One::new(),
        ScriptedServer::start_tls(vec![Step::reply(200, "{}")]),
    );
    let empty = one.bench.path("empty.pem");
    std::fs::write(&empty, "").unwrap();
    let mut command = one.command(&server.endpoint(), SIZE, &[]);
    command
        .env("SSL_CERT_FILE", &empty)
        .env_remove("SSL_CERT_DIR");
    let report = one.run(command);
    assert_eq!(report.number("status"), 54, "{report:?}");
    let error = report.text("error");
    assert!(
        error.contains("no root certificates") && error.contains("set a CA file"),
        "{error}"
    );
}

/// Takes an upload that has the cookie of a login.
fn accept_after_login(head: &RequestHead, at: &mut u64) -> Step {
    if head.target == "/login" {
        let response =
            "HTTP/1.1 302 Found\r\nLocation: /\r\nSet-Cookie: sid=42; Path=/; HttpOnly\r\n\
                      Content-Length: 0\r\n\r\n";
        return Step::new().write(response);
    }
    match head.header("cookie") {
        Some("sid=42") => accept(head, at),
        _ => Step::reply(401, r#"{"message":"log in"}"#),
    }
}

#[test]
fn a_login_form_logs_in() {
    let one = One::new();
    let mut at = 0;
    let server = ScriptedServer::start_with(move |head, _| accept_after_login(head, &mut at));
    let report = one.upload(&server.endpoint(), SIZE, &[]);
    assert_eq!(
        (report.number("status"), report.text("message")),
        (70, "log in")
    );

    let login = format!("http://{}/login", server.addr());
    let settings = [
        "client_set_login_form",
        &login,
        "client_set_login_field",
        "user,joe",
        "client_set_login_field",
        "password,hunter2",
    ];
    let before = server.requests().len();
    let report = one.upload(&server.endpoint(), SIZE, &settings);
    assert_eq!(report.number("status"), 0, "{report:?}");
    let login = &server.requests()[before];
    assert_eq!(login.body_text(), "user=joe&password=hunter2");
}

#[test]
fn signatures_have_the_length_of_their_algorithm() {
    let one = One::new();
    for (algorithm, length) in [("0", 64), ("1", 32)] {
        let server = accepting_server();
        let settings = [
            "client_set_signing_secret",
            "geheim",
            "client_set_signing_algorithm",
            algorithm,
        ];
        let report = one.upload(&server.endpoint(), SIZE, &settings);
        assert_eq!(report.number("status"), 0, "{report:?}");
        let requests = server.requests();
        assert_eq!(requests[0].field("sign").unwrap().len(), length);
        assert!(requests[0].field("nonce") > Some(String::new()));
        let send = requests[1].body_text();
        let sign_tail = send.split("name=\"sign_tail\"\r\n\r\n").nth(1).unwrap();
        assert_eq!(sign_tail.split("\r\n").next().unwrap().len(), length);
    }
}

/// Starts the server of another origin, where no credential may arrive.
fn other_origin() -> ScriptedServer {
    ScriptedServer::start(vec![Step::reply(200, &json("new", 0, "k"))])
}

#[test]
fn redirects_are_followed_within_the_origin_only() {
    let one = One::new();
    for status in [301, 302, 303, 307, 308] {
        for method in ["0", "1"] {
            let mut at = 0;
            let server = ScriptedServer::start_with(move |head, _| {
                if head.target.starts_with("/upload") {
                    let rest = head.target.trim_start_matches("/upload");
                    return redirect(status, &format!("/moved{rest}"));
                }
                accept(head, &mut at)
            });
            let settings = ["client_set_locate_method", method];
            let report = one.upload(&server.endpoint(), SIZE, &settings);
            let followed = matches!(status, 307 | 308);
            let expected = if followed { 0 } else { 76 };
            assert_eq!(report.number("status"), expected, "{status}: {report:?}");
            if !followed {
                assert!(report.text("error").contains("/moved"), "{report:?}");
            }
        }
    }
    // A redirect to itself.
    let server = ScriptedServer::start(vec![redirect(307, "/upload")]);
    let report = one.upload(&server.endpoint(), SIZE, &[]);
    assert_eq!(report.number("status"), 90, "{report:?}");
    assert_eq!(server.requests().len(), 6);
}

fn redirect(status: u16, to: &str) -> Step {
    Step::new().write(format!(
        "HTTP/1.1 {status} Elsewhere\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"
    ))
}

/// Returns a setting for every kind of credential.
fn credentials(login: &str) -> Vec<[String; 2]> {
    [
        ("basic_auth", "joe,hunter2"),
        ("bearer_token", "hunter2"),
        ("header", "X-Key,hunter2"),
        ("cookie", "sid,hunter2"),
        ("signing_secret", "hunter2"),
        ("login_form", login),
    ]
    .map(|(setting, value)| [format!("client_set_{setting}"), value.to_owned()])
    .into()
}

#[test]
fn no_credential_goes_to_another_origin() {
    let one = One::new();
    let (other, other_tls) = (
        other_origin(),
        ScriptedServer::start_tls(vec![Step::reply(200, "{}")]),
    );
    let same_host = format!("http://{}/upload", other.addr());
    let targets = [
        // Another port; another host; another scheme, up and down.
        (false, same_host.clone()),
        (
            false,
            format!("http://localhost:{}/upload", other.addr().port()),
        ),
        (false, format!("//{}/upload", other.addr())),
        (false, other_tls.endpoint()),
        (true, same_host),
    ];
    for (tls, target) in targets {
        for status in [302, 307] {
            let to = target.clone();
            let script = move |head: &RequestHead, _| {
                match head.target.as_str() {
                "/login" => Step::new().write(
                    "HTTP/1.1 200 OK\r\nSet-Cookie: sid=hunter2; Path=/\r\nContent-Length: 0\r\n\r\n",
                ),
                _ => redirect(status, &to),
            }
            };
            let server = match tls {
                true => ScriptedServer::start_tls_with(Identity::new(), script),
                false => ScriptedServer::start_with(script),
            };
            let login = server.endpoint().replace("/upload", "/login");
            for setting in credentials(&login).iter().chain([&Default::default()]) {
                let mut settings: Vec<&str> = vec!["client_set_tls_verify", "0"];
                settings.extend(setting.iter().map(String::as_str).filter(|s| !s.is_empty()));
                let report = one.upload(&server.endpoint(), 10, &settings);
                let status = report.number("status");
                assert!(
                    matches!(status, 70 | 76),
                    "{target} {setting:?}: {report:?}"
                );
                assert!(report.text("error").contains("points to"), "{report:?}");
                assert!(!report.0.contains("hunter2"), "{report:?}");
            }
        }
    }
    assert_eq!(other.connections() + other_tls.connections(), 0);
}

#[test]
fn a_login_form_elsewhere_is_refused() {
    let one = One::new();
    for url in [
        "http://127.0.0.1:2/login",
        "http://localhost:1/login",
        "https://127.0.0.1:1/login",
    ] {
        let report = one.upload("http://127.0.0.1:1/", SIZE, &["client_set_login_form", url]);
        let refused = report.text("refused");
        assert!(
            refused.starts_with("16 ") && refused.contains("http://127.0.0.1:1"),
            "{report:?}"
        );
    }
}
