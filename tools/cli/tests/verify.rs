//! The command that verifies receipts.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use base64::prelude::{Engine as _, BASE64_URL_SAFE_NO_PAD};
use common::{events, make_file, of_kind, resup, stderr_text};
use resup_test_support::openssl::OpenSsl;
use resup_test_support::receiver::{Receiver, Setup};
use serde_json::{json, Value};
use tempfile::TempDir;

/// A file that a receiver has, with its receipt and the receiver's key.
struct Case {
    openssl: OpenSsl,
    receiver: Receiver,
    dir: TempDir,
    file: PathBuf,
    receipt: PathBuf,
    key: PathBuf,
}

impl Case {
    /// Uploads a file by the command, and fetches the receipt and the key. `None` where a tool is missing.
    fn new(put: &[&str]) -> Option<Self> {
        let openssl = OpenSsl::find()?;
        openssl.run("genpkey -algorithm ed25519 -out private.pem");
        let receiver = Setup::new()
            .arg("--receipt-key")
            .arg(openssl.path("private.pem"))
            .args(&["--receipt-issuer", "https://example.org/"])
            .start();
        let dir = tempfile::tempdir().unwrap();
        let file = make_file(&dir, "a 文.bin", 300_000);
        let endpoint = receiver.endpoint();
        let (code, events) = events(
            put.iter()
                .map(AsRef::as_ref)
                .chain([file.as_os_str(), endpoint.as_ref()]),
        );
        assert_eq!(code, 0, "{events:?}");
        let id = of_kind(&events, "done")[0]["id"].as_str().unwrap();
        // By tus it is the upload's URL.
        let id = id.rsplit('/').next().unwrap();
        let receipt = dir.path().join("receipt");
        let key = dir.path().join("key.pem");
        fs::write(&receipt, get(&receiver, &format!("/uploads/{id}/receipt"))).unwrap();
        fs::write(&key, get(&receiver, "/receipt-key")).unwrap();
        Some(Self {
            openssl,
            receiver,
            file,
            receipt,
            key,
            dir,
        })
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// Signs any claims with the receiver's own key.
    fn sign(&self, header: &Value, claims: &Value) -> String {
        let encode = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(header), encode(claims));
        fs::write(self.openssl.path("signed"), &signed).unwrap();
        self.openssl
            .run("pkeyutl -sign -inkey private.pem -rawin -in signed -out signature");
        let signature = fs::read(self.openssl.path("signature")).unwrap();
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }

    fn claims(&self) -> Value {
        let receipt = fs::read_to_string(&self.receipt).unwrap();
        let claims = receipt.split('.').nth(1).unwrap();
        serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
    }
}

fn get(receiver: &Receiver, target: &str) -> Vec<u8> {
    let mut stream = std::net::TcpStream::connect(receiver.addr()).unwrap();
    let request = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    std::io::Write::write_all(&mut stream, request.as_bytes()).unwrap();
    let mut response = Vec::new();
    std::io::Read::read_to_end(&mut stream, &mut response).unwrap();
    let end = response
        .windows(4)
        .position(|it| it == b"\r\n\r\n")
        .unwrap();
    assert!(response.starts_with(b"HTTP/1.1 200 "), "{target}");
    response.split_off(end + 4)
}

fn verify(key: &Path, receipt: &Path, file: &Path) -> Output {
    let mut command = resup();
    command
        .arg("verify")
        .arg("--key")
        .args([key, receipt, file]);
    command.output().unwrap()
}

#[track_caller]
fn assert_fails(output: &Output, code: i32, words: &str) {
    let text = stderr_text(output);
    assert_eq!(output.status.code(), Some(code), "{text}");
    assert!(text.contains(words), "{text}");
    assert!(output.stdout.is_empty());
}

