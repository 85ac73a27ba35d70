//! The likeliest first mistakes with the receiver, which tests/mistakes.txt lists with what it has to say of each.

mod common;

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use common::accounts::{admin, admin_ok, PASSWORD};
use common::{command, has_no_sqlite, Receiver};
use resup_test_support::mistakes;
use resup_test_support::tls::Authority;

/// A directory for the data, and one beside it for other files.
struct Bench {
    data: tempfile::TempDir,
    files: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Bench {
            data: tempfile::tempdir().unwrap(),
            files: tempfile::tempdir().unwrap(),
        }
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.files.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Starts a receiver with these words after `--data DIR --listen 127.0.0.1:0`, that does not come to listen.
    fn start(&self, words: &[&str]) -> String {
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        told(&mut command(self.data.path(), &words))
    }

    /// Runs a command of the receiver.
    fn admin(&self, words: &[&str]) -> String {
        let output = admin(self.data.path(), words, PASSWORD);
        assert!(!output.status.success(), "{words:?}");
        without_log(std::str::from_utf8(&output.stderr).unwrap())
    }
}

/// Drops the lines of the log, such as that of a statement that a busy machine made slow.
fn without_log(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.contains(" WARN "));
    lines.collect::<Vec<_>>().join("\n")
}

/// What a receiver writes to standard error that ends with an error. Backtraces are asked for.
fn told(command: &mut Command) -> String {
    let output = command
        .env("RUST_BACKTRACE", "1")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(!output.status.success(), "{command:?}");
    assert_eq!(output.stdout, b"");
    let text = String::from_utf8(output.stderr).unwrap();
    let text = without_log(&text);
    // But for those of the command line, which show the usage, it is one line.
    assert!(
        text.contains("--help") || text.lines().count() == 1,
        "{text}"
    );
    text
}

/// Makes a command be run by a system user without rights, if this is root.
fn without_rights(command: &mut Command, binary: &Path) -> String {
    let mut other = Command::new(binary);
    other.args(command.get_args());
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        other.uid(65534).gid(65534).current_dir("/");
    }
    told(&mut other)
}

/// Copies the receiver to where every system user can run it.
fn copied(bench: &Bench) -> std::path::PathBuf {
    let copy = bench.files.path().join("receiver");
    fs::copy(env!("CARGO_BIN_EXE_resup-receiver"), &copy).unwrap();
    fs::set_permissions(bench.files.path(), Permissions::from_mode(0o755)).unwrap();
    copy
}

fn tls(bench: &Bench, mistake: &str) -> Option<String> {
    let directory = bench.files.path();
    let authority = Authority::new();
    let (cert, key) = authority.certify().write(directory, "server");
    let (_, other) = authority.certify().write(directory, "other");
    let [cert, key, other] = [&cert, &key, &other].map(|path| path.to_str().unwrap());
    let notes = bench.write("notes.txt", "milk, bread");
    let start = |cert: &str, key: &str| bench.start(&["--tls-cert", cert, "--tls-key", key]);
    Some(match mistake {
        "a certificate without its key" => bench.start(&["--tls-cert", cert]),
        "a certificate that there is not" => start("/nowhere/cert.pem", key),
        "a certificate that is none" => start(&notes, key),
        "the certificate in place of the key" => start(cert, cert),
        "the key in place of the certificate" => start(key, key),
        "a key of another certificate" => start(cert, other),
        _ => return None,
    })
}

