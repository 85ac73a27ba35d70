//! The command that moves the records to another database.

#![cfg(unix)]

mod common;

use common::accounts::{admin_fails, admin_ok, basic, PASSWORD};
use common::hook::HookServer;
use common::{check_prefix, Receiver, Reply, Upload};
use resup_test_support::postgres;

const TO: [&str; 2] = ["move-records", "--to"];

#[test]
fn records_go_to_postgres_and_back() {
    let Some(server) = postgres::shared() else {
        return;
    };
    let address = server.database();
    let data = tempfile::tempdir().unwrap();
    let data = data.path();
    let start = |flags: &[&str]| Receiver::start_at("127.0.0.1:0", data, flags);
    let sqlite = format!("sqlite://{}/receiver.sqlite?mode=rwc", data.display());
    // Nobody is there to be told of what is finished.
    let nobody = ["--hook-after", "http://127.0.0.1:1/"];
    let mut receiver = start(&[&["--database", &sqlite], &nobody[..]].concat());
    let admin = |database: &str, args: &[&str]| {
        admin_ok(data, &[&["--database", database], args].concat(), PASSWORD)
    };
    for user in ["joe", "ann"] {
        admin(&sqlite, &["user", "add", user]);
    }
    admin(&sqlite, &["token", "add", "joe"]);
    let joe = basic("joe", PASSWORD);
    let login = [("Authorization", &*joe)];
    let exchange = |receiver: &Receiver, request: Vec<u8>| -> Reply {
        receiver.exchange(&common::accounts::with(request, &login))
    };
    let mut ids = Vec::new();
    for (name, sent) in [("half", 400), ("done 文件 'x'", 1000), ("new", 0)] {
        let file = Upload::new(name, 1000);
        let id = receiver.locate_with(&file, &login).id();
        if sent > 0 {
            let send = file.send(&id, 0).limit(sent).build();
            assert_eq!(exchange(&receiver, send).offset(), sent as u64);
        }
        ids.push(id);
    }
    // Not while a receiver runs.
    let error = admin_fails(data, &[&TO[..], &[&address]].concat(), "");
    assert!(
        error.contains("another receiver uses the data directory"),
        "{error}"
    );
    let other = tempfile::tempdir().unwrap();
    let from = ["move-records", "--from", &sqlite, "--to", &address];
    let error = admin_fails(other.path(), &from, "");
    assert!(
        error.contains("another receiver uses the database"),
        "{error}"
    );
    receiver.terminate();
    let said = admin_ok(data, &[&TO[..], &[&address]].concat(), "");
    let moved = "moved 3 uploads, 2 users, 1 token, 0 logins, 0 forms' nonces, 4 events, 1 delivery to a hook from";
    for words in [moved, &address, "are the same", "receiver.sqlite"] {
        assert!(said.contains(words), "{said}");
    }
    // Not over other records.
    let error = admin_fails(data, &[&TO[..], &[&address]].concat(), "");
    assert!(
        error.contains("has records already, in its table 'uploads'"),
        "{error}"
    );
    assert_eq!(
        server
            .query(&address, "SELECT COUNT(*) FROM uploads")
            .trim(),
        "3"
    );

    // They go on in PostgreSQL.
    let mut receiver = start(&["--database", &address]);
    let half = Upload::new("half", 1000);
    let found = receiver.locate_with(&half, &login);
    assert_eq!((found.id(), found.offset()), (ids[0].clone(), 400));
    let send = half
        .send(&ids[0], 400)
        .tail("md5", &common::md5_hex(&half.content));
    exchange(&receiver, send.build()).expect_complete(1000);
    // Nor while a receiver with another data directory has the database.
    let other = tempfile::tempdir().unwrap();
    let back = format!("sqlite://{}/back.sqlite?mode=rwc", data.display());
    let from = ["move-records", "--from", &address, "--to", &back];
    let error = admin_fails(other.path(), &from, "");
    assert!(
        error.contains("another receiver uses the database"),
        "{error}"
    );
    receiver.terminate();

    // And back.
    let said = admin_ok(data, &from, "");
    assert!(said.contains("moved 3 uploads, 2 users, 1 token"), "{said}");
    let trail = admin_ok(data, &["--database", &back, "audit"], "");
    assert_eq!(trail.lines().count(), 5, "{trail}");
    let hook = HookServer::start();
    let receiver = start(&["--database", &back, "--hook-after", &hook.url()]);
    let told = &hook.wait_for(1)[0].json["data"];
    assert_eq!(told["upload"], ids[1]);
    for (name, id, state) in [
        ("half", &ids[0], "complete"),
        ("done 文件 'x'", &ids[1], "complete"),
        ("new", &ids[2], "new"),
    ] {
        let found = receiver.locate_with(&Upload::new(name, 1000), &login);
        assert_eq!((&found.id(), found.text("state")), (id, state));
    }
    let target = format!("/uploads/{}/file", ids[0]);
    let file = exchange(&receiver, common::head("GET", &target, "", 0));
    assert_eq!(file.body, half.content);
}

#[test]
fn a_move_that_fails_leaves_an_empty_target() {
    let Some(server) = postgres::shared() else {
        return;
    };
    let address = server.database();
    let data = tempfile::tempdir().unwrap();
    let data = data.path();
    let sqlite = format!("sqlite://{}/receiver.sqlite?mode=rwc", data.display());
    let file = Upload::new("half", 1000);
    {
        let mut receiver = Receiver::start_at("127.0.0.1:0", data, &["--database", &sqlite]);
        let (id, _) = receiver.locate_ok(&file);
        receiver.exchange(&file.send(&id, 0).limit(400).build());
        receiver.terminate();
    }
    let run = [&TO[..], &[&address]].concat();
    // The tables are there after an attempt that finds no way in.
    admin_ok(data, &["--database", &address, "user", "list"], "");
    // A trigger that changes what is written.
    server.query(
        &address,
        "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS \
            'BEGIN NEW.held = NEW.held + 1; RETURN NEW; END'; \
         CREATE TRIGGER spoil BEFORE INSERT ON uploads FOR EACH ROW EXECUTE FUNCTION spoil()",
    );
    let error = admin_fails(data, &run, "");
    assert!(
        error.contains("rows of 'uploads' are not the same"),
        "{error}"
    );
    assert_eq!(
        server
            .query(&address, "SELECT COUNT(*) FROM uploads")
            .trim(),
        "0"
    );
    server.query(&address, "DROP TRIGGER spoil ON uploads");
    admin_ok(data, &run, "");
    for wrong in [
        &["move-records"][..],
        &["move-records", "--from", &address, "--to", &address],
    ] {
        admin_fails(data, wrong, "");
    }
    let receiver = Receiver::start_at("127.0.0.1:0", data, &["--database", &address]);
    assert_eq!(check_prefix(&receiver, &file).1, 400);
}
