//! Receipts of finished files.

mod common;

use std::fs;
use std::process::Command;

use base64::prelude::{Engine as _, BASE64_URL_SAFE_NO_PAD};
use common::accounts::{admin_fails, admin_ok, basic, with, PASSWORD};
use common::raw::Raw;
use common::{digest_hex, head, Receiver, Reply, Upload};
use resup_test_support::openssl::OpenSsl;
use serde_json::{json, Value};

/// Makes a key. Returns the path of its file.
fn key(openssl: &OpenSsl, name: &str) -> String {
    openssl.run(&format!("genpkey -algorithm ed25519 -out {name}"));
    openssl.path(name).display().to_string()
}

/// Splits a receipt into header, claims and signature.
fn parts(receipt: &str) -> (Value, Value, Vec<u8>) {
    let parts: Vec<_> = receipt.split('.').collect();
    assert_eq!(parts.len(), 3, "{receipt}");
    let bytes = |at: usize| BASE64_URL_SAFE_NO_PAD.decode(parts[at]).unwrap();
    let read = |at: usize| serde_json::from_slice(&bytes(at)).unwrap();
    (read(0), read(1), bytes(2))
}

/// Whether OpenSSL says that a key has signed a receipt.
fn is_right(openssl: &OpenSsl, public_key: &[u8], receipt: &str) -> bool {
    let (signed, signature) = receipt.rsplit_once('.').unwrap();
    let write = |name: &str, content: &[u8]| fs::write(openssl.path(name), content).unwrap();
    write("public.pem", public_key);
    write("signed", signed.as_bytes());
    write(
        "signature",
        &BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap(),
    );
    let mut command = Command::new("openssl");
    let command = command.current_dir(openssl.dir()).args(
        "pkeyutl -verify -pubin -inkey public.pem -rawin -in signed -sigfile signature".split(' '),
    );
    command.output().unwrap().status.success()
}

fn receipt(receiver: &Receiver, id: &str) -> Reply {
    receiver.get(&format!("/uploads/{id}/receipt"))
}

fn text(reply: Reply) -> String {
    assert_eq!(reply.status, 200, "{}", reply.head);
    String::from_utf8(reply.body).unwrap()
}

#[test]
fn a_receipt_says_what_was_received_and_openssl_verifies_it() {
    let Some(openssl) = OpenSsl::find() else {
        return;
    };
    let path = key(&openssl, "key.pem");
    let flags = [
        "--receipt-key",
        &path,
        "--receipt-issuer",
        "https://example.org/",
    ];
    let mut receiver = Receiver::start(&flags);
    let file = Upload::new("报告 1.pdf", 5000).with("dir", "a/b");
    let (id, _) = receiver.locate_ok(&file);
    receipt(&receiver, &id).expect(404, "is not finished: 0 of 5000 bytes");
    receiver.send_rest(&file, &id, 0).expect_complete(5000);
    let details = receiver.get(&format!("/uploads/{id}")).json;
    assert_eq!(details["receipt"], format!("/uploads/{id}/receipt"));
    let reply = receipt(&receiver, &id);
    assert_eq!(reply.header("content-type"), Some("application/jwt"));
    let first = text(reply);
    let (header, claims, _) = parts(&first);
    assert_eq!(
        (&header["alg"], &header["typ"]),
        (&"EdDSA".into(), &"resup-receipt+jwt".into())
    );
    let changed = details["changed"].as_i64().unwrap();
    let expected = json!({
        "receipt": 1, "iss": "https://example.org/", "iat": changed / 1000, "completed": claims["completed"],
        "upload": id, "name": "报告 1.pdf", "dir": "a/b", "size": 5000, "mtime": 1_700_000_000_000_i64,
        "md5": digest_hex("md5", &file.content), "sha256": digest_hex("sha256", &file.content),
    });
    assert_eq!(claims, expected);
    let public = receiver.get("/receipt-key").body;
    let said = admin_ok(
        receiver.data(),
        &["--receipt-key", &path, "receipt-key"],
        "",
    );
    assert_eq!(said.as_bytes(), public);
    openssl.run("pkey -in key.pem -pubout -out own.pem");
    assert_eq!(openssl.text("own.pem").as_bytes(), public);
    assert!(is_right(&openssl, &public, &first));
    // It is the same one after a kill.
    receiver.kill_and_restart();
    assert_eq!(text(receipt(&receiver, &id)), first);
    // Another text is not signed.
    let mut claims = claims;
    claims["size"] = 5001.into();
    let forged = BASE64_URL_SAFE_NO_PAD.encode(claims.to_string());
    let pieces: Vec<_> = first.split('.').collect();
    let forged = format!("{}.{forged}.{}", pieces[0], pieces[2]);
    assert!(!is_right(&openssl, &public, &forged));
    // Nor did another key sign it.
    receiver.set_flags(&["--receipt-key", &key(&openssl, "other.pem")]);
    receiver.kill_and_restart();
    let other = text(receipt(&receiver, &id));
    assert!(is_right(
        &openssl,
        &receiver.get("/receipt-key").body,
        &other
    ));
    assert!(!is_right(&openssl, &public, &other));
    assert_ne!(parts(&other).0["kid"], header["kid"]);
    assert_eq!(parts(&other).1["iss"], Value::Null);
}

