//! Downloads from an object store, what is not offered with one, settings and memory.

#![cfg(target_os = "linux")]

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use common::objects::{address, upload, Scene, PART, TIME};
use common::{check_prefix, encode, head, Receiver, Reply, Upload, OFFER};
use resup_test_support::chaos::ChaosProxy;
use resup_test_support::s3::{Kind, S3Server, ACCESS, ALL};

#[test]
fn ranges_are_downloaded_and_a_lost_object_is_none() {
    for kind in ALL {
        let Some(scene) = Scene::start(kind, &[]) else {
            continue;
        };
        let file = Upload::new("a", PART + 100_000);
        let id = upload(&scene.receiver, &file, usize::MAX);
        for (range, bytes) in [
            ("bytes=0-0", 0..1),
            ("bytes=100-8400000", 100..8_400_001),
            ("bytes=-5", file.content.len() - 5..file.content.len()),
        ] {
            let target = format!("/uploads/{id}/file");
            let request =
                format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nRange: {range}\r\n\r\n");
            let reply = scene.receiver.exchange(request.as_bytes());
            assert_eq!(reply.status, 206);
            assert!(reply.body == file.content[bytes], "{range}");
        }
        let head = head("HEAD", &format!("/uploads/{id}/file"), "", 0);
        let mut stream = scene.receiver.connect();
        stream.write_all(&head).unwrap();
        let reply = Reply::read_head(&mut stream);
        assert!(reply
            .head
            .contains(&format!("content-length: {}", file.content.len())));
        scene.server.remove(&format!("some/where/files/{id}"));
        let target = format!("/uploads/{id}/file");
        assert_eq!(scene.receiver.get(&target).status, 404);
        assert_eq!(scene.receiver.get(&format!("/uploads/{id}")).status, 404);
        let (_, offset) = check_prefix(&scene.receiver, &file);
        assert_eq!(offset, 0);
        let again = upload(&scene.receiver, &file, usize::MAX);
        scene.check(&again, &file);
    }
}

#[test]
fn downloads_go_to_the_store_where_that_is_wanted() {
    for kind in ALL {
        let Some(scene) = Scene::start(kind, &["--redirect-downloads"]) else {
            continue;
        };
        let file = Upload::new("a \"ü\".bin", 500_000);
        let id = upload(&scene.receiver, &file, usize::MAX);
        let reply = scene.receiver.get(&format!("/uploads/{id}/file"));
        assert_eq!((reply.status, reply.body.len()), (307, 0));
        assert!(reply.head.contains("cache-control: private, no-store"));
        let mut stream = scene.receiver.connect();
        let target = format!("/uploads/{id}/file");
        stream.write_all(&head("GET", &target, "", 0)).unwrap();
        let mut head = [0; 4096];
        let count = stream.read(&mut head).unwrap();
        let text = String::from_utf8_lossy(&head[..count]);
        let place = text
            .lines()
            .find_map(|line| line.strip_prefix("location: "));
        let place = place.unwrap().trim();
        let path = place
            .strip_prefix(&format!("http://{}", scene.proxy.addr()))
            .unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n",
            scene.proxy.addr()
        );
        let mut stream = TcpStream::connect(scene.proxy.addr()).unwrap();
        stream.set_read_timeout(Some(TIME)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let reply = Reply::read(&mut stream);
        assert_eq!(reply.status, 200, "{}", reply.head);
        assert!(reply.body == file.content);
        assert!(reply
            .head
            .contains("content-type: application/octet-stream"));
        // versitygw takes no name.
        let is_named = reply.head.contains("content-disposition: attachment");
        assert!(is_named || kind == Kind::Versity, "{}", reply.head);
        let secret = ACCESS[1].1;
        assert!(
            !text.contains(secret) && !scene.log().contains("X-Amz"),
            "{text}"
        );
    }
}

#[test]
fn parts_and_concatenation_are_not_offered() {
    let Some(scene) = Scene::start(Kind::Versity, &[]) else {
        return;
    };
    let (receiver, file) = (&scene.receiver, Upload::new("a", 1000));
    let found = receiver.locate(&file.clone().with("digests", OFFER));
    assert!(found.json.get("parts").is_none(), "{:?}", found.json);
    let part = file.part(&found.id(), "run", 500, 1000).build();
    receiver.exchange(&part).expect(400, "takes no parts");
    let request = "OPTIONS /upload HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let mut stream = receiver.connect();
    stream.write_all(request.as_bytes()).unwrap();
    let reply = Reply::read_head(&mut stream);
    assert!(
        reply.head.contains("tus-extension: creation,") && !reply.head.contains("concatenation"),
        "{}",
        reply.head
    );
    let request =
        "POST /upload HTTP/1.1\r\nHost: localhost\r\nTus-Resumable: 1.0.0\r\nUpload-Length: 5\r\n\
                   Upload-Concat: partial\r\nContent-Length: 0\r\n\r\n";
    receiver
        .exchange(request.as_bytes())
        .expect(400, "joins no uploads");
}

#[test]
fn wrong_settings_are_told_at_the_start() {
    let Some(server) = S3Server::start(Kind::Versity) else {
        return;
    };
    let proxy = ChaosProxy::clean(server.addr());
    let good = address(&proxy);
    let bad_key = ("AWS_SECRET_ACCESS_KEY", "quite-another-secret");
    for (store, variable, told) in [
        (good.clone(), bad_key, "check the credentials"),
        (
            good.replace("bucket", "other"),
            ACCESS[1],
            "is the bucket there",
        ),
        (
            format!("{good}&secret={}", encode("hidden")),
            ACCESS[1],
            "takes no 'secret'",
        ),
        ("ftp://bucket".to_owned(), ACCESS[1], "begins with none of"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let mut command = common::command(dir.path(), &[]);
        command.args(["--store", &store]).envs(ACCESS);
        command.env(variable.0, variable.1);
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && text.contains(told), "{text}");
        for hidden in [
            "quite-another-secret",
            ACCESS[1].1,
            "hidden",
            "AWSAccessKeyId",
        ] {
            assert!(!text.contains(hidden), "{text}");
        }
    }
}

/// The memory that a process has, in bytes.
fn memory(receiver: &Receiver) -> usize {
    let path = format!("/proc/{}/statm", receiver.pid());
    let text = std::fs::read_to_string(path).unwrap();
    let pages = text.split(' ').nth(1).unwrap();
    pages.parse::<usize>().unwrap() * 4096
}

#[test]
fn memory_is_bounded_for_each_upload() {
    const COUNT: usize = 6;
    let Some(scene) = Scene::start(Kind::Versity, &[]) else {
        return;
    };
    let warm = Upload::new("warm", PART + 1);
    upload(&scene.receiver, &warm, usize::MAX);
    let before = memory(&scene.receiver);
    let most = thread::scope(|scope| {
        let uploads: Vec<_> = (0..COUNT)
            .map(|number| {
                let receiver = &scene.receiver;
                scope.spawn(move || {
                    let file = Upload::new(&format!("{number}"), 5 * PART + number);
                    upload(receiver, &file, usize::MAX);
                })
            })
            .collect();
        let mut most = 0;
        while uploads.iter().any(|it| !it.is_finished()) {
            most = most.max(memory(&scene.receiver));
            thread::sleep(Duration::from_millis(10));
        }
        most
    });
    let each = most.saturating_sub(before) / COUNT;
    println!(
        "{COUNT} uploads of {} bytes: {each} bytes of memory more for each",
        5 * PART
    );
    assert!(each <= 16 << 20, "{each}");
}
