//! Proxies, TLS, logins, headers and signatures.

mod common;

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Output, Stdio};

use common::{ended, put, told, Terminal};
use resup_test_support::scripted::{json, ScriptedServer, Step};

/// A directory with a file of three bytes, and a server that takes it.
struct Place {
    dir: tempfile::TempDir,
    file: PathBuf,
    server: ScriptedServer,
}

fn steps() -> Vec<Step> {
    let answers = [json("new", 0, "1"), json("complete", 3, "1")];
    answers.map(|answer| Step::reply(200, &answer)).to_vec()
}

impl Place {
    fn new() -> Self {
        Self::with(ScriptedServer::start(steps()))
    }

    fn with(server: ScriptedServer) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("f");
        fs::write(&file, "abc").unwrap();
        Place { dir, file, server }
    }

    fn put(&self, args: &[&str], environment: &[(&str, &str)]) -> Output {
        let mut command = put();
        command.args(args).arg(&self.file);
        command.arg(self.server.endpoint());
        command.envs(environment.iter().copied()).output().unwrap()
    }

    /// Writes a file and gives its path.
    fn wrote(&self, name: &str, text: &str) -> String {
        let path = self.dir.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// A header of the last request.
    fn header(&self, name: &str) -> Option<String> {
        let requests = self.server.requests();
        let head = &requests.last().unwrap().head;
        head.header(name).map(str::to_owned)
    }
}

fn assert_there(output: &Output) {
    assert_eq!(output.status.code(), Some(0), "{}", told(output));
}

#[test]
fn requests_go_to_the_proxy() {
    let place = Place::new();
    let proxy = format!("http://anna:ge%3Aheim@{}", place.server.addr());
    let output = put()
        .args(["--proxy", &proxy])
        .arg(&place.file)
        .arg("http://files.invalid/upload")
        .output()
        .unwrap();
    assert_there(&output);
    let requests = place.server.requests();
    assert_eq!(requests[0].head.target, "http://files.invalid/upload");
    let login = place.header("proxy-authorization");
    assert_eq!(login.as_deref(), Some("Basic YW5uYTpnZTpoZWlt"));

    for (proxy, words) in [("gopher://x", "proxy"), ("http://a:geheim@", "proxy")] {
        let output = place.put(&["--proxy", proxy], &[]);
        assert_eq!(output.status.code(), Some(2));
        let text = told(&output);
        assert!(text.contains(words) && !text.contains("geheim"), "{text}");
    }
}

#[test]
fn a_private_authority_is_trusted_when_it_is_named() {
    let place = Place::with(ScriptedServer::start_tls(steps()));
    let ca = place.wrote("ca.pem", place.server.ca_pem());
    assert_there(&place.put(&["--cacert", &ca], &[]));
    let place = Place::with(ScriptedServer::start_tls(steps()));
    let output = place.put(&["--insecure"], &[]);
    assert_there(&output);
    assert!(told(&output).contains("not verified"), "{}", told(&output));
    for option in ["--cacert", "--cert"] {
        let (code, _) = ended(&place.put(&[option, "/nowhere/x.pem"], &[]));
        assert_eq!(code, 2);
    }
}

#[test]
fn a_token_comes_from_the_command_line_a_file_or_the_environment() {
    let place = Place::new();
    let file = place.wrote("token", "from-file\n");
    let environment = [("RESUP_TOKEN", "from-environment")];
    for (args, token) in [
        (&["--token", "from-line"][..], "Bearer from-line"),
        (&["--token-file", &file], "Bearer from-file"),
        (&[], "Bearer from-environment"),
        (&["--basic", "anna:geheim"], "Basic YW5uYTpnZWhlaW0="),
    ] {
        let place = Place::new();
        let output = place.put(&[args, &["-vv"]].concat(), &environment);
        assert_there(&output);
        assert_eq!(place.header("authorization").as_deref(), Some(token));
        let text = told(&output);
        assert!(
            !text.contains("from-") && !text.contains("geheim"),
            "{text}"
        );
    }
    let (code, last) = ended(&place.put(&["--token-file", "/nowhere/token"], &[]));
    assert_eq!(code, 3);
    assert!(
        last.contains("the token cannot be read from \"/nowhere/token\""),
        "{last}"
    );
    let both = place.put(&["--token", "a", "--basic", "b:c"], &[]);
    assert_eq!(both.status.code(), Some(2));
}

