//! The command `check`: what it finds, and that it changes nothing.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use common::accounts::{admin, admin_ok, PASSWORD};
use common::{has_no_sqlite, Receiver, Upload};
use resup_test_support::{postgres, tools};
use sqlx::{Connection, Executor};

/// What `check` prints, and whether it is content.
fn check(data: &Path, flags: &[&str]) -> (String, bool) {
    let output = admin(data, &[flags, &["check"]].concat(), "");
    let text = String::from_utf8(output.stdout).unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(error.is_empty(), output.status.success(), "{error}");
    assert_eq!(
        text.contains("FAIL"),
        !output.status.success(),
        "{text}{error}"
    );
    (text, output.status.success())
}

/// All files below a directory, with their contents and times.
fn all(dir: &Path) -> BTreeMap<PathBuf, (Vec<u8>, SystemTime)> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(all(&path)),
            false => {
                let changed = fs::metadata(&path).unwrap().modified().unwrap();
                found.insert(path.clone(), (fs::read(&path).unwrap(), changed));
            }
        }
    }
    found
}

#[test]
fn a_directory_that_is_not_there_is_not_made() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("new/data");
    let (text, is_good) = check(&data, &[]);
    assert!(
        is_good && text.contains("not there; a start makes it"),
        "{text}"
    );
    assert!(!dir.path().join("new").exists());
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let (text, is_good) = check(&file, &[]);
    assert!(
        !is_good && text.contains("it is a file; give another --data"),
        "{text}"
    );
}

#[test]
fn it_changes_nothing_whether_a_receiver_runs_or_not() {
    let mut receiver = Receiver::start(&[]);
    let file = Upload::new("a", 1000);
    let (id, _) = receiver.locate_ok(&file);
    receiver.send_rest(&file, &id, 0).expect_complete(1000);
    receiver.add_user("joe");
    let (text, is_good) = check(receiver.data(), &[]);
    assert!(
        is_good && text.contains("up to date, 1 uploads, 1 users"),
        "{text}"
    );
    assert!(text.contains("everybody has to log in"), "{text}");
    receiver.terminate();
    let before = all(receiver.data());
    let (again, is_good) = check(receiver.data(), &[]);
    assert!(
        is_good && again.contains("up to date, 1 uploads, 1 users"),
        "{again}"
    );
    assert_eq!(all(receiver.data()), before);
    // After a kill, what is in the log of SQLite counts.
    receiver.kill_and_restart();
    receiver.add_user("ann");
    receiver.kill();
    let (text, _) = check(receiver.data(), &[]);
    assert!(text.contains("1 uploads, 2 users"), "{text}");
}

#[test]
fn without_users_it_says_who_may_upload() {
    let receiver = Receiver::start(&[]);
    let (text, is_good) = check(receiver.data(), &[]);
    assert!(
        is_good && text.contains("warning  users: no user is configured"),
        "{text}"
    );
    let (text, is_good) = check(receiver.data(), &["--listen", "0.0.0.0:8080"]);
    assert!(
        !is_good && text.contains("FAIL     users: no user"),
        "{text}"
    );
}

#[cfg(unix)]
#[test]
fn rights_of_directories_are_looked_at() {
    use std::os::unix::fs::PermissionsExt;
    let mut receiver = Receiver::start(&[]);
    receiver.terminate();
    let files = receiver.data().join("files");
    fs::set_permissions(&files, fs::Permissions::from_mode(0o755)).unwrap();
    let (text, is_good) = check(receiver.data(), &[]);
    let told = format!("warning  directory {}: others", files.display());
    assert!(
        is_good && text.contains(&told) && text.contains("chmod -R go="),
        "{text}"
    );
    fs::set_permissions(&files, fs::Permissions::from_mode(0o500)).unwrap();
    if fs::write(files.join("probe"), "").is_ok() {
        return tools::skip("root may write everywhere");
    }
    let (text, is_good) = check(receiver.data(), &[]);
    assert!(!is_good && text.contains("may not write there"), "{text}");
}

