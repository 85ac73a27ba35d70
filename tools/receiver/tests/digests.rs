//! The option --digests: which digests are kept of a file, and which ones prove it.

mod common;

use common::{md5_hex, Receiver, Upload};
use serde_json::Value;
use sha2::{Digest, Sha256};

fn sha256_hex(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The digests of a finished upload, as the receiver tells them.
fn kept(receiver: &Receiver, id: &str) -> [Value; 3] {
    let details = receiver.get(&format!("/uploads/{id}")).json;
    ["md5", "sha256", "blake3"].map(|name| details[name].clone())
}

#[test]
fn the_operator_chooses_what_is_kept_beside_md5() {
    let file = Upload::new("a", 300_000);
    let md5 = Value::from(md5_hex(&file.content));
    let sha256 = Value::from(sha256_hex(&file.content));
    let blake3 = Value::from(
        resup_digests::Digest::of(resup_digests::Algorithm::Blake3, &file.content).hex(),
    );
    let null = Value::Null;
    let cases: [(&[&str], [&Value; 3]); 4] = [
        (&[], [&md5, &sha256, &null]),
        (&["--digests", "none"], [&md5, &null, &null]),
        (&["--digests", "blake3"], [&md5, &null, &blake3]),
        (&["--digests", "blake3,sha256"], [&md5, &sha256, &blake3]),
    ];
    for (flags, expected) in cases {
        let mut receiver = Receiver::start(flags);
        let (id, _) = receiver.locate_ok(&file);
        receiver.exchange(&file.send(&id, 0).limit(100_001).build());
        // The digests go on from the states that were saved.
        receiver.kill_and_restart();
        let (id, offset) = receiver.locate_ok(&file);
        assert_eq!(offset, 100_001, "{flags:?}");
        receiver
            .send_rest(&file, &id, offset)
            .expect_complete(300_000);
        assert_eq!(kept(&receiver, &id).each_ref(), expected, "{flags:?}");
    }
}

#[test]
fn an_upload_keeps_its_digests_when_the_option_changes() {
    let file = Upload::new("a", 200_000);
    let mut receiver = Receiver::start(&["--digests", "none"]);
    let (id, _) = receiver.locate_ok(&file);
    receiver.exchange(&file.send(&id, 0).limit(100_000).build());
    receiver.set_flags(&["--digests", "sha256"]);
    receiver.kill_and_restart();
    receiver
        .send_rest(&file, &id, 100_000)
        .expect_complete(200_000);
    assert_eq!(kept(&receiver, &id)[1], Value::Null);
}

#[test]
fn a_digest_that_the_client_sends_is_checked_though_it_is_not_kept() {
    let receiver = Receiver::start(&["--digests", "none"]);
    let file = Upload::new("a", 200_000);
    let (id, _) = receiver.locate_ok(&file);
    let begun = receiver.exchange(&file.send(&id, 0).limit(50_000).build());
    assert_eq!(begun.offset(), 50_000);
    let wrong = file.send(&id, 50_000).tail("sha256", &"0".repeat(64));
    let refused = receiver.exchange(&wrong.build());
    assert_eq!((refused.status, refused.offset()), (422, 50_000));
    let right = file
        .send(&id, 50_000)
        .tail("sha256", &sha256_hex(&file.content));
    receiver.exchange(&right.build()).expect_complete(200_000);
}
