//! Parts that the program pauses, cancels and slows down, and a file that changes meanwhile.

#[path = "common/scene.rs"]
mod scene;

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use resup::{Error, Upload};
use resup_test_support::{files, runs, seed};

use scene::{slow, wait, Scene, LARGE, MEDIUM};

/// Starts an upload over a slow link, and waits until it has four connections.
fn on_four_connections() -> (Scene, Upload) {
    let scene = Scene::new(LARGE, |_, _| slow());
    let mut upload = scene.upload(&scene.client());
    upload.start().unwrap();
    scene.wait_for_connections(4);
    (scene, upload)
}

#[test]
fn a_pause_ends_all_connections_and_the_parts_go_on() {
    let (scene, mut upload) = on_four_connections();
    let remote = upload.remote();
    remote.pause();
    std::thread::sleep(Duration::from_millis(300));
    let now = || (scene.link.connections(), remote.snapshot().bytes_sent);
    let before = now();
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(now(), before);
    scene.open();
    remote.resume();
    wait(&mut upload).unwrap();
    scene.check(&upload);
    assert_eq!(remote.snapshot().attempts, 2);
}

#[test]
fn a_cancel_ends_all_connections_and_the_next_run_sends_only_the_gaps() {
    let (scene, mut upload) = on_four_connections();
    let remote = upload.remote();
    std::thread::sleep(Duration::from_millis(300));
    remote.cancel();
    assert_eq!(wait(&mut upload), Err(Error::Cancelled));
    drop(upload);
    assert!(scene.receiver.settle(4, Duration::from_secs(60)));
    let (held, ranges) = (scene.receiver.held("file"), scene.receiver.ranges("file"));
    let behind: u64 = ranges.iter().map(|(from, to)| to - from).sum();
    println!("held: {held:?} {ranges:?}");
    scene.open();
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

/// Cancels an upload some milliseconds after its start. Gives the time until it has ended, and the connections that
/// it had.
fn time_to_cancel(milliseconds: u64) -> (Duration, u64) {
    let scene = Scene::new(LARGE, |_, _| slow());
    let client = scene.client();
    let mut upload = scene.upload(&client);
    let remote = upload.remote();
    upload.start().unwrap();
    std::thread::sleep(Duration::from_millis(milliseconds));
    let called = Instant::now();
    remote.cancel();
    let outcome = wait(&mut upload);
    let time = called.elapsed();
    assert_eq!(outcome, Err(Error::Cancelled), "{milliseconds} ms");
    let connections = scene.link.connections();
    // No connection is left, and none is made.
    let ended = scene.receiver.settle(0, Duration::from_secs(60));
    assert!(ended, "{milliseconds} ms: a connection is open");
    assert_eq!(scene.link.connections(), connections, "{milliseconds} ms");
    (time, connections)
}

/// Cancels uploads in random moments. `RESUP_TEST_RUNS` is the number of uploads.
#[test]
fn a_cancel_in_any_moment_of_parts_ends_the_run_at_once() {
    // Fewer might all come before there are several connections.
    let (seed, wanted) = (seed::seed(), runs::count(20).max(20));
    let ends = Mutex::new(Vec::new());
    runs::on_threads(20, wanted, |run| {
        let mut rng = seed::rng(seed.wrapping_add(run));
        let end = time_to_cancel(rng.u64(..5500));
        ends.lock().unwrap().push(end);
    });
    let mut ends = ends.into_inner().unwrap();
    ends.sort();
    let (half, longest) = (ends[ends.len() / 2].0, ends[ends.len() - 1].0);
    let most = ends.iter().map(|(_, connections)| connections).max();
    println!("{wanted} cancels, half in {half:.1?}, all in {longest:.1?}; {most:?} connections");
    assert!(most >= Some(&4), "{most:?} connections");
    // The promise is 100 ms. So many uploads at once make each other late.
    assert!(longest < Duration::from_secs(2), "{longest:?}");
    assert!(half < Duration::from_millis(100), "{half:?}");
}

#[test]
fn a_rate_limit_holds_for_all_connections_together() {
    const LIMIT: u64 = 1_000_000;
    let scene = Scene::new(MEDIUM, |_, _| slow());
    let client = scene.client();
    client.set_rate_limit(LIMIT);
    let mut upload = scene.upload(&client);
    let begun = Instant::now();
    upload.start().unwrap();
    // With two connections the link carries the limit, with four twice as much.
    let outcome = wait(&mut upload);
    outcome.unwrap();
    let least = Duration::from_secs_f64(MEDIUM as f64 / LIMIT as f64);
    // The limit lets a moment's bytes through at once.
    let time = begun.elapsed() + Duration::from_millis(300);
    assert!(time > least, "{time:?} of {least:?}");
    scene.check(&upload);
    assert!(scene.link.connections() > 1);
}

#[test]
fn a_state_file_spares_the_reading_of_what_is_there() {
    for damages in [false, true] {
        let scene = Scene::new(LARGE, |_, _| slow());
        let state = scene.dir.path().join("state");
        let client = scene.client();
        let mut upload = scene.upload(&client);
        upload.set_state_file(&state).unwrap();
        upload.start().unwrap();
        // So much that the digest has a checkpoint in it.
        while scene.receiver.held("file") < Some(3 << 20) {
            assert_eq!(upload.wait(Duration::from_millis(5)), None);
        }
        upload.remote().cancel();
        assert_eq!(wait(&mut upload), Err(Error::Cancelled));
        assert!(scene.link.connections() > 1);
        assert!(state.exists());
        if damages {
            let length = std::fs::metadata(&state).unwrap().len();
            let mut file = File::options().write(true).open(&state).unwrap();
            file.seek(SeekFrom::Start(length / 2)).unwrap();
            file.write_all(b"damaged").unwrap();
        }
        scene.open();
        upload.run().unwrap();
        // What was on its way at the cancel may arrive after the locate, and is sent again then.
        scene.check_content(&upload);
        assert!(!state.exists());
    }
}

/// Changes a file while its parts are sent on several connections. Gives the outcome.
fn outcome_of_a_change(change: impl Fn(&Path)) -> (Scene, Result<(), Error>) {
    let scene = Scene::new(LARGE, |_, _| slow());
    let client = scene.client();
    let mut upload = scene.upload(&client);
    upload.start().unwrap();
    scene.wait_for_connections(3);
    change(&scene.path);
    scene.open();
    let outcome = wait(&mut upload);
    (scene, outcome)
}

#[test]
fn a_file_that_changes_while_parts_are_sent_is_an_error_of_its_own() {
    let open = |path: &Path| File::options().write(true).open(path).unwrap();
    type Change<'a> = &'a (dyn Fn(&Path) + Sync);
    let changes: [(&str, Change); 6] = [
        ("truncated", &|path| open(path).set_len(1000).unwrap()),
        ("grown", &|path| open(path).set_len(LARGE + 1).unwrap()),
        ("changed in what is sent", &|path| {
            open(path).write_all(b"new").unwrap();
        }),
        ("changed in what is not sent yet", &|path| {
            let mut file = open(path);
            file.seek(SeekFrom::Start(LARGE - 10)).unwrap();
            file.write_all(b"new").unwrap();
        }),
        ("replaced", &|path| {
            let other = path.with_extension("new");
            files::make(&other, LARGE, 12).unwrap();
            std::fs::rename(other, path).unwrap();
        }),
        ("rewritten with its time put back", &|path| {
            let mut file = open(path);
            let time = file.metadata().unwrap().modified().unwrap();
            file.write_all(&files::bytes(LARGE as usize, 12)).unwrap();
            file.set_modified(time).unwrap();
        }),
    ];
    std::thread::scope(|scope| {
        for (name, change) in changes {
            scope.spawn(move || {
                let (scene, outcome) = outcome_of_a_change(change);
                assert!(
                    matches!(outcome, Err(Error::SourceChanged { .. })),
                    "{name}: {outcome:?}"
                );
                assert!(scene.receiver.files().is_empty(), "{name}");
                // What the file is now arrives by the next run.
                let client = scene.client();
                let mut upload = Upload::from_file(&client, &scene.path).unwrap();
                upload.run().unwrap();
                let files = scene.receiver.files();
                assert!(files[0].1 == std::fs::read(&scene.path).unwrap(), "{name}");
            });
        }
    });
}
