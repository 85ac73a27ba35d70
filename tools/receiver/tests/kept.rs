//! What becomes of files that others move away, of bytes that no record has, and who may read them.

mod common;

use std::fs;
use std::path::Path;
use std::process::{Child, Command};
use std::thread;
use std::time::Duration;

use common::accounts::{admin_fails, admin_ok};
use common::{check_prefix, has_file, Receiver, Upload};
use resup_test_support::tools;

fn up(receiver: &Receiver, file: &Upload) -> String {
    let (id, _) = receiver.locate_ok(file);
    let size = file.content.len() as u64;
    receiver.send_rest(file, &id, 0).expect_complete(size);
    id
}

fn touched(name: &str, size: usize) -> Upload {
    let mut file = Upload::new(name, size);
    file.fields[0].1 = "1700000000001".to_owned();
    file
}

#[test]
fn a_file_that_was_moved_away_is_gone_and_its_name_is_free() {
    for conflict in ["replace", "rename", "refuse"] {
        let receiver = Receiver::start(&["--layout", "tree", "--conflict", conflict]);
        let id = up(&receiver, &Upload::new("a.txt", 100));
        let stored = receiver.data().join("files/_/a.txt");
        fs::remove_file(&stored).unwrap();
        let target = format!("/uploads/{id}/file");
        receiver.get(&target).expect(404, &id);
        let next = touched("a.txt", 100);
        up(&receiver, &next);
        assert_eq!(fs::read(&stored).unwrap(), next.content, "{conflict}");
        receiver.get(&target).expect(404, &id);
    }
}

#[test]
fn a_file_that_was_cut_is_not_served_as_whole() {
    let receiver = Receiver::start(&[]);
    let id = up(&receiver, &Upload::new("a.txt", 100));
    fs::write(receiver.file(&id), "short").unwrap();
    receiver
        .get(&format!("/uploads/{id}/file"))
        .expect(404, &id);
}

#[test]
fn bytes_survive_a_start_with_another_database() {
    let mut receiver = Receiver::start(&[]);
    let file = Upload::new("a", 1000);
    let (id, _) = receiver.locate_ok(&file);
    receiver.exchange(&file.send(&id, 0).limit(400).build());
    let wrong = receiver.data().join("wrong.sqlite");
    let url = format!("sqlite://{}?mode=rwc", wrong.display());
    receiver.set_flags(&["--database", &url]);
    receiver.kill_and_restart();
    assert!(!receiver.partial(&id).exists());
    assert!(receiver.data().join("partial.unknown").join(&id).exists());
    let list = admin_ok(receiver.data(), &["unknown", "list"], "");
    let line = format!("{id}\t400 bytes\tsince ");
    assert!(
        list.starts_with(&line) && list.lines().count() == 1,
        "{list}"
    );
    receiver.set_flags(&[]);
    receiver.kill_and_restart();
    assert_eq!(check_prefix(&receiver, &file), (id, 400));
    assert_eq!(admin_ok(receiver.data(), &["unknown", "list"], ""), "");
}

#[test]
fn bytes_of_another_database_never_replace_newer_ones() {
    let mut receiver = Receiver::start(&[]);
    let [done, half] = ["done", "half"].map(|name| Upload::new(name, 1000));
    let up_id = up(&receiver, &done);
    let (half_id, _) = receiver.locate_ok(&half);
    receiver.exchange(&half.send(&half_id, 0).limit(400).build());
    receiver.kill();
    for id in [&up_id, &half_id] {
        let stale = receiver.data().join("partial.unknown").join(id);
        fs::write(stale, vec![0; 1000]).unwrap();
    }
    receiver.kill_and_restart();
    assert_eq!(receiver.stored(&up_id), done.content);
    assert_eq!(
        fs::read(receiver.partial(&half_id)).unwrap(),
        half.content[..400]
    );
    let list = admin_ok(receiver.data(), &["unknown", "list"], "");
    assert_eq!(list.lines().count(), 2);
}

#[test]
fn unknown_bytes_are_removed_by_a_command() {
    let receiver = Receiver::start(&[]);
    let unknown = receiver.data().join("partial.unknown");
    for id in ["a", "b", "c"] {
        fs::write(unknown.join(id), "bytes").unwrap();
    }
    let run = |words: &[&str]| {
        admin_ok(
            receiver.data(),
            &[&["unknown", "remove"], words].concat(),
            "",
        )
    };
    assert_eq!(run(&["b"]), "removed the bytes of b\n");
    let fails = |words: &[&str]| {
        admin_fails(
            receiver.data(),
            &[&["unknown", "remove"], words].concat(),
            "",
        )
    };
    for (words, told) in [
        (&["b"][..], "no bytes of an upload 'b'"),
        (
            &["../receiver.sqlite"],
            "cannot remove the bytes of '../receiver.sqlite'",
        ),
        (&["a", "--all"], "cannot be used with"),
        (&[], "--all"),
    ] {
        let error = fails(words);
        assert!(error.contains(told), "{words:?}: {error}");
    }
    assert!(unknown.join("a").exists());
    assert!(!has_file("receiver.sqlite") || receiver.data().join("receiver.sqlite").exists());
    assert_eq!(run(&["--all"]).lines().count(), 2);
    assert_eq!(fs::read_dir(&unknown).unwrap().count(), 0);
    assert_eq!(run(&["--all"]), "");
}

