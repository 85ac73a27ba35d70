//! The audit trail: what happened to uploads, as the command exports it.

mod common;

use std::process::Stdio;
use std::thread;
use std::time::Duration;

use common::accounts::{admin_fails, admin_ok, basic, with, PASSWORD};
use common::hook::wait_until;
use common::raw::Raw;
use common::{digest_hex, head, program, Receiver, Upload};
use serde_json::Value;

fn export(receiver: &Receiver, more: &[&str]) -> Vec<Value> {
    let text = admin_ok(receiver.data(), &[&["audit"], more].concat(), "");
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

/// The kinds of the events about an upload, in their order.
fn kinds(lines: &[Value], id: &str) -> Vec<String> {
    let of_id = lines.iter().filter(|line| line["upload"] == id);
    of_id
        .map(|line| line["event"].as_str().unwrap().to_owned())
        .collect()
}

fn finish(receiver: &Receiver, file: &Upload) -> String {
    let (id, offset) = receiver.locate_ok(file);
    receiver
        .send_rest(file, &id, offset)
        .expect_complete(file.content.len() as u64);
    id
}

#[test]
fn it_tells_who_uploaded_what_from_where_with_which_digest() {
    let receiver = Receiver::start_with_users(
        &["joe"],
        &["--trusted-proxy", "127.0.0.1", "--proxy-without-login"],
    );
    let header = basic("joe", PASSWORD);
    let login = [
        ("Authorization", &*header),
        ("X-Forwarded-For", "192.0.2.7"),
    ];
    let file = Upload::new("报告.pdf", 1000).with("dir", "a/b");
    let (id, _) = {
        let found = receiver.locate_with(&file, &login);
        (found.id(), found.offset())
    };
    let md5 = common::md5_hex(&file.content);
    let send = file.send(&id, 0).tail("md5", &md5).build();
    receiver.exchange(&with(send, &login)).expect_complete(1000);
    let lines = export(&receiver, &[]);
    assert_eq!(kinds(&lines, &id), ["created", "completed"]);
    let (made, done) = (&lines[0], &lines[1]);
    for line in &lines {
        assert_eq!(line["user"], "joe");
        assert_eq!(line["peer"], "192.0.2.7");
        assert_eq!(line["protocol"], "form");
        assert_eq!(
            (&line["name"], &line["dir"]),
            (&"报告.pdf".into(), &"a/b".into())
        );
        assert_eq!(
            (&line["size"], &line["mtime"]),
            (&1000.into(), &1_700_000_000_000_i64.into())
        );
    }
    assert_eq!((&made["offset"], &made["md5"]), (&0.into(), &Value::Null));
    assert_eq!(done["md5"], md5);
    assert_eq!(done["sha256"], digest_hex("sha256", &file.content));
    assert_eq!(done["place"], id);
    assert!(made["time"].as_str() <= done["time"].as_str());
    assert!(made["id"].as_str() < done["id"].as_str());
    // A deletion from the list.
    let delete = head("DELETE", &format!("/uploads/{id}"), "", 0);
    assert_eq!(receiver.exchange(&with(delete, &login)).status, 204);
    let lines = export(&receiver, &[]);
    assert_eq!(kinds(&lines, &id), ["created", "completed", "deleted"]);
    assert_eq!(lines[2]["protocol"], "list");
    assert_eq!(lines[2]["md5"], md5);
}

#[test]
fn each_way_to_an_end_has_its_event() {
    let flags = [
        "--layout",
        "tree",
        "--conflict",
        "replace",
        "--expire",
        "2s",
    ];
    let receiver = Receiver::start(&flags);
    // Taken back, by form and by tus.
    let file = Upload::new("taken-back", 1000);
    let (discarded, _) = receiver.locate_ok(&file);
    let form = file
        .locate_form()
        .replace("action=locate", "action=discard");
    assert_eq!(receiver.exchange(&common::post_form(&form)).status, 200);
    let place = receiver.tus_create(1000, &[("filename", "tus")]);
    assert_eq!(Raw::tus("DELETE", &place).send(&receiver).status, 204);
    let by_tus = place.strip_prefix("/upload/").unwrap();
    // Whole in one request.
    let stored = Upload::new("stored", 10);
    let stored = receiver.exchange(&stored.store("blake3").build()).id();
    // Another version takes its place.
    let old = finish(&receiver, &Upload::new("same", 1000));
    let new = finish(&receiver, &Upload::new("same", 1001));
    // Somebody removes a file.
    let gone = finish(&receiver, &Upload::new("gone", 500));
    std::fs::remove_file(receiver.data().join("files/_/gone")).unwrap();
    receiver.get("/uploads");
    let again = finish(&receiver, &Upload::new("gone", 500));
    // It is sent again from its beginning.
    let file = Upload::new("again", 1000);
    let restarted = finish(&receiver, &file);
    let md5 = common::md5_hex(&file.content);
    let send = file
        .send(&restarted, 0)
        .set("restart", &md5)
        .tail("md5", &md5);
    receiver.exchange(&send.build()).expect_complete(1000);
    // Nobody goes on.
    let (expired, _) = receiver.locate_ok(&Upload::new("expired", 1000));
    wait_until("the expiry", || {
        kinds(&export(&receiver, &[]), &expired).len() == 2
    });
    let lines = export(&receiver, &[]);
    for (id, expected) in [
        (&*discarded, &["created", "discarded"][..]),
        (by_tus, &["created", "discarded"]),
        (&stored, &["completed"]),
        (&old, &["created", "completed", "replaced"]),
        (&new, &["created", "completed"]),
        (&gone, &["created", "completed", "gone"]),
        (&again, &["created", "completed"]),
        (
            &restarted,
            &["created", "completed", "restarted", "completed"],
        ),
        (&expired, &["created", "expired"]),
    ] {
        assert_eq!(kinds(&lines, id), expected);
    }
    let last = lines
        .iter()
        .rfind(|line| line["event"] == "expired")
        .unwrap();
    assert_eq!(
        (&last["peer"], &last["protocol"]),
        (&Value::Null, &Value::Null)
    );
    let replaced = lines
        .iter()
        .find(|line| line["event"] == "replaced")
        .unwrap();
    assert_eq!(
        (&replaced["peer"], &replaced["size"]),
        (&"127.0.0.1".into(), &1000.into())
    );
}

#[test]
fn an_event_is_there_if_and_only_if_its_change_is() {
    for (point, is_finished) in [("before-commit:2", false), ("after-group:2", true)] {
        let mut receiver = Receiver::start_crashing(point, &[]);
        let file = Upload::new("a", 1000);
        let (id, _) = receiver.locate_ok(&file);
        let md5 = common::md5_hex(&file.content);
        let send = file.send(&id, 0).tail("md5", &md5);
        let mut stream = common::begin(&receiver, &send, 1000);
        let _ = std::io::Write::write_all(&mut stream, &send.closing());
        receiver.wait();
        receiver.kill_and_restart();
        let expected: &[&str] = match is_finished {
            true => &["created", "completed"],
            false => &["created"],
        };
        assert_eq!(kinds(&export(&receiver, &[]), &id), expected, "{point}");
        let (_, offset) = receiver.locate_ok(&file);
        receiver.send_rest(&file, &id, offset);
        let lines = export(&receiver, &[]);
        assert_eq!(kinds(&lines, &id), ["created", "completed"], "{point}");
    }
}

#[test]
fn a_span_of_time_is_exported_while_uploads_go_on() {
    let receiver = Receiver::start(&[]);
    for number in 0..3 {
        finish(&receiver, &Upload::new(&format!("f{number}"), 100));
        thread::sleep(Duration::from_millis(20));
    }
    let all = export(&receiver, &[]);
    assert_eq!(all.len(), 6);
    let time = |at: usize| all[at]["time"].as_str().unwrap().to_owned();
    assert_eq!(export(&receiver, &["--since", &time(2)]), all[2..]);
    assert_eq!(export(&receiver, &["--until", &time(2)]), all[..2]);
    let middle = export(&receiver, &["--since", &time(2), "--until", &time(4)]);
    assert_eq!(middle, all[2..4]);
    assert_eq!(export(&receiver, &["--since", "2000-01-01"]), all);
    assert!(export(&receiver, &["--until", "2000-01-01"]).is_empty());
    let error = admin_fails(receiver.data(), &["audit", "--since", "yesterday"], "");
    assert!(error.contains("2026-05-31T12:00:00Z"), "{error}");
    // A reader that hangs up is no error.
    let mut command = program(receiver.data());
    let mut child = command.arg("audit").stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
}

#[test]
fn events_are_kept_as_long_as_the_setting_says() {
    let mut receiver = Receiver::start(&["--audit-keep", "2s"]);
    let old = finish(&receiver, &Upload::new("old", 100));
    wait_until("the end of the old ones", || {
        export(&receiver, &[]).is_empty()
    });
    // The upload itself stays.
    assert_eq!(receiver.get(&format!("/uploads/{old}")).status, 200);
    // What a hook is still to be told of stays, too.
    receiver.set_flags(&["--audit-keep", "2s", "--hook-after", "http://127.0.0.1:1/"]);
    receiver.kill_and_restart();
    let told = finish(&receiver, &Upload::new("told", 100));
    wait_until("the end of its first event", || {
        kinds(&export(&receiver, &[]), &told) == ["completed"]
    });
}
