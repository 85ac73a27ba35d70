//! A data directory of the last receiver before the changes of today, and what becomes of it: `old/0.1` was made by the receiver
//! of commit fbd0a1b7, with `--layout tree`, a user, a token, a finished file and an unfinished one.

mod common;

use std::fs;
use std::path::Path;

use common::accounts::{admin_ok, basic, bearer, with, PASSWORD};
use common::{has_no_sqlite, head, md5_hex, Receiver, Reply, Upload};
use sqlx::{Connection, SqliteConnection};

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).unwrap()),
        }
    }
}

#[test]
fn a_data_directory_of_before_goes_on() {
    if has_no_sqlite() {
        return;
    }
    let old = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/old/0.1");
    let dir = tempfile::tempdir().unwrap();
    copy(&old, dir.path());
    let token = fs::read_to_string(dir.path().join("token")).unwrap();
    // What it says before: the changes, and nothing else than these.
    let told = admin_ok(dir.path(), &["check"], "");
    assert!(
        told.contains("a start brings it up to date (change"),
        "{told}"
    );
    assert!(told.contains("2 uploads, 1 users"), "{told}");
    let same = fs::read(dir.path().join("receiver.sqlite")).unwrap();
    assert_eq!(same, fs::read(old.join("receiver.sqlite")).unwrap());

    let receiver = Receiver::start_at("127.0.0.1:0", dir.path(), &["--layout", "tree"]);
    let login = basic("joe", PASSWORD);
    let ask = |request: Vec<u8>| -> Reply {
        receiver.exchange(&with(request, &[("Authorization", &login)]))
    };
    let list = ask(head("GET", "/uploads?sort=name&search=.BIN", "", 0));
    let names: Vec<_> = list.json["uploads"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["name"].clone(), item["state"].clone()))
        .collect();
    assert_eq!(
        names,
        [
            ("done.bin".into(), "complete".into()),
            ("half.bin".into(), "partial".into())
        ]
    );
    let (done, half) = (
        Upload::new("done.bin", 3000),
        Upload::new("half.bin", 30_000),
    );
    let id = list.json["uploads"][0]["id"].as_str().unwrap();
    let stored = ask(head("GET", &format!("/uploads/{id}/file"), "", 0));
    assert_eq!((stored.status, &stored.body), (200, &done.content));
    let found = receiver.locate_with(&half, &[("Authorization", &bearer(token.trim()))]);
    assert_eq!(found.offset(), 12_345, "{:?}", found.json);
    assert_eq!(found.text("prefix_md5"), md5_hex(&half.content[..12_345]));
    let rest = half
        .send(&found.id(), 12_345)
        .tail("md5", &md5_hex(&half.content));
    ask(rest.build()).expect_complete(30_000);
    let path = dir.path().join("files/joe/half.bin");
    assert_eq!(fs::read(path).unwrap(), half.content);
    // The totals count what was there before.
    let limited = ["--layout", "tree", "--max-records", "2"];
    drop(receiver);
    let receiver = Receiver::start_at("127.0.0.1:0", dir.path(), &limited);
    let third = receiver.locate_with(&Upload::new("third", 10), &[("Authorization", &login)]);
    assert_ne!(third.status, 200, "{:?}", third.json);
    let told = admin_ok(dir.path(), &["check"], "");
    assert!(told.contains("up to date, 2 uploads, 1 users"), "{told}");
}

#[test]
fn names_of_before_are_ordered_and_found_whatever_their_capitals() {
    if has_no_sqlite() {
        return;
    }
    let old = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/old/0.1");
    let dir = tempfile::tempdir().unwrap();
    copy(&old, dir.path());
    let url = format!("sqlite://{}", dir.path().join("receiver.sqlite").display());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut database = SqliteConnection::connect(&url).await.unwrap();
        for (number, name) in ["Öl", "Übung", "ÄPFEL"].iter().enumerate() {
            for statement in [
                "CREATE TEMP TABLE made AS SELECT * FROM uploads WHERE name = 'half.bin'".to_owned(),
                format!("UPDATE made SET id = 'old{number}', place = id || 'old{number}', name = '{name}'"),
                "INSERT INTO uploads SELECT * FROM made".to_owned(),
                "DROP TABLE made".to_owned(),
            ] {
                let statement = sqlx::query(sqlx::AssertSqlSafe(statement));
                statement.execute(&mut database).await.unwrap();
            }
        }
        database.close().await.unwrap();
    });
    let receiver = Receiver::start_at("127.0.0.1:0", dir.path(), &["--layout", "tree"]);
    let login = basic("joe", PASSWORD);
    let names = |query: &str| {
        let (mut names, mut after) = (Vec::new(), String::new());
        loop {
            let request = head("GET", &format!("/uploads?{query}&limit=1{after}"), "", 0);
            let list = receiver.exchange(&with(request, &[("Authorization", &login)]));
            for item in list.json["uploads"].as_array().unwrap() {
                names.push(item["name"].as_str().unwrap().to_owned());
            }
            assert!(names.len() <= 5, "{names:?}");
            match list.json["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => return names,
            }
        }
    };
    let all = ["done.bin", "half.bin", "ÄPFEL", "Öl", "Übung"];
    assert_eq!(names("sort=name"), all);
    let back: Vec<_> = all.into_iter().rev().collect();
    assert_eq!(names("sort=-name"), back);
    assert_eq!(names("search=%C3%BCB"), ["Übung"]);
    assert_eq!(names("search=%C3%84pf"), ["ÄPFEL"]);
}
