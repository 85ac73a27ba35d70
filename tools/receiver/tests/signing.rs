//! Signed forms.

mod common;

use common::accounts::{admin_fails, post, with, PASSWORD};
use common::parts::ranges;
use common::signing::{field, form, hex, hmac, mac, nonce, now, signed, Fields, SECRET};
use common::{digest_hex, encode, head, md5_hex, post_form, Receiver, Reply, Send, Upload, OFFER};
use hmac::Hmac;
use tempfile::NamedTempFile;

const REFUSED: &str = "the form is not signed as this receiver asks for: are the secret, the algorithm and the clock right?";

/// A receiver that requires signatures, and the file with its secret.
fn started(flags: &[&str]) -> (Receiver, NamedTempFile) {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("{SECRET}\n")).unwrap();
    let path = file.path().to_str().unwrap().to_owned();
    let flags = [&["--signing-secret-file", &path], flags].concat();
    (Receiver::start(&flags), file)
}

fn locate_fields(file: &Upload) -> Fields {
    let fields = [
        field("action", "locate"),
        field("name", &file.name),
        field("size", file.content.len()),
    ];
    [&fields[..], &file.fields].concat()
}

fn locate(receiver: &Receiver, file: &Upload) -> Reply {
    let fields = signed(locate_fields(file), now(), &nonce());
    let reply = receiver.exchange(&form(&fields));
    assert_eq!(reply.status, 200, "{:?}", reply.json);
    reply
}

/// A send of the rest, signed before and after the file.
fn send(file: &Upload, id: &str, offset: u64) -> Send {
    let mut send = file.send(id, offset);
    send.fields = signed(send.fields, now(), &nonce());
    let md5 = field("md5", md5_hex(&file.content));
    let sign = send.fields.last().unwrap().clone();
    let tail = hmac(&[md5.clone(), sign]);
    send.tail = vec![md5, field("sign_tail", tail)];
    send
}

#[test]
fn a_signed_upload_arrives() {
    let (receiver, _secret) = started(&[]);
    let file = Upload::new("报告 1~*.txt", 1000).with("dir", "a/b\r\nc");
    let id = locate(&receiver, &file).id();
    receiver
        .exchange(&send(&file, &id, 0).build())
        .expect_complete(1000);
    assert_eq!(receiver.stored(&id), file.content);
    // By GET too.
    let fields = signed(locate_fields(&file), now(), &nonce());
    let body = String::from_utf8(form(&fields)).unwrap();
    let query = body.split("\r\n\r\n").nth(1).unwrap();
    let get = head("GET", &format!("/upload?{query}"), "", 0);
    receiver.exchange(&get).expect_complete(1000);
}

#[test]
fn hmac_md5_is_a_setting() {
    let (receiver, _secret) = started(&["--signing-algorithm", "hmac-md5"]);
    let mut fields = locate_fields(&Upload::new("a", 10));
    fields.extend([field("ts", now()), field("nonce", nonce())]);
    let mut by_md5 = fields.clone();
    by_md5.push(field("sign", mac::<Hmac<md5::Md5>>(&fields)));
    assert_eq!(receiver.exchange(&form(&by_md5)).status, 200);
    let by_sha256 = signed(locate_fields(&Upload::new("a", 10)), now(), &nonce());
    receiver.exchange(&form(&by_sha256)).expect(403, REFUSED);
}

/// Checks that a request is refused. All refusals are the same, byte for byte.
fn refused(receiver: &Receiver, request: &[u8]) {
    let reply = receiver.exchange(request);
    assert_eq!(reply.status, 403, "{:?}", reply.json);
    assert_eq!(reply.json, serde_json::json!({ "message": REFUSED }));
}

#[test]
fn a_wrongly_signed_form_is_refused_without_a_reason() {
    let (receiver, _secret) = started(&[]);
    let fields = locate_fields(&Upload::new("a", 10));
    let with_changes = |change: &dyn Fn(&mut Fields)| {
        let mut changed = signed(fields.clone(), now(), &nonce());
        change(&mut changed);
        refused(&receiver, &form(&changed));
    };
    // Unsigned, or with a part of it missing.
    refused(&receiver, &form(&fields));
    for missing in ["ts", "nonce", "sign", "mtime"] {
        with_changes(&|fields| fields.retain(|(name, _)| name != missing));
    }
    // Altered, added to, moved between name and value.
    with_changes(&|fields| fields[1].1 = "b".to_owned());
    with_changes(&|fields| fields.push(field("dir", "x")));
    with_changes(&|fields| fields.insert(0, field("name", "b")));
    with_changes(&|fields| fields.push(field("sign", "x")));
    with_changes(&|fields| fields.last_mut().unwrap().1.replace_range(..1, "g"));
    with_changes(&|fields| fields.last_mut().unwrap().1.truncate(32));
    with_changes(&|fields| fields.last_mut().unwrap().1.clear());
    // Signed with care, but late, early, or with no time or number that is one.
    for ts in [now() - 310, now() + 310, 0, -1, i64::MAX, i64::MIN] {
        refused(&receiver, &form(&signed(fields.clone(), ts, &nonce())));
    }
    for nonce in ["", "1", &"g".repeat(32), &"0".repeat(33)] {
        refused(&receiver, &form(&signed(fields.clone(), now(), nonce)));
    }
    // Within the five minutes.
    for ts in [now() - 280, now() + 280] {
        let form = form(&signed(fields.clone(), ts, &nonce()));
        assert_eq!(receiver.exchange(&form).status, 200);
    }
}

