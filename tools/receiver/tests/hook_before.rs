//! The hook that is asked before an upload is made.

#![cfg(unix)]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use common::accounts::{basic, with};
use common::hook::{wait_until, Answer, HookServer};
use common::raw::Raw;
use common::{Receiver, Reply, Upload};
use serde_json::json;

/// Starts a hook that answers by the beginning of the file's name, and a receiver that asks it.
fn start(flags: &[&str]) -> (HookServer, Receiver) {
    let hook = HookServer::start_with(|call, _| {
        let name = call.json["data"]["name"].as_str().unwrap();
        let answer = match name.split('-').next().unwrap() {
            "refused" => json!({"accept": false, "message": "no such files here"}),
            "large" => json!({"accept": false, "status": 413, "message": "too large for you"}),
            "renamed" => json!({"name": format!("new {name}"), "dir": "inbox/2026"}),
            "bad" => json!({"name": "../../etc/passwd"}),
            "odd" => json!({"acept": false}),
            "down" => return Answer::Status(502, String::new()),
            "gone" => return Answer::Status(403, "{}".to_owned()),
            "silent" => return Answer::Silence,
            "inbox" => json!({"dir": "inbox/"}),
            "empty" => return Answer::Status(204, String::new()),
            _ => json!({"accept": true}),
        };
        Answer::Status(200, answer.to_string())
    });
    let url = hook.url();
    let receiver = Receiver::start(&[&["--hook-before", &url][..], flags].concat());
    (hook, receiver)
}

