//! Where finished files go, what names they may have, and what happens when a name is taken.

mod common;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::thread;

use common::{begin, check_prefix, md5_hex, Receiver, Reply, Upload};

/// The files below a directory, with their paths.
fn tree(dir: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            let below = tree(&entry.path());
            found.extend(below.iter().map(|path| format!("{name}/{path}")));
        } else {
            found.insert(name);
        }
    }
    found
}

fn finished(receiver: &Receiver) -> BTreeSet<String> {
    tree(&receiver.data().join("files"))
}

fn set(paths: &[&str]) -> BTreeSet<String> {
    paths.iter().map(|path| path.to_string()).collect()
}

fn up(receiver: &Receiver, file: &Upload) -> String {
    let (id, _) = receiver.locate_ok(file);
    let size = file.content.len() as u64;
    receiver.send_rest(file, &id, 0).expect_complete(size);
    let reply = receiver.get(&format!("/uploads/{id}/file"));
    assert_eq!((reply.status, &reply.body), (200, &file.content));
    id
}

#[test]
fn a_finished_file_is_in_its_directory_and_a_part_of_one_is_not() {
    let receiver = Receiver::start(&["--layout", "tree"]);
    let file = Upload::new("报告 1.pdf", 1000).with("dir", "a/b");
    let (id, _) = receiver.locate_ok(&file);
    // With or without a slash at its end it is the same directory.
    let mut same = file.clone();
    same.fields[1].1 = "a/b/".to_owned();
    assert_eq!(receiver.locate_ok(&same).0, id);
    receiver.exchange(&file.send(&id, 0).limit(400).build());
    assert_eq!(finished(&receiver), set(&[]));
    receiver.send_rest(&file, &id, 400).expect_complete(1000);
    assert_eq!(finished(&receiver), set(&["_/a/b/报告 1.pdf"]));
    let stored = receiver.data().join("files/_/a/b/报告 1.pdf");
    assert_eq!(fs::read(stored).unwrap(), file.content);
    assert_eq!(tree(&receiver.data().join("partial")), set(&[]));

    assert_eq!(receiver.delete(&format!("/uploads/{id}")).status, 204);
    assert_eq!(finished(&receiver), set(&[]));
}

#[test]
fn names_that_lead_elsewhere_are_refused_in_both_layouts() {
    for layout in ["id", "tree"] {
        let receiver = Receiver::start(&["--layout", layout]);
        for name in [
            "..",
            ".",
            "../../etc/passwd",
            "/etc/passwd",
            "a/b",
            "a\0b",
            "",
        ] {
            let reply = receiver.locate(&Upload::new(name, 20));
            reply.expect(400, "'name'");
        }
        for dir in [
            "..", "../..", "a/../..", "/", "/etc", "a//b", "./a", "a\0", "a/./b",
        ] {
            let reply = receiver.locate(&Upload::new("a", 20).with("dir", dir));
            reply.expect(400, "'dir'");
        }
        let long = format!("{}.txt", "文".repeat(84));
        // Under its id the file needs no long name.
        let reply = receiver.locate(&Upload::new(&long, 20));
        match layout {
            "id" => assert_eq!(reply.status, 200),
            _ => drop(reply.expect(400, "255 bytes")),
        }
        // UTF-8 that writes a dot in two bytes.
        let form = "action=locate&size=1&name=%C0%AE%C0%AE%2Fa";
        receiver
            .exchange(&common::post_form(form))
            .expect(400, "'name'");
        assert_eq!(finished(&receiver), set(&[]));
    }
}

#[test]
fn names_of_all_other_kinds_are_kept_apart_and_never_become_paths() {
    let names = [
        ("文件.txt", "文件.txt"),
        ("🦀🚀", "🦀🚀"),
        ("a\"b", "a%22b"),
        ("a%22b", "a%2522b"),
        ("a\r\nb", "a%0D%0Ab"),
        ("a\nb", "a%0Ab"),
        ("..\\..\\x", "..%5C..%5Cx"),
        ("C:\\x", "C%3A%5Cx"),
        ("%2e%2e%2fx", "%252e%252e%252fx"),
        ("．．／x", "．．／x"),
        ("...", "..%2E"),
        ("CON", "%43ON"),
        ("com1.txt", "%63om1.txt"),
        ("nul.", "%6Eul%2E"),
        ("x ", "x%20"),
    ];
    for layout in ["id", "tree"] {
        let receiver = Receiver::start(&["--layout", layout]);
        let ids = names.map(|(name, _)| up(&receiver, &Upload::new(name, 20).with("dir", "d")));
        let expected: BTreeSet<_> = match layout {
            "id" => ids.into(),
            _ => names.map(|(_, stored)| format!("_/d/{stored}")).into(),
        };
        assert_eq!(finished(&receiver), expected);
    }
}

