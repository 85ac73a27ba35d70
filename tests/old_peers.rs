//! The command and the receiver of version 1.0 of the protocol with today's: what one of them sends, the other takes,
//! and what one has begun, the other ends. `make test-old-peers` builds the old ones.

#[path = "old_peers/peers.rs"]
mod peers;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use peers::{Ended, New, Old, Version, PAIRS};
use resup_test_support::chaos::{ChaosProxy, Cut, Faults};
use resup_test_support::files;
use resup_test_support::receiver::Receiver;
use tempfile::TempDir;

const SIZE: u64 = 3_000_000;

const PASSWORD: &str = "correct horse";

fn make(dir: &TempDir, name: &str, size: u64) -> PathBuf {
    let path = dir.path().join(name);
    files::make(&path, size, 7).unwrap();
    path
}

/// Gives the URL of the endpoint by way of a proxy.
fn by_way_of(proxy: &ChaosProxy) -> String {
    format!("http://{}/upload", proxy.addr())
}

/// Starts a proxy whose first connections are cut as the list says.
fn cutting(receiver: &Receiver, mut cuts: Vec<Faults>) -> ChaosProxy {
    cuts.reverse();
    let plan = move |_: u64, _: &mut fastrand::Rng| cuts.pop().unwrap_or_default();
    ChaosProxy::start(receiver.addr(), plan, 0)
}

fn cut_up(at: u64, how: Cut) -> Faults {
    Faults {
        cut_up_after: Some(at),
        how,
        ..Faults::default()
    }
}

fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < until, "{what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn files_of_all_sizes_and_directories_arrive_both_ways() {
    for (command, version) in PAIRS {
        let receiver = version.setup().start();
        let dir = tempfile::tempdir().unwrap();
        let sizes = [0, 1, 1000, 262_144, 262_145, SIZE, 9_000_001];
        let paths: Vec<_> = sizes
            .iter()
            .map(|size| make(&dir, &format!("报告 {size}.bin"), *size))
            .collect();
        for sent in [sizes.iter().sum(), 0] {
            let ended = command.run(&paths, &receiver.endpoint());
            ended.check(&receiver, sizes.len());
            assert_eq!(ended.sum("bytes_sent"), sent, "{command:?}");
        }
        let top = dir.path().join("top");
        std::fs::create_dir_all(top.join("a/b")).unwrap();
        for n in 0..40 {
            let path = top.join(["", "a", "a/b"][n % 3]).join(n.to_string());
            files::make(&path, n as u64 * 500, n as u64 + 9).unwrap();
        }
        let args = ["-r", "-j", "4", "-d", "in", top.to_str().unwrap()];
        for _ in 0..2 {
            command.run(args, &receiver.endpoint()).check(&receiver, 40);
        }
    }
}

#[test]
fn cuts_at_all_places_lose_nothing_both_ways() {
    let up = [
        0,
        150,
        900,
        1500,
        300_000,
        1_600_000,
        SIZE - 500,
        SIZE + 200,
    ];
    let down = [0, 50, 300];
    let how = |n: usize| [Cut::Rst, Cut::Fin][n % 2];
    let cuts: Vec<_> = (0..up.len())
        .map(|n| cut_up(up[n], how(n)))
        .chain((0..down.len()).map(|n| Faults {
            cut_down_after: Some(down[n]),
            how: how(n),
            ..Faults::default()
        }))
        .collect();
    // Each alone, and one after the other.
    let rounds: Vec<_> = cuts.iter().map(|cut| vec![cut.clone()]).collect();
    let rounds = rounds.into_iter().chain([cuts]);
    for (number, cuts) in rounds.enumerate() {
        for (command, version) in PAIRS {
            let receiver = version.setup().start();
            let dir = tempfile::tempdir().unwrap();
            let path = make(&dir, "file", SIZE);
            let proxy = cutting(&receiver, cuts.clone());
            let args = ["--retries".as_ref(), "20".as_ref(), path.as_os_str()];
            let ended = command.run(args, &by_way_of(&proxy));
            ended.check(&receiver, 1);
            let connections = proxy.connections();
            // Of many cuts the last ones lie behind what is left to send.
            let least = cuts.len().min(5) as u64;
            assert!(connections > least, "{number}: {connections} connections");
        }
    }
}

/// Begins an upload whose connection is cut. Gives how many bytes the receiver got.
fn begin(command: Version, receiver: &Receiver, path: &Path, args: &[&str]) {
    let refuse = Faults {
        refuse: true,
        ..Faults::default()
    };
    let mut cuts = vec![cut_up(1_600_000, Cut::Fin)];
    cuts.extend(vec![refuse; 20]);
    let proxy = cutting(receiver, cuts);
    let args = args.iter().map(AsRef::as_ref);
    let args = args.chain(["--retries".as_ref(), "0".as_ref(), path.as_os_str()]);
    let ended = command.run(args, &by_way_of(&proxy));
    assert_eq!(ended.code, Some(4), "{command:?}");
}

