//! What servers no longer have, or do not take.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use resup::{ErrorKind, ProtocolName, SegmentSize};
use resup_test_support::head::RequestHead;
use resup_test_support::http_proxy::{on, Fault};
use resup_test_support::tus::{Kind, Setup};

use crate::raw;
use crate::scene::{client, left_over, setups, Log, Scene};
use crate::SIZE;

/// Begins an upload, of which half is sent before the connection is lost. Gives its URL.
pub fn begin(scene: &Scene, file: &Path) -> String {
    let client = scene.client();
    client.set_retry_limit(0);
    let mut upload = scene.upload(&client, file);
    let error = upload.run().unwrap_err();
    assert!(error.is_retryable(), "{}: {error}", scene.name);
    upload.remote().id().expect("a URL")
}

/// Uploads a file of which the server no longer has what was begun, and checks that the log says so.
fn begin_anew(scene: &Scene, file: &Path) {
    let client = scene.client();
    let log = Log::of(&client);
    let mut upload = scene.upload(&client, file);
    upload
        .run()
        .unwrap_or_else(|e| panic!("{}: {e}\n{}", scene.name, log.text()));
    scene.check(&upload, file);
    let warned = log.text().contains("the server no longer has the upload");
    assert!(warned, "{}: {}", scene.name, log.text());
}

fn remove(scene: &Scene, url: &str) {
    let answer = raw::ask("DELETE", url, &[], b"");
    assert_eq!(answer.status, 204, "{}: {answer:?}", scene.name);
}

#[test]
fn an_upload_that_was_removed_begins_anew_and_the_log_says_so() {
    for setup in setups() {
        let cut = on("PATCH", 1, Fault::CutBody(SIZE / 2));
        let Some(scene) = Scene::with(setup, cut) else {
            continue;
        };
        let file = scene.file(SIZE);
        remove(&scene, &begin(&scene, &file));
        begin_anew(&scene, &file);
        assert_eq!(scene.server.files().len(), 1, "{}", scene.name);
    }
}

#[test]
fn an_upload_that_has_expired_begins_anew() {
    for kind in [Kind::Node, Kind::Python, Kind::Uploadx] {
        let cut = on("PATCH", 1, Fault::CutBody(SIZE / 2));
        let setup = Setup::new(kind).expire(Duration::from_secs(2));
        let Some(scene) = Scene::with(setup, cut) else {
            continue;
        };
        let file = scene.file(SIZE);
        let url = begin(&scene, &file);
        let until = Instant::now() + Duration::from_secs(60);
        while raw::ask("HEAD", &url, &[], b"").status < 400 {
            assert!(Instant::now() < until, "{kind:?} keeps it");
            std::thread::sleep(Duration::from_millis(100));
        }
        begin_anew(&scene, &file);
    }
}

#[test]
fn an_upload_that_is_removed_amid_a_run_begins_anew() {
    for setup in setups() {
        let made = Arc::new(Mutex::new(None));
        let (theirs, mut patches) = (made.clone(), 0);
        let plan = move |head: &RequestHead, _: u64| {
            patches += u64::from(head.method == "PATCH");
            if patches == 3 {
                patches += 1;
                let server: SocketAddr = theirs.lock().unwrap().expect("a server");
                let url = format!("http://{server}{}", head.target);
                raw::ask("DELETE", &url, &[], b"");
            }
            Fault::None
        };
        let Some(scene) = Scene::with(setup, plan) else {
            continue;
        };
        *made.lock().unwrap() = Some(scene.server.addr());
        let (client, file) = (scene.client(), scene.file(SIZE));
        let log = Log::of(&client);
        let mut upload = scene.upload(&client, &file);
        upload
            .set_segment_size(SegmentSize::Fixed(SIZE / 4))
            .unwrap();
        upload
            .run()
            .unwrap_or_else(|e| panic!("{}: {e}\n{}", scene.name, log.text()));
        scene.check(&upload, &file);
        assert_eq!(scene.server.files().len(), 1, "{}", scene.name);
        let says = log.text().contains("it no longer knows the upload");
        assert!(says, "{}: {}", scene.name, log.text());
    }
}

#[test]
fn a_file_that_is_too_large_is_refused_with_both_numbers() {
    // By the IETF's protocol tusd says its limit, but does not keep it: the client does.
    for setup in setups() {
        for is_default in [false, true] {
            let setup = setup.clone().max_size(SIZE - 7);
            let Some(scene) = Scene::with(setup, |_, _| Fault::None) else {
                continue;
            };
            let (client, file) = (scene.client(), scene.file(SIZE));
            if is_default {
                client.set_protocol(ProtocolName::Auto);
            }
            let outcome = scene.upload(&client, &file).run();
            let error = outcome.expect_err(&scene.name);
            let text = error.to_string();
            let numbers = [SIZE - 7, SIZE]
                .iter()
                .all(|it| text.contains(&it.to_string()));
            assert!(numbers, "{}: {text}", scene.name);
            assert!(
                matches!(error.kind(), ErrorKind::Refused(_)),
                "{}: {text}",
                scene.name
            );
            assert_eq!(left_over(&scene, 0), [0; 0], "{}", scene.name);
            let fits = scene.file(SIZE - 7);
            let mut upload = scene.upload(&client, &fits);
            upload
                .run()
                .unwrap_or_else(|e| panic!("{}: {e}", scene.name));
            scene.check(&upload, &fits);
        }
    }
}

#[test]
fn a_wrong_url_is_an_error_that_says_so() {
    // @tus/server takes requests at every path.
    for kind in [Kind::Tusd, Kind::Python, Kind::Uploadx] {
        for protocol in [ProtocolName::Tus, ProtocolName::Auto] {
            let Some(scene) = Scene::with(Setup::new(kind), |_, _| Fault::None) else {
                continue;
            };
            let client = client(&format!("http://{}/elsewhere/x", scene.proxy.addr()));
            client.set_protocol(protocol);
            let error = scene.upload(&client, &scene.file(SIZE)).run().unwrap_err();
            let text = error.to_string();
            assert!(text.contains("is the URL right?"), "{kind:?}: {text}");
            assert!(!error.is_retryable(), "{kind:?}: {text}");
            assert!(scene.server.files().is_empty(), "{kind:?}: {protocol:?}");
        }
    }
}
