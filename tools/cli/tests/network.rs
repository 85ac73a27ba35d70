//! Proxies, TLS, logins, headers and signatures.

mod common;

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Output, Stdio};

use common::{exit_and_last_line, put, put_on_terminal, stderr_text, Terminal};
use resup_test_support::chaos::{ChaosProxy, Cut, Faults};
use resup_test_support::nginx::Nginx;
use resup_test_support::receiver::Receiver;
use resup_test_support::scripted::{json, ScriptedServer, Step};

/// A directory with a file of three bytes, and a server that takes it.
struct Setup {
    dir: tempfile::TempDir,
    file: PathBuf,
    server: ScriptedServer,
}

/// Makes the responses to an upload of three bytes.
fn steps() -> Vec<Step> {
    vec![
        Step::reply(200, &json("new", 0, "1")),
        Step::reply(200, &json("complete", 3, "1")),
    ]
}

impl Setup {
    fn new() -> Self {
        Self::with(ScriptedServer::start(steps()))
    }

    fn with(server: ScriptedServer) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("f");
        fs::write(&file, "abc").unwrap();
        Setup { dir, file, server }
    }

    fn put(&self, args: &[&str], environment: &[(&str, &str)]) -> Output {
        let mut command = put();
        command.args(args).arg(&self.file);
        command.arg(self.server.endpoint());
        command.envs(environment.iter().copied()).output().unwrap()
    }

    /// Writes a file and returns its path.
    fn write_file(&self, name: &str, text: &str) -> String {
        let path = self.dir.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Returns a header of the last request.
    fn header(&self, name: &str) -> Option<String> {
        let requests = self.server.requests();
        let head = &requests.last().unwrap().head;
        head.header(name).map(str::to_owned)
    }
}

fn assert_success(output: &Output) {
    assert_eq!(output.status.code(), Some(0), "{}", stderr_text(output));
}

#[test]
fn requests_go_to_the_proxy() {
    let setup = Setup::new();
    let proxy = format!("http://anna:ge%3Aheim@{}", setup.server.addr());
    let output = put()
        .args(["--proxy", &proxy])
        .arg(&setup.file)
        .arg("http://files.invalid/upload")
        .output()
        .unwrap();
    assert_success(&output);
    let requests = setup.server.requests();
    assert_eq!(requests[0].head.target, "http://files.invalid/upload");
    let login = setup.header("proxy-authorization");
    assert_eq!(login.as_deref(), Some("Basic YW5uYTpnZTpoZWlt"));

    for (proxy, words) in [("gopher://x", "proxy"), ("http://a:geheim@", "proxy")] {
        let output = setup.put(&["--proxy", proxy], &[]);
        assert_eq!(output.status.code(), Some(2));
        let text = stderr_text(&output);
        assert!(text.contains(words) && !text.contains("geheim"), "{text}");
    }
}

#[test]
fn the_server_of_a_private_ca_is_trusted_with_cacert() {
    let setup = Setup::with(ScriptedServer::start_tls(steps()));
    let ca = setup.write_file("ca.pem", setup.server.ca_pem());
    assert_success(&setup.put(&["--cacert", &ca], &[]));
    let setup = Setup::with(ScriptedServer::start_tls(steps()));
    let output = setup.put(&["--insecure"], &[]);
    assert_success(&output);
    assert!(
        stderr_text(&output).contains("not verified"),
        "{}",
        stderr_text(&output)
    );
    for option in ["--cacert", "--cert"] {
        let (code, _) = exit_and_last_line(&setup.put(&[option, "/nowhere/x.pem"], &[]));
        assert_eq!(code, 2);
    }
}

#[test]
fn a_token_comes_from_the_command_line_a_file_or_the_environment() {
    let setup = Setup::new();
    let file = setup.write_file("token", "from-file\n");
    let environment = [("RESUP_TOKEN", "from-environment")];
    for (args, token) in [
        (&["--token", "from-line"][..], "Bearer from-line"),
        (&["--token-file", &file], "Bearer from-file"),
        (&[], "Bearer from-environment"),
        (&["--basic", "anna:geheim"], "Basic YW5uYTpnZWhlaW0="),
    ] {
        let setup = Setup::new();
        let output = setup.put(&[args, &["-vv"]].concat(), &environment);
        assert_success(&output);
        assert_eq!(setup.header("authorization").as_deref(), Some(token));
        let text = stderr_text(&output);
        assert!(
            !text.contains("from-") && !text.contains("geheim"),
            "{text}"
        );
    }
    let (code, last) = exit_and_last_line(&setup.put(&["--token-file", "/nowhere/token"], &[]));
    assert_eq!(code, 3);
    assert!(
        last.contains("the token cannot be read from \"/nowhere/token\""),
        "{last}"
    );
    let both = setup.put(&["--token", "a", "--basic", "b:c"], &[]);
    assert_eq!(both.status.code(), Some(2));
}

#[test]
fn a_password_comes_from_the_environment_a_file_or_standard_input() {
    let expected = Some("Basic YW5uYTpnZWhlaW0=");
    let setup = Setup::new();
    assert_success(&setup.put(&["--basic", "anna"], &[("RESUP_PASSWORD", "geheim")]));
    assert_eq!(setup.header("authorization").as_deref(), expected);

    let setup = Setup::new();
    let file = setup.write_file("password", "geheim\r\n");
    assert_success(&setup.put(&["--basic", "anna", "--password-file", &file], &[]));
    assert_eq!(setup.header("authorization").as_deref(), expected);

    let setup = Setup::new();
    let mut child = put()
        .args(["--basic", "anna", "--password-file", "-"])
        .arg(&setup.file)
        .arg(setup.server.endpoint())
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"geheim\n").unwrap();
    assert_success(&child.wait_with_output().unwrap());
    assert_eq!(setup.header("authorization").as_deref(), expected);

    let setup = Setup::new();
    let output = setup.put(&["--basic", "anna"], &[]);
    let text = stderr_text(&output);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text.contains("set RESUP_PASSWORD or give --password-file"),
        "{text}"
    );
    assert_eq!(setup.server.connections(), 0);
}