fn settings(bench: &Bench, mistake: &str) -> Option<String> {
    Some(match mistake {
        "no data directory" => told(&mut Command::new(env!("CARGO_BIN_EXE_resup-receiver"))),
        "an option that there is not" => bench.start(&["--port", "8080"]),
        "an address without a port" => bench
            .start(&["--metrics-listen", "127.0.0.1"])
            .replace("--metrics-listen", "--listen"),
        "a name as the address" => told(Command::new(env!("CARGO_BIN_EXE_resup-receiver")).args([
            "--data",
            "x",
            "--listen",
            "localhost",
        ])),
        "a number that is none" => bench.start(&["--max-uploads", "many"]),
        "a time that is none" => bench.start(&["--header-timeout", "a while"]),
        "a setting that there is not" => {
            bench.start(&["--config", &bench.write("receiver.toml", "max_size = 5\n")])
        }
        "a settings file that there is not" => bench.start(&["--config", "/nowhere/receiver.toml"]),
        "a secret that there is not" => bench.start(&["--signing-secret-file", "/nowhere/secret"]),
        "an empty secret" => bench.start(&["--signing-secret-file", &bench.write("secret", "\n")]),
        "all addresses without a user" => {
            let mut command = Command::new(env!("CARGO_BIN_EXE_resup-receiver"));
            command
                .arg("--data")
                .arg(bench.data.path())
                .args(["--listen", "0.0.0.0:0"]);
            told(&mut command)
        }
        _ => return None,
    })
}

/// Starts a receiver at this address.
fn at(bench: &Bench, address: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_resup-receiver"));
    command.arg("--data").arg(bench.data.path());
    told(command.args(["--listen", address]))
}

fn system(bench: &Bench, mistake: &str) -> Option<String> {
    Some(match mistake {
        "a data directory that is a file" => {
            let file = bench.write("file", "x");
            told(&mut command(Path::new(&file), &[]))
        }
        "a data directory that may not be written" => {
            let binary = copied(bench);
            fs::set_permissions(bench.data.path(), Permissions::from_mode(0o555)).unwrap();
            without_rights(&mut command(bench.data.path(), &[]), &binary)
        }
        "a second receiver for one data directory" => {
            let first = Receiver::start(&[]);
            told(&mut command(first.data(), &[]))
        }
        "a database that is none" => {
            fs::write(bench.data.path().join("receiver.sqlite"), "x".repeat(5000)).unwrap();
            bench.start(&[])
        }
        "a port that is taken" => {
            let taken = TcpListener::bind("127.0.0.1:0").unwrap();
            at(bench, &taken.local_addr().unwrap().to_string())
        }
        // An address for documents, which no machine has.
        "an address of another machine" => {
            admin_ok(bench.data.path(), &["user", "add", "joe"], PASSWORD);
            at(bench, "192.0.2.1:8080")
        }
        "a port below 1024 without the right" => {
            let binary = copied(bench);
            fs::set_permissions(bench.data.path(), Permissions::from_mode(0o777)).unwrap();
            let mut command = Command::new(&binary);
            command
                .arg("--data")
                .arg(bench.data.path())
                .args(["--listen", "127.0.0.1:80"]);
            without_rights(&mut command, &binary)
        }
        _ => return None,
    })
}

fn users(bench: &Bench, mistake: &str) -> String {
    match mistake {
        "a user who is there already" => {
            admin_ok(bench.data.path(), &["user", "add", "joe"], PASSWORD);
            bench.admin(&["user", "add", "joe"])
        }
        "a user name that is a path" => bench.admin(&["user", "add", "a/b"]),
        "a token for a user who is not there" => bench.admin(&["token", "add", "ann"]),
        "a password file that there is not" => {
            bench.admin(&["user", "add", "ann", "--password-file", "/nowhere/password"])
        }
        "an empty password" => {
            let empty = bench.write("password", "\n");
            bench.admin(&["user", "add", "ann", "--password-file", &empty])
        }
        other => panic!("nothing makes the mistake \"{other}\""),
    }
}

#[test]
fn each_first_mistake_is_told_with_its_way_out() {
    if has_no_sqlite() {
        return;
    }
    mistakes::walk("receiver", |mistake| {
        let bench = Bench::new();
        settings(&bench, mistake)
            .or_else(|| system(&bench, mistake))
            .or_else(|| tls(&bench, mistake))
            .unwrap_or_else(|| users(&bench, mistake))
    });
}