#[test]
fn a_taken_name_is_replaced_with_conflict_replace() {
    let receiver = Receiver::start(&["--layout", "tree", "--conflict", "replace"]);
    let old = up(&receiver, &Upload::new("a.txt", 100));
    let file = Upload::new("a.txt", 200);
    up(&receiver, &file);
    let stored = receiver.data().join("files/_/a.txt");
    assert_eq!(fs::read(&stored).unwrap(), file.content);
    receiver.get(&format!("/uploads/{old}")).expect(404, &old);

    // With the same content too.
    let mut touched = file.clone();
    touched.fields[0].1 = "1700000000001".to_owned();
    up(&receiver, &touched);
    assert_eq!(finished(&receiver), set(&["_/a.txt"]));
    assert_eq!(fs::read(&stored).unwrap(), file.content);

    fs::create_dir(receiver.data().join("files/_/d")).unwrap();
    receiver
        .locate(&Upload::new("d", 1))
        .expect(409, "'d' is a directory");
}

#[test]
fn a_taken_name_gets_a_number_by_default() {
    let receiver = Receiver::start(&["--layout", "tree"]);
    for size in [100, 200, 300] {
        up(&receiver, &Upload::new("a.tar", size).with("dir", "d"));
    }
    // One that has come by another way.
    fs::write(receiver.data().join("files/_/d/b"), "b").unwrap();
    up(&receiver, &Upload::new("b", 10).with("dir", "d"));
    let names = ["a (2).tar", "a (3).tar", "a.tar", "b", "b (2)"];
    let names = names.map(|name| format!("_/d/{name}"));
    assert_eq!(finished(&receiver), names.into());
}

#[test]
fn a_taken_name_is_refused_with_conflict_refuse() {
    let receiver = Receiver::start(&["--layout", "tree", "--conflict", "refuse"]);
    let file = Upload::new("a.txt", 200).with("dir", "d");
    let rival = Upload::new("a.txt", 100).with("dir", "d");
    let (id, _) = receiver.locate_ok(&file);
    let (rival_id, _) = receiver.locate_ok(&rival);
    let first = receiver.send_rest(&rival, &rival_id, 0);
    first.expect_complete(100);
    // At its end: the bytes are kept, and there is no offset to go on from.
    let late = receiver.send_rest(&file, &id, 0);
    let late = late.expect(409, "'d/a.txt' is there already");
    assert!(late.json.get("offset").is_none());
    // At its beginning.
    receiver.locate(&file).expect(409, "'d/a.txt'");
    let third = Upload::new("a.txt", 300).with("dir", "d");
    receiver.locate(&third).expect(409, "'d/a.txt'");
    let list = receiver.get("/uploads");
    assert_eq!(list.json["uploads"].as_array().unwrap().len(), 2);

    receiver.delete(&format!("/uploads/{rival_id}"));
    assert_eq!(check_prefix(&receiver, &file), (id.clone(), 200));
    receiver.send_rest(&file, &id, 200).expect_complete(200);
    assert_eq!(finished(&receiver), set(&["_/d/a.txt"]));
}

#[test]
fn a_directory_with_the_name_of_a_file_is_refused() {
    for conflict in ["replace", "rename", "refuse"] {
        let receiver = Receiver::start(&["--layout", "tree", "--conflict", conflict]);
        up(&receiver, &Upload::new("a", 100));
        let below = Upload::new("c", 100).with("dir", "a/b");
        receiver.locate(&below).expect(409, "'a/b/c' cannot be");
    }
}

#[test]
fn a_directory_is_removed_with_its_last_file() {
    for conflict in ["refuse", "replace", "rename"] {
        let receiver = Receiver::start(&["--layout", "tree", "--conflict", conflict]);
        let files = ["a/b/c", "a"].map(|dir| Upload::new("f", 100).with("dir", dir));
        let ids = files.each_ref().map(|file| up(&receiver, file));
        let delete = |id: &str| assert_eq!(receiver.delete(&format!("/uploads/{id}")).status, 204);
        delete(&ids[0]);
        assert!(!receiver.data().join("files/_/a/b").exists());
        assert_eq!(finished(&receiver), set(&["_/a/f"]));
        delete(&ids[1]);
        // Nothing has the name any more.
        up(&receiver, &Upload::new("a", 100));
        assert_eq!(finished(&receiver), set(&["_/a"]));
    }
}

#[test]
fn no_file_is_lost_when_directories_are_made_and_removed_at_once() {
    let receiver = Receiver::start(&["--layout", "tree"]);
    thread::scope(|scope| {
        for n in 0..4 {
            let file = Upload::new(&n.to_string(), 100).with("dir", "a/b");
            let receiver = &receiver;
            scope.spawn(move || {
                for _ in 0..30 {
                    let id = up(receiver, &file);
                    assert_eq!(receiver.delete(&format!("/uploads/{id}")).status, 204);
                }
            });
        }
    });
    assert_eq!(finished(&receiver), set(&[]));
    assert!(receiver.data().join("files/_").exists());
}