#[test]
fn a_receipt_is_verified_without_the_receiver() {
    for (put, digest) in [
        (&[][..], "blake3:"),
        (&["--protocol", "tus"], "blake3:"),
        (&["--digest", "sha256"], "sha256:"),
    ] {
        let Some(case) = Case::new(put) else {
            return;
        };
        let Case {
            receiver,
            openssl,
            file,
            receipt,
            key,
            dir,
        } = case;
        drop((receiver, openssl));
        let moved = dir.path().join("moved");
        fs::rename(&file, &moved).unwrap();
        let output = verify(&key, &receipt, &moved);
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(
            output.status.code(),
            Some(0),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        for words in [
            "moved: is the file of the receipt: 'a 文.bin', 300 kB, ",
            digest,
            ", complete 20",
            " at https://example.org/\n",
        ] {
            assert!(said.contains(words), "{words} is not in {said}");
        }
        assert!(output.stderr.is_empty());
    }
}

#[test]
fn another_file_and_another_receipt_are_told() {
    let Some(case) = Case::new(&[]) else {
        return;
    };
    let (key, receipt, file) = (&case.key, &case.receipt, &case.file);
    // Each of the file's bytes counts.
    let content = fs::read(file).unwrap();
    for at in [0, 150_000, 299_999] {
        let mut other = content.clone();
        other[at] ^= 1;
        let other = case.write("other", other);
        assert_fails(
            &verify(key, receipt, &other),
            7,
            "it is another file: its BLAKE3 is",
        );
    }
    let short = case.write("short", &content[1..]);
    assert_fails(
        &verify(key, receipt, &short),
        7,
        "it has 299999 bytes, and the file of the receipt has 300000",
    );
    // Each of the receipt's characters counts, but for those that say the same in base64.
    let text = fs::read_to_string(receipt).unwrap();
    let dots: Vec<_> = text.match_indices('.').map(|(at, _)| at).collect();
    for at in [
        1,
        dots[0] + 1,
        dots[0] + 20,
        dots[1] - 2,
        dots[1] + 1,
        text.len() - 3,
    ] {
        let mut bytes = text.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let changed = case.write("changed", bytes);
        let output = verify(key, &changed, file);
        assert_fails(&output, 7, "changed: it ");
    }
    let mut claims = case.claims();
    claims["size"] = 1.into();
    let parts: Vec<_> = text.split('.').collect();
    let forged = BASE64_URL_SAFE_NO_PAD.encode(claims.to_string());
    let forged = case.write("forged", format!("{}.{forged}.{}", parts[0], parts[2]));
    assert_fails(&verify(key, &forged, &short), 7, "it was changed");
    // Another receiver's key.
    case.openssl
        .run("genpkey -algorithm ed25519 -out other.pem");
    case.openssl
        .run("pkey -in other.pem -pubout -out other-public.pem");
    let other = case.openssl.path("other-public.pem");
    assert_fails(&verify(&other, receipt, file), 7, "has signed it, and ");
    // A line end behind it is none of it.
    let with_line_end = case.write("line", format!("{text}\n"));
    assert_eq!(verify(key, &with_line_end, file).status.code(), Some(0));
}

#[test]
fn only_what_is_a_receipt_of_a_known_version_counts() {
    let Some(case) = Case::new(&[]) else {
        return;
    };
    let header = json!({"alg": "EdDSA", "typ": "resup-receipt+jwt"});
    let check = |header: &Value, claims: &Value| {
        let signed = case.write("signed", case.sign(header, claims));
        verify(&case.key, &signed, &case.file)
    };
    assert_eq!(check(&header, &case.claims()).status.code(), Some(0));
    let with = |member: &str, value: Value| {
        let mut claims = case.claims();
        claims[member] = value;
        claims
    };
    for (claims, words) in [
        (with("receipt", 2.into()), "its version is 2"),
        (with("receipt", Value::Null), "its version is none"),
        (with("blake3", Value::Null), "no digest"),
        (with("size", Value::Null), "no size"),
        (with("size", (-1).into()), "no size"),
        (json!([]), "no receipt"),
    ] {
        assert_fails(&check(&header, &claims), 7, words);
    }
    for wrong in [
        json!({"alg": "none", "typ": "resup-receipt+jwt"}),
        json!({"alg": "HS256", "typ": "resup-receipt+jwt"}),
        json!({"alg": "EdDSA", "typ": "JWT"}),
        json!({"alg": "EdDSA"}),
    ] {
        assert_fails(&check(&wrong, &case.claims()), 7, "no receipt");
    }
    // An MD5 alone is right, and is told.
    let mut claims = with(
        "md5",
        resup_digests::Digest::of(
            resup_digests::Algorithm::Md5,
            &fs::read(&case.file).unwrap(),
        )
        .hex()
        .into(),
    );
    claims.as_object_mut().unwrap().remove("blake3");
    let output = check(&header, &claims);
    assert_eq!(output.status.code(), Some(0));
    assert!(stderr_text(&output).contains("an MD5 only"));
}

#[test]
fn what_is_missing_is_named() {
    let Some(case) = Case::new(&[]) else {
        return;
    };
    let missing = case.dir.path().join("missing");
    let (key, receipt, file) = (&case.key, &case.receipt, &case.file);
    assert_fails(&verify(&missing, receipt, file), 3, "missing: ");
    assert_fails(&verify(key, &missing, file), 3, "missing: ");
    assert_fails(&verify(key, receipt, &missing), 3, "missing: ");
    assert_fails(&verify(key, receipt, case.dir.path()), 3, ": ");
    assert_fails(&verify(key, file, file), 7, "it is no receipt");
    assert_fails(
        &verify(receipt, receipt, file),
        3,
        "no public key of Ed25519 in PEM",
    );
    let private = case.openssl.path("private.pem");
    assert_fails(
        &verify(&private, receipt, file),
        3,
        "no public key of Ed25519",
    );
    // Without a key nothing is proven.
    let verify = |command: &mut Command| {
        command
            .arg("verify")
            .args([receipt, file])
            .output()
            .unwrap()
    };
    assert_fails(
        &verify(&mut resup()),
        2,
        "give --key FILE, or set RESUP_RECEIPT_KEY",
    );
    let output = verify(resup().env("RESUP_RECEIPT_KEY", key));
    assert_eq!(output.status.code(), Some(0), "{}", stderr_text(&output));
}