/// A way to make an upload, with the protocol's word in events.
type Way = (&'static str, fn(&Receiver, &str) -> Reply);

/// Each way.
fn ways() -> [Way; 5] {
    [
        ("form", |receiver, name| {
            receiver.locate(&Upload::new(name, 1000))
        }),
        ("form", |receiver, name| {
            receiver.exchange(&Upload::new(name, 1000).store("blake3").build())
        }),
        ("tus", |receiver, name| {
            Raw::tus_post(1000, &[("filename", name)]).send(receiver)
        }),
        ("tus", |receiver, name| {
            Raw::tus_post(1000, &[("filename", name)])
                .set("Content-Type", "application/offset+octet-stream")
                .body(&Upload::new(name, 1000).content)
                .send(receiver)
        }),
        ("ietf", |receiver, name| {
            let kind = format!("attachment; filename=\"{name}\"");
            Raw::ietf("POST", "/upload", "?1")
                .set("Content-Disposition", &kind)
                .body(&Upload::new(name, 1000).content)
                .send(receiver)
        }),
    ]
}

fn count(receiver: &Receiver) -> usize {
    let list = receiver.get("/uploads");
    list.json["uploads"].as_array().unwrap().len()
}

#[test]
fn what_the_hook_says_holds_in_each_protocol() {
    let (hook, receiver) = start(&[]);
    for (number, (protocol, make)) in ways().into_iter().enumerate() {
        for (name, status, message) in [
            ("refused", 403, "no such files here"),
            ("large", 413, "too large for you"),
            ("bad", 503, "the receiver's hook does not answer now"),
            ("odd", 503, "the receiver's hook does not answer now"),
            ("down", 503, "the receiver's hook does not answer now"),
            ("gone", 503, "the receiver's hook does not answer now"),
        ] {
            let reply = make(&receiver, &format!("{name}-{number}"));
            assert_eq!(reply.status, status, "{protocol} {name}: {}", reply.head);
            let told = reply.json["message"].as_str().unwrap();
            assert!(told.contains(message), "{protocol} {name}: {told}");
            assert_eq!(
                reply.header("retry-after").is_some(),
                status == 503,
                "{name}"
            );
        }
        assert_eq!(count(&receiver), 2 * number, "{protocol}");
        let asked = hook.calls().len();
        for name in ["taken", "empty"] {
            let reply = make(&receiver, &format!("{name}-{number}"));
            assert!(
                [200, 201].contains(&reply.status),
                "{protocol}: {}",
                reply.head
            );
        }
        let calls = hook.calls();
        assert_eq!(calls.len(), asked + 2, "{protocol}");
        let call = &calls[asked].json;
        assert_eq!(
            (&call["type"], &call["data"]["protocol"]),
            (&"upload.before".into(), &protocol.into())
        );
        assert_eq!(call["data"]["size"], 1000, "{call}");
        assert_eq!(call["data"]["peer"], "127.0.0.1");
        assert_eq!(call["data"]["partial"], false);
    }
}

#[test]
fn a_file_goes_where_the_hook_wants_it_and_its_upload_goes_on() {
    let (hook, receiver) = start(&["--layout", "tree"]);
    for (number, (protocol, make)) in ways().into_iter().enumerate() {
        let name = format!("renamed-{number}");
        let file = Upload::new(&name, 1000);
        let reply = make(&receiver, &name);
        assert!(
            [200, 201].contains(&reply.status),
            "{protocol}: {}",
            reply.head
        );
        let asked = hook.calls().len();
        match (reply.status, reply.header("location")) {
            // It is found by the client's own name, and nobody is asked again.
            (200, _) => {
                let (id, offset) = receiver.locate_ok(&file);
                assert_eq!(id, reply.id());
                receiver.send_rest(&file, &id, offset).expect_complete(1000);
                receiver.locate(&file).expect_complete(1000);
            }
            (_, Some(place)) if receiver.tus_offset(place) == 0 => {
                Raw::tus_patch(place, 0, &file.content).send(&receiver);
            }
            _ => {}
        }
        assert_eq!(hook.calls().len(), asked, "{protocol}");
        let path = receiver
            .data()
            .join(format!("files/_/inbox/2026/new {name}"));
        assert_eq!(fs::read(path).unwrap(), file.content, "{protocol}");
        let list = receiver.get("/uploads");
        let item = &list.json["uploads"][0];
        assert_eq!(
            (&item["name"], &item["dir"]),
            (&format!("new {name}").into(), &"inbox/2026".into())
        );
        let id = item["id"].as_str().unwrap();
        let download = receiver.get(&format!("/uploads/{id}/file"));
        let disposition = download.header("content-disposition").unwrap();
        assert!(
            disposition.contains(&format!("new {name}")),
            "{disposition}"
        );
    }
}

#[test]
fn a_silent_hook_is_waited_for_a_time_and_holds_nobody_up() {
    let (hook, receiver) = start(&["--hook-timeout", "2"]);
    let known = Upload::new("known", 1000);
    let (id, _) = receiver.locate_ok(&known);
    let silent = Upload::new("silent-1", 1000);
    thread::scope(|scope| {
        let waits = scope.spawn(|| receiver.locate(&silent));
        hook.wait_for(2);
        // While it waits: one that is known goes on, and a new one is made.
        receiver.send_rest(&known, &id, 0).expect_complete(1000);
        receiver.locate_ok(&Upload::new("taken", 1000));
        assert!(!waits.is_finished());
        waits.join().unwrap().expect(503, "try again later");
    });
    // Nothing was made of it, and the next attempt asks again.
    assert_eq!(count(&receiver), 2);
    receiver
        .locate(&Upload::new("silent-1", 1000))
        .expect(503, "try again");
    assert_eq!(hook.calls().len(), 4);
}

#[test]
fn the_pieces_of_a_file_and_the_whole_are_asked_for() {
    let (hook, receiver) = start(&["--layout", "tree"]);
    let places = [300, 700].map(|size| {
        let content = Upload::new("x", size).content;
        let made = Raw::tus_post(size as u64, &[]).set("Upload-Concat", "partial");
        let place = made.send(&receiver).place();
        assert_eq!(
            Raw::tus_patch(&place, 0, &content).send(&receiver).status,
            204
        );
        place
    });
    let join = |name: &str| {
        Raw::tus("POST", "/upload")
            .set(
                "Upload-Concat",
                &format!("final;{} {}", places[0], places[1]),
            )
            .set("Upload-Metadata", &format!("filename {}", base64(name)))
            .send(&receiver)
    };
    join("refused-1").expect(403, "no such files here");
    join("renamed-1").place();
    let path = receiver.data().join("files/_/inbox/2026/new renamed-1");
    assert_eq!(fs::read(path).unwrap().len(), 1000);
    let asked = hook.calls();
    let partial: Vec<_> = asked
        .iter()
        .map(|call| &call.json["data"]["partial"])
        .collect();
    assert_eq!(partial, [true, true, false, false]);
    assert_eq!(asked[3].json["data"]["size"], 1000);
}

fn base64(text: &str) -> String {
    base64::Engine::encode(&base64::prelude::BASE64_STANDARD, text)
}

#[test]
fn a_program_answers_on_its_standard_output() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ask");
    fs::write(
        &path,
        "#!/bin/sh\nread -r line\n\
         case \"$line\" in\n\
         *'\"user\":\"ann\"'*) echo '{\"accept\": false, \"message\": \"not ann\"}';;\n\
         *fails*) echo broken >&2; exit 1;;\n\
         *silent*) exec sleep 60;;\n\
         *background*) sleep 5 & echo '{\"name\": \"b\"}';;\n\
         esac\n",
    )
    .unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let flags = [
        "--hook-before",
        path.to_str().unwrap(),
        "--hook-timeout",
        "3",
    ];
    let receiver = Receiver::start_with_users(&["joe", "ann"], &flags);
    let make = |user: &str, name: &str| {
        let login = [("Authorization", &*basic(user, common::accounts::PASSWORD))];
        receiver.exchange(&with(Upload::new(name, 10).store("blake3").build(), &login))
    };
    make("joe", "a").expect_complete(10);
    make("ann", "a").expect(403, "not ann");
    make("joe", "fails").expect(503, "try again later");
    make("joe", "silent").expect(503, "try again later");
    // What it leaves behind does not hold the answer back.
    make("joe", "background").expect_complete(10);
}

