//! The hook that is told of finished files.

mod common;

use std::fs;
use std::path::Path;
use std::time::Duration;

use base64::prelude::{Engine as _, BASE64_STANDARD};
use common::accounts::{admin_ok, basic, with, PASSWORD};
use common::hook::{by_form, free_port, metric, wait_until, Answer, Call, HookServer};
use common::raw::Raw;
use common::{digest_hex, Receiver, Upload};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqr";

/// Writes a file with the secret. Returns its path.
fn secret(dir: &Path) -> String {
    let path = dir.join("hook-secret");
    fs::write(&path, format!("{SECRET}\n")).unwrap();
    path.display().to_string()
}

/// Checks the signature as a receiver of webhooks does.
fn check_signature(call: &Call) {
    let key = BASE64_STANDARD.decode(&SECRET["whsec_".len()..]).unwrap();
    let (id, time) = (call.header("webhook-id"), call.header("webhook-timestamp"));
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&key).unwrap();
    mac.update(format!("{id}.{time}.{}", call.text).as_bytes());
    let expected = BASE64_STANDARD.encode(mac.finalize().into_bytes());
    assert_eq!(call.header("webhook-signature"), format!("v1,{expected}"));
    let now = common::signing::now().unsigned_abs();
    assert!(now.abs_diff(time.parse().unwrap()) < 300, "{time} at {now}");
}

fn by_tus(receiver: &Receiver, file: &Upload) -> String {
    let size = file.content.len() as u64;
    let place = receiver.tus_create(size, &[("filename", &file.name)]);
    let patched = Raw::tus_patch(&place, 0, &file.content).send(receiver);
    assert_eq!(patched.status, 204, "{}", patched.head);
    place.strip_prefix("/upload/").unwrap().to_owned()
}

fn by_ietf(receiver: &Receiver, file: &Upload) -> String {
    let raw = Raw::ietf("POST", "/upload", "?1").set(
        "Content-Disposition",
        &format!("attachment; filename=\"{}\"", file.name),
    );
    let place = raw.body(&file.content).send(receiver).place();
    place.strip_prefix("/upload/").unwrap().to_owned()
}

#[test]
fn the_hook_is_told_of_each_file_whatever_the_protocol() {
    let dir = tempfile::tempdir().unwrap();
    // What is told of is at its place.
    let data = tempfile::tempdir().unwrap();
    let files = data.path().join("files");
    let hook = HookServer::start_with(move |call, _| {
        let place = call.json["data"]["place"].as_str().unwrap();
        match files.join(place).exists() {
            true => Answer::Status(204, String::new()),
            false => Answer::Status(500, "it is not there".to_owned()),
        }
    });
    let flags = [
        "--layout",
        "tree",
        "--hook-after",
        &hook.url(),
        "--hook-secret-file",
        &secret(dir.path()),
    ];
    let receiver = Receiver::start_changed(data, &flags, |_| {});
    let stored = Upload::new("stored", 700).with("dir", "a/b");
    let ids = [
        by_form(&receiver, &Upload::new("sent 文", 1000)),
        receiver
            .exchange(&stored.store("sha256").build())
            .expect_complete(700)
            .id(),
        by_tus(&receiver, &Upload::new("by-tus", 900)),
        by_ietf(&receiver, &Upload::new("by-ietf", 800)),
    ];
    let calls = hook.wait_for(4);
    for (id, protocol, name, digest) in [
        (&ids[0], "form", "sent 文", "md5"),
        (&ids[1], "form", "stored", "sha256"),
        (&ids[2], "tus", "by-tus", "blake3"),
        (&ids[3], "ietf", "by-ietf", "blake3"),
    ] {
        let of_id = |call: &&Call| call.json["data"]["upload"] == **id;
        let found: Vec<_> = calls.iter().filter(of_id).collect();
        let [call] = found[..] else {
            panic!("{protocol}: {found:?}");
        };
        check_signature(call);
        assert!(call
            .header("request")
            .starts_with("POST /hook?k=v HTTP/1.1"));
        assert_eq!(call.header("content-type"), "application/json");
        assert_eq!(call.header("host"), hook.address().to_string());
        assert_eq!(call.json["type"], "upload.completed");
        let data = &call.json["data"];
        assert_eq!(call.json["timestamp"], data["time"]);
        assert_eq!(call.header("webhook-id"), data["id"]);
        assert_eq!(data["protocol"], protocol);
        assert_eq!(
            (&data["name"], &data["peer"]),
            (&Value::from(name), &"127.0.0.1".into())
        );
        assert_eq!(data["user"], Value::Null);
        let place = data["place"].as_str().unwrap();
        let content = fs::read(receiver.data().join("files").join(place)).unwrap();
        assert_eq!(data["size"], content.len());
        assert_eq!(data[digest], digest_hex(digest, &content), "{data}");
    }
    // None is told twice.
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(hook.calls().len(), 4);
}

