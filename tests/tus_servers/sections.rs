//! Large files in sections, which the servers join: on one connection and on several.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::Arc;
use std::time::{Duration, Instant};

use fastrand::Rng;
use resup::{Client, ErrorKind, ProtocolName};
use resup_test_support::chaos::{ChaosProxy, Cut, Faults};
use resup_test_support::files;
use resup_test_support::head::RequestHead;
use resup_test_support::http_proxy::{Fault, HttpProxy};
use resup_test_support::tus::{Kind, Setup, TusServer};
use resup_test_support::{runs, seed};

use crate::scene::{client, scenes, Scene};

/// The size of a file that is worth several connections.
const LARGE: u64 = (20 << 20) + 1000;

/// Those that join uploads.
const JOINING: [Kind; 2] = [Kind::Tusd, Kind::Python];

/// Gives the values of a header field in all requests so far.
fn values(scene: &Scene, name: &str) -> Vec<String> {
    let exchanges = scene.proxy.exchanges();
    let values = exchanges.iter().filter_map(|it| it.head.header(name));
    values.map(str::to_owned).collect()
}

#[test]
fn large_files_arrive_on_one_connection_and_on_several() {
    for scene in scenes() {
        let (client, file) = (scene.client(), scene.file(LARGE));
        for connections in [1, 6] {
            let mut upload = scene.upload(&client, &file);
            upload.set_connections(connections).unwrap();
            upload
                .run()
                .unwrap_or_else(|e| panic!("{}: {connections}: {e}", scene.name));
            scene.check(&upload, &file);
            assert_eq!(upload.remote().snapshot().bytes_sent, LARGE);
            assert!(!scene.state_file().exists(), "{}", scene.name);
            let concat = values(&scene, "upload-concat");
            if JOINING.contains(&scene.kind()) && scene.protocol() == ProtocolName::Tus {
                let (partial, joined) = match connections {
                    1 => (0, 0),
                    _ => (12, 1),
                };
                let count = |begin: &str| concat.iter().filter(|it| it.starts_with(begin)).count();
                assert_eq!(count("partial"), partial, "{}", scene.name);
                assert_eq!(count("final;"), joined, "{}", scene.name);
            }
        }
    }
}

#[test]
fn lost_responses_lose_nothing_of_sections() {
    for kind in JOINING {
        // The last POST joins the sections.
        for (method, first) in [
            ("POST", 0),
            ("POST", 4),
            ("POST", 12),
            ("PATCH", 0),
            ("PATCH", 7),
            ("HEAD", 0),
        ] {
            let mut seen = 0;
            let plan = move |head: &RequestHead, _: u64| {
                seen += u64::from(head.method == method);
                match head.method == method && seen == first + 1 {
                    true => Fault::LoseResponse,
                    false => Fault::None,
                }
            };
            let Some(scene) = Scene::with(Setup::new(kind), plan) else {
                continue;
            };
            let (client, file) = (scene.client(), scene.file(LARGE));
            let mut upload = scene.upload(&client, &file);
            upload.set_connections(6).unwrap();
            upload
                .run()
                .unwrap_or_else(|e| panic!("{kind:?}: {method} {first}: {e}"));
            scene.check(&upload, &file);
            let exchanges = scene.proxy.exchanges();
            let lost = exchanges.iter().filter(|it| it.response.is_none());
            assert_eq!(lost.count(), 1, "{kind:?}: {method} {first}");
            let sent = upload.remote().snapshot().bytes_sent;
            assert_eq!(sent, LARGE, "{kind:?}: {method} {first}: all had arrived");
        }
    }
}

