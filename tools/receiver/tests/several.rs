//! Several receivers with one database and one directory.

#![cfg(unix)]

mod common;

use std::io::Write;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use common::accounts::{admin_ok, basic, with, PASSWORD};
use common::hook::{by_form, Answer, HookServer};
use common::several::{locate_free, try_exchange, upload, wait_until, Several};
use common::signing::{field, form, nonce, now, signed, SECRET};
use common::{begin, check_prefix, command, head, md5_hex, Receiver, Reply, Upload};
use resup_test_support::haproxy::HaProxy;
use resup_test_support::{runs, seed, tools};

#[test]
fn uploads_through_a_proxy_go_on_while_receivers_are_killed() {
    let Some(several) = Several::start(3, &["--commit-bytes", "20000"]) else {
        return;
    };
    let Some(proxy) = HaProxy::round_robin(&several.addresses()) else {
        return;
    };
    let seed = seed::seed();
    let is_over = AtomicBool::new(false);
    let (kills, requests) = (AtomicU64::new(0), AtomicU64::new(0));
    let receivers: Vec<_> = several.addresses();
    let running = Mutex::new(several);
    let count = runs::count(20);
    let begun = Instant::now();
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut random = fastrand::Rng::with_seed(seed);
            while !is_over.load(Ordering::Relaxed) {
                sleep(Duration::from_millis(random.u64(500..1500)));
                let one = random.usize(..receivers.len());
                let mut several = running.lock().unwrap();
                several.receivers[one].kill();
                several.receivers[one] = several.launch(&receivers[one].to_string());
                kills.fetch_add(1, Ordering::Relaxed);
            }
        });
        runs::on_threads(8, count, |number| {
            let mut random = fastrand::Rng::with_seed(seed ^ (number + 1));
            let file = Upload::new(&format!("file{number}"), random.usize(100_000..600_000));
            requests.fetch_add(
                upload(proxy.addr(), &file, 150_000, &mut random),
                Ordering::Relaxed,
            );
        });
        is_over.store(true, Ordering::Relaxed);
    });
    let several = running.into_inner().unwrap();
    let (kills, requests) = (kills.into_inner(), requests.into_inner());
    let seconds = begun.elapsed().as_secs();
    println!("{count} uploads in {requests} requests and {seconds} s, {kills} kills");
    assert!(kills > 0);
    for number in 0..count {
        let mut random = fastrand::Rng::with_seed(seed ^ (number + 1));
        let file = Upload::new(&format!("file{number}"), random.usize(100_000..600_000));
        let found = locate_free(&several.receivers[0], &file);
        let found = found.expect_complete(file.content.len() as u64);
        let path = format!("/uploads/{}/file", found.id());
        assert!(several.receivers[1].get(&path).body == file.content);
        // Those that a kill left in `partial` get to their places, too.
        let (path, whole) = (several.receivers[0].file(&found.id()), &file.content);
        wait_until("it never gets to its place", || {
            std::fs::read(&path).is_ok_and(|bytes| bytes == *whole)
        });
    }
    let log = proxy.log();
    let served = |number: usize| log.contains(&format!("back/receiver{number} "));
    assert!((0..3).all(served), "not all receivers had requests");
}

