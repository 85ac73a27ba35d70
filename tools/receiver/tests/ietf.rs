//! Uploads by the IETF's resumable uploads, with a plain socket.

mod common;

use std::io::Write;

use base64::prelude::{Engine as _, BASE64_STANDARD};
use common::accounts::{basic, PASSWORD};
use common::raw::Raw;
use common::{cut, digest_hex, Receiver, Reply, Upload};

fn content(size: usize) -> Vec<u8> {
    Upload::new("x", size).content
}

fn digest(bytes: &[u8]) -> String {
    let digest = hex::decode(digest_hex("sha256", bytes)).unwrap();
    format!("sha-256=:{}:", BASE64_STANDARD.encode(digest))
}

fn head(receiver: &Receiver, place: &str) -> (u64, String) {
    let reply = Raw::ietf("HEAD", place, "").send(receiver);
    assert_eq!(reply.status, 204, "{}", reply.head);
    (
        reply.upload_offset(),
        reply.must("upload-complete").to_owned(),
    )
}

#[test]
fn a_file_comes_in_one_request() {
    let receiver = Receiver::start(&["--layout", "tree"]);
    let bytes = content(100_000);
    for method in ["POST", "PUT"] {
        let post = Raw::ietf(method, "/upload", "?1").body(&bytes);
        let name = format!("inline; filename=\"x\"; filename*=UTF-8''%E6%96%87%20{method}");
        let reply = post.set("Content-Disposition", &name).send(&receiver);
        assert_eq!(reply.must("upload-complete"), "?1");
        assert_eq!(reply.must("upload-draft-interop-version"), "9");
        assert!(receiver.download(&reply.place()) == bytes);
        assert_eq!(head(&receiver, &reply.place()), (100_000, "?1".to_owned()));
        assert!(std::fs::read(receiver.file(&format!("_/文 {method}"))).unwrap() == bytes);
    }
    let unnamed = Raw::ietf("POST", "/upload", "?1")
        .body(&bytes)
        .chunked()
        .send(&receiver);
    assert!(receiver.download(&unnamed.place()) == bytes);
    let empty = Raw::ietf("POST", "/upload", "?1").send(&receiver);
    assert!(receiver.download(&empty.place()).is_empty());
}

#[test]
fn a_file_comes_in_several_requests() {
    let receiver = Receiver::start(&[
        "--max-size",
        "1Mi",
        "--max-segment",
        "50000",
        "--expire",
        "1d",
    ]);
    let bytes = content(100_000);
    let made = Raw::ietf("POST", "/upload", "?0")
        .set("Upload-Length", "100000")
        .send(&receiver);
    assert_eq!(made.must("upload-complete"), "?0");
    assert!(made
        .must("upload-limit")
        .starts_with("max-size=1048576, max-append-size=50000, max-age="));
    let place = made.place();
    let state = Raw::ietf("HEAD", &place, "").send(&receiver);
    assert_eq!(state.must("upload-length"), "100000");
    assert_eq!(state.must("cache-control"), "no-store");
    let first = Raw::ietf_patch(&place, 0, "?0", &bytes[..50_000]).send(&receiver);
    assert_eq!((first.status, first.must("upload-complete")), (204, "?0"));
    let early = Raw::ietf_patch(&place, 50_000, "?1", &bytes[50_000..60_000]).send(&receiver);
    assert!(early.must("content-type").contains("problem+json"));
    early.expect(400, "cannot change");
    let last = Raw::ietf_patch(&place, 50_000, "?1", &bytes[50_000..]).send(&receiver);
    assert_eq!((last.status, last.must("upload-complete")), (201, "?1"));
    assert!(receiver.download(&place) == bytes);
    // Who missed that may ask again.
    let again = Raw::ietf_patch(&place, 100_000, "?1", b"").send(&receiver);
    assert_eq!((again.status, again.must("upload-complete")), (201, "?1"));
    Raw::ietf_patch(&place, 100_000, "?0", b"x")
        .send(&receiver)
        .expect(400, "finished");
}

