//! Bytes that a digest of the client has proven, before wrong ones: the upload goes back to them.

mod common;

use sqlx::Connection;

use common::{begin, check_prefix, cut, has_no_sqlite, md5_hex, Receiver, Reply, Upload};

const SIZE: usize = 5000;

/// An upload of which 2000 bytes are proven.
struct Begun {
    receiver: Receiver,
    file: Upload,
    /// The same with other bytes.
    wrong: Upload,
    id: String,
}

impl Begun {
    fn new() -> Self {
        let receiver = Receiver::start(&[]);
        let file = Upload::new("a.bin", SIZE);
        let mut wrong = file.clone();
        wrong.content.iter_mut().for_each(|byte| *byte ^= 1);
        let (id, _) = receiver.locate_ok(&file);
        let begun = Self {
            receiver,
            file,
            wrong,
            id,
        };
        assert_eq!(begun.prove(0, 1000).offset(), 1000);
        assert_eq!(begun.prove(1000, 2000).offset(), 2000);
        begun
    }

    /// Sends a segment with its digest.
    fn prove(&self, from: usize, to: usize) -> Reply {
        let send = self.file.send(&self.id, from as u64).limit(to - from);
        let proof = md5_hex(&self.file.content[..to]);
        let reply = send.tail("prefix_md5", &proof).build();
        self.receiver.exchange(&reply)
    }

    /// Sends wrong bytes up to there, and cuts the connection.
    fn cut_at(&self, to: usize) {
        let send = self.wrong.send(&self.id, 2000);
        cut(begin(&self.receiver, &send, to - 2000));
        let found = self.receiver.locate(&self.file);
        assert_eq!(found.offset(), to as u64);
        assert_ne!(found.text("prefix_md5"), md5_hex(&self.file.content[..to]));
    }

    /// Sends the file from its beginning, in place of what the receiver has.
    fn restart(&self) -> Reply {
        let held = self.receiver.locate(&self.file);
        let send = self.file.send(&self.id, 0);
        let send = send.set("restart", held.text("prefix_md5"));
        let md5 = md5_hex(&self.file.content);
        self.receiver.exchange(&send.tail("md5", &md5).build())
    }

    /// Checks that the receiver is at the proven bytes, and finishes the file.
    fn go_on(&self) {
        let (id, offset) = check_prefix(&self.receiver, &self.file);
        assert_eq!((&id, offset), (&self.id, 2000));
        let sent = self.receiver.send_rest(&self.file, &id, offset);
        sent.expect_complete(SIZE as u64);
        assert_eq!(self.receiver.stored(&id), self.file.content);
    }
}

#[test]
fn a_restart_goes_back_to_the_proven_bytes() {
    for kills in [false, true] {
        let mut begun = Begun::new();
        begun.cut_at(3000);
        if kills {
            begun.receiver.kill_and_restart();
        }
        let refused = begun.restart().expect(409, "stands, 2000");
        assert_eq!(refused.offset(), 2000);
        let proof = md5_hex(&begun.file.content[..2000]);
        assert_eq!(refused.text("prefix_md5"), proof);
        if kills {
            begun.receiver.kill_and_restart();
        }
        begun.go_on();
    }
}

#[test]
fn a_restart_drops_proven_bytes_that_are_disproved_themselves() {
    let begun = Begun::new();
    begun.restart().expect_complete(SIZE as u64);
    // So does one of a finished file.
    begun.restart().expect_complete(SIZE as u64);

    let begun = Begun::new();
    begun.cut_at(3000);
    assert_eq!(begun.restart().status, 409);
    begun.restart().expect_complete(SIZE as u64);
    assert_eq!(begun.receiver.stored(&begun.id), begun.file.content);
}

#[test]
fn a_wrong_digest_that_comes_alone_costs_no_proven_bytes() {
    let begun = Begun::new();
    begun.cut_at(SIZE);
    let refused = begun
        .receiver
        .send_rest(&begun.file, &begun.id, SIZE as u64);
    assert_eq!(refused.expect(422, "digest").offset(), 2000);
    begun.go_on();
}

#[test]
fn a_wrong_digest_after_wrong_bytes_of_an_earlier_request_costs_no_proven_ones() {
    let begun = Begun::new();
    begun.cut_at(3000);
    let refused = begun.receiver.send_rest(&begun.file, &begun.id, 3000);
    // The client sees by the digest that these are not right.
    assert_eq!(refused.expect(422, "digest").offset(), 3000);
    assert_eq!(begun.restart().expect(409, "2000").offset(), 2000);
    begun.go_on();
}

