//! Many clients at once. `make load` runs it at full size, on a release build.

mod common;

use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use resup_test_support::runs;

use common::accounts::{basic, with, PASSWORD};
use common::lock::Lock;
use common::{begin, head, post_form, Receiver, Reply, Upload};

/// The number of uploads at once: RESUP_TEST_RUNS, else a small one.
fn uploads() -> usize {
    runs::count(100)
}

/// Returns a number from the status of the process: kB of memory, or threads.
fn status(receiver: &Receiver, name: &str) -> u64 {
    let status = format!("/proc/{}/status", receiver.pid());
    let status = std::fs::read_to_string(status).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.unwrap().trim_start_matches(':').trim();
    number.trim_end_matches(" kB").parse().unwrap()
}

/// Adds a user's credentials to a request.
fn from(user: &str, request: Vec<u8>) -> Vec<u8> {
    with(request, &[("Authorization", &basic(user, PASSWORD))])
}

/// Uploads `count` files of `size` bytes, all of which have begun before the first one ends. `digest` proves each.
fn upload_at_once(receiver: &Receiver, count: usize, size: usize, digest: &str) {
    let pattern = Upload::new("pattern", size).content;
    let begun = Instant::now();
    let barrier = Barrier::new(count);
    let left = AtomicUsize::new(count);
    let looks = thread::scope(|scope| {
        for n in 0..count {
            let (barrier, left, pattern) = (&barrier, &left, &pattern);
            let client = move || {
                let mut file = Upload::new(&format!("{n}.bin"), 0).with("digests", digest);
                file.content = pattern.clone();
                file.content[..8].copy_from_slice(&(n as u64).to_le_bytes());
                let (id, _) = receiver.locate_ok(&file);
                let send = file.send_with(digest, &id, 0);
                let mut stream = begin(receiver, &send, size / 2);
                barrier.wait();
                stream.write_all(&send.bytes[size / 2..]).unwrap();
                stream.write_all(&send.closing()).unwrap();
                Reply::read(&mut stream).expect_complete(size as u64);
                assert!(receiver.stored(&id) == file.content, "{id}");
                left.fetch_sub(1, Relaxed);
            };
            thread::Builder::new()
                .stack_size(256 * 1024)
                .spawn_scoped(scope, client)
                .unwrap();
        }
        look_at_health(receiver, &left)
    });
    let (peak, threads) = (
        status(receiver, "VmHWM") / 1024,
        status(receiver, "Threads"),
    );
    let time = begun.elapsed().as_secs_f64();
    let rate = (count * size) as f64 / time / 1e6;
    println!(
        "{count} uploads of {size} bytes at once, {digest}: {time:.2} s, {rate:.0} MB/s, \
         at most {peak} MB of memory, {threads} threads; /healthz: {looks}"
    );
    assert!(peak <= 200, "{peak} MB");
}

/// Asks for the receiver's health while uploads are left. Gives how long that took, as text.
fn look_at_health(receiver: &Receiver, left: &AtomicUsize) -> String {
    let mut times = Vec::new();
    while left.load(Relaxed) > 0 {
        let begun = Instant::now();
        assert_eq!(receiver.get("/healthz").status, 200);
        times.push(begun.elapsed().as_millis());
        thread::sleep(Duration::from_millis(10));
    }
    times.sort_unstable();
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    let (median, most) = (at(50), at(100));
    format!("median {median} ms, 95 % {} ms, at most {most} ms", at(95))
}

#[test]
fn many_uploads_at_once_are_all_right() {
    for digest in ["md5", "blake3"] {
        let receiver = Receiver::start(&["--commit-bytes", "100000"]);
        upload_at_once(&receiver, uploads(), 1_000_000, digest);
    }
}

#[test]
fn slow_connections_do_not_stop_the_others() {
    rlimit::increase_nofile_limit(u64::MAX).unwrap();
    let slow = 4 * uploads();
    let most = (slow / 2).to_string();
    let receiver = Receiver::start(&["--max-connections", &most]);
    let sockets: Vec<TcpStream> = (0..slow)
        .map(|n| {
            let mut socket = receiver.connect();
            let said: &[u8] = match n % 3 {
                0 => b"",
                1 => b"POST /upload HTTP/1.1\r\n",
                _ => b"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n",
            };
            let _ = socket.write_all(said);
            socket
        })
        .collect();
    // They go on dripping while the good ones upload.
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let dripping = thread::spawn(move || {
        while stopped.recv_timeout(Duration::from_millis(200)).is_err() {
            for mut socket in &sockets {
                let _ = socket.write_all(b"x");
            }
        }
    });
    upload_at_once(&receiver, uploads() / 10, 1_000_000, "md5");
    stop.send(()).unwrap();
    dripping.join().unwrap();
}

