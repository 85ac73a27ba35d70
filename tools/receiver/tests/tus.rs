//! Uploads by tus 1.0, with a plain socket.

mod common;

use base64::prelude::{Engine as _, BASE64_STANDARD};
use common::raw::Raw;
use common::{cut, digest_hex, Receiver, Upload};
use sha1::{Digest as _, Sha1};

fn content(size: usize) -> Vec<u8> {
    Upload::new("x", size).content
}

#[test]
fn options_tell_what_is_spoken() {
    let receiver = Receiver::start(&["--max-size", "5000"]);
    for target in ["/upload", "/"] {
        let reply = Raw::new("OPTIONS", target).send(&receiver);
        assert_eq!(reply.status, 204);
        assert_eq!(reply.must("tus-version"), "1.0.0");
        assert_eq!(reply.must("tus-max-size"), "5000");
        assert_eq!(
            reply.must("tus-extension"),
            "creation,creation-with-upload,creation-defer-length,checksum,expiration,termination,concatenation"
        );
        assert_eq!(
            reply.must("tus-checksum-algorithm"),
            "sha1,md5,sha256,blake3"
        );
    }
    let reply = Raw::tus("POST", "/upload")
        .set("Tus-Resumable", "0.2.2")
        .send(&receiver);
    assert_eq!(reply.must("tus-version"), "1.0.0");
    reply.expect(412, "tus 0.2.2 is not spoken here");
}

#[test]
fn a_file_goes_up_in_pieces_and_is_one_like_any_other() {
    let receiver = Receiver::start(&["--layout", "tree"]);
    let bytes = content(100_000);
    let metadata = [
        ("filename", "报告 1.bin"),
        ("filetype", "x/y"),
        ("dir", "a/b"),
    ];
    let place = receiver.tus_create(100_000, &metadata);
    let head = Raw::tus("HEAD", &place).send(&receiver);
    assert_eq!((head.status, head.upload_offset()), (200, 0));
    assert_eq!(head.must("upload-length"), "100000");
    assert_eq!(head.must("cache-control"), "no-store");
    assert_eq!(head.must("tus-resumable"), "1.0.0");
    let list = receiver.get("/uploads").json["uploads"].clone();
    assert_eq!(
        (&list[0]["name"], &list[0]["state"]),
        (&"报告 1.bin".into(), &"new".into())
    );
    for (from, to) in [(0, 40_000), (40_000, 99_999), (99_999, 100_000)] {
        let reply = Raw::tus_patch(&place, from as u64, &bytes[from..to]).send(&receiver);
        assert_eq!(reply.status, 204, "{}", reply.json);
        assert_eq!(reply.upload_offset(), to as u64);
        assert_eq!(receiver.tus_offset(&place), to as u64);
    }
    assert!(receiver.download(&place) == bytes);
    assert!(std::fs::read(receiver.file("_/a/b/报告 1.bin")).unwrap() == bytes);
    let list = receiver.get("/uploads?state=complete").json["uploads"].clone();
    assert_eq!(list[0]["blake3"], digest_hex("blake3", &bytes));
    // A form finds it, without sending anything.
    let mut form = Upload::new("报告 1.bin", 0).with("dir", "a/b");
    form.content = bytes.clone();
    form.fields.retain(|(name, _)| name != "mtime");
    form = form
        .with("md5", &common::md5_hex(&bytes))
        .with("blake3", &digest_hex("blake3", &bytes));
    receiver.locate(&form).expect_complete(100_000);
}

#[test]
fn a_form_does_not_find_what_tus_has_begun() {
    let receiver = Receiver::start(&[]);
    let file = Upload::new("a", 1000);
    let place = receiver.tus_create(1000, &[("filename", "a"), ("mtime", "1700000000000")]);
    Raw::tus_patch(&place, 0, &file.content[..400]).send(&receiver);
    let (id, offset) = receiver.locate_ok(&file);
    assert_eq!(offset, 0);
    receiver.send_rest(&file, &id, 0).expect_complete(1000);
    assert_eq!(receiver.tus_offset(&place), 400);
    // Nor does tus find what a form has made.
    let reply = Raw::tus("HEAD", &format!("/upload/{id}")).send(&receiver);
    assert_eq!(reply.status, 404);
    let again = receiver.tus_create(1000, &[("filename", "a"), ("mtime", "1700000000000")]);
    assert_ne!(again, place);
}

