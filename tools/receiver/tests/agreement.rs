//! Digests by agreement: which one a locate names, and that it proves the upload.

mod common;

use std::fs;

use common::accounts::admin_fails;
use common::{
    begin, cut, digest_hex, has_no_sqlite, md5_hex, sha256_hex, Receiver, Reply, Upload, OFFER,
};
use serde_json::Value;
use sqlx::{Connection, Executor, SqliteConnection};

/// Locates as a client that can use these digests.
fn locate(receiver: &Receiver, file: &Upload, digests: &str) -> Reply {
    let reply = receiver.locate(&file.clone().with("digests", digests));
    assert_eq!(reply.status, 200, "{:?}", reply.json);
    reply
}

/// Checks the agreed digest, and that of the bytes that are there.
fn check(reply: &Reply, file: &Upload, digest: &str) {
    assert_eq!(reply.text("digest"), digest);
    let held = &file.content[..reply.offset() as usize];
    let prefix = format!("prefix_{digest}");
    assert_eq!(reply.text(&prefix), digest_hex(digest, held));
    let others = ["prefix_md5", "prefix_sha256", "prefix_blake3"];
    for other in others.into_iter().filter(|other| *other != prefix) {
        assert_eq!(reply.json[other], Value::Null, "{:?}", reply.json);
    }
}

/// Sends all from `offset` to an offset with the digest of what is there then.
fn send_to(
    receiver: &Receiver,
    file: &Upload,
    digest: &str,
    id: &str,
    from: u64,
    to: usize,
) -> Reply {
    let prefix = digest_hex(digest, &file.content[..to]);
    let send = file.send(id, from).set("digest", digest);
    let send = send.tail(&format!("prefix_{digest}"), &prefix);
    receiver.exchange(&send.limit(to - from as usize).build())
}

#[test]
fn the_first_digest_of_the_client_is_agreed_on_for_a_new_upload() {
    let mut receiver = Receiver::start(&[]);
    for (n, offered) in [OFFER, "sha256,blake3", "md5", "sha1,blake3,md5"]
        .into_iter()
        .enumerate()
    {
        let file = Upload::new(&format!("a{n}"), 300_000);
        let names = offered.split(',');
        let digest = names.into_iter().find(|name| *name != "sha1").unwrap();
        let found = locate(&receiver, &file, offered);
        check(&found, &file, digest);
        let id = found.id();
        let part = send_to(&receiver, &file, digest, &id, 0, 100_001);
        check(&part, &file, digest);
        receiver.kill_and_restart();
        let found = locate(&receiver, &file, offered);
        assert_eq!(found.offset(), 100_001);
        check(&found, &file, digest);
        let end = receiver.exchange(&file.send_with(digest, &id, 100_001).build());
        check(&end.expect_complete(300_000), &file, digest);
        assert_eq!(receiver.stored(&id), file.content);
        check(&locate(&receiver, &file, offered), &file, digest);
    }
}

#[test]
fn a_client_of_1_0_gets_no_member_of_1_1() {
    let receiver = Receiver::start(&[]);
    let file = Upload::new("a", 1000);
    let members = |reply: &Reply| {
        let members = reply.json.as_object().unwrap().keys();
        members.cloned().collect::<Vec<_>>().join(" ")
    };
    let found = receiver.locate(&file);
    assert_eq!(members(&found), "id offset prefix_md5 state");
    // Nor does one whose digests are all unknown.
    let found = locate(&receiver, &file, "crc32,sha1");
    assert_eq!(members(&found), "id offset prefix_md5 state");
    let sent = receiver.exchange(&file.send(&found.id(), 0).limit(10).build());
    assert_eq!(members(&sent), "id offset prefix_md5 state");
    let end = receiver.send_rest(&file, &found.id(), 10);
    assert_eq!(members(&end), "id location offset prefix_md5 state");
}