#[test]
fn a_password_is_asked_for_on_a_terminal_and_not_shown() {
    let setup = Setup::new();
    let words = format!(
        "--basic anna '{}' {}",
        setup.file.display(),
        setup.server.endpoint()
    );
    let Some(mut terminal) = put_on_terminal(&words) else {
        return;
    };
    terminal.wait_for("password of anna: ");
    // At once: the echo is off before the question is written.
    terminal.type_keys(b"gx\x7feheim\n");
    let (code, screen) = terminal.finish();
    assert_eq!(code, Some(0), "{screen}");
    assert!(!screen.contains("geheim"), "{screen}");
    let login = setup.header("authorization");
    assert_eq!(login.as_deref(), Some("Basic YW5uYTpnZWhlaW0="));
}

#[test]
fn ctrl_c_instead_of_a_password_leaves_the_terminal_as_it_was() {
    let setup = Setup::new();
    let command = format!(
        "'{}' put --basic anna '{}' {}; echo \"code $?\"; stty -a",
        common::program().display(),
        setup.file.display(),
        setup.server.endpoint()
    );
    let Some(mut terminal) = Terminal::run(&command) else {
        return;
    };
    terminal.wait_for("password of anna: ");
    terminal.type_keys(b"geh\x03");
    let (_, screen) = terminal.finish();
    assert!(screen.contains("interrupted; nothing was sent"), "{screen}");
    assert!(screen.contains("code 130"), "{screen}");
    assert!(
        screen.contains(" echo ") && screen.contains(" icanon "),
        "{screen}"
    );
    assert!(!screen.contains("geh"), "{screen}");
    assert_eq!(setup.server.connections(), 0);
}

#[test]
fn a_login_form_is_sent_before_the_first_request() {
    let mut rest = steps().into_iter();
    let server = ScriptedServer::start_with(move |head, _| match &*head.target {
        "/login" => Step::reply(200, "{}"),
        _ => rest.next().unwrap(),
    });
    let setup = Setup::with(server);
    let login = setup.server.endpoint().replace("/upload", "/login");
    let args = [
        "--login",
        &login,
        "--login-field",
        "user=anna",
        "--login-field",
        "pass",
    ];
    assert_success(&setup.put(&args, &[("RESUP_PASSWORD", "ge=heim")]));
    let requests = setup.server.requests();
    assert_eq!(requests[0].head.target, "/login");
    assert_eq!(requests[0].field("user").as_deref(), Some("anna"));
    assert_eq!(requests[0].field("pass").as_deref(), Some("ge=heim"));
    let other_server = [
        "--login",
        "http://example.org/login",
        "--login-field",
        "a=b",
    ];
    assert_eq!(setup.put(&other_server, &[]).status.code(), Some(2));
}

#[test]
fn headers_cookies_and_signatures_are_sent() {
    let setup = Setup::new();
    let headers = setup.write_file("headers", "X-Two: 2\n\nx-three:3\n");
    let output = setup.put(
        &[
            "--header",
            "X-One: 1",
            "--header",
            &format!("@{headers}"),
            "--cookie",
            "a=b=c",
        ],
        &[("RESUP_SIGN_SECRET", "geheim")],
    );
    assert_success(&output);
    for (name, value) in [
        ("x-one", "1"),
        ("x-two", "2"),
        ("x-three", "3"),
        ("cookie", "a=b=c"),
    ] {
        assert_eq!(setup.header(name).as_deref(), Some(value), "{name}");
    }
    let sign = setup.server.requests()[0].field("sign").unwrap();
    assert_eq!(sign.len(), 64);

    let setup = Setup::new();
    let secret = setup.write_file("secret", "geheim");
    let args = [
        "--sign-secret-file",
        &secret,
        "--sign-algorithm",
        "hmac-md5",
    ];
    assert_success(&setup.put(&[&args[..], &["--filename-style", "rfc8187"]].concat(), &[]));
    let requests = setup.server.requests();
    assert_eq!(requests[0].field("sign").unwrap().len(), 32);
    assert!(requests[1].body_text().contains("filename*="));

    let bad = setup.write_file("bad", "Good: 1\ngeheim\n");
    let output = setup.put(&["--header", &format!("@{bad}")], &[]);
    let text = stderr_text(&output);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text.contains("line 2 of") && !text.contains("geheim"),
        "{text}"
    );
    assert_eq!(
        setup.put(&["--header", "Host: x"], &[]).status.code(),
        Some(2)
    );
}

/// Each connection is cut, before an nginx that passes on whole requests only.
#[test]
fn a_line_that_breaks_before_a_buffering_proxy_needs_no_options() {
    let receiver = Receiver::start();
    let Some(nginx) = Nginx::start(receiver.addr(), "client_max_body_size 0;") else {
        return;
    };
    let cut = |_: u64, _: &mut fastrand::Rng| Faults {
        cut_up_after: Some(5_000_000),
        how: Cut::Rst,
        ..Faults::default()
    };
    let proxy = ChaosProxy::start(nginx.addr(), cut, 0);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("f");
    fs::write(&file, vec![7; 12_000_000]).unwrap();
    let url = format!("http://{}/upload", proxy.addr());
    let output = put().arg(&file).arg(url).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr_text(&output));
}