#[test]
fn a_password_comes_from_the_environment_a_file_or_standard_input() {
    let expected = Some("Basic YW5uYTpnZWhlaW0=");
    let place = Place::new();
    assert_there(&place.put(&["--basic", "anna"], &[("RESUP_PASSWORD", "geheim")]));
    assert_eq!(place.header("authorization").as_deref(), expected);

    let place = Place::new();
    let file = place.wrote("password", "geheim\r\n");
    assert_there(&place.put(&["--basic", "anna", "--password-file", &file], &[]));
    assert_eq!(place.header("authorization").as_deref(), expected);

    let place = Place::new();
    let mut child = put()
        .args(["--basic", "anna", "--password-file", "-"])
        .arg(&place.file)
        .arg(place.server.endpoint())
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"geheim\n").unwrap();
    assert_there(&child.wait_with_output().unwrap());
    assert_eq!(place.header("authorization").as_deref(), expected);

    let place = Place::new();
    let output = place.put(&["--basic", "anna"], &[]);
    let text = told(&output);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text.contains("set RESUP_PASSWORD or give --password-file"),
        "{text}"
    );
    assert_eq!(place.server.connections(), 0);
}

#[test]
fn a_password_is_asked_for_on_a_terminal_and_not_shown() {
    let place = Place::new();
    let words = format!(
        "--basic anna '{}' {}",
        place.file.display(),
        place.server.endpoint()
    );
    let Some(mut terminal) = Terminal::put(&words) else {
        return;
    };
    terminal.sees("password of anna: ");
    // At once: it hides before it asks.
    terminal.types(b"gx\x7feheim\n");
    let (code, screen) = terminal.ends();
    assert_eq!(code, Some(0), "{screen}");
    assert!(!screen.contains("geheim"), "{screen}");
    let login = place.header("authorization");
    assert_eq!(login.as_deref(), Some("Basic YW5uYTpnZWhlaW0="));
}

#[test]
fn ctrl_c_instead_of_a_password_leaves_the_terminal_as_it_was() {
    let place = Place::new();
    let command = format!(
        "'{}' put --basic anna '{}' {}; echo \"code $?\"; stty -a",
        env!("CARGO_BIN_EXE_resup"),
        place.file.display(),
        place.server.endpoint()
    );
    let Some(mut terminal) = Terminal::run(&command) else {
        return;
    };
    terminal.sees("password of anna: ");
    terminal.types(b"geh\x03");
    let (_, screen) = terminal.ends();
    assert!(screen.contains("interrupted; nothing was sent"), "{screen}");
    assert!(screen.contains("code 130"), "{screen}");
    assert!(
        screen.contains(" echo ") && screen.contains(" icanon "),
        "{screen}"
    );
    assert!(!screen.contains("geh"), "{screen}");
    assert_eq!(place.server.connections(), 0);
}

#[test]
fn a_login_form_is_sent_before_the_first_request() {
    let mut rest = steps().into_iter();
    let server = ScriptedServer::start_with(move |head, _| match &*head.target {
        "/login" => Step::reply(200, "{}"),
        _ => rest.next().unwrap(),
    });
    let place = Place::with(server);
    let login = place.server.endpoint().replace("/upload", "/login");
    let args = [
        "--login",
        &login,
        "--login-field",
        "user=anna",
        "--login-field",
        "pass",
    ];
    assert_there(&place.put(&args, &[("RESUP_PASSWORD", "ge=heim")]));
    let requests = place.server.requests();
    assert_eq!(requests[0].head.target, "/login");
    assert_eq!(requests[0].field("user").as_deref(), Some("anna"));
    assert_eq!(requests[0].field("pass").as_deref(), Some("ge=heim"));
    let elsewhere = [
        "--login",
        "http://example.org/login",
        "--login-field",
        "a=b",
    ];
    assert_eq!(place.put(&elsewhere, &[]).status.code(), Some(2));
}

#[test]
fn headers_cookies_and_signatures_are_sent() {
    let place = Place::new();
    let headers = place.wrote("headers", "X-Two: 2\n\nx-three:3\n");
    let output = place.put(
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
    assert_there(&output);
    for (name, value) in [
        ("x-one", "1"),
        ("x-two", "2"),
        ("x-three", "3"),
        ("cookie", "a=b=c"),
    ] {
        assert_eq!(place.header(name).as_deref(), Some(value), "{name}");
    }
    let sign = place.server.requests()[0].field("sign").unwrap();
    assert_eq!(sign.len(), 64);

    let place = Place::new();
    let secret = place.wrote("secret", "geheim");
    let args = [
        "--sign-secret-file",
        &secret,
        "--sign-algorithm",
        "hmac-md5",
    ];
    assert_there(&place.put(&[&args[..], &["--filename-style", "rfc8187"]].concat(), &[]));
    let requests = place.server.requests();
    assert_eq!(requests[0].field("sign").unwrap().len(), 32);
    assert!(requests[1].body_text().contains("filename*="));

    let bad = place.wrote("bad", "Good: 1\ngeheim\n");
    let output = place.put(&["--header", &format!("@{bad}")], &[]);
    let text = told(&output);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text.contains("line 2 of") && !text.contains("geheim"),
        "{text}"
    );
    assert_eq!(
        place.put(&["--header", "Host: x"], &[]).status.code(),
        Some(2)
    );
}
