//! The commands that manage users and tokens.

mod common;

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use common::accounts::{admin_fails, admin_ok, bearer, PASSWORD};
use common::{has_no_sqlite, Receiver, Upload};
use resup_test_support::postgres;

#[test]
fn users_are_managed_on_the_command_line() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path();
    assert_eq!(admin_ok(data, &["user", "list"], ""), "");
    admin_ok(data, &["user", "add", "joe"], "correct horse\n");
    let file = data.join("password");
    std::fs::write(&file, "battery staple\r\nnot this\n").unwrap();
    let file = file.to_str().unwrap();
    admin_ok(data, &["user", "add", "小王", "--password-file", file], "");
    let list = admin_ok(data, &["user", "list"], "");
    let names: Vec<_> = list
        .lines()
        .map(|l| l.split('\t').next().unwrap())
        .collect();
    assert_eq!(names, ["joe", "小王"]);

    let error = admin_fails(data, &["user", "add", "JOE"], PASSWORD);
    assert!(error.contains("already"), "{error}");
    for (name, why) in [
        ("..", "begins with a dot"),
        ("a/b", "'/'"),
        ("nul", "device"),
        ("", "bytes"),
    ] {
        let error = admin_fails(data, &["user", "add", name], PASSWORD);
        assert!(error.contains(why), "{name}: {error}");
    }
    let error = admin_fails(data, &["user", "add", "ann"], "short\n");
    assert!(error.contains("8 characters"), "{error}");
    let error = admin_fails(data, &["user", "add", "ann", "--password-file", "none"], "");
    assert!(error.contains("password file none"), "{error}");
    for args in [["user", "passwd", "ann"], ["user", "remove", "ann"]] {
        let error = admin_fails(data, &args, PASSWORD);
        assert!(error.contains("no user 'ann'"), "{error}");
    }
    assert!(admin_ok(data, &["user", "remove", "joe"], "").contains("uploads stay"));
    assert!(admin_ok(data, &["user", "remove", "小王"], "").contains("the last one"));
    assert_eq!(admin_ok(data, &["user", "list"], ""), "");
}

#[cfg(unix)]
#[test]
fn on_a_terminal_the_password_is_asked_for_twice() {
    let Some(script) = resup_test_support::tools::find("script") else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let run = |keys: [&str; 2]| {
        let receiver = env!("CARGO_BIN_EXE_resup-receiver");
        let command = format!(
            "exec '{receiver}' --data '{}' user add joe",
            dir.path().display()
        );
        let mut child = Command::new(&script)
            .args(["-q", "-e", "-c", &command, "/dev/null"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        let mut screen = String::new();
        for (question, keys) in ["password for joe: ", "again: "].iter().zip(keys) {
            while !screen.ends_with(question) {
                let mut byte = [0];
                stdout.read_exact(&mut byte).unwrap();
                screen.push(char::from(byte[0]));
            }
            // The question may be there a moment before the terminal is quiet.
            thread::sleep(Duration::from_millis(300));
            writeln!(stdin, "{keys}").unwrap();
        }
        stdout.read_to_string(&mut screen).unwrap();
        assert!(!screen.contains(PASSWORD), "{screen}");
        (child.wait().unwrap().success(), screen)
    };
    let (fine, screen) = run([PASSWORD, "correct house"]);
    assert!(
        !fine && screen.contains("the two passwords are not the same"),
        "{screen}"
    );
    let (fine, screen) = run([PASSWORD, PASSWORD]);
    assert!(fine && screen.contains("added the user joe"), "{screen}");
}

#[test]
fn commands_may_run_at_once_and_beside_a_receiver() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path();
    thread::scope(|scope| {
        for number in 0..6 {
            scope.spawn(move || admin_ok(data, &["user", "add", &format!("u{number}")], PASSWORD));
        }
        scope.spawn(move || drop(Receiver::start_at("127.0.0.1:0", data, &[])));
    });
    assert_eq!(admin_ok(data, &["user", "list"], "").lines().count(), 6);
}

/// Reads the database's files, to look for secrets in them.
fn database(data: &Path) -> Vec<u8> {
    if let Some(address) = postgres::database_of(data) {
        let tables = "TABLE users; TABLE tokens; TABLE sessions";
        let server = postgres::shared().unwrap();
        return server.query(&address, tables).into_bytes();
    }
    let entries = std::fs::read_dir(data).unwrap();
    let files = entries.map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.is_file());
    files
        .flat_map(|path| std::fs::read(path).unwrap())
        .collect()
}

fn contains(all: &[u8], part: &str) -> bool {
    all.windows(part.len())
        .any(|window| window == part.as_bytes())
}

#[cfg(unix)]
#[test]
fn the_database_is_for_the_receivers_system_user_only() {
    if has_no_sqlite() {
        return;
    }
    use std::os::unix::fs::PermissionsExt;
    let receiver = Receiver::start_with_users(&["joe"], &[]);
    for name in ["receiver.sqlite", "receiver.sqlite-wal"] {
        let metadata = receiver.data().join(name).metadata().unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{name}");
    }
}

#[test]
fn a_token_is_shown_once_and_does_not_work_when_it_is_revoked() {
    let receiver = Receiver::start_with_users(&["joe", "ann"], &[]);
    let data = receiver.data();
    let token = receiver.token("joe");
    let other = admin_ok(data, &["token", "add", "ann", "--label", "her laptop"], "");
    assert_ne!(token, other.trim());
    let list = admin_ok(data, &["token", "list"], "");
    assert_eq!(list.lines().count(), 2);
    assert!(
        list.contains("ann") && list.contains("her laptop"),
        "{list}"
    );
    assert!(!list.contains(&token), "{list}");
    let stored = database(data);
    assert!(contains(&stored, "her laptop"));
    assert!(!contains(&stored, &token) && !contains(&stored, PASSWORD));

    let file = Upload::new("a", 10);
    let locate = |token: &str| {
        let header = bearer(token);
        receiver
            .locate_with(&file, &[("Authorization", &header)])
            .status
    };
    assert_eq!(locate(&token), 200);
    assert_eq!(locate(&token[1..]), 401);
    let list = admin_ok(data, &["token", "list", "joe"], "");
    let id = list.split('\t').next().unwrap();
    admin_ok(data, &["token", "revoke", id], "");
    assert_eq!(locate(&token), 401);
    let error = admin_fails(data, &["token", "revoke", id], "");
    assert!(error.contains("no token"), "{error}");
    let error = admin_fails(data, &["token", "add", "bob"], "");
    assert!(error.contains("no user 'bob'"), "{error}");

    assert_eq!(locate(other.trim()), 200);
    admin_ok(data, &["user", "remove", "ann"], "");
    assert_eq!(locate(other.trim()), 401);
}