#[test]
fn a_form_is_accepted_once_also_after_a_restart() {
    let (mut receiver, _secret) = started(&[]);
    let file = Upload::new("a", 1000);
    let first = form(&signed(locate_fields(&file), now() - 280, &nonce()));
    let second = form(&signed(locate_fields(&file), now() + 280, &nonce()));
    let id = receiver.exchange(&first).id();
    assert_eq!(receiver.exchange(&second).id(), id);
    let request = send(&file, &id, 0).build();
    receiver.exchange(&request).expect_complete(1000);
    for _ in 0..2 {
        for replayed in [&first, &second, &request] {
            refused(&receiver, replayed);
        }
        receiver.kill_and_restart();
    }
    // The number alone, with other fields, is worthless too.
    let number = nonce();
    let fields = locate_fields(&file);
    let form_of = |ts| form(&signed(fields.clone(), ts, &number));
    assert_eq!(receiver.exchange(&form_of(now())).status, 200);
    refused(&receiver, &form_of(now() + 1));
}

#[test]
fn a_wrong_signature_is_refused_before_a_byte_is_written() {
    let (receiver, _secret) = started(&[]);
    let file = Upload::new("a", 1000);
    let id = locate(&receiver, &file).id();
    for altered in [
        send(&file, &id, 0).set("name", "b"),
        send(&file, &id, 0).set("restart", &md5_hex(b"")),
        send(&file, &id, 0).without("sign"),
        file.send(&id, 0),
    ] {
        refused(&receiver, &altered.build());
    }
    assert_eq!(locate(&receiver, &file).offset(), 0);
    assert!(!receiver.file(&id).exists());
    receiver
        .exchange(&send(&file, &id, 0).build())
        .expect_complete(1000);
}

#[test]
fn a_changed_tail_keeps_the_bytes_and_never_completes_the_file() {
    let (receiver, _secret) = started(&[]);
    let file = Upload::new("a", 1000);
    let id = locate(&receiver, &file).id();
    let wrong = "0".repeat(32);
    let alter = |change: &dyn Fn(&mut Send)| {
        let offset = locate(&receiver, &file).offset();
        let mut send = send(&file, &id, offset);
        change(&mut send);
        let reply = receiver.exchange(&send.build()).expect(403, REFUSED);
        assert_eq!((reply.text("state"), reply.offset()), ("partial", 1000));
    };
    alter(&|send| send.tail.clear());
    alter(&|send| send.tail[0].1 = wrong.clone());
    alter(&|send| send.tail.truncate(1));
    alter(&|send| send.tail.push(field("sha256", "")));
    alter(&|send| send.tail[1].1 = hmac(&send.tail[..1]));
    // Another request's tail.
    let other = send(&file, &id, 0).tail;
    alter(&|send| send.tail = other.clone());
    // What came is right, and a true tail says so.
    receiver
        .exchange(&send(&file, &id, 1000).build())
        .expect_complete(1000);
    assert_eq!(receiver.stored(&id), file.content);
}

#[test]
fn a_part_is_signed_before_and_after_the_file() {
    let (receiver, _secret) = started(&[]);
    let file = Upload::new("a", 1000).with("digests", OFFER);
    let id = locate(&receiver, &file).id();
    let signed_part = |from: usize| {
        let mut part = file.part(&id, "run", from, from + 100);
        part.fields = signed(part.fields, now(), &nonce());
        let digest = part.tail[0].clone();
        let tail = hmac(&[digest.clone(), part.fields.last().unwrap().clone()]);
        part.tail = vec![digest, field("sign_tail", tail)];
        part
    };
    for (name, value) in [("part", "other"), ("offset", "300"), ("digest", "md5")] {
        refused(&receiver, &signed_part(200).set(name, value).build());
    }
    let part = signed_part(200).build();
    assert_eq!(receiver.exchange(&part).status, 200);
    refused(&receiver, &part);
    // What came before a wrong tail is kept as that of a broken part, since no digest of the client's proves it.
    let mut wrong = signed_part(500);
    wrong.tail[0].1 = digest_hex("blake3", b"another");
    let reply = receiver.exchange(&wrong.build()).expect(403, REFUSED);
    assert_eq!(ranges(&reply, &file), [(200, 300), (500, 600)]);
}

#[test]
fn a_login_does_not_replace_a_signature_but_the_pages_token_does() {
    use sha2::{Digest, Sha256};
    let (receiver, _secret) = started(&[]);
    receiver.add_user("joe");
    let file = Upload::new("a", 1000);
    let (origin, host) = (receiver.origin(), receiver.address.to_string());
    let login = receiver.log_in("joe", PASSWORD, &[("Host", &host)]);
    let cookie = login.cookie();
    let base = [("Cookie", &*cookie), ("Host", &*host)];
    refused(&receiver, &with(post_form(&file.locate_form()), &base));
    let (_, id) = cookie.split_once('=').unwrap();
    let token = hex(&Sha256::digest(format!("csrf {id}")));
    let page = [&base[..], &[("Origin", &origin), ("X-CSRF-Token", &token)]].concat();
    let id = receiver.locate_with(&file, &page).id();
    let send = file.send(&id, 0).tail("md5", &md5_hex(&file.content));
    receiver
        .exchange(&with(send.build(), &page))
        .expect_complete(1000);
    // The login form itself is none of the endpoint's.
    let form = format!("user=joe&password={}", encode(PASSWORD));
    assert_eq!(receiver.exchange(&post("/login", &form)).status, 303);
}

#[test]
fn a_secret_that_cannot_be_read_is_named_at_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let empty = dir.path().join("empty");
    std::fs::write(&empty, "\r\n").unwrap();
    for (file, told) in [
        ("/none", "cannot read"),
        (empty.to_str().unwrap(), "is empty"),
    ] {
        let flags = ["--listen", "127.0.0.1:0", "--signing-secret-file", file];
        let error = admin_fails(dir.path(), &flags, "");
        assert!(error.contains(told) && error.contains(file), "{error}");
    }
}