#[test]
fn a_digest_that_an_upload_lacks_is_computed_from_its_bytes() {
    let mut receiver = Receiver::start(&[]);
    let file = Upload::new("a", 400_000);
    let id = locate(&receiver, &file, "blake3").id();
    send_to(&receiver, &file, "blake3", &id, 0, 100_000);
    // An older client goes on, then one that was asked to use SHA-256.
    let found = receiver.locate(&file);
    assert_eq!(found.text("prefix_md5"), md5_hex(&file.content[..100_000]));
    receiver.exchange(&file.send(&id, 100_000).limit(100_000).build());
    check(&locate(&receiver, &file, "sha256"), &file, "sha256");
    receiver.kill_and_restart();
    // The one that it was begun with is still there.
    check(&locate(&receiver, &file, OFFER), &file, "blake3");
    send_to(&receiver, &file, "sha256", &id, 200_000, 300_000);
    receiver
        .send_rest(&file, &id, 300_000)
        .expect_complete(400_000);
    let details = receiver.get(&format!("/uploads/{id}"));
    for name in ["md5", "sha256", "blake3"] {
        assert_eq!(details.text(name), digest_hex(name, &file.content));
    }
}

#[test]
fn a_digest_that_a_finished_file_lacks_is_computed_and_is_no_change_of_the_file() {
    let receiver = Receiver::start(&[]);
    let file = Upload::new("a", 100_000);
    let (id, _) = receiver.locate_ok(&file);
    receiver.send_rest(&file, &id, 0).expect_complete(100_000);
    let before = receiver.get(&format!("/uploads/{id}")).json["changed"].clone();
    check(&locate(&receiver, &file, "blake3"), &file, "blake3");
    let after = receiver.get(&format!("/uploads/{id}"));
    assert_eq!(after.json["changed"], before);
    assert_eq!(after.text("blake3"), digest_hex("blake3", &file.content));
    // The one that is there already is better than the client's first.
    check(&locate(&receiver, &file, "sha256,blake3"), &file, "sha256");
}

#[test]
fn the_agreed_digest_is_checked_and_restarts_an_upload() {
    for digest in ["blake3", "sha256", "md5"] {
        let receiver = Receiver::start(&[]);
        let file = Upload::new("a", 200_000);
        let id = locate(&receiver, &file, digest).id();
        send_to(&receiver, &file, digest, &id, 0, 50_000);
        let wrong = file.send(&id, 50_000).set("digest", digest);
        let wrong = wrong.tail(digest, &digest_hex(digest, b"another file"));
        let refused = receiver.exchange(&wrong.build()).expect(422, "digest");
        assert_eq!(
            (refused.text("error"), refused.offset()),
            ("digest", 50_000)
        );
        check(&refused, &file, digest);
        let misplaced = file.send_with(digest, &id, 60_000);
        let refused = receiver.exchange(&misplaced.build()).expect(409, "60000");
        check(&refused, &file, digest);
        // A restart with another digest than the agreed one's is late.
        let late = file.send_with(digest, &id, 0);
        let of_less = digest_hex(digest, &file.content[..49_999]);
        let late = receiver.exchange(&late.set("restart", &of_less).build());
        assert_eq!((late.status, late.offset()), (409, 50_000));
        let right = digest_hex(digest, &file.content[..50_000]);
        let restart = file.send_with(digest, &id, 0).set("restart", &right);
        receiver.exchange(&restart.build()).expect_complete(200_000);
        assert_eq!(receiver.stored(&id), file.content);
    }
}

#[test]
fn a_broken_send_is_answered_with_the_agreed_digest() {
    let receiver = Receiver::start(&[]);
    let file = Upload::new("a", 100_000);
    let id = locate(&receiver, &file, OFFER).id();
    cut(begin(&receiver, &file.send_with("blake3", &id, 0), 30_000));
    let found = locate(&receiver, &file, OFFER);
    assert_eq!(found.offset(), 30_000);
    check(&found, &file, "blake3");
    let short = file.send_with("blake3", &id, 30_000).set("length", "70001");
    let short = receiver.exchange(&short.set("size", "100000").build());
    assert_eq!(short.status, 400);
}