#[test]
fn an_upload_may_begin_with_bytes_or_have_none() {
    let receiver = Receiver::start(&[]);
    let bytes = content(3000);
    let kind = "application/offset+octet-stream";
    let post = Raw::tus_post(3000, &[]).set("Content-Type", kind);
    let reply = post.clone().body(&bytes[..1000]).send(&receiver);
    assert_eq!(reply.upload_offset(), 1000);
    let place = reply.place();
    Raw::tus_patch(&place, 1000, &bytes[1000..])
        .chunked()
        .send(&receiver);
    assert!(receiver.download(&place) == bytes);
    let whole = post.clone().body(&bytes).send(&receiver);
    assert_eq!(whole.upload_offset(), 3000);
    assert!(receiver.download(&whole.place()) == bytes);
    let empty = receiver.tus_create(0, &[("filename", "empty")]);
    assert_eq!(receiver.tus_offset(&empty), 0);
    assert!(receiver.download(&empty).is_empty());
    post.clone()
        .set("Content-Type", "text/plain")
        .body(b"x")
        .send(&receiver)
        .expect(415, kind);
    // What is refused, and what is cut, leaves nothing: nobody knows its URL.
    let before = receiver.get("/uploads").json.clone();
    post.clone()
        .body(&content(3001))
        .send(&receiver)
        .expect(413, "past the end");
    cut(post.body(&bytes).begin(&receiver, 2000));
    assert_eq!(receiver.get("/uploads").json, before);
}

#[test]
fn files_without_a_name_get_one() {
    let receiver = Receiver::start(&["--layout", "tree"]);
    let places = [1, 2].map(|_| receiver.tus_create(1, &[]));
    for place in &places {
        Raw::tus_patch(place, 0, b"x").send(&receiver);
        assert_eq!(receiver.download(place), b"x");
    }
    let list = receiver.get("/uploads").json["uploads"].clone();
    let name = list[0]["name"].as_str().unwrap();
    assert!(name.starts_with("upload-"), "{name}");
}

#[test]
fn what_cannot_be_is_refused() {
    let receiver = Receiver::start(&["--max-size", "2000", "--max-segment", "1500"]);
    let post = |name, value| Raw::tus_post(10, &[]).set(name, value).send(&receiver);
    for value in ["-1", "1e3", "", "10,10", "99999999999999999999", "0x10"] {
        post("Upload-Length", value).expect(400, "upload-length cannot be");
    }
    let missing = Raw::tus_post(10, &[])
        .without("Upload-Length")
        .send(&receiver);
    missing.expect(400, "Upload-Length is missing");
    Raw::tus_post(10, &[])
        .add("Upload-Length", "11")
        .send(&receiver)
        .expect(400, "comes twice");
    post("Upload-Length", "2001").expect(413, "2.00 kB");
    post("Upload-Defer-Length", "1").expect(400, "either");
    post("Upload-Metadata", "filename ???").expect(400, "Base64");
    post("Upload-Checksum", "crc32 AAAA").expect(400, "sha1, md5, sha256, blake3");
    post("Upload-Checksum", "sha1 AAAA").expect(400, "upload-checksum");
    for (metadata, message) in [
        (("filename", "../x"), "'/'"),
        (("filename", ".."), "'..'"),
        (("filename", "a\0"), "NUL"),
        (("filename", "\u{1b}[2J"), "control character"),
        (("relativePath", "../../a/b"), "'..'"),
        (("dir", "/etc"), "begins with '/'"),
        (("md5", "12"), "field 'md5'"),
        (("mtime", "yesterday"), "field 'mtime'"),
        (("filename", &*"n".repeat(256)), "255 characters"),
    ] {
        let reply = Raw::tus_post(10, &[metadata]).send(&receiver);
        reply.expect(400, message);
    }
    assert_eq!(
        receiver.get("/uploads").json["uploads"]
            .as_array()
            .unwrap()
            .len(),
        0
    );
    let place = receiver.tus_create(2000, &[]);
    let patch = Raw::tus_patch(&place, 0, &[1; 500]);
    let send = |raw: &Raw| raw.send(&receiver);
    send(&patch.clone().without("Upload-Offset")).expect(400, "Upload-Offset is missing");
    send(&patch.clone().set("Upload-Offset", "-1")).expect(400, "upload-offset cannot be");
    send(&patch.clone().add("Upload-Offset", "0")).expect(400, "comes twice");
    send(&patch.clone().set("Content-Type", "text/plain")).expect(415, "offset+octet-stream");
    send(&patch.clone().set("Upload-Length", "1999")).expect(400, "cannot change");
    let lie = send(&patch.clone().set("Upload-Offset", "7"));
    assert_eq!(lie.upload_offset(), 0);
    lie.expect(409, "Upload-Offset 7 is not where");
    send(&patch.clone().body(&[1; 1501])).expect(413, "at most 1.50 kB");
    send(&patch.clone().body(&[1; 1501]).chunked()).expect(413, "at most 1.50 kB");
    send(&Raw::tus("PUT", &place)).expect(405, "");
    send(&Raw::tus("PATCH", "/upload/0000")).expect(415, "");
    send(&Raw::tus_patch("/upload/0000", 0, b"x")).expect(404, "begin a new one");
    // Nothing was damaged by all that.
    assert_eq!(receiver.tus_offset(&place), 0);
    assert_eq!(send(&patch).upload_offset(), 500);
}