#[test]
fn who_has_not_logged_in_gives_way() {
    let receiver = Receiver::start(&["--max-connections", "8"]);
    receiver.add_user("ann");
    let form = head("POST", "/login", "application/x-www-form-urlencoded", 1000);
    let open = |_| {
        let mut stream = receiver.connect();
        stream.write_all(&form).unwrap();
        stream.write_all(b"user=").unwrap();
        stream
    };
    let _strangers: Vec<_> = (0..20).map(open).collect();
    thread::sleep(Duration::from_millis(300));
    let ann = from("ann", head("GET", "/uploads", "", 0));
    assert_eq!(receiver.exchange(&ann).status, 200);
    // A user keeps half of the connections free for others.
    let send = from(
        "ann",
        head("POST", "/upload", "multipart/form-data; boundary=x", 1000),
    );
    let open = |_| {
        let mut stream = receiver.connect();
        stream.write_all(&send).unwrap();
        stream
    };
    let _sends: Vec<_> = (0..4).map(open).collect();
    thread::sleep(Duration::from_millis(300));
    let refused = receiver
        .exchange(&ann)
        .expect(429, "4 requests of this user");
    assert!(refused.head.contains("retry-after: "), "{}", refused.head);
    receiver.add_user("bob");
    let bob = from("bob", head("GET", "/uploads", "", 0));
    assert_eq!(receiver.exchange(&bob).status, 200);
}

#[test]
fn one_user_may_send_half_of_all_uploads() {
    let receiver = Receiver::start(&["--max-uploads", "3"]);
    for user in ["ann", "bob"] {
        receiver.add_user(user);
    }
    let begun = |user: &str, name: &str| {
        let file = Upload::new(name, 200_000);
        let located = from(user, post_form(&file.locate_form()));
        let id = receiver.exchange(&located).id();
        let send = from(user, file.send(&id, 0).build());
        let mut stream = receiver.connect();
        stream.write_all(&send[..2000]).unwrap();
        thread::sleep(Duration::from_millis(300));
        (stream, send)
    };
    let _open = [begun("ann", "a"), begun("ann", "b")];
    let (mut third, _) = begun("ann", "c");
    let refused = Reply::read(&mut third).expect(429, "2 uploads are being sent");
    assert!(refused.head.contains("retry-after: "), "{}", refused.head);
    let (mut other, send) = begun("bob", "d");
    other.write_all(&send[2000..]).unwrap();
    assert_eq!(Reply::read(&mut other).status, 200);
}

#[test]
fn wrong_passwords_take_little_memory_and_give_it_back() {
    let receiver = Receiver::start_with_users(&["ann"], &[]);
    let before = status(&receiver, "VmRSS");
    thread::scope(|scope| {
        for n in 0..20 {
            let receiver = &receiver;
            scope.spawn(move || {
                let request = from(&format!("stranger{n}"), head("GET", "/uploads", "", 0));
                let status = receiver.exchange(&request).status;
                assert!(matches!(status, 401 | 503), "{status}");
            });
        }
    });
    let [peak, after] = ["VmHWM", "VmRSS"].map(|name| status(&receiver, name) - before);
    // A hash has 19 MiB, and two are made at once.
    assert!(peak < 80 * 1024, "{peak} kB");
    assert!(after < 19 * 1024, "{after} kB");
}

#[test]
fn reading_does_not_wait_for_writing() {
    let receiver = Receiver::start(&[]);
    let file = Upload::new("a", 1000);
    receiver.locate_ok(&file);
    let lock = Lock::take(&receiver);
    thread::scope(|scope| {
        let writing = scope.spawn(|| receiver.locate(&Upload::new("b", 1000)).status);
        thread::sleep(Duration::from_millis(300));
        for target in ["/healthz", "/uploads", "/login"] {
            assert_eq!(receiver.get(target).status, 200, "{target}");
        }
        receiver.locate_ok(&file);
        assert!(!writing.is_finished());
        lock.release();
        assert_eq!(writing.join().unwrap(), 200);
    });
}
