//! Disks that fail, and limits that are reached: confirmed bytes are kept, and the upload continues when the fault
//! has ended. RESUP_TEST_RUNS makes the random tests longer.

#![cfg(target_os = "linux")]

mod common;

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{chown, MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

use common::accounts::with;
use common::faulty::{library, Faulty};
use common::parts;
use common::signing::{field, form, nonce, now, signed, SECRET};
use common::{begin, has_file, has_no_sqlite, head, md5_hex, Receiver, Reply, Upload};
use resup_test_support::{runs, seed};

const EIO: i32 = 5;
const ENOSPC: i32 = 28;
const EROFS: i32 = 30;
const EDQUOT: i32 = 122;

/// Calls that fail, and the files on which they fail.
const FAULTS: [(&str, &[i32], &str); 6] = [
    ("write", &[EIO, ENOSPC, EROFS, EDQUOT], "/partial/"),
    ("fsync", &[EIO, ENOSPC, EDQUOT], "/partial/"),
    ("fsync", &[EIO], "/partial"),
    ("pwrite", &[EIO, ENOSPC, EROFS], "/receiver.sqlite"),
    ("fsync", &[EIO], "/receiver.sqlite"),
    ("truncate", &[EIO], "/partial/"),
];

/// Checks that all bytes up to the receiver's offset are on the disk, and that the offset is not lower than the
/// confirmed one. Then finishes the upload.
fn check_and_finish(receiver: &Receiver, file: &Upload, answered: u64) {
    let found = receiver.locate(file);
    assert_eq!(found.status, 200, "{:?}", found.json);
    let (id, offset) = (found.id(), found.offset());
    assert!(offset >= answered, "{offset} of {answered} answered");
    let held = &file.content[..offset as usize];
    assert_eq!(found.text("prefix_md5"), md5_hex(held));
    if found.text("state") != "complete" {
        let stored = fs::read(receiver.partial(&id)).unwrap_or_default();
        assert!(stored.len() >= held.len(), "{} {offset}", stored.len());
        assert!(stored[..held.len()] == *held);
        let size = file.content.len() as u64;
        receiver.send_rest(file, &id, offset).expect_complete(size);
    }
    let reply = receiver.get(&format!("/uploads/{id}/file"));
    assert!(reply.body == file.content);
    assert!(!receiver.partial(&id).exists());
}

#[test]
fn after_any_disk_error_the_offset_is_correct() {
    let runs = runs::count(24);
    let mut rng = seed::rng(seed::seed());
    let mut told = 0;
    let faults = FAULTS.iter().filter(|(_, _, part)| has_file(part));
    let faults: Vec<_> = faults.copied().collect();
    for layout in ["id", "tree"] {
        let flags = ["--commit-bytes", "50000", "--layout", layout];
        let mut faulty = Faulty::start(&flags);
        for run in 0..runs / 2 {
            let (call, errnos, part) = faults[run % faults.len()];
            let errno = errnos[rng.usize(..errnos.len())];
            let name = format!("{run} {call} {errno} {part}");
            let name = name.replace('/', "_");
            let file = Upload::new(&name, rng.usize(100_000..600_000));
            let size = file.content.len() as u64;
            let mut answered = 0;
            let (id, _) = faulty.receiver.locate_ok(&file);
            if rng.bool() {
                let part = rng.usize(1..100_000);
                let sent = file.send(&id, 0).limit(part).build();
                answered = faulty.receiver.exchange(&sent).offset();
            }
            let send = file.send(&id, answered);
            let send = send.tail("md5", &md5_hex(&file.content));
            let before = rng.usize(..send.bytes.len());
            let mut stream = begin(&faulty.receiver, &send, before);
            faulty.fail((call, errno, part));
            let _ = stream.write_all(&send.bytes[before..]);
            let _ = stream.write_all(&send.closing());
            let reply = Reply::read(&mut stream);
            match reply.status {
                200 => answered = reply.expect_complete(size).offset(),
                status => {
                    let full = errno == ENOSPC || errno == EDQUOT;
                    let expected: &[u16] = if full { &[507, 500] } else { &[500] };
                    assert!(expected.contains(&status), "{name}: {:?}", reply.json);
                    assert!(reply.json.get("state").is_none());
                    told += 1;
                }
            }
            // Once more while it lasts.
            let again = faulty.receiver.locate(&file);
            if again.status == 200 {
                assert!(again.offset() >= answered, "{name}");
                answered = again.offset();
                let again = faulty.receiver.send_rest(&file, &again.id(), answered);
                if again.status == 200 {
                    answered = again.expect_complete(size).offset();
                }
            }
            if rng.bool() {
                faulty.receiver.kill();
                faulty.mend();
                faulty.receiver.kill_and_restart();
            } else {
                faulty.mend();
            }
            println!("{name}: {answered} answered");
            check_and_finish(&faulty.receiver, &file, answered);
        }
    }
    assert!(told >= runs / 2, "only {told} of {runs} faults were met");
}

#[test]
fn bytes_whose_sync_failed_are_never_confirmed_by_a_later_one() {
    let faulty = Faulty::start(&["--commit-bytes", "50000"]);
    let file = Upload::new("a", 200_000);
    let (id, _) = faulty.receiver.locate_ok(&file);
    faulty
        .receiver
        .exchange(&file.send(&id, 0).limit(70_000).build());
    faulty.fail(("fsync", EIO, "/partial/"));
    faulty
        .receiver
        .send_rest(&file, &id, 70_000)
        .expect(500, "log");
    faulty.mend();
    // Gone, though they could be read from the system's memory.
    let stored = fs::read(faulty.receiver.partial(&id)).unwrap();
    assert!(stored == file.content[..70_000]);
    check_and_finish(&faulty.receiver, &file, 70_000);

    // Where even that fails, by the next writer.
    let file = Upload::new("b", 200_000);
    let (id, _) = faulty.receiver.locate_ok(&file);
    faulty.fail(("fsync", EIO, "/partial/"));
    let mut stream = begin(&faulty.receiver, &file.send(&id, 0), 100_000);
    assert_eq!(Reply::read(&mut stream).status, 500);
    faulty.mend();
    fs::write(faulty.receiver.partial(&id), &file.content).unwrap();
    let mut stream = begin(&faulty.receiver, &file.send(&id, 0), 10);
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(Reply::read(&mut stream).offset(), 10);
    assert_eq!(fs::read(faulty.receiver.partial(&id)).unwrap().len(), 10);
    check_and_finish(&faulty.receiver, &file, 10);
}

#[test]
fn a_small_file_is_durable_by_three_syncs() {
    for layout in ["id", "tree"] {
        let dir = tempfile::tempdir().unwrap();
        let syncs = dir.path().join("syncs");
        let (preload, log) = (library().to_owned(), syncs.clone());
        let flags = ["--layout", layout];
        let receiver = Receiver::start_changed(dir, &flags, move |command| {
            command.env("LD_PRELOAD", &preload).env("SYNCS", &log);
        });
        let synced_for = |name: u32| {
            let file = Upload::new(&name.to_string(), 5000).with("dir", "docs/more");
            fs::write(&syncs, "").unwrap();
            let id = receiver.exchange(&file.store("blake3").build()).id();
            let synced = fs::read_to_string(&syncs).unwrap();
            let bytes = format!("partial/{id}.withdrawn");
            let due = [&*bytes, "partial", "receiver.sqlite-wal"];
            let due = due.into_iter().filter(|path| has_file(path));
            let due = due.map(|path| receiver.data().join(path).display().to_string());
            println!("{layout} {name}: {synced}");
            synced.lines().eq(due)
        };
        // What a start has to save may come between.
        assert!((0..20).any(synced_for), "{layout}");
    }
}

#[test]
fn a_part_that_the_disk_refuses_is_not_confirmed_and_leaves_the_others() {
    for (call, errno, path, status) in [
        ("write", ENOSPC, "/partial/", 507),
        ("fsync", EIO, "/partial/", 500),
        ("pwrite", EIO, "/receiver.sqlite", 500),
        ("pwrite", ENOSPC, "/receiver.sqlite", 507),
    ] {
        if !has_file(path) {
            continue;
        }
        let mut faulty = Faulty::start(&[]);
        let file = Upload::new("a", 300_000);
        let id = parts::locate(&faulty.receiver, &file).id();
        parts::take(&faulty.receiver, &file, &id, 0, 100_000);
        parts::take(&faulty.receiver, &file, &id, 200_000, 250_000);
        for (from, to) in [(100_000, 150_000), (260_000, 300_000), (200_000, 260_000)] {
            faulty.fail((call, errno, path));
            let part = file.part(&id, "run", from, to).build();
            let refused = faulty.receiver.exchange(&part);
            assert_eq!(refused.status, status, "{call} {:?}", refused.json);
            // On a full disk nothing of the part is kept, so that there is room for the database.
            let taken = faulty.receiver.partial(&id).metadata().unwrap().blocks() * 512;
            assert!(errno != ENOSPC || taken < 190_000, "{call} {taken}");
            faulty.mend();
            let found = parts::locate(&faulty.receiver, &file);
            assert_eq!(found.offset(), 100_000, "{call}");
            let held = parts::ranges(&found, &file);
            // What was to be replaced may be gone.
            let due: &[_] = &[(200_000, 250_000)];
            assert!(
                held == due || (held.is_empty() && from == 200_000),
                "{held:?}"
            );
        }
        faulty.receiver.kill_and_restart();
        let held = parts::locate(&faulty.receiver, &file);
        assert_eq!(held.offset(), 100_000);
        parts::take(&faulty.receiver, &file, &id, 100_000, 300_000);
        parts::end(&faulty.receiver, &file, &id);
    }
}

/// Runs `prlimit` on a receiver.
fn limit(receiver: &Receiver, what: &str) {
    let pid = receiver.pid().to_string();
    let done = Command::new("prlimit").args(["--pid", &pid, what]).status();
    assert!(done.expect("prlimit").success());
}

#[test]
fn logins_work_when_the_database_cannot_be_written() {
    if has_no_sqlite() {
        return;
    }
    let secret = tempfile::NamedTempFile::new().unwrap();
    fs::write(secret.path(), SECRET).unwrap();
    // A session's use is noted after a twentieth of this.
    let flags = ["--session-idle", "20", "--signing-secret-file"];
    let secret = secret.path().to_str().unwrap();
    let faulty = Faulty::start(&[&flags[..], &[secret]].concat());
    let receiver = &faulty.receiver;
    receiver.add_user("joe");
    let cookie = receiver.log_in_ok("joe");
    std::thread::sleep(Duration::from_millis(1500));
    let cookie = [("Cookie", &*cookie)];
    let list = || receiver.exchange(&with(head("GET", "/uploads", "", 0), &cookie));
    let locate = || {
        let fields = [("action", "locate"), ("name", "a"), ("size", "10")];
        let fields = fields.map(|(name, value)| field(name, value)).to_vec();
        let fields = signed(fields, now(), &nonce());
        receiver.exchange(&with(form(&fields), &cookie))
    };
    for (errno, status) in [(ENOSPC, 507), (EIO, 500)] {
        faulty.fail(("pwrite", errno, "/receiver.sqlite"));
        for _ in 0..6 {
            locate().expect(status, "receiver");
            assert_eq!(list().status, 200);
        }
        faulty.mend();
        assert_eq!(locate().status, 200);
    }
}

#[test]
fn a_receiver_without_free_file_descriptors_says_so_and_recovers() {
    let receiver = Receiver::start(&[]);
    let file = Upload::new("a", 200_000);
    let (id, _) = receiver.locate_ok(&file);
    receiver.exchange(&file.send(&id, 0).limit(70_000).build());
    let mut stream = receiver.connect();
    // The connection has to be accepted first.
    stream.write_all(&head("GET", "/uploads", "", 0)).unwrap();
    assert_eq!(Reply::read(&mut stream).status, 200);
    limit(&receiver, "--nofile=3:");
    stream.write_all(&file.send(&id, 70_000).build()).unwrap();
    let refused = Reply::read(&mut stream);
    assert_eq!(refused.status, 500, "{:?}", refused.json);
    limit(&receiver, "--nofile=1024:");
    check_and_finish(&receiver, &file, 70_000);
}

#[test]
fn a_file_larger_than_the_process_may_write_is_refused_and_resumed_later() {
    let mut receiver = Receiver::start(&["--commit-bytes", "50000"]);
    let file = Upload::new("a", 400_000);
    let (id, _) = receiver.locate_ok(&file);
    limit(&receiver, "--fsize=150000:");
    let refused = receiver.send_rest(&file, &id, 0);
    assert_eq!(refused.status, 507, "{:?}", refused.json);
    receiver.kill_and_restart();
    check_and_finish(&receiver, &file, 0);
}

#[test]
fn the_log_says_where_there_is_no_room() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    let told = log.clone();
    let receiver = Receiver::start_changed(dir, &[], move |command| {
        command.stderr(fs::File::create(&told).unwrap());
    });
    let file = Upload::new("a", 400_000);
    let (id, _) = receiver.locate_ok(&file);
    limit(&receiver, "--fsize=150000:");
    assert_eq!(receiver.send_rest(&file, &id, 0).status, 507);
    let log = fs::read_to_string(log).unwrap();
    let where_to = format!(
        "; the data directory is {}, with ",
        receiver.data().display()
    );
    let line = log.lines().find(|line| line.contains(&where_to));
    let line = line.unwrap_or_else(|| panic!("{where_to} is not in {log}"));
    assert!(
        line.contains("file: ") && line.ends_with(" bytes) free"),
        "{line}"
    );
}