#[test]
fn logins_nonces_and_wrong_passwords_are_common() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), SECRET).unwrap();
    let path = secret.path().to_str().unwrap();
    let Some(several) = Several::start(2, &["--signing-secret-file", path]) else {
        return;
    };
    let [first, second] = &several.receivers[..] else {
        unreachable!()
    };
    let file = Upload::new("a", 10);
    let fields = [
        field("action", "locate"),
        field("name", &file.name),
        field("size", file.content.len()),
    ];
    let fields = form(&signed(fields.to_vec(), now(), &nonce()));
    assert_eq!(first.exchange(&fields).status, 200);
    second
        .exchange(&fields)
        .expect(403, "the form is not signed");

    several.add_user("joe");
    several.add_user("ann");
    let cookie = first.log_in_ok("joe");
    let list = |receiver: &Receiver| {
        let list = head("GET", "/uploads", "", 0);
        receiver
            .exchange(&with(list, &[("Cookie", &cookie)]))
            .status
    };
    assert_eq!((list(first), list(second)), (200, 200));
    let logout = with(
        common::accounts::post("/logout", ""),
        &[("Cookie", &cookie)],
    );
    second.exchange(&logout);
    let status = |receiver: &Receiver, user: &str, password: &str| {
        let list = head("GET", "/uploads", "", 0);
        let basic = basic(user, password);
        receiver
            .exchange(&with(list, &[("Authorization", &basic)]))
            .status
    };
    // As many as cause no wait, at both together, by one name from one address.
    for number in 0..5 {
        let receiver = [first, second][number % 2];
        assert_eq!(status(receiver, "joe", "wrong password"), 401, "{number}");
    }
    let counts = || several.query("SELECT string_agg(CAST(count AS TEXT), ',') FROM failures");
    assert_eq!(counts(), "5,5");
    // As if there had been so many that the wait is longer than any machine is slow.
    several.query("UPDATE failures SET count = 15");
    for receiver in [first, second] {
        assert_eq!(status(receiver, "joe", "wrong password"), 429);
        assert_eq!(status(receiver, "ann", PASSWORD), 200);
    }
    // Long ago; a right one takes the name's count back.
    several.query("UPDATE failures SET last = 0");
    assert_eq!(status(second, "joe", PASSWORD), 200);
    assert_eq!(status(first, "joe", "wrong password"), 401);
}

#[test]
fn one_client_at_a_time_writes_and_a_silent_one_is_ended() {
    let Some(several) = Several::start(2, &[]) else {
        return;
    };
    let [first, second] = &several.receivers[..] else {
        unreachable!()
    };
    let file = Upload::new("a", 400_000);
    let (id, _) = first.locate_ok(&file);
    let send = file.send(&id, 0).tail("md5", &md5_hex(&file.content));
    let mut stream = begin(first, &send, 100_000);
    wait_until("it does not begin", || first.partial(&id).exists());
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        // As long as bytes come, however few, it is the first one's.
        scope.spawn(|| {
            let mut sent = 100_000;
            while !is_over.load(Ordering::Relaxed) {
                stream.write_all(&send.bytes[sent..sent + 100]).unwrap();
                sent += 100;
                sleep(Duration::from_millis(100));
            }
        });
        let details = || second.get(&format!("/uploads/{id}")).json["active"] == true;
        assert!(details());
        second.locate(&file).expect(423, "another client");
        second
            .send_rest(&file, &id, 0)
            .expect(423, "another client");
        assert_eq!(second.delete(&format!("/uploads/{id}")).status, 423);
        is_over.store(true, Ordering::Relaxed);
    });
    // Now it is silent, so one request is enough, and what it brought is kept.
    sleep(Duration::from_millis(1200));
    let found = second.locate(&file);
    assert_eq!(found.status, 200, "{:?}", found.json);
    assert!(found.offset() > 100_000, "{}", found.offset());
    assert_eq!(Reply::read(&mut stream).status, 423);
    second
        .send_rest(&file, &id, found.offset())
        .expect_complete(400_000);
    assert_eq!(first.stored(&id), file.content);
    assert_eq!(several.query("SELECT COUNT(*) FROM leases"), "0");
}