#[cfg(unix)]
#[test]
fn only_the_receiver_reads_its_files_unless_told_otherwise() {
    use std::os::unix::fs::PermissionsExt;
    fn check(path: &Path, others: u32) {
        let mode = fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & others, 0, "{mode:o} {}", path.display());
        if path.is_dir() {
            for entry in fs::read_dir(path).unwrap() {
                check(&entry.unwrap().path(), others);
            }
        }
    }
    for (flags, others) in [(&[][..], 0o77), (&["--umask", "027"], 0o27)] {
        let flags = [&["--layout", "tree"], flags].concat();
        let receiver = Receiver::start(&flags);
        up(&receiver, &Upload::new("a", 10).with("dir", "d"));
        let half = Upload::new("half", 10);
        let (id, _) = receiver.locate_ok(&half);
        receiver.exchange(&half.send(&id, 0).limit(4).build());
        for entry in fs::read_dir(receiver.data()).unwrap() {
            check(&entry.unwrap().path(), others);
        }
        let dir = receiver.data().join("files/_/d");
        let mode = fs::metadata(dir).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o777 & !others);
    }
}

#[test]
fn a_name_is_limited_where_it_becomes_a_file() {
    let long = Upload::new(&"报".repeat(255), 10);
    up(&Receiver::start(&[]), &long);
    let tree = Receiver::start(&["--layout", "tree"]);
    tree.locate(&long).expect(400, "255 bytes on the disk");
    tree.locate(&Upload::new("a\u{1b}b", 10))
        .expect(400, "control character U+001B");
}

/// A directory in which names are equal that differ in case only.
struct CaseFolding {
    mount: std::path::PathBuf,
    server: Child,
    _dir: tempfile::TempDir,
}

impl CaseFolding {
    fn mount() -> Option<Self> {
        let python = Path::new("/usr/bin/python3");
        let loads = |python: &Path| {
            let check = Command::new(python).args(["-c", "import fusepy"]).output();
            check.is_ok_and(|output| output.status.success())
        };
        if !Path::new("/dev/fuse").exists() || !tools::have(&["fusermount"]) || !loads(python) {
            tools::skip("there is no FUSE with python3-fusepy");
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let (back, mount) = (dir.path().join("back"), dir.path().join("mount"));
        fs::create_dir(&back).unwrap();
        fs::create_dir(&mount).unwrap();
        fs::write(back.join("Mounted"), "").unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/case_folding_fs.py");
        let server = Command::new(python)
            .arg(script)
            .args([&back, &mount])
            .spawn()
            .unwrap();
        let folding = Self {
            mount,
            server,
            _dir: dir,
        };
        for _ in 0..100 {
            if folding.mount.join("mOUNTED").exists() {
                return Some(folding);
            }
            thread::sleep(Duration::from_millis(100));
        }
        tools::skip("this system lets nobody mount by FUSE");
        None
    }
}

impl Drop for CaseFolding {
    fn drop(&mut self) {
        let unmount = ["-u", "-z"];
        let _ = Command::new("fusermount")
            .args(unmount)
            .arg(&self.mount)
            .output();
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

#[test]
fn a_name_that_differs_in_case_replaces_the_upload_whose_file_it_is() {
    let Some(folding) = CaseFolding::mount() else {
        return;
    };
    let data = folding.mount.join("data");
    let flags = ["--layout", "tree", "--conflict", "replace"];
    let receiver = Receiver::start_at("127.0.0.1:0", &data, &flags);
    let first = Upload::new("README.txt", 1000).with("dir", "Docs");
    let old = up(&receiver, &first);
    let mut second = touched("readme.TXT", 1000).with("dir", "docs");
    second.content.reverse();
    let new = up(&receiver, &second);
    receiver
        .get(&format!("/uploads/{old}/file"))
        .expect(404, &old);
    receiver.delete(&format!("/uploads/{old}"));
    let found = receiver.get(&format!("/uploads/{new}/file"));
    assert_eq!((found.status, &found.body), (200, &second.content));
}
