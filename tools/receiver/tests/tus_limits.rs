//! Whom tus 1.0 serves at the receiver, and how much: limits, owners and names.

mod common;

use common::accounts::{basic, bearer, PASSWORD};
use common::raw::Raw;
use common::{Receiver, Upload};

fn content(size: usize) -> Vec<u8> {
    Upload::new("x", size).content
}

#[test]
fn an_upload_whose_length_is_not_known_counts_for_the_quota() {
    let receiver = Receiver::start(&["--quota", "100000"]);
    let post = Raw::tus_post(0, &[]).without("Upload-Length");
    let place = post.set("Upload-Defer-Length", "1").send(&receiver).place();
    let reply = Raw::tus_patch(&place, 0, &content(150_000)).send(&receiver);
    reply.expect(507, "over the quota");
    let reply = Raw::tus_patch(&place, 0, &content(150_000))
        .chunked()
        .send(&receiver);
    assert!(reply.upload_offset() <= 100_000);
    reply.expect(507, "over the quota");
    let held = receiver.tus_offset(&place);
    assert_eq!(
        Raw::tus_post(100_001 - held, &[]).send(&receiver).status,
        507
    );
}

#[test]
fn limits_hold_for_tus_as_for_forms() {
    let receiver = Receiver::start(&["--quota", "1000", "--max-records", "2", "--expire", "2d"]);
    let place = receiver.tus_create(900, &[]);
    Raw::tus_post(101, &[])
        .send(&receiver)
        .expect(507, "over the quota");
    receiver.tus_create(100, &[]);
    Raw::tus_post(0, &[])
        .send(&receiver)
        .expect(507, "2 uploads");
    let expires = Raw::tus("HEAD", &place).send(&receiver);
    let expires = expires.must("upload-expires");
    assert!(expires.ends_with(" gmt"), "{expires}");
    for _ in 0..2 {
        let reply = Raw::tus("DELETE", &place).send(&receiver);
        assert!([204, 404].contains(&reply.status), "{}", reply.status);
    }
    assert_eq!(Raw::tus("HEAD", &place).send(&receiver).status, 404);
    assert_eq!(Raw::tus_post(900, &[]).send(&receiver).status, 201);
}

#[test]
fn uploads_are_their_owners() {
    let receiver = Receiver::start_with_users(&["joe", "ann"], &[]);
    let (joe, ann) = (basic("joe", PASSWORD), bearer(&receiver.token("ann")));
    let post = Raw::tus_post(5, &[("filename", "a")]);
    let refused = post.send(&receiver);
    assert_eq!(
        (refused.status, refused.must("tus-resumable")),
        (401, "1.0.0")
    );
    let place = post
        .clone()
        .set("Authorization", &joe)
        .send(&receiver)
        .place();
    let patch = Raw::tus_patch(&place, 0, b"12345");
    for raw in [
        patch.clone(),
        Raw::tus("HEAD", &place),
        Raw::tus("DELETE", &place),
    ] {
        assert_eq!(raw.send(&receiver).status, 401);
        assert_eq!(raw.set("Authorization", &ann).send(&receiver).status, 404);
    }
    assert_eq!(patch.set("Authorization", &joe).send(&receiver).status, 204);
    // A page of another site.
    let foreign = post
        .set("Authorization", &joe)
        .set("Origin", "https://evil.example");
    foreign.send(&receiver).expect(403, "another origin");
}

#[test]
fn a_receiver_of_signed_forms_takes_no_tus() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "geheim").unwrap();
    let receiver = Receiver::start(&["--signing-secret-file", file.path().to_str().unwrap()]);
    Raw::tus_post(5, &[])
        .send(&receiver)
        .expect(403, "signed forms only");
}

#[test]
fn a_name_that_is_taken_is_told_before_the_bytes_and_after_them() {
    let flags = ["--layout", "tree", "--conflict", "refuse"];
    let receiver = Receiver::start(&flags);
    let places = [1, 2].map(|_| receiver.tus_create(3, &[("filename", "a")]));
    assert_eq!(
        Raw::tus_patch(&places[0], 0, b"one").send(&receiver).status,
        204
    );
    let message = "choose another name, or delete it first";
    Raw::tus_patch(&places[1], 0, b"two")
        .send(&receiver)
        .expect(403, message);
    assert_eq!(Raw::tus("HEAD", &places[1]).send(&receiver).status, 403);
    Raw::tus_post(3, &[("filename", "a")])
        .send(&receiver)
        .expect(403, message);
    // The bytes are kept until the name is free.
    Raw::tus("DELETE", &places[0]).send(&receiver);
    assert_eq!(receiver.tus_offset(&places[1]), 3);
    assert_eq!(receiver.download(&places[1]), b"two");
}

#[test]
fn a_finished_file_that_was_moved_away_does_not_begin_again() {
    let receiver = Receiver::start(&[]);
    let place = receiver.tus_create(3, &[]);
    Raw::tus_patch(&place, 0, b"one").send(&receiver);
    std::fs::remove_file(receiver.file(place.strip_prefix("/upload/").unwrap())).unwrap();
    let empty = Raw::tus_patch(&place, 3, b"");
    for raw in [&Raw::tus("HEAD", &place), &empty] {
        assert_eq!(raw.send(&receiver).status, 404);
    }
    assert_eq!(Raw::tus("DELETE", &place).send(&receiver).status, 204);
    assert_eq!(
        receiver.get("/uploads").json["uploads"],
        serde_json::json!([])
    );
}