#[test]
fn a_body_that_is_too_long_is_dropped() {
    let receiver = Receiver::start(&[]);
    let bytes = content(200_000);
    let place = receiver.tus_create(100_000, &[]);
    Raw::tus_patch(&place, 0, &bytes[..10]).send(&receiver);
    let patch = Raw::tus_patch(&place, 10, &bytes[10..]);
    patch.clone().send(&receiver).expect(413, "past the end");
    patch.chunked().send(&receiver).expect(413, "past the end");
    assert_eq!(receiver.tus_offset(&place), 10);
    Raw::tus_patch(&place, 10, &bytes[10..100_000]).send(&receiver);
    assert!(receiver.download(&place) == bytes[..100_000]);
    // Nothing is added to a finished one.
    Raw::tus_patch(&place, 100_000, b"x")
        .send(&receiver)
        .expect(403, "finished");
    Raw::tus_patch(&place, 0, b"x")
        .send(&receiver)
        .expect(409, "stands");
    // tus-java-client ends so where its requests divide the file.
    let empty = Raw::tus_patch(&place, 100_000, b"");
    for empty in [empty.clone(), empty.chunked()] {
        let reply = empty.send(&receiver);
        assert_eq!((reply.status, reply.upload_offset()), (204, 100_000));
    }
    Raw::tus_patch(&place, 100_000, b"x")
        .chunked()
        .send(&receiver)
        .expect(403, "finished");
}

#[test]
fn checksums_are_checked() {
    let receiver = Receiver::start(&[]);
    let bytes = content(90_000);
    let place = receiver.tus_create(90_000, &[]);
    let own = |name: &str, bytes: &[u8]| match name {
        "sha1" => Sha1::digest(bytes).to_vec(),
        name => hex::decode(digest_hex(name, bytes)).unwrap(),
    };
    let names = ["sha1", "md5", "sha256", "blake3"];
    for (index, name) in names.into_iter().enumerate() {
        let from = 20_000 * index;
        let piece = &bytes[from..from + 20_000];
        let checksum = format!("{name} {}", BASE64_STANDARD.encode(own(name, piece)));
        let patch = Raw::tus_patch(&place, from as u64, piece).set("Upload-Checksum", &checksum);
        let mut damaged = piece.to_vec();
        damaged[7] ^= 1;
        let reply = patch.clone().body(&damaged).send(&receiver);
        assert_eq!(reply.upload_offset(), from as u64);
        reply.expect(460, "send them again");
        assert_eq!(receiver.tus_offset(&place), from as u64);
        assert_eq!(patch.send(&receiver).upload_offset(), from as u64 + 20_000);
    }
    // A checksum that is wrong, but of no bytes, drops none.
    let checksum = format!("md5 {}", BASE64_STANDARD.encode([0; 16]));
    let empty = Raw::tus_patch(&place, 80_000, b"").set("Upload-Checksum", &checksum);
    empty.send(&receiver).expect(460, "");
    Raw::tus_patch(&place, 80_000, &bytes[80_000..]).send(&receiver);
    assert!(receiver.download(&place) == bytes);
}