#[test]
fn a_receiver_that_stood_still_confirms_nothing_and_corrupts_nothing() {
    let Some(several) = Several::start(2, &["--commit-bytes", "1000000"]) else {
        return;
    };
    let [first, second] = &several.receivers[..] else {
        unreachable!()
    };
    let file = Upload::new("a", 400_000);
    let mut other = file.clone();
    other.content.iter_mut().for_each(|byte| *byte ^= 1);
    let (id, _) = first.locate_ok(&file);
    // Right bytes, which are confirmed, and behind them wrong ones, which wait in the socket while it stands still.
    let mut send = file.send(&id, 0).tail("md5", &md5_hex(&file.content));
    send.bytes[150_000..].copy_from_slice(&other.content[150_000..]);
    let mut stream = begin(first, &send, 150_000);
    let held = || {
        several
            .query("SELECT held FROM uploads")
            .parse()
            .unwrap_or(0)
    };
    wait_until("they are not confirmed", || held() == 150_000);
    tools::signal(first.pid(), "STOP");
    stream.write_all(&send.bytes[150_000..300_000]).unwrap();
    let found = locate_free(second, &file);
    // More than the first one has had, and less than it goes on to write.
    let from = found.offset();
    assert_eq!(from, 150_000);
    let some = file.send(&id, from).limit(200_000 - from as usize);
    assert_eq!(second.exchange(&some.build()).offset(), 200_000);
    tools::signal(first.pid(), "CONT");
    let _ = stream.write_all(&[&send.bytes[300_000..], &send.closing()].concat());
    let reply = Reply::read(&mut stream);
    assert!(reply.status >= 400, "{:?}", reply.json);
    for receiver in [second, first] {
        let (same, offset) = check_prefix(receiver, &file);
        assert_eq!((&same, offset), (&id, 200_000));
    }
    let rest = first.send_rest(&file, &id, 200_000);
    rest.expect_complete(400_000);
    assert!(second.stored(&id) == file.content, "wrong bytes");
    let left = std::fs::read_dir(several.data().join("partial")).unwrap();
    assert_eq!(left.count(), 0);
}

#[test]
fn two_files_at_once_do_not_go_over_the_quota() {
    let Some(several) = Several::start(2, &["--quota", "1000"]) else {
        return;
    };
    for run in 0..20 {
        let barrier = Barrier::new(2);
        let statuses: Vec<_> = thread::scope(|scope| {
            let locate = |receiver| {
                let barrier = &barrier;
                scope.spawn(move || {
                    let file = Upload::new(&format!("file{run}"), 600);
                    let own: &Receiver = receiver;
                    let file = file.with("dir", &own.address.port().to_string());
                    barrier.wait();
                    let reply = own.locate(&file);
                    (reply.status, reply.json["id"].as_str().map(str::to_owned))
                })
            };
            let threads: Vec<_> = several.receivers.iter().map(locate).collect();
            threads.into_iter().map(|it| it.join().unwrap()).collect()
        });
        let made: Vec<_> = statuses
            .iter()
            .filter(|(status, _)| *status == 200)
            .collect();
        assert_eq!(made.len(), 1, "run {run}: {statuses:?}");
        let path = format!("/uploads/{}", made[0].1.as_ref().unwrap());
        assert_eq!(several.receivers[run % 2].delete(&path).status, 204);
    }
}

#[test]
fn what_a_dead_receiver_left_is_put_right_by_another() {
    let Some(several) = Several::start(1, &[]) else {
        return;
    };
    let second = &several.receivers[0];
    for point in ["after-finish", "after-withdraw"] {
        let mut first = several.launch_crashing(point);
        let file = Upload::new(point, 1000);
        let (id, _) = first.locate_ok(&file);
        let path = second.file(&id);
        let request = match point {
            "after-finish" => {
                let md5 = md5_hex(&file.content);
                file.send(&id, 0).tail("md5", &md5).build()
            }
            _ => {
                second.send_rest(&file, &id, 0).expect_complete(1000);
                head("DELETE", &format!("/uploads/{id}"), "", 0)
            }
        };
        assert!(try_exchange(first.address, &request).is_none(), "{point}");
        first.wait();
        assert!(!path.exists(), "{point}");
        wait_until("nobody puts it right", || path.exists());
        locate_free(second, &file).expect_complete(1000);
        assert_eq!(second.stored(&id), file.content);
    }
    wait_until("leases are left", || {
        several.query("SELECT COUNT(*) FROM leases") == "0"
    });
}