#[test]
fn a_proof_that_a_later_digest_contradicts_counts_no_more() {
    let begun = Begun::new();
    let wrong = begun.file.send(&begun.id, 2000).limit(0);
    let wrong = wrong.tail("prefix_md5", &md5_hex(b"wrong")).build();
    let refused = begun.receiver.exchange(&wrong);
    assert_eq!(refused.expect(422, "digest").offset(), 0);
    let sent = begun.receiver.send_rest(&begun.file, &begun.id, 0);
    sent.expect_complete(SIZE as u64);
}

#[test]
fn a_segment_with_a_wrong_digest_proves_nothing() {
    let begun = Begun::new();
    let send = begun.wrong.send(&begun.id, 2000).limit(1000);
    let proof = md5_hex(&begun.file.content[..3000]);
    let refused = begun
        .receiver
        .exchange(&send.tail("prefix_md5", &proof).build());
    assert_eq!(refused.expect(422, "digest").offset(), 2000);
    // Nor does one without a digest.
    let send = begun.wrong.send(&begun.id, 2000).limit(1000);
    assert_eq!(begun.receiver.exchange(&send.build()).offset(), 3000);
    assert_eq!(begun.restart().expect(409, "2000").offset(), 2000);
    begun.go_on();
}

#[test]
fn a_database_from_before_the_proofs_goes_on() {
    if has_no_sqlite() {
        return;
    }
    let mut begun = Begun::new();
    let done = Upload::new("done", 10);
    let (id, _) = begun.receiver.locate_ok(&done);
    begun.receiver.send_rest(&done, &id, 0).expect_complete(10);
    begun.receiver.terminate();
    let path = begun.receiver.data().join("receiver.sqlite");
    forget_changes(&format!("sqlite://{}", path.display()));
    begun.receiver.kill_and_restart();
    begun.receiver.locate(&done).expect_complete(10);
    // What came before is not proven by itself, but by the next digest.
    assert_eq!(begun.receiver.locate(&begun.file).offset(), 2000);
    assert_eq!(begun.prove(2000, 2500).offset(), 2500);
    let send = begun.wrong.send(&begun.id, 2500).limit(500);
    assert_eq!(begun.receiver.exchange(&send.build()).offset(), 3000);
    assert_eq!(begun.restart().expect(409, "2500").offset(), 2500);
}

/// Takes the tables back to what they were before they had proofs.
fn forget_changes(url: &str) {
    sqlx::any::install_default_drivers();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut database = sqlx::AnyConnection::connect(url).await.unwrap();
        for change in [
            "DROP TRIGGER uploads_added",
            "DROP TRIGGER uploads_removed",
            "DROP TRIGGER uploads_resized",
            "DROP TABLE totals",
            "DROP INDEX uploads_unfolded",
            "DROP INDEX uploads_by_dir",
            "DROP INDEX uploads_unfinished",
            "DROP INDEX uploads_unfinished_by_change",
            "DROP INDEX uploads_by_name",
            "DROP INDEX uploads_by_size",
            "DROP INDEX uploads_by_change",
            "ALTER TABLE uploads DROP COLUMN folded",
            "CREATE INDEX uploads_by_state ON uploads (state, changed)",
            "ALTER TABLE uploads DROP COLUMN epoch",
            "ALTER TABLE users DROP COLUMN admin",
            "DROP INDEX uploads_by_concat",
            "ALTER TABLE uploads DROP COLUMN concat",
            "DROP INDEX uploads_that_are_gone",
            "ALTER TABLE uploads DROP COLUMN gone",
            "ALTER TABLE uploads DROP COLUMN proven",
            "ALTER TABLE uploads DROP COLUMN proven_midstate",
            "ALTER TABLE uploads DROP COLUMN sha256",
            "ALTER TABLE uploads DROP COLUMN blake3",
            "ALTER TABLE uploads DROP COLUMN content_blake3",
            "ALTER TABLE uploads DROP COLUMN ranges",
            "ALTER TABLE uploads DROP COLUMN open",
            "ALTER TABLE uploads DROP COLUMN object",
            "ALTER TABLE uploads DROP COLUMN as_dir",
            "ALTER TABLE uploads DROP COLUMN as_name",
            "DROP TABLE events",
            "DROP TABLE deliveries",
            "CREATE INDEX uploads_by_content ON uploads (owner, size)",
            "CREATE INDEX uploads_by_change ON uploads (owner, changed)",
            "DELETE FROM _sqlx_migrations WHERE version > 4",
        ] {
            sqlx::query(change).execute(&mut database).await.unwrap();
        }
        database.close().await.unwrap();
    });
}