#[test]
fn the_length_may_come_with_the_last_bytes() {
    let receiver = Receiver::start(&[]);
    let bytes = content(100_000);
    for is_chunked in [false, true] {
        let shape = |raw: Raw| match is_chunked {
            true => raw.chunked(),
            false => raw,
        };
        let post = Raw::ietf("POST", "/upload", "?0").body(&bytes[..10_000]);
        let place = shape(post).send(&receiver).place();
        let state = Raw::ietf("HEAD", &place, "").send(&receiver);
        assert_eq!(state.header("upload-length"), None);
        let patch = Raw::ietf_patch(&place, 10_000, "?0", &bytes[10_000..70_000]);
        assert_eq!(shape(patch).send(&receiver).upload_offset(), 70_000);
        let patch = Raw::ietf_patch(&place, 70_000, "?1", &bytes[70_000..]);
        let last = shape(patch).send(&receiver);
        assert_eq!((last.status, last.must("upload-complete")), (201, "?1"));
        assert!(receiver.download(&place) == bytes);
    }
    // Nothing may be left for the last request.
    let place = Raw::ietf("POST", "/upload", "?0")
        .body(&bytes)
        .send(&receiver)
        .place();
    assert_eq!(head(&receiver, &place), (100_000, "?0".to_owned()));
    Raw::ietf_patch(&place, 100_000, "?1", b"").send(&receiver);
    assert!(receiver.download(&place) == bytes);
}

#[test]
fn each_version_is_spoken() {
    let receiver = Receiver::start(&["--expire", "1d"]);
    let bytes = content(3000);
    for version in ["none", "9", "8", "7", "6", "5", "4", "3"] {
        let (name, no, yes) = match version {
            "3" => ("Upload-Incomplete", "?1", "?0"),
            _ => ("Upload-Complete", "?0", "?1"),
        };
        let speak = |raw: Raw, value: &str| {
            let raw = raw.without("Upload-Complete").set(name, value);
            match version {
                "none" => raw.without("Upload-Draft-Interop-Version"),
                version => raw.set("Upload-Draft-Interop-Version", version),
            }
        };
        let post = Raw::ietf("POST", "/upload", "?0").body(&bytes[..1000]);
        let made = speak(post, no).send(&receiver);
        assert_eq!(made.must(&name.to_lowercase()), no, "{version}");
        let limit = made.header("upload-limit").unwrap_or("").split('=').next();
        let limit = limit.map(str::to_owned);
        let own = match version {
            "3" | "4" | "5" => "",
            "6" => "expires",
            _ => "max-age",
        };
        assert_eq!(limit.as_deref(), Some(own), "{version}");
        let place = made.place();
        let mut patch = Raw::ietf_patch(&place, 1000, "?1", &bytes[1000..]);
        let has_type = !["3", "4", "5"].contains(&version);
        patch = patch.without("Content-Type");
        if has_type {
            let untyped = speak(patch.clone(), yes).send(&receiver);
            untyped.expect(415, "application/partial-upload");
            patch = patch.set("Content-Type", "application/partial-upload");
        }
        let last = speak(patch, yes).send(&receiver);
        assert_eq!(last.must(&name.to_lowercase()), yes, "{version}");
        assert!(receiver.download(&place) == bytes);
    }
    for version in ["2", "10", "x"] {
        let post = Raw::ietf("POST", "/upload", "?1").set("Upload-Draft-Interop-Version", version);
        post.send(&receiver).expect(412, "9, 8, 7, 6, 5, 4, 3 are");
    }
}

