//! Uploads that are taken back.

mod common;

use std::fs;
use std::io::{Read, Write};
use std::time::{Duration, Instant};

use common::{begin, head, post_form, Receiver, Reply, Upload};

/// Asks in order to discard.
fn look(receiver: &Receiver, file: &Upload) -> Reply {
    receiver.locate(&file.clone().with("discard", "1"))
}

fn form(file: &Upload, id: &str) -> String {
    let form = file.locate_form();
    form.replace("action=locate", "action=discard") + "&id=" + id
}

fn discard(receiver: &Receiver, file: &Upload, id: &str) -> Reply {
    receiver.exchange(&post_form(&form(file, id)))
}

#[track_caller]
fn expect_new(reply: &Reply) {
    assert_eq!(reply.status, 200, "{:?}", reply.json);
    assert_eq!((reply.text("state"), reply.offset()), ("new", 0));
}

/// Sends the first half of a file. Gives the upload's id.
fn begin_upload(receiver: &Receiver, file: &Upload) -> String {
    let (id, _) = receiver.locate_ok(file);
    let half = file.content.len() / 2;
    let md5 = common::md5_hex(&file.content[..half]);
    let send = file.send(&id, 0).limit(half).tail("prefix_md5", &md5);
    assert_eq!(receiver.exchange(&send.build()).status, 200);
    id
}

fn count(receiver: &Receiver) -> usize {
    let list = receiver.get("/uploads");
    list.json["uploads"].as_array().unwrap().len()
}

#[test]
fn an_unfinished_upload_goes_with_all_its_bytes() {
    for layout in ["id", "tree"] {
        let receiver = Receiver::start(&["--layout", layout, "--max-records", "1"]);
        let file = Upload::new("a", 5000);
        let found = look(&receiver, &file);
        expect_new(&found);
        assert_eq!(
            (found.json["discard"].as_bool(), count(&receiver)),
            (Some(true), 0)
        );
        assert!(found.json["id"].is_null());
        let id = begin_upload(&receiver, &file);
        let found = look(&receiver, &file);
        assert_eq!((found.id(), found.offset()), (id.clone(), 2500));
        // There is room for one upload, and a discard needs none.
        expect_new(&discard(&receiver, &Upload::new("b", 10), ""));
        expect_new(&discard(&receiver, &file, &id));
        assert_eq!(count(&receiver), 0);
        assert_eq!(
            fs::read_dir(receiver.data().join("partial"))
                .unwrap()
                .count(),
            0
        );
        expect_new(&discard(&receiver, &file, &id));
        begin_upload(&receiver, &file);
        // A late one is for the upload before.
        expect_new(&discard(&receiver, &file, &id));
        assert_eq!(count(&receiver), 1);
    }
}

#[test]
fn a_name_that_is_taken_by_now_is_no_obstacle() {
    let receiver = Receiver::start(&["--layout", "tree", "--conflict", "refuse"]);
    let file = Upload::new("a", 5000);
    let id = begin_upload(&receiver, &file);
    let other = Upload::new("a", 10);
    let (other_id, _) = receiver.locate_ok(&other);
    receiver.send_rest(&other, &other_id, 0).expect_complete(10);
    assert_eq!(receiver.locate(&file).status, 409);
    assert_eq!(look(&receiver, &file).id(), id);
    expect_new(&discard(&receiver, &file, &id));
    assert_eq!(count(&receiver), 1);
}

#[test]
fn a_finished_file_stays_until_somebody_takes_it_away() {
    let receiver = Receiver::start(&[]);
    let file = Upload::new("a", 100);
    let (id, _) = receiver.locate_ok(&file);
    receiver.send_rest(&file, &id, 0).expect_complete(100);
    for id in [&*id, ""] {
        let reply = discard(&receiver, &file, id);
        assert_eq!(reply.status, 409);
        assert!(reply.text("message").contains("finished"));
        assert!(reply.json["offset"].is_null());
    }
    assert_eq!(receiver.stored(&id), file.content);
    fs::remove_file(receiver.file(&id)).unwrap();
    expect_new(&look(&receiver, &file));
    expect_new(&discard(&receiver, &file, &id));
}

#[test]
fn one_who_sends_stays_and_one_who_is_silent_does_not() {
    let receiver = Receiver::start(&[]);
    let file = Upload::new("a", 100_000);
    let (id, _) = receiver.locate_ok(&file);
    let send = file.send(&id, 0);
    let mut writer = begin(&receiver, &send, 1000);
    let mut asking = receiver.connect();
    asking.write_all(&post_form(&form(&file, &id))).unwrap();
    let until = Instant::now() + Duration::from_millis(2500);
    let mut at = 1000;
    while Instant::now() < until {
        writer.write_all(&send.bytes[at..at + 100]).unwrap();
        at += 100;
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(Reply::read(&mut asking).status, 423);
    // Now nothing more comes.
    expect_new(&discard(&receiver, &file, &id));
    assert_eq!(count(&receiver), 0);
    let mut rest = Vec::new();
    let _ = writer.read_to_end(&mut rest);
}

#[test]
fn a_discard_is_a_post() {
    let receiver = Receiver::start(&[]);
    let file = Upload::new("a", 5000);
    let id = begin_upload(&receiver, &file);
    let target = format!("/upload?{}", form(&file, &id));
    receiver
        .exchange(&head("GET", &target, "", 0))
        .expect(400, "POST");
    let send = file.send(&id, 0).set("action", "discard");
    assert_eq!(receiver.exchange(&send.build()).status, 400);
    assert_eq!(count(&receiver), 1);
}