#[test]
fn requests_are_answered_when_the_log_cannot_be_written() {
    let dir = tempfile::tempdir().unwrap();
    let receiver = Receiver::start_changed(dir, &[], |command| {
        let full = fs::OpenOptions::new().write(true).open("/dev/full");
        command.stderr(full.unwrap());
    });
    let file = Upload::new("a", 200_000);
    let (id, _) = receiver.locate_ok(&file);
    receiver.exchange(&file.send(&id, 0).limit(70_000).build());
    check_and_finish(&receiver, &file, 70_000);
}

#[test]
fn a_directory_that_may_not_be_written_is_an_error_until_it_may() {
    const NOBODY: u32 = 65534;
    let dir = tempfile::tempdir().unwrap();
    let root = fs::metadata("/proc/self").unwrap();
    let root = root.uid() == 0;
    if root {
        chown(dir.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    }
    let receiver = Receiver::start_changed(dir, &[], move |command| {
        if root {
            command.uid(NOBODY).gid(NOBODY);
        }
    });
    let mode = |name: &str, mode| -> io::Result<()> {
        let path = receiver.data().join(name);
        fs::set_permissions(path, fs::Permissions::from_mode(mode))
    };
    for name in ["partial", "files"] {
        let file = Upload::new(name, 200_000);
        let (id, _) = receiver.locate_ok(&file);
        mode(name, 0o555).unwrap();
        receiver.send_rest(&file, &id, 0).expect(500, "log");
        mode(name, 0o755).unwrap();
        check_and_finish(&receiver, &file, 0);
    }
}
