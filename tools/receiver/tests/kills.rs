//! Receivers that are killed, at any time and at each point where something has just become
//! durable. RESUP_TEST_RUNS makes the tests longer.

mod common;

use std::collections::HashMap;
use std::thread;
use std::time::Duration;

use common::{begin, check_prefix, md5_hex, Receiver, Reply, Upload};
use resup_test_support::{runs, seed, tools};

const POINTS: [&str; 7] = [
    "after-write",
    "after-sync",
    "after-commit",
    "before-commit",
    "after-group",
    "after-finish",
    "after-rename",
];

#[test]
fn a_killed_receiver_has_all_that_it_has_confirmed() {
    let runs: usize = runs::count(30);
    let mut rng = seed::rng(seed::seed());
    let kinds: [&[&str]; 4] = [
        &["--layout", "id"],
        &["--layout", "tree"],
        &["--layout", "tree", "--conflict", "replace"],
        &["--layout", "tree", "--conflict", "refuse"],
    ];
    for (kind, flags) in kinds.iter().enumerate() {
        let flags = [*flags, &["--commit-bytes", "50000"]].concat();
        let mut receiver = Receiver::start(&flags);
        // What is finished, by name: the last one where one replaces another.
        let mut finished: HashMap<String, (String, Upload)> = HashMap::new();
        for run in (kind..runs).step_by(kinds.len()) {
            let name = match flags.contains(&"refuse") {
                true => format!("{run}"),
                false => format!("{}", run % 12),
            };
            let size = [rng.usize(..2000), rng.usize(..600_000)][rng.usize(..2)];
            let mut file = Upload::new(&name, size);
            file.fields[0].1 = format!("{run}");
            let plan = match rng.bool() {
                true => format!("{}:{}", POINTS[run / 4 % POINTS.len()], rng.u32(1..5)),
                false => String::new(),
            };
            receiver.kill_and_restart_crashing(&plan);
            let pid = receiver.pid();
            let delay = Duration::from_micros(rng.u64(..60_000));
            let random = plan.is_empty();
            let killer = thread::spawn(move || {
                thread::sleep(delay);
                random.then(|| tools::signal(pid, "KILL"))
            });
            let answered = upload_until_it_dies(&receiver, &file, &mut rng);
            killer.join().unwrap();
            receiver.kill_and_restart();

            let (id, offset) = check_prefix(&receiver, &file);
            assert!(offset >= answered, "{plan} {offset} {answered}");
            receiver
                .send_rest(&file, &id, offset)
                .expect_complete(size as u64);
            finished.insert(name, (id, file));
            if flags.contains(&"replace") || flags.contains(&"refuse") || run % 5 == 0 {
                for (id, file) in finished.values() {
                    let reply = receiver.get(&format!("/uploads/{id}/file"));
                    assert!(reply.body == file.content, "{plan} {}", file.name);
                }
            }
            let mut left = std::fs::read_dir(receiver.data().join("partial")).unwrap();
            assert!(left.next().is_none(), "{plan}");
        }
    }
}

/// Uploads until the receiver dies. Returns the last offset that it confirmed.
fn upload_until_it_dies(receiver: &Receiver, file: &Upload, rng: &mut fastrand::Rng) -> u64 {
    let Ok(mut stream) = std::net::TcpStream::connect(receiver.address) else {
        return 0;
    };
    let mut ask = |request: &[u8]| {
        use std::io::Write;
        stream.write_all(request).ok()?;
        Reply::try_read(&mut stream).filter(|reply| reply.status == 200)
    };
    let Some(found) = ask(&common::post_form(&file.locate_form())) else {
        return 0;
    };
    let mut offset = found.offset();
    loop {
        let left = file.content.len() - offset as usize;
        let most = rng.usize(..=left.max(200_000)).min(left);
        let mut send = file.send(&found.id(), offset).limit(most);
        if most == left {
            send = send.tail("md5", &md5_hex(&file.content));
        }
        let Some(reply) = ask(&send.build()) else {
            return offset;
        };
        offset = reply.offset();
        if reply.text("state") == "complete" {
            return offset;
        }
    }
}

#[test]
fn a_crash_while_an_upload_is_deleted_leaves_all_of_it_or_nothing() {
    for layout in ["id", "tree"] {
        for (point, there) in [
            ("after-withdraw", true),
            ("before-commit", true),
            ("after-group", false),
        ] {
            let mut receiver = Receiver::start(&["--layout", layout]);
            let file = Upload::new("a", 1000);
            let (id, _) = receiver.locate_ok(&file);
            receiver.send_rest(&file, &id, 0).expect_complete(1000);
            receiver.kill_and_restart_crashing(point);
            let target = format!("/uploads/{id}");
            let mut stream = receiver.connect();
            let request = common::head("DELETE", &target, "", 0);
            std::io::Write::write_all(&mut stream, &request).unwrap();
            assert!(Reply::try_read(&mut stream).is_none());
            receiver.kill_and_restart();
            let found = receiver.get(&format!("{target}/file"));
            assert_eq!(found.status == 200 && found.body == file.content, there);
            assert!(!receiver.partial(&id).exists());
            if there {
                assert_eq!(receiver.delete(&target).status, 204);
            }
        }
    }
}

#[test]
fn a_crash_while_a_finished_file_is_reset_leaves_the_old_one_or_none() {
    for (point, there) in [("after-withdraw", true), ("after-group", false)] {
        let mut receiver = Receiver::start(&["--layout", "tree"]);
        let file = Upload::new("a", 1000);
        let (id, _) = receiver.locate_ok(&file);
        receiver.send_rest(&file, &id, 0).expect_complete(1000);
        receiver.kill_and_restart_crashing(point);
        let restart = file.send(&id, 0).set("restart", &md5_hex(&file.content));
        let mut stream = begin(&receiver, &restart, 1000);
        assert!(Reply::try_read(&mut stream).is_none());
        receiver.kill_and_restart();
        let (_, offset) = check_prefix(&receiver, &file);
        assert_eq!(offset, if there { 1000 } else { 0 }, "{point}");
        receiver.send_rest(&file, &id, offset).expect_complete(1000);
    }
}
