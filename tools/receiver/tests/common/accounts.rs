//! Users of a receiver, and requests with their credentials.

use std::io::Write;
use std::path::Path;
use std::process::{Output, Stdio};

use base64::prelude::{Engine as _, BASE64_STANDARD};

use super::{encode, head, post_form, program, Receiver, Reply, Upload};

pub const PASSWORD: &str = "correct horse";

/// Runs `resup-receiver --data DIR ARGS` with a line of standard input.
pub fn admin(data: &Path, args: &[&str], stdin: &str) -> Output {
    let mut child = program(data)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    // One that needs no input may have ended.
    let _ = input.write_all(stdin.as_bytes());
    drop(input);
    child.wait_with_output().unwrap()
}

/// Runs a command that must succeed. Returns its standard output.
pub fn admin_ok(data: &Path, args: &[&str], stdin: &str) -> String {
    let output = admin(data, args, stdin);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{args:?}: {stderr}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a command that must fail. Returns its standard error.
pub fn admin_fails(data: &Path, args: &[&str], stdin: &str) -> String {
    let output = admin(data, args, stdin);
    assert!(!output.status.success(), "{args:?}");
    String::from_utf8(output.stderr).unwrap()
}

impl Receiver {
    /// Starts a receiver with these users, whose password is [`PASSWORD`].
    pub fn start_with_users(users: &[&str], flags: &[&str]) -> Self {
        let receiver = Self::start(flags);
        for user in users {
            receiver.add_user(user);
        }
        receiver
    }

    pub fn add_user(&self, user: &str) {
        admin_ok(self.data(), &["user", "add", user], PASSWORD);
    }

    /// Makes a token for a user.
    pub fn token(&self, user: &str) -> String {
        let token = admin_ok(self.data(), &["token", "add", user], "");
        token.trim().to_owned()
    }

    /// Sends the login form.
    pub fn log_in(&self, user: &str, password: &str, headers: &[(&str, &str)]) -> Reply {
        let form = format!("user={}&password={}", encode(user), encode(password));
        self.exchange(&with(post("/login", &form), headers))
    }

    /// Logs in, which must succeed. Returns the cookie.
    pub fn log_in_ok(&self, user: &str) -> String {
        let reply = self.log_in(user, PASSWORD, &[]);
        assert_eq!(reply.status, 303, "{}", reply.head);
        reply.cookie()
    }

    /// Sends a locate with additional headers.
    pub fn locate_with(&self, file: &Upload, headers: &[(&str, &str)]) -> Reply {
        self.exchange(&with(post_form(&file.locate_form()), headers))
    }

    /// The origin of its pages.
    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Reply {
    /// A header's value; the head is in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines();
        lines
            .filter_map(|line| line.split_once(": "))
            .find_map(|(known, value)| (known == name).then_some(value))
    }

    /// The cookie that it sets, as it is sent back.
    pub fn cookie(&self) -> String {
        let cookie = self.header("set-cookie").expect("a cookie");
        cookie.split(';').next().unwrap().to_owned()
    }

    pub fn html(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// Makes a form request to any path.
pub fn post(path: &str, form: &str) -> Vec<u8> {
    let kind = "application/x-www-form-urlencoded";
    let mut request = head("POST", path, kind, form.len() as u64);
    request.extend(form.bytes());
    request
}

/// Adds headers to a request. A header that it has already is replaced.
pub fn with(request: Vec<u8>, headers: &[(&str, &str)]) -> Vec<u8> {
    let end = request.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    let old = String::from_utf8(request[..end].to_vec()).unwrap();
    let replaced = |line: &str| {
        let name = line.split(':').next().unwrap();
        headers
            .iter()
            .any(|(new, _)| new.eq_ignore_ascii_case(name))
    };
    let mut head: Vec<String> = old.split("\r\n").map(str::to_owned).collect();
    head.retain(|line| !replaced(line));
    head.extend(
        headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}")),
    );
    [head.join("\r\n").as_bytes(), &request[end..]].concat()
}

pub fn basic(user: &str, password: &str) -> String {
    let credentials = BASE64_STANDARD.encode(format!("{user}:{password}"));
    format!("Basic {credentials}")
}

pub fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}
