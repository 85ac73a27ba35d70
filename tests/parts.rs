//! Files that are sent in parts, on several connections at a time.

#[path = "common/digests.rs"]
mod told;

use std::fs::File;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use fastrand::Rng;
use resup::{Client, DigestAlgorithm, DigestMode, Error, Flow, SegmentSize, Upload};
use resup_test_support::chaos::{ChaosProxy, Cut, Faults};
use resup_test_support::files;
use resup_test_support::model::{ModelReceiver, Options};
use resup_test_support::seed;

/// The bytes per second of each connection of a slow link.
const SLOW: u64 = 1_000_000;

/// The size of a file that takes six connections some seconds. Half of it fits into the buffers on the
/// way.
const LARGE: u64 = 40 << 20;

/// Makes a client with short waits. The buffers on the way hold what a slow link takes some seconds for.
fn client(endpoint: &str) -> Client {
    let client = Client::new(endpoint).unwrap();
    let short = Duration::from_millis(5);
    client.set_retry_backoff(short, short * 8).unwrap();
    client.set_retry_limit(30);
    client
}

/// A receiver of 1.1 behind a link, and a file for it.
struct Scene {
    receiver: ModelReceiver,
    proxy: ChaosProxy,
    content: Vec<u8>,
    path: PathBuf,
    _dir: tempfile::TempDir,
}

impl Scene {
    fn new(size: u64, faults: impl FnMut(u64, &mut Rng) -> Faults + Send + 'static) -> Self {
        Self::with(Options::newest(), size, 0, faults)
    }

    fn with(
        options: Options,
        size: u64,
        seed: u64,
        faults: impl FnMut(u64, &mut Rng) -> Faults + Send + 'static,
    ) -> Self {
        let receiver = ModelReceiver::with(options);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        files::make(&path, size, 11).unwrap();
        Scene {
            proxy: ChaosProxy::start(receiver.addr(), faults, seed),
            content: std::fs::read(&path).unwrap(),
            receiver,
            path,
            _dir: dir,
        }
    }

    fn client(&self) -> Client {
        client(&self.receiver.endpoint_at(self.proxy.addr()))
    }

    fn upload(&self, client: &Client) -> Upload {
        Upload::from_file(client, &self.path).unwrap()
    }

    /// Checks that the receiver has the file, and got no byte that it had confirmed.
    #[track_caller]
    fn check(&self, upload: &Upload) {
        self.check_content(upload);
        assert_eq!(self.receiver.stats().bytes_again, 0, "bytes came again");
    }

    #[track_caller]
    fn check_content(&self, upload: &Upload) {
        told::assert_told(&upload.remote(), &self.content, "parts");
        let files = self.receiver.files();
        assert!(files.iter().any(|(_, stored)| *stored == self.content));
    }
}

fn slow() -> Faults {
    Faults {
        rate_up: Some(SLOW),
        ..Faults::default()
    }
}

