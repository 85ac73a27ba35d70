//! Where the receiver listens, and how it ends.

#![cfg(unix)]

mod common;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use common::accounts::{admin_fails, admin_ok, basic, PASSWORD};
use common::{head, program, Receiver, Upload};
use resup_test_support::tools;
use tempfile::TempDir;

/// A receiver that listens at several places.
struct Several {
    child: Child,
    /// What it says of them.
    names: Vec<String>,
    _stdout: BufReader<ChildStdout>,
}

impl Several {
    fn start(data: &Path, flags: &[&str], count: usize) -> Self {
        let mut command = program(data);
        command.args(flags);
        Self::launch(command, count)
    }

    fn launch(mut command: Command, count: usize) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut names = Vec::new();
        for _ in 0..count {
            let mut line = String::new();
            stdout.read_line(&mut line).unwrap();
            let name = line.trim_end().strip_prefix("listening on ");
            names.push(name.unwrap_or_else(|| panic!("{line:?}")).to_owned());
        }
        Self {
            child,
            names,
            _stdout: stdout,
        }
    }

    fn terminate(&mut self) {
        tools::signal(self.child.id(), "TERM");
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Several {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The address in what a receiver says.
fn address(name: &str) -> SocketAddr {
    let rest = name.strip_prefix("http://").unwrap();
    rest.strip_suffix("/upload").unwrap().parse().unwrap()
}

/// Sends `GET /uploads` with more header lines. Returns the response's first line.
fn list(mut stream: impl Read + Write, headers: &str) -> String {
    let request =
        format!("GET /uploads HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.lines().next().unwrap().to_owned()
}

const OK: &str = "HTTP/1.1 200 OK";

fn socket(dir: &TempDir) -> (PathBuf, String) {
    let path = dir.path().join("http.sock");
    let flag = format!("unix:{}", path.display());
    (path, flag)
}

#[test]
fn it_listens_at_several_places() {
    let dir = tempfile::tempdir().unwrap();
    let (path, flag) = socket(&dir);
    let flags = [
        "--listen",
        "127.0.0.1:0",
        "--listen",
        "127.0.0.1:0",
        "--listen",
        &flag,
    ];
    let receiver = Several::start(&dir.path().join("data"), &flags, 3);
    for name in &receiver.names[..2] {
        let stream = TcpStream::connect(address(name)).unwrap();
        assert_eq!(list(stream, ""), OK);
    }
    assert_eq!(receiver.names[2], flag);
    assert_eq!(list(UnixStream::connect(&path).unwrap(), ""), OK);
}

#[test]
fn a_host_is_all_of_its_addresses_that_this_machine_has() {
    let dir = tempfile::tempdir().unwrap();
    let receiver = Several::start(dir.path(), &["--listen", "localhost:0"], 1);
    let address = address(&receiver.names[0]);
    assert!(address.ip().is_loopback(), "{address}");
    assert_eq!(list(TcpStream::connect(address).unwrap(), ""), OK);
    drop(receiver);
    let error = admin_fails(dir.path(), &["--listen", "nowhere.invalid:80"], "");
    // Without users the name is refused before it is looked for.
    assert!(error.contains("not on nowhere.invalid:80"), "{error}");
    admin_ok(dir.path(), &["user", "add", "joe"], PASSWORD);
    let error = admin_fails(dir.path(), &["--listen", "nowhere.invalid:80"], "");
    assert!(
        error.contains("nowhere.invalid:80: the host has no address"),
        "{error}"
    );
}

#[test]
fn a_unix_socket_is_for_whom_its_mode_says_and_goes_at_the_end() {
    let wider = ["--socket-mode", "660", "--proxy-without-login"];
    for (flags, expected) in [(&[][..], 0o600), (&wider, 0o660)] {
        let dir = tempfile::tempdir().unwrap();
        let (path, flag) = socket(&dir);
        let flags = [&["--listen", &flag][..], flags].concat();
        let mut receiver = Several::start(&dir.path().join("data"), &flags, 1);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, expected);
        receiver.terminate();
        assert!(!path.exists());
    }
}

#[test]
fn the_socket_of_a_dead_program_is_replaced_and_of_a_living_one_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let (path, flag) = socket(&dir);
    let data = dir.path().join("data");
    let flags = ["--listen", &*flag];
    drop(Several::start(&data, &flags, 1));
    assert!(path.exists());
    let receiver = Several::start(&data, &flags, 1);
    assert_eq!(list(UnixStream::connect(&path).unwrap(), ""), OK);
    let other = dir.path().join("other");
    let error = admin_fails(&other, &flags, "");
    assert!(
        error.contains(&format!("cannot listen on {flag}: another program listens")),
        "{error}"
    );
    assert_eq!(list(UnixStream::connect(&path).unwrap(), ""), OK);
    drop(receiver);
    fs::remove_file(&path).unwrap();
    for (place, told) in [
        (path.clone(), "something else that is no socket"),
        (dir.path().join("none/x"), "its directory is not there"),
        (dir.path().join("x".repeat(120)), "a shorter --listen"),
    ] {
        if place == path {
            fs::write(&path, "mine").unwrap();
        }
        let flag = format!("unix:{}", place.display());
        let error = admin_fails(&other, &["--listen", &flag], "");
        assert!(error.contains(told) && error.contains(&flag), "{error}");
    }
    assert_eq!(fs::read(&path).unwrap(), b"mine");
}

#[test]
fn what_a_proxy_brings_by_a_unix_socket_is_not_of_this_machine() {
    let dir = tempfile::tempdir().unwrap();
    let (path, flag) = socket(&dir);
    let data = dir.path().join("data");
    let _receiver = Several::start(&data, &["--listen", &flag], 1);
    let ask = |headers: &str| list(UnixStream::connect(&path).unwrap(), headers);
    assert_eq!(ask(""), OK);
    assert_eq!(
        ask("X-Forwarded-For: 192.0.2.1\r\n"),
        "HTTP/1.1 403 Forbidden"
    );
    // From the first user on everybody has to log in, here too.
    admin_ok(&data, &["user", "add", "joe"], PASSWORD);
    assert_eq!(ask(""), "HTTP/1.1 401 Unauthorized");
    let authorization = format!("Authorization: {}\r\n", basic("joe", PASSWORD));
    assert_eq!(ask(&authorization), OK);
}

#[test]
fn a_socket_for_other_system_users_needs_a_user_or_the_word_that_it_needs_none() {
    let dir = tempfile::tempdir().unwrap();
    let (path, flag) = socket(&dir);
    let data = dir.path().join("data");
    for mode in ["660", "606"] {
        let flags = ["--listen", &flag, "--socket-mode", mode];
        let error = admin_fails(&data, &flags, "");
        for told in [
            &*flag,
            "user add",
            "--socket-mode 600",
            "--proxy-without-login",
        ] {
            assert!(error.contains(told), "{error}");
        }
        assert!(!path.exists());
    }
    let flags = ["--listen", &flag, "--socket-mode", "660"];
    let open = [&flags[..], &["--proxy-without-login"]].concat();
    let receiver = Several::start(&data, &open, 1);
    assert_eq!(list(UnixStream::connect(&path).unwrap(), ""), OK);
    drop(receiver);
    admin_ok(&data, &["user", "add", "joe"], PASSWORD);
    let _receiver = Several::start(&data, &flags, 1);
    // As a web server sends it that adds nothing.
    let refused = "HTTP/1.1 401 Unauthorized";
    assert_eq!(list(UnixStream::connect(&path).unwrap(), ""), refused);
    // Nor is it open after the last user has gone.
    admin_ok(&data, &["user", "remove", "joe"], "");
    assert_eq!(list(UnixStream::connect(&path).unwrap(), ""), refused);
}

/// A command by which systemd's own program passes a unix socket to a receiver.
fn activate(path: &Path, data: &Path, notify: &Path, flags: &[&str]) -> Command {
    let receiver = program(data);
    let mut command = Command::new("systemd-socket-activate");
    command.arg("--listen").arg(path);
    command.arg(format!("--setenv=NOTIFY_SOCKET={}", notify.display()));
    for (name, value) in receiver.get_envs() {
        if let Some(value) = value {
            let (name, value) = (name.to_str().unwrap(), value.to_str().unwrap());
            command.arg(format!("--setenv={name}={value}"));
        }
    }
    command
        .arg(receiver.get_program())
        .args(receiver.get_args())
        .args(flags)
        .stdout(Stdio::null());
    command
}

fn connect(path: &Path) -> UnixStream {
    let until = Instant::now() + Duration::from_secs(60);
    while !path.exists() && Instant::now() < until {
        thread::sleep(Duration::from_millis(10));
    }
    UnixStream::connect(path).unwrap()
}

#[test]
fn a_unix_socket_of_systemd_needs_a_user() {
    if !tools::have(&["systemd-socket-activate"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (path, flag) = socket(&dir);
    let (data, notify) = (dir.path().join("data"), dir.path().join("notify"));
    let mut command = activate(&path, &data, &notify, &[]);
    let child = command.stderr(Stdio::piped()).spawn().unwrap();
    // The first connection starts it.
    let _stream = connect(&path);
    let output = child.wait_with_output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{error}");
    assert!(
        error.contains(&flag) && error.contains("--proxy-without-login"),
        "{error}"
    );
}

#[test]
fn it_takes_the_sockets_of_systemd_and_tells_its_state() {
    if !tools::have(&["systemd-socket-activate"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (path, _) = socket(&dir);
    let notify = dir.path().join("notify");
    let told = UnixDatagram::bind(&notify).unwrap();
    told.set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let data = dir.path().join("data");
    let mut command = activate(&path, &data, &notify, &["--proxy-without-login"]);
    let mut child = command.stderr(Stdio::null()).spawn().unwrap();
    // The first connection starts it.
    assert_eq!(list(connect(&path), ""), OK);
    let state = || {
        let mut text = [0; 100];
        let length = told.recv(&mut text).unwrap();
        String::from_utf8_lossy(&text[..length]).trim().to_owned()
    };
    assert_eq!(state(), "READY=1");
    tools::signal(child.id(), "TERM");
    assert_eq!(state(), "STOPPING=1");
    assert!(child.wait().unwrap().success());
    // The socket is systemd's.
    assert!(path.exists());
}

#[test]
fn the_units_are_right() {
    if !tools::have(&["systemd-analyze"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let units = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging/receiver");
    let mut command = Command::new("systemd-analyze");
    command.args(["verify", "--man=no"]);
    for name in ["resup-receiver.service", "resup-receiver.socket"] {
        let text = fs::read_to_string(units.join(name)).unwrap();
        let installed = "/usr/local/bin/resup-receiver";
        assert!(name.ends_with(".socket") || text.contains(installed));
        let text = text.replace(installed, env!("CARGO_BIN_EXE_resup-receiver"));
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        command.arg(path);
    }
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && error.is_empty(), "{error}");
}

/// A receiver with a file that no socket's buffers hold, and a connection on which its download has begun.
struct Download {
    receiver: Receiver,
    file: Upload,
    stream: TcpStream,
}

impl Download {
    fn begin(flags: &[&str]) -> Self {
        let receiver = Receiver::start(flags);
        let file = Upload::new("large", 64 << 20);
        let (id, _) = receiver.locate_ok(&file);
        receiver
            .send_rest(&file, &id, 0)
            .expect_complete(file.content.len() as u64);
        let mut stream = receiver.connect();
        let request = head("GET", &format!("/uploads/{id}/file"), "", 0);
        stream.write_all(&request).unwrap();
        let mut first = [0];
        stream.read_exact(&mut first).unwrap();
        Self {
            receiver,
            file,
            stream,
        }
    }

    fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        let _ = self.stream.read_to_end(&mut rest);
        rest
    }
}

#[test]
fn a_download_ends_before_the_receiver_does() {
    let mut download = Download::begin(&[]);
    // A connection without a request does not keep it.
    let _idle = download.receiver.connect();
    tools::signal(download.receiver.pid(), "TERM");
    let until = Instant::now() + Duration::from_secs(30);
    while TcpStream::connect(download.receiver.address).is_ok() {
        assert!(Instant::now() < until, "it goes on to accept");
        thread::sleep(Duration::from_millis(10));
    }
    let rest = download.rest();
    assert!(
        rest.ends_with(&download.file.content),
        "{} bytes",
        rest.len()
    );
    assert!(download.receiver.wait().success());
}

#[test]
fn a_download_that_takes_longer_than_the_limit_is_cut_off() {
    let mut download = Download::begin(&["--end-timeout", "1"]);
    assert!(download.receiver.terminate().success());
    assert!(download.rest().len() < download.file.content.len());
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let mut download = Download::begin(&["--end-timeout", "1h", "--body-idle-timeout", "1h"]);
    tools::signal(download.receiver.pid(), "TERM");
    let until = Instant::now() + Duration::from_secs(30);
    while TcpStream::connect(download.receiver.address).is_ok() {
        assert!(Instant::now() < until, "it goes on to accept");
        thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(download.receiver.terminate().code(), Some(1));
    assert!(download.rest().len() < download.file.content.len());
}

#[test]
fn a_socket_that_another_program_has_taken_over_stays() {
    let dir = tempfile::tempdir().unwrap();
    let (path, flag) = socket(&dir);
    let mut receiver = Several::start(&dir.path().join("data"), &["--listen", &flag], 1);
    fs::remove_file(&path).unwrap();
    let _other = UnixListener::bind(&path).unwrap();
    receiver.terminate();
    assert!(path.exists());
}
