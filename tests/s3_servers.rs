//! Files go in parts to presigned URLs at servers of other people for S3, whatever breaks on the way. The URLs are signed by the
//! sample `examples/presigned/parts.py`. `make servers` fetches the servers.

#[path = "common/s3.rs"]
mod scene;

use std::path::Path;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::Arc;
use std::time::{Duration, Instant};

use resup::{Error, ErrorKind, RefusalKind, Upload};
use resup_test_support::chaos::{ChaosProxy, Faults};
use resup_test_support::head::RequestHead;
use resup_test_support::http_proxy::{Fault, HttpProxy};
use resup_test_support::s3::{Kind, ALL};
use resup_test_support::{files, runs, seed};

use scene::{client, is_presigned, on, without, Scene, COUNT, LONG, PART, SIZE};

#[test]
fn files_arrive_by_their_parts_and_nothing_of_the_login_does() {
    for kind in ALL {
        for (size, count, connections) in [
            (0, 1, 0),
            (1, 1, 0),
            (PART, 1, 1),
            (SIZE, COUNT, 1),
            (SIZE, COUNT, 6),
        ] {
            let Some(scene) = Scene::with(kind, |_, _| Fault::None) else {
                break;
            };
            let file = scene.file(size);
            let mut upload = scene.upload(&file, &scene.sign(size));
            upload.set_connections(connections).unwrap();
            let result = upload.run();
            result.unwrap_or_else(|e| panic!("{kind:?}: {size} bytes: {e}"));
            assert_eq!(upload.remote().protocol(), Some("presigned"));
            scene.check(&file);
            assert_eq!(scene.stored_parts(), count, "{kind:?}: {size}");
            let exchanges = scene.proxy.exchanges();
            for exchange in exchanges.iter().filter(|it| is_presigned(&it.head)) {
                for field in ["authorization", "content-type", "cookie"] {
                    assert_eq!(exchange.head.header(field), None, "{kind:?}");
                }
            }
            assert!(!scene.state().exists());
        }
    }
}

#[test]
fn a_stream_goes_part_by_part() {
    for kind in ALL {
        let Some(scene) = Scene::with(kind, on("PUT", 1, Fault::CutBody(5_000_000))) else {
            continue;
        };
        let file = scene.file(SIZE);
        let stream = std::fs::File::open(&file).unwrap();
        let mut upload = Upload::from_stream(&client(), stream, "stream").unwrap();
        upload.set_parts(&scene.sign(SIZE)).unwrap();
        let result = upload.run();
        result.unwrap_or_else(|e| panic!("{kind:?}: {e}"));
        scene.check(&file);
        assert_eq!(scene.stored_parts(), COUNT, "{kind:?}");
    }
}

#[test]
fn lost_responses_lose_nothing_and_a_completion_is_proved() {
    for kind in ALL {
        for (method, times, left_out) in [
            ("PUT", 1, &["list"][..]),
            ("PUT", 3, &[]),
            ("GET", 1, &[]),
            ("POST", 1, &[]),
            ("POST", 1, &["list"]),
            ("HEAD", 1, &["list"]),
        ] {
            let plan = on(method, times, Fault::LoseResponse);
            let mut other = on("POST", u64::from(method == "HEAD"), Fault::LoseResponse);
            let mut plan = plan;
            let both = move |head: &RequestHead, number: u64| match other(head, number) {
                Fault::None => plan(head, number),
                fault => fault,
            };
            let Some(scene) = Scene::with(kind, both) else {
                break;
            };
            let file = scene.file(SIZE);
            let parts = without(&scene.sign(SIZE), left_out);
            let result = scene.upload(&file, &parts).run();
            result.unwrap_or_else(|e| panic!("{kind:?}: {method}: {e}"));
            scene.check(&file);
        }
    }
}

#[test]
fn a_completion_that_nothing_proves_is_told_as_that() {
    // moto, like Amazon's, gives the same answer once more.
    let Some(scene) = Scene::with(Kind::Versity, on("POST", 1, Fault::LoseResponse)) else {
        return;
    };
    let file = scene.file(SIZE);
    let parts = without(&scene.sign(SIZE), &["head"]);
    let mut upload = scene.upload(&file, &parts);
    let error = upload.run().unwrap_err();
    assert!(matches!(error, Error::MayBeStored { .. }), "{error}");
    scene.check(&file);
}

