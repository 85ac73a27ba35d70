//! What owners can do with their uploads: list, details, download, deletion.

mod common;

use std::thread;
use std::time::Duration;

use common::{begin, md5_hex, Receiver, Reply, Upload};
use serde_json::Value;
use sha2::{Digest, Sha256};

fn finished(receiver: &Receiver, file: &Upload) -> String {
    let (id, _) = receiver.locate_ok(file);
    let size = file.content.len() as u64;
    receiver.send_rest(file, &id, 0).expect_complete(size);
    id
}

fn ids(list: &Reply) -> Vec<String> {
    let uploads = list.json["uploads"].as_array().unwrap();
    uploads
        .iter()
        .map(|item| item["id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_list_has_finished_and_unfinished_uploads() {
    let receiver = Receiver::start(&[]);
    let first = Upload::new("文.bin", 1000).with("dir", "a/b");
    let done = finished(&receiver, &first);
    let half = Upload::new("half.bin", 1000);
    let (open, _) = receiver.locate_ok(&half);
    thread::sleep(Duration::from_millis(5));
    receiver.exchange(&half.send(&open, 0).limit(300).build());

    let list = receiver.get("/uploads");
    assert_eq!(list.status, 200);
    assert_eq!(ids(&list), [open.clone(), done.clone()]);
    let partial = &list.json["uploads"][0];
    assert_eq!(partial["state"], "partial");
    assert_eq!(partial["offset"], 300);
    assert_eq!(partial["active"], false);
    assert_eq!(partial["location"], Value::Null);
    let complete = &list.json["uploads"][1];
    assert_eq!(complete["name"], "文.bin");
    assert_eq!(complete["dir"], "a/b");
    assert_eq!(
        (&complete["size"], &complete["offset"]),
        (&1000.into(), &1000.into())
    );
    assert_eq!(complete["state"], "complete");
    assert_eq!(complete["mtime"], 1_700_000_000_000_i64);
    assert_eq!(complete["md5"], md5_hex(&first.content));
    let sha256 = Sha256::digest(&first.content);
    let sha256: String = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(complete["sha256"], sha256);
    assert_eq!(complete["location"], format!("/uploads/{done}/file"));
    let (created, changed) = (&complete["created"], &complete["changed"]);
    assert!(0 < created.as_i64().unwrap() && created.as_i64() <= changed.as_i64());

    let details = receiver.get(&format!("/uploads/{done}"));
    assert_eq!((details.status, &details.json), (200, complete));
    assert_eq!(ids(&receiver.get("/uploads?state=partial")), [open]);
    assert_eq!(ids(&receiver.get("/uploads?state=complete")), [done]);
}

#[test]
fn a_long_list_comes_in_pages() {
    let receiver = Receiver::start(&[]);
    let mut made: Vec<String> = (0..7)
        .map(|n| receiver.locate_ok(&Upload::new(&format!("{n}"), 10)).0)
        .collect();
    let mut seen = Vec::new();
    let mut page = ids(&receiver.get("/uploads?limit=3"));
    while let Some(last) = page.last().cloned() {
        assert!(page.len() <= 3);
        seen.append(&mut page);
        page = ids(&receiver.get(&format!("/uploads?limit=3&after={last}")));
    }
    made.sort();
    seen.sort();
    assert_eq!(seen, made);
    for (query, message) in [
        ("state=lost", "'lost'"),
        ("limit=0", "'0'"),
        ("limit=1001", "'1001'"),
    ] {
        let reply = receiver.get(&format!("/uploads?{query}"));
        reply.expect(400, message);
    }
    receiver.get("/uploads?after=none").expect(404, "'none'");
}

#[test]
fn a_finished_file_is_downloaded_and_never_shown() {
    let receiver = Receiver::start(&[]);
    let file = Upload::new("报告 \"1\".html", 200_000);
    let id = finished(&receiver, &file);
    let target = format!("/uploads/{id}/file");
    let reply = receiver.get(&target);
    assert_eq!((reply.status, &reply.body), (200, &file.content));
    for line in [
        "content-type: application/octet-stream",
        "x-content-type-options: nosniff",
        "content-security-policy: sandbox",
        "accept-ranges: bytes",
        "content-disposition: attachment; filename=\"__ _1_.html\"; \
         filename*=utf-8''%e6%8a%a5%e5%91%8a%20%221%22.html",
    ] {
        assert!(reply.head.lines().any(|l| l == line), "{}", reply.head);
    }
}

#[test]
fn a_part_of_a_file_is_downloaded() {
    let receiver = Receiver::start(&[]);
    let file = Upload::new("a.bin", 100_000);
    let id = finished(&receiver, &file);
    let target = format!("/uploads/{id}/file");
    let part = |header: &str| {
        let request = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n{header}\r\n");
        receiver.exchange(request.as_bytes())
    };
    for (range, first, last) in [
        ("0-0", 0, 0),
        ("70000-", 70_000, 99_999),
        ("-10", 99_990, 99_999),
        ("5-1000000", 5, 99_999),
    ] {
        let reply = part(&format!("Range: bytes={range}\r\n"));
        assert_eq!(reply.status, 206, "{range}");
        assert_eq!(reply.body, file.content[first..=last], "{range}");
        let told = format!("content-range: bytes {first}-{last}/100000");
        assert!(reply.head.contains(&told), "{}", reply.head);
    }
    let whole = part("");
    for header in [
        "Range: bytes=0-1,5-6\r\n",
        "Range: lines=1-2\r\n",
        "Range: bytes=0-1\r\nIf-Range: \"of another one\"\r\n",
    ] {
        let reply = part(header);
        assert_eq!((reply.status, &reply.body), (200, &whole.body), "{header}");
    }
    let tag = whole.head.lines().find_map(|l| l.strip_prefix("etag: "));
    let reply = part(&format!(
        "Range: bytes=0-1\r\nIf-Range: {}\r\n",
        tag.unwrap()
    ));
    assert_eq!(reply.status, 206);
    let beyond = part("Range: bytes=100000-\r\n");
    assert_eq!(beyond.status, 416);
    assert!(beyond.head.contains("content-range: bytes */100000"));
}

#[test]
fn a_file_that_is_not_finished_cannot_be_downloaded() {
    let receiver = Receiver::start(&[]);
    let file = Upload::new("a.bin", 1000);
    let (id, _) = receiver.locate_ok(&file);
    receiver.exchange(&file.send(&id, 0).limit(300).build());
    let reply = receiver.get(&format!("/uploads/{id}/file"));
    reply.expect(404, "300 of 1000 bytes");
}

#[test]
fn a_deleted_upload_is_removed_with_its_bytes() {
    let receiver = Receiver::start(&[]);
    let file = Upload::new("a.bin", 1000);
    let id = finished(&receiver, &file);
    let target = format!("/uploads/{id}");
    assert_eq!(receiver.delete(&target).status, 204);
    assert!(!receiver.file(&id).exists());
    receiver.get(&target).expect(404, &id);
    receiver.get(&format!("{target}/file")).expect(404, &id);
    receiver.delete(&target).expect(404, &id);
    receiver.send_rest(&file, &id, 0).expect(404, "no upload");
    // It goes up again under a new id.
    assert_ne!(finished(&receiver, &file), id);
}

#[test]
fn an_upload_that_is_being_sent_is_not_deleted() {
    let receiver = Receiver::start(&[]);
    let file = Upload::new("a.bin", 100_000);
    let (id, _) = receiver.locate_ok(&file);
    let send = file.send(&id, 0);
    let mut live = begin(&receiver, &send, 0);
    thread::scope(|scope| {
        let feeder = scope.spawn(|| {
            use std::io::Write;
            for piece in file.content.chunks(2_500) {
                live.write_all(piece).unwrap();
                thread::sleep(Duration::from_millis(100));
            }
            live.write_all(&send.closing()).unwrap();
            Reply::read(&mut live)
        });
        thread::sleep(Duration::from_millis(200));
        let target = format!("/uploads/{id}");
        assert_eq!(receiver.get(&target).json["active"], true);
        receiver.delete(&target).expect(423, "another client");
        feeder.join().unwrap().expect_complete(100_000);
    });
}

#[test]
fn an_upload_deleted_during_a_locate_is_made_again() {
    let receiver = Receiver::start(&[]);
    let file = Upload::new("a.bin", 10);
    let locate_and_delete = || {
        for _ in 0..100 {
            let found = receiver.locate(&file);
            assert!(matches!(found.status, 200 | 423), "{:?}", found.json);
            if found.status == 200 {
                receiver.delete(&format!("/uploads/{}", found.id()));
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(locate_and_delete);
        }
    });
}