#[test]
fn offsets_and_lengths_that_lie_are_problems() {
    let receiver = Receiver::start(&["--max-size", "5000"]);
    let made = Raw::ietf("POST", "/upload", "?0").set("Upload-Length", "3000");
    let place = made.clone().body(&content(1000)).send(&receiver).place();
    let lie = Raw::ietf_patch(&place, 7, "?0", b"x").send(&receiver);
    assert_eq!((lie.status, lie.upload_offset()), (409, 1000));
    assert_eq!(lie.must("upload-complete"), "?0");
    assert_eq!(lie.must("content-type"), "application/problem+json");
    let kind = "https://iana.org/assignments/http-problem-types#mismatching-upload-offset";
    assert_eq!(lie.json["type"], kind);
    assert_eq!(
        (&lie.json["expected-offset"], &lie.json["provided-offset"]),
        (&1000.into(), &7.into())
    );
    let patch = Raw::ietf_patch(&place, 1000, "?0", b"x");
    let send = |raw: Raw| raw.send(&receiver);
    send(patch.clone().set("Upload-Length", "2999")).expect(400, "cannot change");
    send(patch.clone().set("Upload-Offset", "-1")).expect(400, "upload-offset cannot be");
    send(patch.clone().set("Upload-Offset", "1e3")).expect(400, "upload-offset cannot be");
    send(patch.clone().without("Upload-Offset")).expect(400, "Upload-Offset is missing");
    send(patch.clone().without("Upload-Complete")).expect(400, "upload-complete is missing");
    send(patch.clone().set("Upload-Complete", "1")).expect(400, "upload-complete cannot be");
    send(patch.clone().add("Upload-Complete", "?1")).expect(400, "comes twice");
    send(patch.clone().set("Content-Type", "text/plain")).expect(415, "partial-upload");
    send(patch.clone().body(&[0; 2001])).expect(400, "past the end");
    assert_eq!(head(&receiver, &place).0, 1000);
    // A body that turns out to be too long makes the upload invalid.
    send(patch.body(&content(100_000)).chunked()).expect(400, "past the end");
    assert_eq!(Raw::ietf("HEAD", &place, "").send(&receiver).status, 404);
    send(made.clone().set("Upload-Length", "5001")).expect(413, "5.00 kB");
    send(made.clone().set("Upload-Complete", "?1").body(b"x"))
        .expect(400, "ends the file with 1 bytes");
    let short = made.set("Upload-Complete", "?1").body(b"x").chunked();
    send(short).expect(400, "ends the file with 1 bytes");
    let open = Raw::ietf("POST", "/upload", "?1")
        .body(&content(6000))
        .chunked();
    send(open).expect(413, "5.00 kB");
    send(Raw::ietf("DELETE", "/upload", "")).expect(405, "");
    // Nothing is left but the one whose URL was told before all of its body had come.
    let list = receiver.get("/uploads").json["uploads"].clone();
    assert!(list.as_array().unwrap().len() <= 1, "{list}");
}

#[test]
fn digests_are_checked() {
    let receiver = Receiver::start(&[]);
    let bytes = content(3000);
    let post = Raw::ietf("POST", "/upload", "?1").body(&bytes);
    let right = post
        .clone()
        .set("Repr-Digest", &digest(&bytes))
        .send(&receiver);
    assert_eq!(right.status, 201);
    let wrong = post
        .clone()
        .set("Repr-Digest", &digest(b"other"))
        .send(&receiver);
    assert_eq!(wrong.must("upload-complete"), "?1");
    let kind = "https://iana.org/assignments/http-problem-types#digest-mismatching-values";
    assert_eq!(wrong.json["type"], kind);
    wrong.expect(400, "the upload is deleted");
    post.clone()
        .set("Content-Digest", &digest(b"x"))
        .send(&receiver)
        .expect(400, "send them again");
    post.clone()
        .set("Content-Digest", "sha-256=x")
        .send(&receiver)
        .expect(400, "content-digest");
    let known = post
        .clone()
        .set("Content-Digest", &digest(&bytes))
        .send(&receiver);
    assert_eq!(known.status, 201);
    // A client may know the digest with the last bytes only, or ask for it.
    let place = Raw::ietf("POST", "/upload", "?0")
        .body(&bytes[..1000])
        .send(&receiver)
        .place();
    let damaged =
        Raw::ietf_patch(&place, 1000, "?0", &[0; 500]).set("Content-Digest", &digest(b"x"));
    assert_eq!(damaged.send(&receiver).upload_offset(), 1000);
    let last = Raw::ietf_patch(&place, 1000, "?1", &bytes[1000..]);
    let last = last.set("Repr-Digest", &digest(b"other")).send(&receiver);
    last.expect(400, "the upload is deleted");
    let wanted = post.set("Want-Repr-Digest", "sha-256=5").send(&receiver);
    assert_eq!(wanted.must("repr-digest"), digest(&bytes).to_lowercase());
}

#[test]
fn names_are_checked_as_those_of_forms() {
    let receiver = Receiver::start(&[]);
    for name in ["..", "a/b", "..%2Fx", "%00", "%1B"] {
        let value = format!("inline; filename*=UTF-8''{name}");
        let post = Raw::ietf("POST", "/upload", "?1").set("Content-Disposition", &value);
        post.send(&receiver).expect(400, "field 'name'");
    }
    let post = Raw::ietf("POST", "/upload", "?1").set("Content-Disposition", "x; filename=\"a");
    post.send(&receiver).expect(400, "a quote has no end");
}