#[test]
fn a_name_that_is_no_digest_is_refused() {
    let receiver = Receiver::start(&[]);
    let file = Upload::new("a", 1000);
    let id = locate(&receiver, &file, OFFER).id();
    let send = file.send(&id, 0).set("digest", "crc32");
    receiver.exchange(&send.build()).expect(400, "'digest'");
    let bad = file.clone().with("blake3", "00");
    receiver.locate(&bad).expect(400, "'blake3'");
}

#[test]
fn known_content_is_found_by_any_digest() {
    let receiver = Receiver::start(&["--digests", "md5,sha256,blake3"]);
    let file = Upload::new("a", 1000);
    let (id, _) = receiver.locate_ok(&file);
    receiver.send_rest(&file, &id, 0).expect_complete(1000);
    for digest in ["md5", "sha256", "blake3"] {
        let mut copy = file.clone().with("digests", digest);
        copy = copy.with(digest, &digest_hex(digest, &file.content));
        // Under the same name with another time of change it is the same file.
        copy.fields[0].1 = "1".to_owned();
        let same = receiver.locate(&copy).expect_complete(1000);
        assert_eq!(same.id(), id, "{digest}");
        copy.name = digest.to_owned();
        let instant = receiver.locate(&copy).expect_complete(1000);
        check(&instant, &file, digest);
        assert_eq!(receiver.stored(&instant.id()), file.content);
        let wrong = Upload::new("b", 1000).with(digest, &digest_hex(digest, b"b"));
        assert_eq!(receiver.locate_ok(&wrong).1, 0);
    }
}

#[test]
fn content_that_only_its_md5_tells_is_compared_by_a_better_digest() {
    let receiver = Receiver::start(&["--digests", "none"]);
    let file = Upload::new("a", 1000);
    let (first, _) = receiver.locate_ok(&file);
    receiver.send_rest(&file, &first, 0).expect_complete(1000);
    let copy = |name: &str, blake3: &str| {
        let mut copy = file.clone().with("md5", &md5_hex(&file.content));
        copy.name = name.to_owned();
        copy.with("blake3", blake3).with("digests", OFFER)
    };
    let wrong = copy("wrong", &"0".repeat(64));
    assert_eq!(receiver.locate_ok(&wrong).1, 0);
    let right = copy("right", &digest_hex("blake3", &file.content));
    check(
        &receiver.locate(&right).expect_complete(1000),
        &file,
        "blake3",
    );
    // What is left of the attempt with the wrong one does no harm.
    let (id, _) = receiver.locate_ok(&wrong);
    let other = Upload {
        content: vec![7; 1000],
        ..wrong
    };
    receiver.exchange(&other.send(&id, 0).limit(500).build());
    assert_eq!(fs::read(receiver.partial(&id)).unwrap(), [7; 500]);
    assert_eq!(receiver.stored(&first), file.content);
    assert_eq!(receiver.get(&format!("/uploads/{id}/file")).status, 404);
}

#[test]
fn files_without_a_time_are_told_apart_by_the_agreed_digest() {
    let receiver = Receiver::start(&[]);
    let version = |size: usize, byte: u8| {
        let mut file = Upload::new("a", size);
        file.fields.clear();
        file.content[0] = byte;
        let blake3 = digest_hex("blake3", &file.content);
        file.with("digests", "blake3").with("blake3", &blake3)
    };
    let files = [version(1000, 1), version(1000, 2)];
    let ids = files.each_ref().map(|file| receiver.locate_ok(file).0);
    assert_ne!(ids[0], ids[1]);
    for (file, id) in files.iter().zip(&ids) {
        receiver.exchange(&file.send(id, 0).limit(400).build());
    }
    for (file, id) in files.iter().zip(&ids) {
        assert_eq!(receiver.locate_ok(file), (id.clone(), 400));
    }
    // Nor is one of them what a client means that knows another digest only.
    let mut older = files[0].clone();
    older.fields = vec![("md5".to_owned(), md5_hex(&files[0].content))];
    assert_eq!(receiver.locate_ok(&older).1, 0);
}