#[test]
fn a_slash_at_the_end_of_a_directory_is_as_a_client_may_write_it() {
    let (_hook, receiver) = start(&["--layout", "tree"]);
    let file = Upload::new("inbox-1", 10);
    receiver
        .exchange(&file.store("blake3").build())
        .expect_complete(10);
    assert!(receiver.data().join("files/_/inbox/inbox-1").exists());
}

#[test]
fn a_hook_that_is_asked_about_joined_pieces_does_not_hold_up_the_end() {
    let (hook, mut receiver) = start(&["--hook-timeout", "100"]);
    let made = Raw::tus_post(10, &[]).set("Upload-Concat", "partial");
    let place = made.send(&receiver).place();
    let content = Upload::new("x", 10).content;
    Raw::tus_patch(&place, 0, &content).send(&receiver);
    let join = Raw::tus("POST", "/upload")
        .set("Upload-Concat", &format!("final;{place}"))
        .set(
            "Upload-Metadata",
            &format!("filename {}", base64("silent-1")),
        );
    let _stream = join.begin(&receiver, 0);
    hook.wait_for(2);
    // The piece is free meanwhile.
    assert_eq!(receiver.tus_offset(&place), 10);
    let begin = Instant::now();
    assert!(receiver.terminate().success());
    assert!(begin.elapsed() < Duration::from_secs(50));
}

/// Writes a program. Returns its path.
fn script(dir: &Path, text: &str) -> String {
    let path = dir.join("ask");
    fs::write(&path, format!("#!/bin/sh\n{text}")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}

#[test]
fn what_a_program_has_started_ends_with_its_time_and_with_the_receiver() {
    for (time, ends) in [("1", false), ("100", true)] {
        let dir = tempfile::tempdir().unwrap();
        let path = script(
            dir.path(),
            "sleep 200 &\necho $! > \"$0.new\"; mv \"$0.new\" \"$0.child\"\nwait\n",
        );
        let flags = ["--hook-before", &path, "--hook-timeout", time];
        let mut receiver = Receiver::start(&flags);
        let mut stream = receiver.connect();
        let request = Upload::new("a", 10).store("blake3").build();
        std::io::Write::write_all(&mut stream, &request).unwrap();
        let child = dir.path().join("ask.child");
        wait_until("the program", || child.exists());
        let child = fs::read_to_string(child).unwrap();
        if ends {
            receiver.terminate();
        }
        // One that nobody has buried yet has ended, too.
        let stat = format!("/proc/{}/stat", child.trim());
        wait_until("the end of what it has started", || {
            fs::read_to_string(&stat).map_or(true, |stat| stat.contains(") Z "))
        });
    }
}

#[test]
fn a_program_may_write_much_to_its_standard_error_and_no_long_answer() {
    let dir = tempfile::tempdir().unwrap();
    let path = script(
        dir.path(),
        "read -r line\nhead -c 300000 /dev/zero >&2 || exit 1\n\
         case \"$line\" in *long*) yes | head -c 300000;; esac\n",
    );
    let receiver = Receiver::start(&["--hook-before", &path]);
    let make = |name: &str| receiver.exchange(&Upload::new(name, 10).store("blake3").build());
    make("a").expect_complete(10);
    make("long").expect(503, "try again later");
}

#[test]
fn a_program_by_a_link_is_run_by_that_link() {
    let dir = tempfile::tempdir().unwrap();
    let path = script(dir.path(), "test \"${0##*/}\" = link\n");
    let link = dir.path().join("link");
    std::os::unix::fs::symlink(path, &link).unwrap();
    let receiver = Receiver::start(&["--hook-before", link.to_str().unwrap()]);
    let file = Upload::new("a", 10).store("blake3").build();
    receiver.exchange(&file).expect_complete(10);
}
