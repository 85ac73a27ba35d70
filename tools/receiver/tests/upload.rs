//! Uploads without faults, in one send or in several.

mod common;

use std::io::Write;
use std::thread;

use common::{head, md5_hex, sha256_hex, Receiver, Reply, Upload};
use sha2::{Digest, Sha256};

#[test]
fn a_new_file_arrives_in_one_send() {
    let receiver = Receiver::start(&[]);
    let file = Upload::new("a.bin", 3_000_000);
    let found = receiver.locate(&file);
    assert_eq!(found.status, 200);
    assert_eq!((found.text("state"), found.offset()), ("new", 0));
    assert_eq!(found.text("prefix_md5"), md5_hex(b""));
    assert_eq!(found.id().len(), 32);
    assert!(found.head.contains("content-type: application/json"));

    let sha256: String = Sha256::digest(&file.content)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    let send = file
        .send(&found.id(), 0)
        .tail("md5", &md5_hex(&file.content));
    let sent = receiver
        .exchange(&send.tail("sha256", &sha256).build())
        .expect_complete(3_000_000);
    assert_eq!(sent.text("prefix_md5"), md5_hex(&file.content));
    assert_eq!(receiver.stored(&found.id()), file.content);
}

#[test]
fn locating_a_complete_file_says_where_it_is() {
    let receiver = Receiver::start(&[]);
    let file = Upload::new("a.bin", 1000);
    let (id, _) = receiver.locate_ok(&file);
    receiver.send_rest(&file, &id, 0).expect_complete(1000);
    assert_eq!(receiver.locate(&file).expect_complete(1000).id(), id);
    // A send to it writes nothing.
    let mut other = file.clone();
    other.content.fill(0);
    receiver.send_rest(&other, &id, 0).expect_complete(1000);
    assert_eq!(receiver.stored(&id), file.content);
}

#[test]
fn locate_works_by_get_too() {
    let receiver = Receiver::start(&[]);
    let file = Upload::new("报告 +&=.pdf", 10);
    let target = format!("/upload?{}", file.locate_form());
    let by_get = receiver.exchange(&head("GET", &target, "", 0));
    assert_eq!((by_get.status, by_get.text("state")), (200, "new"));
    assert_eq!(receiver.locate_ok(&file).0, by_get.id());
}

#[test]
fn an_empty_file_is_completed_by_an_empty_send() {
    let receiver = Receiver::start(&[]);
    let file = Upload::new("empty", 0);
    let found = receiver.locate(&file);
    assert_eq!(found.text("state"), "new");
    receiver.send_rest(&file, &found.id(), 0).expect_complete(0);
    assert_eq!(receiver.stored(&found.id()), b"");
    receiver.locate(&file).expect_complete(0);
}

#[test]
fn segments_follow_each_other_on_one_connection() {
    let receiver = Receiver::start(&["--max-segment", "1000"]);
    let file = Upload::new("a.bin", 2500);
    let found = receiver.locate(&file);
    assert_eq!(found.json["max_segment"], 1000);
    let id = found.id();
    let mut stream = receiver.connect();
    let mut exchange = |request: Vec<u8>| {
        stream.write_all(&request).unwrap();
        Reply::read(&mut stream)
    };
    for end in [1000, 2000] {
        let send = file.send(&id, end as u64 - 1000).limit(1000);
        let reply = exchange(
            send.tail("prefix_md5", &md5_hex(&file.content[..end]))
                .build(),
        );
        assert_eq!(
            (reply.text("state"), reply.offset()),
            ("partial", end as u64)
        );
        assert_eq!(reply.text("prefix_md5"), md5_hex(&file.content[..end]));
    }
    let send = file.send(&id, 2000).tail("md5", &md5_hex(&file.content));
    exchange(send.build()).expect_complete(2500);
    assert_eq!(receiver.stored(&id), file.content);

    let (id, _) = receiver.locate_ok(&Upload::new("b.bin", 2500));
    let refused = receiver.exchange(&Upload::new("b.bin", 2500).send(&id, 0).build());
    assert_eq!(refused.expect(413, "2500").json["max_segment"], 1000);
}

#[test]
fn a_file_is_identified_by_directory_name_size_and_time() {
    let receiver = Receiver::start(&[]);
    let file = Upload::new("a", 10);
    let (id, _) = receiver.locate_ok(&file);
    assert_eq!(receiver.locate_ok(&file).0, id);
    let mut newer = file.clone();
    newer.fields[0].1 = "1700000000001".to_owned();
    for other in [
        Upload::new("a", 11),
        Upload::new("b", 10),
        file.clone().with("dir", "d"),
        newer,
    ] {
        assert_ne!(receiver.locate_ok(&other).0, id);
    }
}

#[test]
fn a_client_that_learns_the_md5_later_continues_its_upload() {
    let receiver = Receiver::start(&[]);
    let file = Upload::new("a", 1000);
    let (id, _) = receiver.locate_ok(&file);
    receiver.exchange(&file.send(&id, 0).limit(600).build());
    let known = file
        .clone()
        .with("md5", &md5_hex(&file.content).to_uppercase());
    assert_eq!(receiver.locate_ok(&known), (id.clone(), 600));
    // And the other way round.
    assert_eq!(receiver.locate_ok(&file), (id.clone(), 600));
    let different = file.clone().with("md5", &md5_hex(b"different"));
    assert_ne!(receiver.locate_ok(&different).0, id);
}

#[test]
fn content_that_the_owner_has_already_sent_is_not_sent_again() {
    let receiver = Receiver::start(&[]);
    let file = Upload::new("a", 1000);
    let (id, _) = receiver.locate_ok(&file);
    receiver.send_rest(&file, &id, 0).expect_complete(1000);
    let mut copy = file.clone().with("md5", &md5_hex(&file.content));
    assert_eq!(receiver.locate(&copy).expect_complete(1000).id(), id);
    copy.name = "another".to_owned();
    let another = copy.clone().with("sha256", &"0".repeat(64));
    assert_eq!(receiver.locate_ok(&another).1, 0);
    copy.name = "copy".to_owned();
    let copy = copy.with("sha256", &sha256_hex(&file.content));
    let instant = receiver.locate(&copy).expect_complete(1000);
    assert_ne!(instant.id(), id);
    assert_eq!(receiver.stored(&instant.id()), file.content);
}

#[test]
fn concurrent_first_locates_get_one_id() {
    let receiver = Receiver::start(&[]);
    let file = Upload::new("a", 10);
    let mut ids: Vec<String> = thread::scope(|scope| {
        let locates: Vec<_> = (0..16)
            .map(|_| scope.spawn(|| receiver.locate_ok(&file).0))
            .collect();
        locates
            .into_iter()
            .map(|locate| locate.join().unwrap())
            .collect()
    });
    ids.dedup();
    assert_eq!(ids.len(), 1);
}