#[test]
fn a_digest_that_is_known_later_leads_to_the_same_upload() {
    let receiver = Receiver::start(&[]);
    let file = Upload::new("a", 1000);
    let (id, _) = receiver.locate_ok(&file);
    receiver.exchange(&file.send(&id, 0).limit(400).build());
    let md5 = md5_hex(&file.content);
    let blake3 = digest_hex("blake3", &file.content);
    let known: [&[(&str, &str)]; 5] = [
        &[("blake3", &blake3)],
        &[("md5", &md5), ("blake3", &blake3)],
        &[("sha256", &sha256_hex(&file.content))],
        &[("md5", &md5)],
        &[],
    ];
    for digests in known {
        let with = digests
            .iter()
            .fold(file.clone(), |file, (name, value)| file.with(name, value));
        assert_eq!(receiver.locate_ok(&with), (id.clone(), 400), "{digests:?}");
    }
    let other = file.clone().with("blake3", &"0".repeat(64));
    assert_ne!(receiver.locate_ok(&other).0, id);
}

#[tokio::test]
async fn a_database_of_before_goes_on() {
    if has_no_sqlite() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("receiver.sqlite");
    let url = format!("sqlite://{}?mode=rwc", path.display());
    let mut old = SqliteConnection::connect(&url).await.unwrap();
    old.execute(include_str!("old/1.0.sql")).await.unwrap();
    old.close().await.unwrap();
    let file = Upload::new("old.bin", 30_000);
    let done = Upload::new("done.bin", 1000);
    let ids = [
        "52cfb0fefe9a9686b22973d981db267b",
        "536190f28edcec6bc129fb6a92425fdf",
    ];
    for (name, bytes) in [
        ("partial", &file.content[..12_345]),
        ("files", &done.content),
    ] {
        fs::create_dir(dir.path().join(name)).unwrap();
        let id = ids[usize::from(name == "files")];
        fs::write(dir.path().join(name).join(id), bytes).unwrap();
    }
    let receiver = Receiver::start_changed(dir, &[], |_| {});
    let found = receiver.locate(&file);
    assert_eq!((found.id(), found.offset()), (ids[0].to_owned(), 12_345));
    assert_eq!(found.text("prefix_md5"), md5_hex(&file.content[..12_345]));
    // A newer client takes a digest that is there, and both go on from it.
    check(&locate(&receiver, &file, OFFER), &file, "sha256");
    check(&locate(&receiver, &file, "blake3"), &file, "blake3");
    let sent = send_to(&receiver, &file, "blake3", ids[0], 12_345, 20_000);
    check(&sent, &file, "blake3");
    receiver
        .send_rest(&file, ids[0], 20_000)
        .expect_complete(30_000);
    assert_eq!(receiver.stored(ids[0]), file.content);
    receiver.locate(&done).expect_complete(1000);
    check(&locate(&receiver, &done, "blake3"), &done, "blake3");
}

#[tokio::test]
async fn a_database_that_a_newer_receiver_has_changed_is_left_as_it_is() {
    if has_no_sqlite() {
        return;
    }
    let mut receiver = Receiver::start(&[]);
    receiver.kill();
    let data = receiver.data();
    let url = format!("sqlite://{}", data.join("receiver.sqlite").display());
    let mut newer = SqliteConnection::connect(&url).await.unwrap();
    let change = "INSERT INTO _sqlx_migrations SELECT 9999, description, installed_on, success, checksum, execution_time \
        FROM _sqlx_migrations WHERE version = 1";
    newer.execute(change).await.unwrap();
    newer.close().await.unwrap();
    let error = admin_fails(data, &["user", "list"], "");
    for words in [
        "receiver.sqlite cannot be opened",
        "a newer resup-receiver has changed it (change 9999,",
        "start that one, or give another --data",
    ] {
        assert!(error.contains(words), "{error}");
    }
}