#[test]
fn the_same_content_gets_a_place_of_its_own_at_once() {
    let receiver = Receiver::start(&["--layout", "tree"]);
    let file = Upload::new("a", 1000);
    up(&receiver, &file);
    let twin = Upload::new("a", 1000)
        .with("dir", "d")
        .with("md5", &md5_hex(&file.content));
    let id = receiver.locate(&twin).expect_complete(1000).id();
    assert_eq!(finished(&receiver), set(&["_/a", "_/d/a"]));
    receiver.delete(&format!("/uploads/{id}"));
    assert_eq!(finished(&receiver), set(&["_/a"]));
}

#[cfg(unix)]
#[test]
fn symbolic_links_in_the_tree_are_not_followed() {
    use std::os::unix::fs::symlink;
    let receiver = Receiver::start(&["--layout", "tree", "--conflict", "replace"]);
    let outside = tempfile::tempdir().unwrap();
    let id = up(&receiver, &Upload::new("a", 100).with("dir", "d"));
    let files = receiver.data().join("files/_");
    symlink(outside.path(), files.join("out")).unwrap();
    receiver
        .locate(&Upload::new("a", 100).with("dir", "out"))
        .expect(409, "'out/a' cannot be");
    // A link in place of a file is replaced itself, and never read.
    fs::write(outside.path().join("secret"), "secret").unwrap();
    symlink(outside.path().join("secret"), files.join("b")).unwrap();
    up(&receiver, &Upload::new("b", 100));
    assert!(fs::symlink_metadata(files.join("b")).unwrap().is_file());
    assert_eq!(fs::read(outside.path().join("secret")).unwrap(), b"secret");
    fs::remove_file(files.join("d/a")).unwrap();
    symlink(outside.path().join("secret"), files.join("d/a")).unwrap();
    assert_eq!(receiver.get(&format!("/uploads/{id}/file")).status, 404);
    fs::rename(files.join("d"), files.join("e")).unwrap();
    symlink(files.join("e"), files.join("d")).unwrap();
    assert_eq!(receiver.get(&format!("/uploads/{id}/file")).status, 404);
}

#[test]
fn a_crash_while_a_file_is_moved_is_repaired() {
    for conflict in ["replace", "rename"] {
        for point in [
            "before-commit:2",
            "after-group:2",
            "after-finish",
            "after-rename",
        ] {
            let flags = ["--layout", "tree", "--conflict", conflict];
            let mut receiver = Receiver::start(&flags);
            up(&receiver, &Upload::new("a", 500));
            receiver.kill_and_restart_crashing(point);
            let file = Upload::new("a", 1000);
            let (id, _) = receiver.locate_ok(&file);
            let mut stream = begin(&receiver, &file.send(&id, 0), 1000);
            std::io::Write::write_all(&mut stream, &file.send(&id, 0).closing()).unwrap();
            assert!(Reply::try_read(&mut stream).is_none(), "{point}");
            receiver.wait();
            receiver.kill_and_restart();
            let (id, offset) = check_prefix(&receiver, &file);
            if point.starts_with("before") {
                receiver.send_rest(&file, &id, offset).expect_complete(1000);
            }
            receiver.locate(&file).expect_complete(1000);
            let reply = receiver.get(&format!("/uploads/{id}/file"));
            assert_eq!(reply.body, file.content);
            let (names, stored): (&[&str], _) = match conflict {
                "replace" => (&["_/a"], "files/_/a"),
                _ => (&["_/a", "_/a (2)"], "files/_/a (2)"),
            };
            assert_eq!(finished(&receiver), set(names), "{point}");
            assert_eq!(
                fs::read(receiver.data().join(stored)).unwrap(),
                file.content
            );
            assert_eq!(tree(&receiver.data().join("partial")), set(&[]));
        }
    }
}

#[test]
fn files_of_one_name_that_end_together_never_mix() {
    for conflict in ["rename", "replace", "refuse"] {
        let receiver = Receiver::start(&["--layout", "tree", "--conflict", conflict]);
        let files: Vec<_> = (1..=12).map(|n| Upload::new("a", 10_000 + n)).collect();
        thread::scope(|scope| {
            for file in &files {
                scope.spawn(|| {
                    let found = receiver.locate(file);
                    if found.status == 200 {
                        // Now and then another one is just replacing or being replaced.
                        let mut sent = receiver.send_rest(file, &found.id(), 0);
                        while sent.status == 423 {
                            let found = receiver.locate(file);
                            sent = receiver.send_rest(file, &found.id(), found.offset());
                        }
                        let refused = conflict == "refuse" && sent.status == 409;
                        assert!(sent.status == 200 || refused, "{:?}", sent.json);
                    }
                });
            }
        });
        let list = receiver.get("/uploads?state=complete");
        let uploads = list.json["uploads"].as_array().unwrap();
        let expected = if conflict == "rename" { 12 } else { 1 };
        assert_eq!(
            (uploads.len(), finished(&receiver).len()),
            (expected, expected)
        );
        for item in uploads {
            let size = item["size"].as_u64().unwrap() as usize;
            let target = item["location"].as_str().unwrap();
            let file = files.iter().find(|file| file.content.len() == size);
            assert!(receiver.get(target).body == file.unwrap().content);
        }
    }
}