#[test]
fn the_digest_of_the_whole_file_is_checked_at_the_end() {
    let receiver = Receiver::start(&[]);
    let bytes = content(3000);
    for name in ["md5", "sha256", "blake3"] {
        let digest = digest_hex(name, &bytes);
        let wrong = receiver.tus_create(3000, &[("filename", name), (name, &digest)]);
        Raw::tus_patch(&wrong, 0, &[0; 2000]).send(&receiver);
        let end = Raw::tus_patch(&wrong, 2000, &bytes[2000..]).send(&receiver);
        end.expect(460, "begin it again");
        assert_eq!(Raw::tus("HEAD", &wrong).send(&receiver).status, 404);
        let right = receiver.tus_create(3000, &[("filename", name), (name, &digest)]);
        Raw::tus_patch(&right, 0, &bytes).send(&receiver);
        assert!(receiver.download(&right) == bytes);
    }
}

#[test]
fn the_length_may_come_later() {
    let receiver = Receiver::start(&["--quota", "40Mi"]);
    let bytes = content(50_000);
    let open = || {
        let post = Raw::tus_post(0, &[]).without("Upload-Length");
        post.set("Upload-Defer-Length", "1").send(&receiver).place()
    };
    let place = open();
    Raw::tus_patch(&place, 0, &bytes[..20_000])
        .chunked()
        .send(&receiver);
    let head = Raw::tus("HEAD", &place).send(&receiver);
    assert_eq!(head.must("upload-defer-length"), "1");
    let list = receiver.get("/uploads").json;
    let item = &list["uploads"][0];
    assert!(item["size"].is_null() && item["offset"] == 20_000, "{list}");
    assert_eq!(
        (head.header("upload-length"), head.upload_offset()),
        (None, 20_000)
    );
    let patch = Raw::tus_patch(&place, 20_000, &bytes[20_000..40_000]);
    patch
        .clone()
        .set("Upload-Length", "19999")
        .send(&receiver)
        .expect(400, "less than");
    let too_much = (41u64 << 20).to_string();
    patch
        .clone()
        .set("Upload-Length", &too_much)
        .send(&receiver)
        .expect(507, "over the quota");
    patch.set("Upload-Length", "50000").send(&receiver);
    assert_eq!(receiver.tus_offset(&place), 40_000);
    Raw::tus_patch(&place, 40_000, &bytes[40_000..]).send(&receiver);
    assert!(receiver.download(&place) == bytes);
    // The length may be all that a request brings.
    let place = open();
    Raw::tus_patch(&place, 0, &bytes).send(&receiver);
    let end = Raw::tus_patch(&place, 50_000, b"").set("Upload-Length", "50000");
    assert_eq!(end.send(&receiver).status, 204);
    assert!(receiver.download(&place) == bytes);
}

#[test]
fn a_post_may_stand_for_another_method() {
    let receiver = Receiver::start(&[]);
    let place = receiver.tus_create(5, &[]);
    let post = |method| Raw::tus("POST", &place).set("X-HTTP-Method-Override", method);
    let patch = post("PATCH").set("Upload-Offset", "0");
    let patch = patch
        .set("Content-Type", "application/offset+octet-stream")
        .body(b"12345");
    assert_eq!(patch.send(&receiver).upload_offset(), 5);
    assert_eq!(receiver.download(&place), b"12345");
    assert_eq!(post("DELETE").send(&receiver).status, 204);
    assert_eq!(Raw::tus("HEAD", &place).send(&receiver).status, 404);
}