#[test]
fn files_of_each_protocol_have_receipts_for_their_owner_only() {
    let Some(openssl) = OpenSsl::find() else {
        return;
    };
    let flags = ["--receipt-key", &key(&openssl, "key.pem")];
    let receiver = Receiver::start_with_users(&["joe", "ann"], &flags);
    let login = |user: &str| basic(user, PASSWORD);
    let content = Upload::new("x", 900).content;
    let stored = with(
        Upload::new("stored", 900).store("blake3").build(),
        &[("Authorization", &login("joe"))],
    );
    let stored = receiver.exchange(&stored).expect_complete(900).id();
    let tus = Raw::tus_post(900, &[("filename", "tus")])
        .set("Authorization", &login("joe"))
        .set("Content-Type", "application/offset+octet-stream")
        .body(&content);
    let ietf = Raw::ietf("POST", "/upload", "?1")
        .set("Authorization", &login("joe"))
        .body(&content);
    let places = [tus, ietf].map(|raw| raw.send(&receiver).place());
    let ids = places
        .iter()
        .map(|place| place.strip_prefix("/upload/").unwrap());
    for id in ids.chain([&*stored]) {
        let ask = |user: &str| {
            let request = head("GET", &format!("/uploads/{id}/receipt"), "", 0);
            receiver.exchange(&with(request, &[("Authorization", &login(user))]))
        };
        let (_, claims, _) = parts(&text(ask("joe")));
        assert_eq!(
            (&claims["sub"], &claims["upload"]),
            (&"joe".into(), &id.into())
        );
        assert_eq!(claims["blake3"], digest_hex("blake3", &content));
        assert_eq!(ask("ann").status, 404);
        assert_eq!(receipt(&receiver, id).status, 401);
    }
    // The public key is for everybody.
    assert!(receiver
        .get("/receipt-key")
        .body
        .starts_with(b"-----BEGIN PUBLIC KEY-----\n"));
}

#[test]
fn without_a_key_there_are_no_receipts() {
    let receiver = Receiver::start(&[]);
    let stored = Upload::new("a", 10).store("blake3").build();
    let id = receiver.exchange(&stored).expect_complete(10).id();
    receipt(&receiver, &id).expect(404, "--receipt-key");
    receiver.get("/receipt-key").expect(404, "--receipt-key");
    assert_eq!(
        receiver.get(&format!("/uploads/{id}")).json["receipt"],
        Value::Null
    );
    let error = admin_fails(receiver.data(), &["receipt-key"], "");
    assert!(error.contains("--receipt-key names its file"), "{error}");
}

#[test]
fn a_key_that_cannot_sign_ends_the_start() {
    let Some(openssl) = OpenSsl::find() else {
        return;
    };
    openssl.run("genpkey -algorithm ec -pkeyopt ec_paramgen_curve:P-256 -out ec.pem");
    openssl.run("genpkey -algorithm ed25519 -aes256 -pass pass:secret -out encrypted.pem");
    key(&openssl, "key.pem");
    openssl.run("pkey -in key.pem -pubout -out public.pem");
    fs::write(openssl.path("text.pem"), "not a key").unwrap();
    let data = tempfile::tempdir().unwrap();
    for (name, words) in [
        ("ec.pem", "openssl genpkey -algorithm ed25519"),
        ("encrypted.pem", "encrypted"),
        ("public.pem", "public.pem: "),
        ("text.pem", "text.pem: "),
        ("missing.pem", "missing.pem: "),
    ] {
        let path = openssl.path(name).display().to_string();
        let flags = ["--listen", "127.0.0.1:0", "--receipt-key", &path];
        let error = admin_fails(data.path(), &flags, "");
        assert!(error.contains("the key for receipts"), "{name}: {error}");
        assert!(error.contains(words), "{name}: {error}");
    }
}