#[test]
fn another_process_finds_the_file_that_a_lost_answer_told_of() {
    for kind in [Kind::Tusd, Kind::Receiver] {
        let mut is_first = true;
        let plan = move |head: &RequestHead, _: u64| {
            let joins = head
                .header("upload-concat")
                .is_some_and(|it| it.starts_with("final;"));
            match joins && std::mem::take(&mut is_first) {
                true => Fault::LoseResponse,
                false => Fault::None,
            }
        };
        let Some(scene) = Scene::with(Setup::new(kind), plan) else {
            continue;
        };
        let file = scene.file(LARGE);
        let before = scene.client();
        before.set_retry_limit(0);
        let mut upload = scene.upload(&before, &file);
        upload.set_connections(6).unwrap();
        let error = upload.run().unwrap_err();
        assert!(error.is_retryable(), "{kind:?}: {error}");
        // A further process has the state file only.
        let mut upload = scene.upload(&scene.client(), &file);
        let result = upload.run();
        result.unwrap_or_else(|e| panic!("{kind:?}: {e}"));
        scene.check(&upload, &file);
        assert_eq!(upload.remote().snapshot().bytes_sent, 0, "{kind:?}");
        let joins = values(&scene, "upload-concat");
        let joins = joins.iter().filter(|it| it.starts_with("final;")).count();
        assert_eq!(joins, 2, "{kind:?}");
        if kind == Kind::Receiver {
            assert_eq!(
                scene.server.files().len(),
                1,
                "it gives the one that it has"
            );
        }
    }
}

#[test]
fn cuts_at_random_bytes_lose_nothing_of_sections() {
    let seed = seed::seed();
    for kind in JOINING {
        for run in 0..runs::count(3) {
            let mut rng = seed::rng(seed.wrapping_add(run));
            let Some(mut scene) = Scene::with(Setup::new(kind), |_, _| Fault::None) else {
                break;
            };
            let cuts = rng.u64(1..12);
            // Each connection is slow enough for others beside it.
            let plan = move |number: u64, rng: &mut Rng| {
                let (up, down) = (rng.u64(..LARGE / 4), rng.u64(..2000));
                Faults {
                    cut_up_after: Some(up).filter(|_| number < cuts && up % 2 == 0),
                    cut_down_after: Some(down).filter(|_| number < cuts && up % 2 == 1),
                    how: if rng.bool() { Cut::Rst } else { Cut::Fin },
                    rate_up: Some(5 << 20),
                    ..Faults::default()
                }
            };
            let chaos = ChaosProxy::narrow(scene.server.addr(), plan, rng.u64(..));
            scene.proxy = HttpProxy::clean(chaos.addr());
            let (client, file) = (scene.client(), scene.file(LARGE));
            let mut upload = scene.upload(&client, &file);
            upload
                .run()
                .unwrap_or_else(|e| panic!("{kind:?}: run {run}: {e}"));
            scene.check(&upload, &file);
        }
    }
}

#[test]
fn several_connections_are_faster_where_each_is_slow() {
    for kind in JOINING {
        let Some(server) = TusServer::start(kind) else {
            continue;
        };
        let slow = |_: u64, _: &mut Rng| Faults {
            rate_up: Some(2 << 20),
            ..Faults::default()
        };
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("large.bin");
        files::make(&file, LARGE, 1).unwrap();
        let [one, several] = [1, 0].map(|connections| {
            let link = ChaosProxy::narrow(server.addr(), slow, 0);
            let client = client(&server.endpoint_at(link.addr()));
            client.set_protocol(ProtocolName::Tus);
            let mut upload = resup::Upload::from_file(&client, &file).unwrap();
            upload.set_connections(connections).unwrap();
            let since = Instant::now();
            upload.run().unwrap();
            let time = since.elapsed().as_secs_f64();
            files::assert_same(&file, &server.stored_file(&upload.remote().id().unwrap()));
            assert_eq!(link.connections() > 2, connections == 0, "{kind:?}");
            time
        });
        println!(
            "{kind:?}: {one:.1} s on one connection, {several:.1} s on several: {:.1} times as fast",
            one / several
        );
    }
}