#[test]
fn files_are_told_that_were_finished_before_a_kill_while_the_hook_was_down() {
    let (address, metrics) = (free_port(), free_port().to_string());
    let url = format!("http://{address}/hook");
    let flags = ["--hook-after", &url, "--metrics-listen", &metrics];
    let mut receiver = Receiver::start(&flags);
    let ids = ["a", "b", "c"].map(|name| by_form(&receiver, &Upload::new(name, 1000)));
    wait_until("an attempt", || {
        metric(&metrics, "resup_hook_deliveries_total{result=\"failed\"}").is_some_and(|it| it >= 3)
    });
    wait_until("the queue", || {
        metric(&metrics, "resup_hook_queue") == Some(3)
    });
    let oldest = metric(&metrics, "resup_hook_queue_oldest_timestamp_seconds").unwrap();
    let now = common::signing::now().unsigned_abs();
    assert!(oldest > 0 && now.abs_diff(oldest) < 300, "{oldest}");
    receiver.kill_and_restart();
    let hook = HookServer::start_at(address, |_, _| Answer::Status(200, String::new()));
    let calls = hook.wait_for(3);
    let mut told: Vec<_> = calls
        .iter()
        .map(|call| call.json["data"]["upload"].as_str().unwrap())
        .collect();
    let mut ids: Vec<_> = ids.iter().map(String::as_str).collect();
    told.sort_unstable();
    ids.sort_unstable();
    assert_eq!(told, ids);
    wait_until("the end", || {
        metric(&metrics, "resup_hook_queue") == Some(0)
    });
    assert_eq!(
        metric(&metrics, "resup_hook_queue_oldest_timestamp_seconds"),
        Some(0)
    );
    // Also not after another start.
    receiver.kill_and_restart();
    by_form(&receiver, &Upload::new("d", 1000));
    assert_eq!(hook.wait_for(4)[3].json["data"]["name"], "d");
    assert_eq!(hook.calls().len(), 4);
}

#[test]
fn a_kill_at_the_commit_loses_no_message_and_makes_none_up() {
    for (point, is_finished) in [("before-commit:2", false), ("after-group:2", true)] {
        let hook = HookServer::start();
        let dir = tempfile::tempdir().unwrap();
        let url = hook.url();
        let mut receiver = Receiver::start_changed(dir, &["--hook-after", &url], |_| {});
        // The first commit is that of the locate, the second one that of the end.
        receiver.kill_and_restart_crashing(point);
        let file = Upload::new("a", 1000);
        let (id, _) = receiver.locate_ok(&file);
        let md5 = common::md5_hex(&file.content);
        let mut stream = common::begin(&receiver, &file.send(&id, 0).tail("md5", &md5), 1000);
        let _ =
            std::io::Write::write_all(&mut stream, &file.send(&id, 0).tail("md5", &md5).closing());
        receiver.wait();
        assert_eq!(hook.calls().len(), 0, "{point}");
        receiver.kill_and_restart();
        if !is_finished {
            let (_, offset) = receiver.locate_ok(&file);
            assert_eq!(hook.calls().len(), 0, "{point}");
            receiver.send_rest(&file, &id, offset).expect_complete(1000);
        }
        let calls = hook.wait_for(1);
        assert_eq!(calls[0].json["data"]["upload"], id, "{point}");
        receiver.locate(&file).expect_complete(1000);
        assert_eq!(hook.calls().len(), 1, "{point}");
    }
}

#[test]
fn what_the_hook_does_not_take_is_told_again_with_the_same_id() {
    let other = HookServer::start();
    let elsewhere = other.url();
    let hook = HookServer::start_with(move |_, number| match number {
        0 => Answer::Status(500, "no".to_owned()),
        1 => Answer::To(elsewhere.clone()),
        2 => Answer::Status(200, "x".repeat(100_000)),
        _ => Answer::Status(200, "thanks".to_owned()),
    });
    let receiver = Receiver::start(&["--hook-after", &hook.url()]);
    by_form(&receiver, &Upload::new("a", 1000));
    let calls = hook.wait_for(4);
    for call in &calls {
        assert_eq!(call.header("webhook-id"), calls[0].header("webhook-id"));
        assert_eq!(call.text, calls[0].text);
        assert_eq!(call.header("webhook-signature"), "");
    }
    assert!(other.calls().is_empty());
}