#[test]
fn what_one_version_has_begun_the_other_one_ends() {
    for at in [Old, New] {
        let receiver = at.setup().start();
        let dir = tempfile::tempdir().unwrap();
        for (first, second) in PAIRS {
            for digest in [&[][..], &["--digest", "first"], &["--digest", "none"]] {
                let name = format!("{first:?}{}", digest.last().unwrap_or(&""));
                let path = dir.path().join(&name);
                // Each has its own content: the server would know equal ones by their digest.
                files::make(&path, SIZE, name.bytes().map(u64::from).sum()).unwrap();
                let receiver = &receiver;
                begin(first, receiver, &path, digest);
                let path = path.to_str().unwrap();
                let ended = second.run(digest.iter().chain([&path]), &receiver.endpoint());
                ended.check(receiver, 1);
                let (skipped, sent) = (ended.sum("bytes_skipped"), ended.sum("bytes_sent"));
                assert!(skipped > 1_000_000, "{at:?} {name}: {skipped} and {sent}");
                assert_eq!(skipped + sent, SIZE, "{at:?} {name}");
            }
        }
    }
}

#[test]
fn an_old_command_ends_what_parts_have_begun() {
    let receiver = New.setup().start();
    let dir = tempfile::tempdir().unwrap();
    let path = make(&dir, "file", 12 << 20);
    let slow = |_: u64, _: &mut fastrand::Rng| Faults {
        rate_up: Some(500_000),
        ..Faults::default()
    };
    let proxy = ChaosProxy::start(receiver.addr(), slow, 0);
    let mut child = New.put().arg(&path).arg(by_way_of(&proxy)).spawn().unwrap();
    wait_for("two connections", || proxy.connections() >= 2);
    std::thread::sleep(Duration::from_millis(700));
    child.kill().unwrap();
    child.wait().unwrap();
    drop(proxy);
    let ended = Old.run([&path], &receiver.endpoint());
    ended.check(&receiver, 1);
    let skipped = ended.sum("bytes_skipped");
    assert!(skipped > 0, "{skipped}");
}

#[test]
fn an_equal_file_is_not_sent_again_where_the_server_has_its_md5() {
    let first = ["--digest", "first"];
    for at in [Old, New] {
        let receiver = at.setup().start();
        let dir = tempfile::tempdir().unwrap();
        for (before, after) in PAIRS {
            let name = |end: &str| format!("{before:?}-{end}");
            let seed = before as u64;
            let paths = ["one", "two"].map(|end| dir.path().join(name(end)));
            for path in &paths {
                files::make(path, SIZE, seed).unwrap();
            }
            let [one, two] = paths.each_ref().map(|path| path.to_str().unwrap());
            let ended = before.run(first.iter().chain([&one]), &receiver.endpoint());
            ended.check(&receiver, 1);
            let ended = after.run(first.iter().chain([&two]), &receiver.endpoint());
            ended.check(&receiver, 1);
            // Today's receiver does not compute a digest that the sender of the file has not used.
            let is_known = at == Old || before == Old;
            let sent = if is_known { 0 } else { SIZE };
            assert_eq!(ended.sum("bytes_sent"), sent, "{at:?} {before:?}");
        }
    }
}

#[test]
fn logins_and_signatures_work_both_ways() {
    let dir = tempfile::tempdir().unwrap();
    let password = dir.path().join("password");
    std::fs::write(&password, PASSWORD).unwrap();
    let password = password.to_str().unwrap();
    for (command, version) in PAIRS {
        let receiver = version.setup().start();
        receiver.admin(&["user", "add", "joe"], PASSWORD);
        let token = receiver.admin(&["token", "add", "joe", "--label", "test"], "");
        let login = format!("http://{}/login", receiver.addr());
        let wrong = ["--basic", "joe:wrong password"];
        for (n, words) in [
            &["--basic", "joe", "--password-file", password][..],
            &["--token", token.trim()],
            &[
                "--login",
                &login,
                "--login-field",
                "user=joe",
                "--login-field",
                "password",
                "--password-file",
                password,
            ],
            &wrong,
        ]
        .into_iter()
        .enumerate()
        {
            let path = make(&dir, &format!("{command:?}{n}"), 300_000 + n as u64);
            let path = path.to_str().unwrap();
            let ended = command.run(words.iter().chain([&path]), &receiver.endpoint());
            if words == wrong {
                assert_eq!(ended.code, Some(5), "{command:?}: {}", ended.error());
                continue;
            }
            ended.check(&receiver, 1);
        }
        let secret = ["--signing-secret-file", password];
        let receiver = version.setup().args(&secret).start();
        let [one, two] = [100, SIZE].map(|size| make(&dir, &format!("s{size}"), size));
        let [one, two] = [&one, &two].map(|path| path.to_str().unwrap());
        let args = ["--sign-secret-file", password, one, two];
        command.run(args, &receiver.endpoint()).check(&receiver, 2);
    }
}

