//! The receiver behind each of the web servers that docs/operation/web-servers.md has settings for, with these settings.
#![cfg(target_os = "linux")]

use std::process::Command;

use resup::{Client, Upload, UploadState};
use resup_test_support::files;
use resup_test_support::front::Front;
use resup_test_support::receiver::{Receiver, Setup};
use resup_test_support::tools;

const PASSWORD: &str = "correct horse";
const FLAGS: [&str; 4] = ["--trusted-proxy", "127.0.0.1", "--max-segment", "2M"];

/// A receiver with a user, and a web server in front.
struct Behind {
    front: Front,
    receiver: Receiver,
    _data: tempfile::TempDir,
}

fn behind(kind: &str) -> Option<Behind> {
    if !tools::have(&["curl"]) {
        return None;
    }
    let data = tempfile::tempdir().unwrap();
    let setup = Setup::new().data(data.path());
    // Without a user it does not start with --trusted-proxy.
    let admin = setup.clone().start();
    admin.admin(&["user", "add", "joe"], PASSWORD);
    drop(admin);
    let receiver = setup.args(&FLAGS).start();
    Some(Behind {
        front: Front::start(kind, receiver.addr())?,
        receiver,
        _data: data,
    })
}

/// Runs curl, which prints the response's status, its Location as a URL, its cookie and its body.
fn curl(args: &[&str]) -> String {
    let format = "%{stdout}\n%{http_code} %{redirect_url} %header{set-cookie}";
    let mut command = Command::new("curl");
    command.args(["-s", "-m", "60", "--noproxy", "*", "-w", format]);
    let output = command.args(args).output().expect("curl runs");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn assert_uploads(kind: &str) {
    let Some(behind) = behind(kind) else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file.bin");
    files::make(&path, 5_500_000, 21).unwrap();
    let client = Client::new(&format!("http://{}/upload", behind.front.addr())).unwrap();
    client.set_basic_auth("joe", PASSWORD).unwrap();
    let mut upload = Upload::from_file(&client, &path).unwrap();
    upload.run().unwrap();
    assert_eq!(upload.remote().snapshot().state, UploadState::Complete);
    let id = upload.remote().id().unwrap();
    files::assert_same(&path, &behind.receiver.stored_file(&id));
}

fn assert_visitors_are_told_apart(kind: &str) {
    let Some(behind) = behind(kind) else {
        return;
    };
    let url = format!("http://{}/uploads", behind.front.addr());
    for visitor in ["127.0.0.2", "127.0.0.3"] {
        // What a visitor writes about the own address does not count.
        let forged = [
            "-H",
            "X-Forwarded-For: 192.0.2.6",
            "-H",
            "Forwarded: for=192.0.2.7",
            "-H",
            "X-Real-IP: 192.0.2.8",
        ];
        let said = curl(
            &[
                &["--interface", visitor, "-u", "joe:wrong password", &*url],
                &forged[..],
            ]
            .concat(),
        );
        assert!(said.contains("\n401 "), "{kind}: {said}");
        let line = format!("a wrong name or password came from {visitor}");
        behind
            .receiver
            .wait_for(&line, |written| written.ends_with(&line));
    }
}

fn assert_the_login_leads_back(kind: &str) {
    let Some(behind) = behind(kind) else {
        return;
    };
    let origin = format!("http://{}", behind.front.addr());
    let form = format!("user=joe&password={}", PASSWORD.replace(' ', "+"));
    let from = |origin: &str| format!("Origin: {origin}");
    let login = format!("{origin}/login");
    let said = curl(&["-H", &from(&origin), "-d", &form, &login]);
    assert!(
        said.contains(&format!("\n303 {origin}/ resup_session")),
        "{kind}: {said}"
    );
    assert!(
        said.contains("HttpOnly") && !said.contains("Secure"),
        "{kind}: {said}"
    );
    let foreign = curl(&["-H", &from("http://evil.example"), "-d", &form, &login]);
    assert!(foreign.contains("\n403 "), "{kind}: {foreign}");
}

fn assert_an_early_refusal_is_read(kind: &str) {
    let Some(behind) = behind(kind) else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file.bin");
    files::make(&path, 20_000_000, 21).unwrap();
    let file = format!("file=@{}", path.display());
    let url = format!("http://{}/upload", behind.front.addr());
    let credentials = format!("joe:{PASSWORD}");
    let user = ["-u", &*credentials, &*url];
    let locate = ["-d", "action=locate&name=a&size=20000000"];
    let located = curl(&[&user[..], &locate].concat());
    let (json, _) = located.split_once('\n').expect("a status");
    let json: serde_json::Value = serde_json::from_str(json).expect("JSON");
    let id = json["id"].as_str().unwrap_or_else(|| panic!("{located}"));
    // More than --max-segment allows: refused when the fields are there, and not one byte of the file.
    let id = format!("id={id}");
    let fields = [
        "action=send",
        &id,
        "name=a",
        "size=20000000",
        "offset=0",
        "length=20000000",
        &file,
    ];
    let send: Vec<_> = fields.iter().flat_map(|field| ["-F", *field]).collect();
    let said = curl(&[&user[..], &["-H", "Expect:"], &send].concat());
    assert!(said.contains("\n413 "), "{kind}: {said}");
}

#[test]
fn a_file_arrives_through_each() {
    Front::KINDS.iter().for_each(|kind| assert_uploads(kind));
}

#[test]
fn each_tells_its_visitors_address() {
    Front::KINDS
        .iter()
        .for_each(|kind| assert_visitors_are_told_apart(kind));
}

#[test]
fn the_login_leads_back_through_each() {
    Front::KINDS
        .iter()
        .for_each(|kind| assert_the_login_leads_back(kind));
}

#[test]
fn an_early_refusal_is_read_through_each() {
    Front::KINDS
        .iter()
        .for_each(|kind| assert_an_early_refusal_is_read(kind));
}