#[tokio::test]
async fn a_database_of_a_newer_receiver_or_none_is_told() {
    if has_no_sqlite() {
        return;
    }
    let mut receiver = Receiver::start(&[]);
    receiver.terminate();
    let path = receiver.data().join("receiver.sqlite");
    let url = format!("sqlite://{}", path.display());
    let mut newer = sqlx::SqliteConnection::connect(&url).await.unwrap();
    let change =
        "INSERT INTO _sqlx_migrations SELECT 9999, description, installed_on, success, checksum, \
        execution_time FROM _sqlx_migrations WHERE version = 1";
    newer.execute(change).await.unwrap();
    newer.close().await.unwrap();
    let (text, is_good) = check(receiver.data(), &[]);
    assert!(
        !is_good && text.contains("a newer resup-receiver has changed it (change 9999"),
        "{text}"
    );
    fs::write(&path, "no database").unwrap();
    let (text, is_good) = check(receiver.data(), &[]);
    assert!(
        !is_good && text.contains("is not a database of SQLite"),
        "{text}"
    );
    let missing = receiver.data().join("none.sqlite");
    let address = format!("sqlite://{}?mode=rwc", missing.display());
    let (text, is_good) = check(receiver.data(), &["--database", &address]);
    assert!(!is_good && text.contains("cannot be used"), "{text}");
    assert!(!missing.exists());
}

#[test]
fn a_database_in_postgres_is_looked_at() {
    let Some(server) = postgres::shared() else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let address = server.database();
    let flags = ["--database", &*address];
    let (text, is_good) = check(dir.path(), &flags);
    assert!(
        is_good && text.contains("a start brings it up to date (change 10"),
        "{text}"
    );
    let receiver = Receiver::start_at("127.0.0.1:0", dir.path(), &flags);
    receiver.locate_ok(&Upload::new("a", 10));
    let (text, is_good) = check(dir.path(), &flags);
    assert!(
        is_good && text.contains("up to date, 1 uploads, 0 users"),
        "{text}"
    );
    let away = ["--database", "postgres://joe@127.0.0.1:1/none"];
    let (text, is_good) = check(dir.path(), &away);
    assert!(
        !is_good && text.contains("postgres://joe@127.0.0.1:1/none cannot be used"),
        "{text}"
    );
}

#[test]
fn certificates_are_looked_at_with_their_ends() {
    if !tools::have(&["openssl"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let make = |name: &str, days: &str| {
        let (certificate, key) = (
            dir.path().join(name),
            dir.path().join(format!("{name}.key")),
        );
        let made = Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
            ])
            .args(["-nodes", "-subj", "/CN=localhost", "-days", days, "-out"])
            .arg(&certificate)
            .arg("-keyout")
            .arg(&key)
            .output()
            .unwrap();
        assert!(made.status.success());
        [certificate, key].map(|path| path.to_str().unwrap().to_owned())
    };
    let data = dir.path().join("data");
    let [good, key] = make("good", "100");
    let [soon, soon_key] = make("soon", "5");
    let look =
        |certificate: &str, key: &str| check(&data, &["--tls-cert", certificate, "--tls-key", key]);
    let (text, is_good) = look(&good, &key);
    assert!(
        is_good && text.contains("fits its key, and ends in "),
        "{text}"
    );
    let (text, is_good) = look(&soon, &soon_key);
    assert!(is_good && text.contains("warning  certificate"), "{text}");
    let (text, is_good) = look(&good, &soon_key);
    assert!(
        !is_good && text.contains("does not belong to the first certificate"),
        "{text}"
    );
    admin_ok(&data, &["user", "add", "joe"], PASSWORD);
}

#[test]
fn hooks_and_the_key_for_receipts_are_looked_at() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let (text, is_good) = check(&data, &["--hook-after", "/no/such/program"]);
    let told = "FAIL     --hook-after: there is no program /no/such/program";
    assert!(!is_good && text.contains(told), "{text}");
    let program = env!("CARGO_BIN_EXE_resup-receiver");
    let (text, is_good) = check(&data, &["--hook-before", program]);
    assert!(is_good && text.contains("ok       hooks: "), "{text}");
    let key = dir.path().join("key.pem");
    fs::write(&key, "no key").unwrap();
    let flags = ["--receipt-key", key.to_str().unwrap()];
    let (text, is_good) = check(&data, &flags);
    let told = format!("FAIL     the key for receipts {}", key.display());
    assert!(!is_good && text.contains(&told), "{text}");
    let made = Command::new("openssl")
        .args(["genpkey", "-algorithm", "ed25519", "-out"])
        .arg(&key)
        .output();
    if made.is_ok_and(|made| made.status.success()) {
        let (text, is_good) = check(&data, &flags);
        assert!(
            is_good && text.contains("ok       key for receipts"),
            "{text}"
        );
    }
}

#[test]
fn the_object_store_is_looked_at() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let (text, is_good) = check(&data, &["--store", "ftp://bucket"]);
    assert!(
        !is_good && text.contains("FAIL     the object store of --store cannot be used"),
        "{text}"
    );
}