#[test]
fn uploads_are_cancelled_and_files_stay() {
    let receiver = Receiver::start_with_users(&["joe"], &[]);
    let joe = basic("joe", PASSWORD);
    let by_joe = |raw: Raw| raw.set("Authorization", &joe).send(&receiver);
    let refused = Raw::ietf("POST", "/upload", "?1").send(&receiver);
    assert_eq!(
        (refused.status, refused.must("upload-complete")),
        (401, "?0")
    );
    for (complete, status) in [("?0", 404), ("?1", 204)] {
        let place = by_joe(Raw::ietf("POST", "/upload", complete).body(b"x")).place();
        assert_eq!(Raw::ietf("DELETE", &place, "").send(&receiver).status, 401);
        assert_eq!(by_joe(Raw::ietf("DELETE", &place, "")).status, 204);
        assert_eq!(by_joe(Raw::ietf("HEAD", &place, "")).status, status);
    }
}

#[test]
fn a_client_knows_the_url_before_its_body_has_gone() {
    let flags = ["--proxy-without-login", "--max-size", "9000"];
    let receiver = Receiver::start(&flags);
    let bytes = content(3000);
    for version in ["9", "3", "none"] {
        let post = Raw::ietf("POST", "/upload", "?1").body(&bytes);
        let post = match version {
            "3" => post
                .without("Upload-Complete")
                .set("Upload-Incomplete", "?0"),
            _ => post,
        };
        let post = match version {
            "none" => post.without("Upload-Draft-Interop-Version"),
            number => post.set("Upload-Draft-Interop-Version", number),
        };
        let mut stream = post.begin(&receiver, 1000);
        let interim = Reply::read(&mut stream);
        assert_eq!(interim.status, 104, "{}", interim.head);
        let told = interim
            .header("upload-draft-interop-version")
            .unwrap_or("none");
        assert_eq!(told, version);
        let limit = Some("max-size=9000").filter(|_| version != "3");
        assert_eq!(interim.header("upload-limit"), limit);
        let place = interim.must("location").to_owned();
        cut(stream);
        assert_eq!(head(&receiver, &place), (1000, "?0".to_owned()));
        Raw::ietf_patch(&place, 1000, "?1", &bytes[1000..]).send(&receiver);
        assert!(receiver.download(&place) == bytes);
        // Where nothing breaks, the same URL comes again.
        let mut whole = post.begin(&receiver, 0);
        let place = Reply::read(&mut whole).must("location").to_owned();
        whole.write_all(&bytes).unwrap();
        assert_eq!(Reply::read(&mut whole).place(), place);
        // The connection goes on as usual.
        whole
            .write_all(Raw::new("GET", "/healthz").head().as_bytes())
            .unwrap();
        assert_eq!(Reply::read(&mut whole).status, 200);
    }
    // Old clients, proxies and empty bodies get none.
    for (name, value) in [
        ("Via", "1.1 proxy"),
        ("X-Forwarded-For", "192.0.2.1"),
        ("Connection", "close"),
    ] {
        let post = Raw::ietf("POST", "/upload", "?1").body(&bytes);
        let mut stream = post.set(name, value).begin(&receiver, 3000);
        assert_eq!(Reply::read(&mut stream).status, 201, "{name}");
    }
    assert_eq!(
        Raw::ietf("POST", "/upload", "?0").send(&receiver).status,
        201
    );
    // An early refusal comes without one, too.
    let post = Raw::ietf("POST", "/upload", "?1").set("Upload-Length", "9001");
    assert_eq!(post.send(&receiver).status, 400);
}

#[test]
fn what_is_cut_while_an_upload_is_made_leaves_nothing() {
    let receiver = Receiver::start(&["--proxy-without-login"]);
    // Through a proxy that may not pass on an interim response.
    let post = Raw::ietf("POST", "/upload", "?1").body(&content(3000));
    cut(post.set("Via", "1.1 proxy").begin(&receiver, 2000));
    assert_eq!(
        receiver.get("/uploads").json["uploads"],
        serde_json::json!([])
    );
}

#[test]
fn limits_are_told_before() {
    let receiver = Receiver::start(&[]);
    let options = Raw::new("OPTIONS", "/upload").send(&receiver);
    assert_eq!(options.must("upload-limit"), "min-size=0");
}