/// Waits until the receiver has so many connections.
fn wait_for_connections(scene: &Scene, count: u64) {
    let until = Instant::now() + Duration::from_secs(60);
    while scene.proxy.connections() < count {
        assert!(
            Instant::now() < until,
            "{} connections",
            scene.proxy.connections()
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Checks in each progress event that the numbers do not go back.
fn watch(upload: &mut Upload) {
    let mut last = (0, 0);
    upload.on_progress(move |now| {
        let next = (now.position, now.offset);
        assert!(last.0 <= next.0 && last.1 <= next.1, "{last:?} {next:?}");
        assert!(
            now.offset <= now.position && now.position <= now.size,
            "{now:?}"
        );
        last = next;
        Flow::Continue
    });
}

#[test]
fn a_slow_link_gets_more_connections() {
    let scene = Scene::new(LARGE, |_, _| slow());
    let client = scene.client();
    let mut upload = scene.upload(&client);
    watch(&mut upload);
    let begun = Instant::now();
    upload.run().unwrap();
    let one = Duration::from_secs(LARGE / SLOW);
    assert!(
        begun.elapsed() < one * 3 / 4,
        "{:?} of {one:?}",
        begun.elapsed()
    );
    scene.check(&upload);
    // On a busy machine the last ones may not be worth it.
    let connections = scene.proxy.connections();
    assert!((4..=6).contains(&connections), "{connections}");
    let end = upload.remote().snapshot();
    assert_eq!((end.attempts, end.bytes_sent), (1, LARGE));
}

#[test]
fn a_fast_link_stays_at_one_connection() {
    let scene = Scene::new(30 << 20, |_, _| Faults::default());
    let client = scene.client();
    let mut upload = scene.upload(&client);
    watch(&mut upload);
    upload.run().unwrap();
    scene.check(&upload);
    assert_eq!(scene.proxy.connections(), 1);
}

#[test]
fn the_program_and_the_server_limit_the_connections() {
    std::thread::scope(|scope| {
        for (connections, parts, most) in [(1, 6, 1), (2, 6, 2), (0, 3, 3), (0, 1, 1)] {
            scope.spawn(move || {
                let options = Options {
                    parts: Some(parts),
                    ..Options::newest()
                };
                let scene = Scene::with(options, 9 << 20, 0, |_, _| slow());
                let client = scene.client();
                let mut upload = scene.upload(&client);
                upload.set_connections(connections).unwrap();
                upload.run().unwrap();
                scene.check(&upload);
                let used = scene.proxy.connections();
                assert!(used <= most && (used > 1) == (most > 1), "{used} of {most}");
            });
        }
    });
}

#[test]
fn a_stream_is_sent_on_one_connection() {
    let scene = Scene::new(2 << 20, |_, _| slow());
    let client = scene.client();
    let stream = Cursor::new(scene.content.clone());
    let mut upload = Upload::from_stream(&client, stream, "file").unwrap();
    upload.run().unwrap();
    scene.check(&upload);
    assert_eq!(scene.proxy.connections(), 1);
}

#[test]
fn a_server_that_wants_no_second_connection_is_no_failure() {
    const REPLIES: [&str; 3] = [
        "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 503 Busy\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n",
    ];
    let reset = Faults {
        refuse: true,
        ..Faults::default()
    };
    let refusal = |reply| Faults {
        reply: Some(reply),
        ..Faults::default()
    };
    std::thread::scope(|scope| {
        for faults in REPLIES.map(refusal).into_iter().chain([reset]) {
            scope.spawn(move || {
                let scene = Scene::new(9 << 20, move |number, _| match number {
                    0 => slow(),
                    _ => faults.clone(),
                });
                let client = scene.client();
                let mut upload = scene.upload(&client);
                watch(&mut upload);
                upload.run().unwrap();
                scene.check(&upload);
                // It is tried again after a while, and less and less often.
                let connections = scene.proxy.connections();
                assert!((2..=4).contains(&connections), "{connections}");
                assert_eq!(upload.remote().snapshot().attempts, 1);
            });
        }
    });
}

#[test]
fn a_pause_ends_all_connections_and_the_parts_go_on() {
    let scene = Scene::new(LARGE, |_, _| slow());
    let client = scene.client();
    let mut upload = scene.upload(&client);
    let remote = upload.remote();
    upload.start().unwrap();
    wait_for_connections(&scene, 4);
    remote.pause();
    std::thread::sleep(Duration::from_millis(300));
    let now = || (scene.proxy.connections(), remote.snapshot().bytes_sent);
    let before = now();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(now(), before);
    remote.resume();
    upload
        .wait(Duration::from_secs(60))
        .expect("it hangs")
        .unwrap();
    scene.check(&upload);
    assert_eq!(remote.snapshot().attempts, 2);
}

#[test]
fn a_cancel_ends_all_connections_and_the_next_run_sends_only_the_gaps() {
    let scene = Scene::new(LARGE, |_, _| slow());
    let client = scene.client();
    let mut upload = scene.upload(&client);
    let remote = upload.remote();
    upload.start().unwrap();
    wait_for_connections(&scene, 4);
    std::thread::sleep(Duration::from_millis(300));
    let called = Instant::now();
    remote.cancel();
    let outcome = upload.wait(Duration::from_secs(60)).expect("it hangs");
    let time = called.elapsed();
    assert_eq!(outcome, Err(Error::Cancelled));
    // The promise is 100 ms; a busy machine is late now and then.
    assert!(time < Duration::from_secs(1), "{time:?}");
    println!("cancelled within {time:?}");
    drop(upload);
    assert!(scene.receiver.settle(4, Duration::from_secs(60)));
    let (held, ranges) = (scene.receiver.held("file"), scene.receiver.ranges("file"));
    let behind: u64 = ranges.iter().map(|(from, to)| to - from).sum();
    println!("held: {held:?} {ranges:?}");
    // One connection fills the gaps, too.
    for connections in [1, 0] {
        let client = scene.client();
        let mut upload = scene.upload(&client);
        upload.set_connections(connections).unwrap();
        upload.run().unwrap();
        scene.check(&upload);
        let end = upload.remote().snapshot();
        assert_eq!(end.bytes_skipped + end.bytes_sent, LARGE);
        let known = if connections == 1 {
            held.unwrap() + behind
        } else {
            LARGE
        };
        assert_eq!(end.bytes_skipped, known);
    }
}

#[test]
fn a_file_that_changes_while_its_parts_are_read_is_an_error() {
    const LENGTH: u64 = 12 << 20;
    let open = |path: &Path| File::options().write(true).open(path).unwrap();
    type Change<'a> = &'a (dyn Fn(&Path) + Sync);
    let changes: [(&str, Change); 5] = [
        ("truncated", &|path| open(path).set_len(1000).unwrap()),
        ("grown", &|path| open(path).set_len(LENGTH + 1).unwrap()),
        ("touched", &|path| open(path).write_all(b"new").unwrap()),
        ("replaced", &|path| {
            let other = path.with_extension("new");
            files::make(&other, LENGTH, 12).unwrap();
            std::fs::rename(other, path).unwrap();
        }),
        ("rewritten with its time put back", &|path| {
            let mut file = open(path);
            let time = file.metadata().unwrap().modified().unwrap();
            file.write_all(&files::bytes(LENGTH as usize, 12)).unwrap();
            file.set_modified(time).unwrap();
        }),
    ];
    std::thread::scope(|scope| {
        for (name, change) in changes {
            scope.spawn(move || {
                let scene = Scene::new(LENGTH, |_, _| slow());
                let client = scene.client();
                let mut upload = scene.upload(&client);
                upload.start().unwrap();
                wait_for_connections(&scene, 2);
                change(&scene.path);
                let outcome = upload.wait(Duration::from_secs(60)).expect("it hangs");
                let is_told = matches!(outcome, Err(Error::SourceChanged { .. }));
                assert!(is_told, "{name}: {outcome:?}");
            });
        }
    });
}

/// Uploads through a network on which connections are cut at random.
fn random_cuts(seed: u64) {
    let mut rng = seed::rng(seed);
    let (size, connections) = (rng.u64(8 << 20..16 << 20), [1, 6][rng.usize(..2)]);
    let options = Options {
        max_segment: (rng.u8(..3) == 0).then(|| rng.u64(100_000..1_000_000)),
        buffering: rng.u8(..4) == 0,
        late: rng.u8(..4) == 0,
        ..Options::newest()
    };
    let digest = match rng.u8(..3) {
        0 => DigestMode::First,
        _ => DigestMode::OnePass,
    };
    let algorithm = [DigestAlgorithm::Automatic, DigestAlgorithm::Md5][rng.usize(..2)];
    let segments = match rng.u8(..3) {
        0 => SegmentSize::Fixed(rng.u64(100_000..2_000_000)),
        _ => SegmentSize::Unlimited,
    };
    println!("{seed}: {size} {connections} {options:?} {digest:?} {algorithm:?} {segments:?}");
    let cuts = AtomicU64::new(12);
    let scene = Scene::with(options, size, seed, move |_, rng| {
        let faults = slow();
        if rng.bool() || cuts.fetch_sub(1, Ordering::Relaxed) == 0 {
            return faults;
        }
        let at = rng.u64(..size / 3);
        Faults {
            cut_up_after: (rng.u8(..4) > 0).then_some(at),
            cut_down_after: (rng.u8(..4) == 0).then(|| rng.u64(..2000)),
            how: [Cut::Rst, Cut::Fin, Cut::Stall][rng.usize(..9) / 4],
            ..faults
        }
    });
    let client = scene.client();
    let mut upload = scene.upload(&client);
    upload.set_connections(connections).unwrap();
    upload.set_digest(digest).unwrap();
    upload.set_digest_algorithm(algorithm).unwrap();
    upload.set_segment_size(segments).unwrap();
    let result = upload.run();
    result.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    scene.check_content(&upload);
    // What a lost answer said, or one that came while a part was under way, the client cannot know.
    let again = scene.receiver.stats().bytes_again;
    let unknown = if connections == 1 { 0 } else { size / 10 };
    assert!(again <= unknown, "seed {seed}: {again} bytes came again");
}

#[test]
fn random_cuts_lose_nothing() {
    let runs: u64 = std::env::var("RESUP_TEST_RUNS").map_or(8, |n| n.parse().unwrap());
    let (seed, next) = (seed::seed(), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| loop {
                let run = next.fetch_add(1, Ordering::Relaxed);
                if run >= runs {
                    break;
                }
                random_cuts(seed.wrapping_add(run));
            });
        }
    });
}
