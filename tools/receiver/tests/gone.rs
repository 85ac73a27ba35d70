//! Finished files that others remove or move away: lists leave them out, and limits do not count them.

mod common;

use std::fs;
use std::path::PathBuf;

use common::{Receiver, Upload};

fn up(receiver: &Receiver, file: &Upload) -> String {
    let (id, _) = receiver.locate_ok(file);
    let size = file.content.len() as u64;
    receiver.send_rest(file, &id, 0).expect_complete(size);
    id
}

/// The names in a list.
fn names(receiver: &Receiver, query: &str) -> Vec<String> {
    let list = receiver.get(&format!("/uploads?{query}"));
    assert_eq!(list.status, 200, "{:?}", list.json);
    let items = list.json["uploads"].as_array().unwrap();
    let name = |item: &serde_json::Value| item["name"].as_str().unwrap().to_owned();
    items.iter().map(name).collect()
}

/// Where a receiver of each layout has the file.
fn place(receiver: &Receiver, layout: &str, id: &str, name: &str) -> PathBuf {
    let files = receiver.data().join("files");
    match layout {
        "tree" => files.join("_").join(name),
        _ => files.join(id),
    }
}

#[test]
fn a_list_has_no_file_that_is_gone_and_has_one_that_is_back() {
    for layout in ["id", "tree"] {
        let receiver = Receiver::start(&["--layout", layout]);
        let file = Upload::new("a", 100);
        let id = up(&receiver, &file);
        up(&receiver, &Upload::new("b", 100));
        let stored = place(&receiver, layout, &id, "a");
        let aside = receiver.data().join("aside");
        fs::rename(&stored, &aside).unwrap();
        for query in ["", "state=complete"] {
            assert_eq!(names(&receiver, query), ["b"], "{layout}");
        }
        receiver.get(&format!("/uploads/{id}")).expect(404, &id);
        fs::rename(&aside, &stored).unwrap();
        receiver.locate(&file).expect_complete(100);
        assert_eq!(names(&receiver, ""), ["b", "a"], "{layout}");
        assert_eq!(receiver.get(&format!("/uploads/{id}")).status, 200);
        // A directory in its place is not the file.
        fs::remove_file(&stored).unwrap();
        fs::create_dir(&stored).unwrap();
        assert_eq!(names(&receiver, ""), ["b"], "{layout}");
    }
}

#[test]
fn a_page_of_a_list_is_full_although_files_are_gone() {
    let receiver = Receiver::start(&[]);
    let ids: Vec<_> = (0..8)
        .map(|n| up(&receiver, &Upload::new(&format!("{n}"), 10)))
        .collect();
    for id in [&ids[7], &ids[6], &ids[4], &ids[0]] {
        fs::remove_file(receiver.file(id)).unwrap();
    }
    assert_eq!(names(&receiver, "limit=3"), ["5", "3", "2"]);
    let rest = names(&receiver, &format!("limit=3&after={}", ids[2]));
    assert_eq!(rest, ["1"]);
}

#[test]
fn a_file_that_is_gone_makes_room_in_the_quota() {
    let receiver = Receiver::start(&["--quota", "1000"]);
    let first = Upload::new("a", 900);
    let id = up(&receiver, &first);
    let second = Upload::new("b", 800);
    receiver.locate(&second).expect(507, "quota");
    let aside = receiver.data().join("aside");
    fs::rename(receiver.file(&id), aside).unwrap();
    // A refusal looks for room once a minute only; a list finds it at once.
    assert_eq!(names(&receiver, ""), [""; 0]);
    up(&receiver, &second);
    // When it comes again, it has to fit again.
    receiver.locate(&first).expect(507, "800 bytes are taken");
    receiver.delete(&format!("/uploads/{}", up(&receiver, &second)));
    up(&receiver, &first);
}

#[test]
fn a_refusal_looks_for_files_that_are_gone() {
    let receiver = Receiver::start(&["--quota", "1000"]);
    let id = up(&receiver, &Upload::new("a", 900));
    fs::remove_file(receiver.file(&id)).unwrap();
    up(&receiver, &Upload::new("b", 900));
    assert_eq!(names(&receiver, ""), ["b"]);

    let receiver = Receiver::start(&["--max-records", "1"]);
    let id = up(&receiver, &Upload::new("a", 900));
    fs::remove_file(receiver.file(&id)).unwrap();
    up(&receiver, &Upload::new("b", 900));
}

#[cfg(unix)]
#[test]
fn a_list_has_no_file_that_cannot_be_downloaded() {
    for layout in ["id", "tree"] {
        let receiver = Receiver::start(&["--layout", layout, "--quota", "1000"]);
        let file = Upload::new("a", 100);
        let id = up(&receiver, &file);
        let stored = place(&receiver, layout, &id, "a");
        let aside = receiver.data().join("aside");
        let refused = |what: &str| {
            assert_eq!(names(&receiver, ""), [""; 0], "{layout}: {what}");
            for target in ["", "/file"] {
                let reply = receiver.get(&format!("/uploads/{id}{target}"));
                assert_eq!(reply.status, 404, "{layout}: {what}{target}");
            }
        };
        fs::rename(&stored, &aside).unwrap();
        for length in [0, 99, 101] {
            fs::write(&stored, vec![7; length]).unwrap();
            refused(&format!("{length} bytes"));
        }
        // It takes room, and may be the upload's file after all.
        receiver
            .locate(&Upload::new("b", 950))
            .expect(507, "100 bytes are taken");
        fs::remove_file(&stored).unwrap();
        std::os::unix::fs::symlink(&aside, &stored).unwrap();
        refused("a link");
        fs::remove_file(&stored).unwrap();
        fs::rename(&aside, &stored).unwrap();
        assert_eq!(names(&receiver, ""), ["a"], "{layout}");
        let whole = receiver.get(&format!("/uploads/{id}/file"));
        assert_eq!(whole.body, file.content);
    }
}

#[cfg(unix)]
#[test]
fn a_link_in_the_place_of_a_directory_leads_to_no_file() {
    let receiver = Receiver::start(&["--layout", "tree"]);
    let file = Upload::new("a", 100).with("dir", "d");
    let id = up(&receiver, &file);
    let dir = receiver.data().join("files/_/d");
    let aside = receiver.data().join("aside");
    fs::rename(&dir, &aside).unwrap();
    std::os::unix::fs::symlink(&aside, &dir).unwrap();
    let target = format!("/uploads/{id}/file");
    receiver.get(&target).expect(404, &id);
    assert_eq!(names(&receiver, ""), [""; 0]);
}