#[test]
fn limits_of_the_server_hold_both_ways() {
    for (command, version) in PAIRS {
        let setup = version.setup().args(&["--max-segment", "500000"]);
        let receiver = setup.start();
        let dir = tempfile::tempdir().unwrap();
        let path = make(&dir, "file", SIZE);
        command
            .run([path], &receiver.endpoint())
            .check(&receiver, 1);
        assert!(receiver.requests("send") >= 6, "{}", receiver.stderr());
    }
}

#[test]
fn a_digest_that_an_old_receiver_lacks_is_an_error_before_a_byte_is_sent() {
    let receiver = Old.setup().start();
    let dir = tempfile::tempdir().unwrap();
    let path = make(&dir, "file", SIZE);
    let path = path.to_str().unwrap();
    for digest in ["blake3", "sha256"] {
        let ended = New.run(["--digest", digest, path], &receiver.endpoint());
        assert_eq!(ended.code, Some(6), "{digest}: {}", ended.error());
        assert!(ended
            .error()
            .contains("was asked for by name, and the server does not use it"));
    }
    assert_eq!(receiver.requests("send"), 0);
    let ended = New.run(["--digest", "md5", path], &receiver.endpoint());
    ended.check(&receiver, 1);
}

#[test]
fn a_receiver_can_be_replaced_by_a_newer_one_while_files_come() {
    const SIZE: u64 = 8_000_000;
    for command in [Old, New] {
        let data = tempfile::tempdir().unwrap();
        let commits = ["--commit-bytes", "500000"];
        let mut old = Old.setup().args(&commits).data(data.path()).start();
        let slow = |_: u64, _: &mut fastrand::Rng| Faults {
            rate_up: Some(5_000_000),
            ..Faults::default()
        };
        let proxy = ChaosProxy::start(old.addr(), slow, 0);
        let dir = tempfile::tempdir().unwrap();
        let path = make(&dir, "file", SIZE);
        let child = command
            .put()
            .args(["--retries", "100"])
            .arg(path)
            .arg(by_way_of(&proxy))
            .spawn()
            .unwrap();
        wait_for("half of the file", || proxy.bytes_up() > SIZE / 2);
        old.kill();
        let new = New.setup().data(data.path()).start();
        proxy.set_target(new.addr());
        let ended = Ended::wait(&format!("{command:?}"), child);
        ended.check(&new, 1);
        // What the old one got stays.
        let again = proxy.bytes_up() - SIZE;
        assert!(again < SIZE / 3, "{command:?}: {again} bytes came again");
    }
}

#[test]
fn a_newer_receiver_takes_over_all_that_an_old_one_has() {
    let data = tempfile::tempdir().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let whole = make(&dir, "whole", SIZE);
    let parts = ["by-old", "by-new"].map(|name| make(&dir, name, SIZE + name.len() as u64));
    let old = Old.setup().data(data.path()).start();
    old.admin(&["user", "add", "joe"], PASSWORD);
    let token = old.admin(&["token", "add", "joe", "--label", "test"], "");
    let login = ["--token", token.trim()];
    let args = |path: &Path| {
        login
            .map(String::from)
            .into_iter()
            .chain([path.to_str().unwrap().to_owned()])
            .collect::<Vec<_>>()
    };
    Old.run(args(&whole), &old.endpoint()).check(&old, 1);
    for part in &parts {
        begin(Old, &old, part, &login);
    }
    drop(old);

    let new = New.setup().data(data.path()).start();
    for (command, part) in [Old, New].into_iter().zip(&parts) {
        let ended = command.run(args(&whole), &new.endpoint());
        ended.check(&new, 1);
        assert_eq!(ended.sum("bytes_sent"), 0, "{command:?}");
        let ended = command.run(args(part), &new.endpoint());
        ended.check(&new, 1);
        assert!(ended.sum("bytes_skipped") > 1_000_000, "{command:?}");
    }
    drop(new);

    // There is no way back: the old one leaves all as it is.
    let output = Command::new(Old.receiver_program())
        .arg("--data")
        .arg(data.path())
        .args(["--listen", "127.0.0.1:0"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{said}");
    assert!(said.contains("receiver.sqlite cannot be opened"), "{said}");
    assert!(said.contains("migration 7"), "{said}");
    let new = New.setup().data(data.path()).start();
    for path in [&whole, &parts[0], &parts[1]] {
        let ended = Old.run(args(path), &new.endpoint());
        ended.check(&new, 1);
        assert_eq!(ended.sum("bytes_sent"), 0, "{path:?}");
    }
}