/// Starts an upload by a slow link, and waits until it has several connections. The proxy of the scene is left out: what
/// it buffers would look like speed. Connections are fast from the time on at which the flag is set.
fn on_several_connections(
    kind: Kind,
) -> Option<(Scene, ChaosProxy, resup::Upload, Arc<AtomicBool>)> {
    let scene = Scene::with(Setup::new(kind), |_, _| Fault::None)?;
    let is_fast = Arc::new(AtomicBool::new(false));
    let seen = is_fast.clone();
    let plan = move |_: u64, _: &mut Rng| Faults {
        rate_up: Some(1 << 20).filter(|_| !seen.load(Relaxed)),
        ..Faults::default()
    };
    let link = ChaosProxy::narrow(scene.server.addr(), plan, 0);
    let client = by_way_of(&link, &scene);
    let mut upload = scene.upload(&client, &scene.file(LARGE));
    upload.start().unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    while link.connections() < 4 {
        assert!(Instant::now() < until, "{kind:?}: no connections");
        std::thread::sleep(Duration::from_millis(5));
    }
    Some((scene, link, upload, is_fast))
}

fn by_way_of(link: &ChaosProxy, scene: &Scene) -> Client {
    let client = client(&scene.server.endpoint_at(link.addr()));
    client.set_protocol(ProtocolName::Tus);
    client
}

#[test]
fn a_pause_ends_all_connections_and_a_cancel_the_run_and_what_is_there_stays() {
    for kind in JOINING {
        let Some((scene, link, mut upload, is_fast)) = on_several_connections(kind) else {
            continue;
        };
        let remote = upload.remote();
        remote.pause();
        std::thread::sleep(Duration::from_millis(300));
        let before = remote.snapshot().bytes_sent;
        std::thread::sleep(Duration::from_millis(300));
        assert_eq!(remote.snapshot().bytes_sent, before, "{kind:?}");
        remote.resume();
        let connections = link.connections();
        let until = Instant::now() + Duration::from_secs(60);
        while link.connections() < connections + 2 {
            assert!(Instant::now() < until, "{kind:?}: no connections");
            std::thread::sleep(Duration::from_millis(5));
        }
        let called = Instant::now();
        remote.cancel();
        let outcome = upload.wait(Duration::from_secs(60));
        assert!(called.elapsed() < Duration::from_millis(100), "{kind:?}");
        assert_eq!(outcome, Some(Err(resup::Error::Cancelled)), "{kind:?}");
        let sent = remote.snapshot().bytes_sent;
        // Another process goes on, here on one connection.
        is_fast.store(true, Relaxed);
        let client = by_way_of(&link, &scene);
        let file = scene.dir.path().join(format!("file {LARGE}.bin"));
        let mut upload = scene.upload(&client, &file);
        upload.set_connections(1).unwrap();
        upload.run().unwrap_or_else(|e| panic!("{kind:?}: {e}"));
        files::assert_same(
            &file,
            &scene.server.stored_file(&upload.remote().id().unwrap()),
        );
        let end = upload.remote().snapshot();
        println!(
            "{kind:?}: {} of {sent} sent bytes were there",
            end.bytes_skipped
        );
        assert!(end.bytes_skipped > 0, "{kind:?}");
        assert_eq!(end.bytes_skipped + end.bytes_sent, LARGE, "{kind:?}");
    }
}

#[test]
fn a_file_that_changes_meanwhile_is_not_joined() {
    for kind in JOINING {
        let Some((scene, _link, mut upload, _)) = on_several_connections(kind) else {
            continue;
        };
        let file = scene.file(LARGE + 1);
        std::fs::rename(file, scene.dir.path().join(format!("file {LARGE}.bin"))).unwrap();
        let outcome = upload.wait(Duration::from_secs(60)).expect("it hangs");
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SourceChanged, "{kind:?}: {error}");
        let largest = scene.server.files().into_iter();
        let largest = largest.map(|file| file.metadata().unwrap().len()).max();
        assert!(largest.unwrap() < LARGE / 4, "{kind:?}: {largest:?}");
    }
}
