//! Many clients at once. `make load` runs it at full size, on a release build.

mod common;

use std::io::Write;
use std::net::TcpStream;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use common::{begin, md5_hex, Receiver, Reply, Upload};

/// The number of uploads at once: RESUP_TEST_RUNS, else a small one.
fn uploads() -> usize {
    std::env::var("RESUP_TEST_RUNS").map_or(100, |n| n.parse().unwrap())
}

/// Returns the peak memory of the process, in MB, and its number of threads.
fn peak(receiver: &Receiver) -> (u64, u64) {
    let status = format!("/proc/{}/status", receiver.pid());
    let status = std::fs::read_to_string(status).unwrap();
    let number = |name: &str| -> u64 {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let number = line.unwrap().trim().trim_end_matches(" kB");
        number.parse().unwrap()
    };
    (number("VmHWM:") / 1024, number("Threads:"))
}

/// Uploads `count` files of `size` bytes, all of which have begun before the first one ends.
fn upload_at_once(receiver: &Receiver, count: usize, size: usize) {
    let pattern = Upload::new("pattern", size).content;
    let begun = Instant::now();
    let barrier = Barrier::new(count);
    thread::scope(|scope| {
        for n in 0..count {
            let (barrier, pattern) = (&barrier, &pattern);
            let client = move || {
                let mut file = Upload::new(&format!("{n}.bin"), 0);
                file.content = pattern.clone();
                file.content[..8].copy_from_slice(&(n as u64).to_le_bytes());
                let (id, _) = receiver.locate_ok(&file);
                let send = file.send(&id, 0).tail("md5", &md5_hex(&file.content));
                let mut stream = begin(receiver, &send, size / 2);
                barrier.wait();
                stream.write_all(&send.bytes[size / 2..]).unwrap();
                stream.write_all(&send.closing()).unwrap();
                Reply::read(&mut stream).expect_complete(size as u64);
                assert!(receiver.stored(&id) == file.content, "{id}");
            };
            thread::Builder::new()
                .stack_size(256 * 1024)
                .spawn_scoped(scope, client)
                .unwrap();
        }
    });
    let (peak, threads) = peak(receiver);
    let time = begun.elapsed().as_secs_f64();
    let rate = (count * size) as f64 / time / 1e6;
    println!(
        "{count} uploads of {size} bytes at once: {time:.2} s, {rate:.0} MB/s, \
         at most {peak} MB of memory, {threads} threads"
    );
    assert!(peak <= 200, "{peak} MB");
}

#[test]
fn many_uploads_at_once_are_all_right() {
    let receiver = Receiver::start(&["--commit-bytes", "100000"]);
    upload_at_once(&receiver, uploads(), 1_000_000);
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
    upload_at_once(&receiver, uploads() / 10, 1_000_000);
    stop.send(()).unwrap();
    dripping.join().unwrap();
}