#[test]
fn cuts_at_random_bytes_lose_nothing() {
    let seed = seed::seed();
    for kind in ALL {
        for run in 0..runs::count(4) {
            let Some(mut scene) = Scene::with(kind, |_, _| Fault::None) else {
                break;
            };
            let mut rng = seed::rng(seed.wrapping_add(run));
            let cuts = rng.u64(1..10);
            // The backend, which begins the upload on a connection or two of its own, gets no faults.
            let is_signed = Arc::new(AtomicBool::new(false));
            let is_under_way = is_signed.clone();
            let plan = move |number: u64, rng: &mut fastrand::Rng| match is_under_way.load(Relaxed)
                && number < cuts + 2
            {
                true => Faults::random_cut(rng, (SIZE, 1000)),
                false => Faults::default(),
            };
            let chaos = ChaosProxy::start(scene.server.addr(), plan, rng.u64(..));
            scene.proxy = HttpProxy::clean(chaos.addr());
            let file = scene.file(SIZE);
            let left_out: &[&str] = if rng.bool() { &["list"] } else { &[] };
            let parts = without(&scene.sign(SIZE), left_out);
            is_signed.store(true, Relaxed);
            let result = scene.upload(&file, &parts).run();
            result.unwrap_or_else(|e| panic!("{kind:?}: run {run}: {e}"));
            scene.check(&file);
        }
    }
}

/// Not a test: the program that `a_program_that_was_killed…` starts and kills.
#[test]
fn child_uploader() {
    let variable = std::env::var;
    let (Ok(file), Ok(parts)) = (variable("CHILD_FILE"), variable("CHILD_PARTS")) else {
        return;
    };
    let mut upload = Upload::from_file(&client(), file).unwrap();
    upload
        .set_parts(&std::fs::read_to_string(parts).unwrap())
        .unwrap();
    if let Ok(state) = variable("CHILD_STATE") {
        upload.set_state_file(state).unwrap();
    }
    if let Ok(rate) = variable("CHILD_RATE") {
        upload.remote().set_rate_limit(rate.parse().unwrap());
    }
    upload.run().unwrap();
}

fn start(file: &Path, parts: &Path, variables: &[(&str, &str)]) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "child_uploader", "--nocapture"]);
    command.env("CHILD_FILE", file).env("CHILD_PARTS", parts);
    command.envs(variables.iter().copied());
    command.spawn().unwrap()
}

#[test]
fn a_program_that_was_killed_goes_on_by_its_state_file_or_by_the_list() {
    for kind in ALL {
        for by_list in [false, true] {
            let Some(scene) = Scene::with(kind, |_, _| Fault::None) else {
                break;
            };
            let file = scene.file(SIZE);
            let left_out: &[&str] = if by_list { &[] } else { &["list"] };
            let parts = scene.dir.path().join("parts.json");
            std::fs::write(&parts, without(&scene.sign(SIZE), left_out)).unwrap();
            let state = scene.state();
            let state = ("CHILD_STATE", state.to_str().unwrap());
            let variables: &[_] = if by_list { &[] } else { &[state] };
            let slow = [variables, &[("CHILD_RATE", "6000000")]].concat();
            let mut child = start(&file, &parts, &slow);
            let until = Instant::now() + Duration::from_secs(60);
            while scene.stored_parts() < 2 {
                assert!(Instant::now() < until, "{kind:?}: no parts come");
                std::thread::sleep(Duration::from_millis(5));
            }
            // The answer is noted within this time.
            std::thread::sleep(Duration::from_millis(200));
            child.kill().unwrap();
            child.wait().unwrap();
            let before = scene.stored_parts();
            assert!((2..COUNT).contains(&before), "{kind:?}: {before}");
            if !by_list {
                let state = std::fs::read_to_string(scene.state()).unwrap();
                assert!(!state.contains("Signature"), "{state}");
            }
            assert!(start(&file, &parts, variables).wait().unwrap().success());
            scene.check(&file);
            assert_eq!(scene.stored_parts(), COUNT, "{kind:?}: by list: {by_list}");
        }
    }
}