#[test]
fn all_receivers_of_a_directory_or_a_database_share_them_or_none_does() {
    let Some(several) = Several::start(1, &[]) else {
        return;
    };
    let refused = |data: &std::path::Path, flags: &[&str], words: &str| {
        let flags: Vec<_> = flags.iter().map(|flag| flag.to_string()).collect();
        let output = command(data, &flags)
            .stdout(Stdio::null())
            .output()
            .unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && error.contains(words), "{error}");
    };
    let (address, elsewhere) = (&several.address, tempfile::tempdir().unwrap());
    let words = "another receiver uses the data directory";
    refused(several.data(), &["--database", address], words);
    let words = "another receiver uses the database";
    refused(elsewhere.path(), &["--database", address], words);
    let words = "--shared needs PostgreSQL";
    let file = format!("sqlite://{}/x?mode=rwc", elsewhere.path().display());
    refused(elsewhere.path(), &["--shared", "--database", &file], words);
    let database = several.server.database();
    let alone = Receiver::start(&["--database", &database]);
    let words = "a receiver without --shared, or a move of records, uses";
    for data in [alone.data(), elsewhere.path()] {
        refused(data, &["--shared", "--database", &database], words);
    }
    alone.locate_ok(&Upload::new("a", 10));
}

#[test]
fn an_admin_sees_what_all_receivers_take_in() {
    let Some(several) = Several::start(2, &[]) else {
        return;
    };
    let [first, second] = &several.receivers[..] else {
        unreachable!()
    };
    several.add_user("root");
    let args = ["--database", &several.address, "user", "admin", "root"];
    admin_ok(several.data(), &args, "");
    let login = basic("root", PASSWORD);
    let headers = [("Authorization", &*login)];
    let file = Upload::new("a", 400_000);
    let id = first.locate_with(&file, &headers).id();
    let send = with(file.send(&id, 0).build(), &headers);
    let mut stream = first.connect();
    stream.write_all(&send[..100_000]).unwrap();
    wait_until("it is not seen", || {
        let asked = with(head("GET", "/admin/overview", "", 0), &headers);
        let running = second.exchange(&asked).json["running"].clone();
        running
            .as_array()
            .is_some_and(|list| list.len() == 1 && list[0]["name"] == "a")
    });
    drop(stream);
}

/// As after an upgrade, when no name is in lower case yet.
#[test]
fn names_without_lower_case_get_it_at_the_start() {
    let Some(several) = Several::start(1, &[]) else {
        return;
    };
    for name in ["Öl", "Übung", "ÄPFEL"] {
        several.receivers[0].locate_ok(&Upload::new(name, 10));
    }
    several.query("UPDATE uploads SET folded = ''");
    let next = several.launch("127.0.0.1:0");
    let list = next.get("/uploads?sort=-name&search=%C3%BCB").json;
    assert_eq!(list["uploads"][0]["name"], "Übung");
    let count = "SELECT COUNT(*) FROM uploads WHERE folded = ''";
    assert_eq!(several.query(count), "0");
}

#[test]
fn the_hook_is_told_of_each_file_also_of_those_of_a_dead_receiver() {
    let is_silent = Arc::new(AtomicBool::new(true));
    let answers = is_silent.clone();
    let hook = HookServer::start_with(move |_, _| match answers.load(Ordering::Relaxed) {
        true => Answer::Silence,
        false => Answer::Status(204, String::new()),
    });
    let url = hook.url();
    let flags = ["--hook-after", &url, "--hook-timeout", "2"];
    let Some(mut several) = Several::start(2, &flags) else {
        return;
    };
    let told = |id: &str| {
        let calls = hook.calls();
        calls.iter().filter(|it| it.text.contains(id)).count()
    };
    let early = by_form(&several.receivers[0], &Upload::new("early", 1000));
    wait_until("it does not begin", || told(&early) == 1);
    several.receivers[0].kill();
    is_silent.store(false, Ordering::Relaxed);
    // The second one looks by itself once a minute, and when it has told of a file of its own.
    let late = by_form(&several.receivers[1], &Upload::new("late", 1000));
    wait_until("it is not told again", || {
        told(&early) > 1 && told(&late) == 1
    });
    wait_until("it is to be told for ever", || {
        several.query("SELECT COUNT(*) FROM deliveries") == "0"
    });
}