#[test]
fn a_silent_hook_holds_nobody_up_and_is_told_again_after_a_kill() {
    let hook = HookServer::start_with(|call, _| match &call.json["data"]["name"] {
        name if name == "slow" => Answer::Silence,
        _ => Answer::Status(200, String::new()),
    });
    let mut receiver = Receiver::start(&["--hook-after", &hook.url(), "--hook-timeout", "1"]);
    by_form(&receiver, &Upload::new("slow", 1000));
    hook.wait_for(1);
    // The attempt has no end.
    receiver.kill_and_restart();
    for name in ["b", "c", "d"] {
        by_form(&receiver, &Upload::new(name, 1000));
    }
    let of = |name: &str| {
        let calls = hook.calls();
        let of_name = |call: &&Call| call.json["data"]["name"] == name;
        let found = calls.iter().filter(of_name).cloned();
        found.collect::<Vec<_>>()
    };
    wait_until("the others", || {
        ["b", "c", "d"].iter().all(|name| of(name).len() == 1)
    });
    wait_until("another attempt", || of("slow").len() >= 2);
    let calls = of("slow");
    assert_eq!(calls[0].header("webhook-id"), calls[1].header("webhook-id"));
}

#[test]
fn files_that_a_hook_is_still_to_be_told_of_wait_for_one() {
    let (hook, address) = (HookServer::start(), free_port());
    let url = format!("http://{address}/hook");
    let mut receiver = Receiver::start(&["--hook-after", &url]);
    by_form(&receiver, &Upload::new("a", 1000));
    receiver.set_flags(&[]);
    receiver.kill_and_restart();
    // Nobody is told of this one.
    by_form(&receiver, &Upload::new("b", 1000));
    receiver.set_flags(&["--hook-after", &hook.url()]);
    receiver.kill_and_restart();
    hook.wait_for(1);
    by_form(&receiver, &Upload::new("c", 1000));
    let calls = hook.wait_for(2);
    let names: Vec<_> = calls
        .iter()
        .map(|call| &call.json["data"]["name"])
        .collect();
    assert_eq!(names, ["a", "c"]);
}

#[test]
fn the_user_is_told() {
    let hook = HookServer::start();
    let receiver = Receiver::start(&["--hook-after", &hook.url()]);
    admin_ok(receiver.data(), &["user", "add", "joe"], PASSWORD);
    let file = Upload::new("a", 1000);
    let login = [("Authorization", &*basic("joe", PASSWORD))];
    let store = with(file.store("blake3").build(), &login);
    receiver.exchange(&store).expect_complete(1000);
    assert_eq!(hook.wait_for(1)[0].json["data"]["user"], "joe");
}

#[test]
fn the_hook_is_not_told_of_a_file_while_its_upload_has_begun_again() {
    let data = tempfile::tempdir().unwrap();
    let (files, address) = (data.path().join("files"), free_port());
    let url = format!("http://{address}/hook");
    let receiver = Receiver::start_changed(data, &["--hook-after", &url], |_| {});
    let file = Upload::new("a", 1000);
    let id = by_form(&receiver, &file);
    // Half of the file is lost.
    fs::write(files.join(&id), &file.content[..500]).unwrap();
    let (id, offset) = receiver.locate_ok(&file);
    assert_eq!(offset, 0);
    let send = file
        .send(&id, 0)
        .tail("md5", &common::md5_hex(&file.content));
    let mut stream = common::begin(&receiver, &send, 1000);
    let own = files.clone();
    let hook = HookServer::start_at(address, move |call, _| {
        let place = call.json["data"]["place"].as_str().unwrap();
        match fs::read(own.join(place)).is_ok_and(|content| content.len() == 1000) {
            true => Answer::Status(204, String::new()),
            false => Answer::Status(500, "it is not there".to_owned()),
        }
    });
    std::thread::sleep(Duration::from_secs(6));
    assert_eq!(hook.calls().len(), 0);
    std::io::Write::write_all(&mut stream, &send.closing()).unwrap();
    // The first end and the second one.
    hook.wait_for(2);
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(hook.calls().len(), 2);
}