#[test]
fn a_listed_part_of_another_file_is_sent_again() {
    for kind in ALL {
        let Some(scene) = Scene::with(kind, |_, _| Fault::None) else {
            continue;
        };
        let (other, file) = (scene.dir.path().join("other.bin"), scene.file(SIZE));
        files::make(&other, SIZE, 77).unwrap();
        let parts = scene.sign(SIZE);
        // Without its completion, the first file leaves its parts.
        let broken = parts.replacen(
            "\"complete\": \"http://127.0.0.1:",
            "\"complete\": \"http://127.0.0.1:1/?",
            1,
        );
        assert_ne!(broken, parts);
        let client = client();
        client.set_retry_limit(0);
        let mut upload = Upload::from_file(&client, &other).unwrap();
        upload.set_parts(&broken).unwrap();
        upload.run().unwrap_err();
        assert_eq!(scene.stored_parts(), COUNT, "{kind:?}");
        let mut upload = Upload::from_file(&client, &file).unwrap();
        upload.set_parts(&parts).unwrap();
        upload.run().unwrap();
        scene.check(&file);
        assert_eq!(scene.stored_parts(), 2 * COUNT, "{kind:?}");
    }
}

#[test]
fn a_server_that_is_killed_goes_on_with_the_parts_that_it_has() {
    let Some(mut scene) = Scene::with(Kind::Versity, |_, _| Fault::None) else {
        return;
    };
    let file = scene.file(SIZE);
    let mut upload = scene.upload(&file, &scene.sign(SIZE));
    upload.remote().set_rate_limit(6_000_000);
    upload.start().unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    while scene.stored_parts() < 2 {
        assert!(Instant::now() < until, "no parts come");
        std::thread::sleep(Duration::from_millis(5));
    }
    scene.server.kill();
    upload.remote().set_rate_limit(0);
    assert!(scene.server.restart());
    scene.proxy.set_target(scene.server.addr());
    assert_eq!(upload.wait(Duration::from_secs(120)), Some(Ok(())));
    scene.check(&file);
}

#[test]
fn an_upload_whose_urls_have_expired_goes_on_with_new_ones() {
    // moto lets URLs live for ever.
    let Some(scene) = Scene::with(Kind::Versity, |_, _| Fault::None) else {
        return;
    };
    let file = scene.file(SIZE);
    let long = scene.sign(SIZE);
    let (_, id) = long.split_once("uploadId=").unwrap();
    let id = id.split('&').next().unwrap();
    // All but the first URL are those of a moment.
    let short = scene.server.sign(scene.proxy.addr(), SIZE, Some(id), 1);
    let mut parts: serde_json::Value = serde_json::from_str(&short).unwrap();
    let long: serde_json::Value = serde_json::from_str(&long).unwrap();
    parts["parts"][0] = long["parts"][0].clone();
    std::thread::sleep(Duration::from_secs(3));
    let mut upload = scene.upload(&file, &without(&parts.to_string(), &["list"]));
    upload.set_connections(1).unwrap();
    let error = upload.run().unwrap_err();
    assert_eq!(
        error.kind(),
        ErrorKind::Refused(RefusalKind::NotAllowed),
        "{error}"
    );
    let text = error.to_string();
    assert!(
        text.contains("the URLs have expired") && !text.contains("Signature"),
        "{text}"
    );
    let before = scene.stored_parts();
    let id = upload.remote().id().unwrap();
    let parts = scene.server.sign(scene.proxy.addr(), SIZE, Some(&id), LONG);
    upload.set_parts(&without(&parts, &["list"])).unwrap();
    upload.run().unwrap();
    scene.check(&file);
    assert_eq!(upload.remote().snapshot().bytes_skipped, PART);
    assert_eq!(scene.stored_parts(), before + COUNT - 1);
}

#[test]
fn an_upload_is_taken_back() {
    for kind in ALL {
        let Some(scene) = Scene::with(kind, on("POST", u64::MAX, Fault::CutBody(0))) else {
            continue;
        };
        let file = scene.file(SIZE);
        let mut upload = scene.upload(&file, &scene.sign(SIZE));
        upload.set_connections(2).unwrap();
        upload.start().unwrap();
        while scene.stored_parts() < 1 {
            std::thread::sleep(Duration::from_millis(5));
        }
        upload.remote().cancel();
        assert_eq!(
            upload.wait(Duration::from_secs(60)),
            Some(Err(Error::Cancelled))
        );
        assert_eq!(scene.server.unfinished(), 1, "{kind:?}");
        upload.discard().unwrap();
        assert_eq!(scene.server.unfinished(), 0, "{kind:?}");
        assert!(!scene.state().exists());
        assert_eq!(scene.server.file(), None);
    }
}
