//! Files that arrive, whole or in pieces.

use super::*;
use crate::form::Form;

#[test]
fn every_preset_brings_files_of_every_size() {
    for preset in PRESETS {
        let server = FormServer::right(preset);
        let sizes = match preset {
            // Its range has no form for an empty file.
            "nginx-upload-module" => &[1, 999, 1000, 1001, 2500][..],
            _ => &[0, 1, 999, 1000, 1001, 1999, 2000, 2500],
        };
        for size in sizes {
            let scene = Scene::new(*size);
            let mut upload = scene.upload(&speaking(preset, &server));
            upload
                .run()
                .unwrap_or_else(|e| panic!("{preset}, {size} bytes: {e}"));
            let complete = server.complete();
            assert!(
                complete.last() == Some(&scene.content()),
                "{preset}, {size} bytes"
            );
            assert_eq!(upload.remote().protocol(), Some(preset));
            assert!(!scene.dir.path().join("state").exists(), "{preset}");
            server.held(|held| *held = server::Held::default());
        }
    }
}

/// Does a fault to one of the requests that bring bytes, by its number.
pub fn on_post(number: u64, fault: Fault) -> impl FnMut(&Form) -> Fault + Send {
    let mut posts = 0;
    move |form| {
        posts += u64::from(form.method == "POST");
        match form.method == "POST" && posts == number {
            true => fault,
            false => Fault::None,
        }
    }
}

#[test]
fn every_preset_gets_over_what_breaks() {
    let cuts = [0, 1, 200, 700, 1200, 1500].map(Fault::Cut);
    let faults = cuts
        .into_iter()
        .chain([Fault::LostAnswer, Fault::Status(503)]);
    for fault in faults {
        for preset in PRESETS {
            for at in 0..4 {
                let mut posts = 0;
                let server = FormServer::start(preset, move |form| {
                    if form.method == "GET" {
                        return Fault::None;
                    }
                    posts += 1;
                    // What is cut at its end has brought all.
                    let is_it = posts == at + 1;
                    if is_it {
                        fault
                    } else {
                        Fault::None
                    }
                });
                let scene = Scene::new(3500);
                let result = run(preset, &server, &scene);
                let what = format!("{preset}, {fault:?} of request {at}");
                let is_last = fault == Fault::LostAnswer && at == 3;
                if is_last && preset == "nginx-upload-module" {
                    // It has the file, and takes the chunk for one of another upload, which it wants to be told.
                    let told = result.unwrap_err().to_string();
                    assert!(told.contains("201"), "{what}: {told}");
                    assert!(server.complete() == [scene.content()], "{what}");
                    continue;
                }
                result.unwrap_or_else(|e| panic!("{what}: {e}"));
                let complete = server.complete();
                assert!(!complete.is_empty(), "{what}");
                assert!(
                    complete.iter().all(|file| *file == scene.content()),
                    "{what}"
                );
            }
        }
    }
}

#[test]
fn what_the_server_has_is_not_sent_again_by_another_run() {
    for preset in ASKED {
        for cut in 1..4 {
            let server = FormServer::start(preset, on_post(cut + 1, Fault::Status(403)));
            let scene = Scene::new(4500);
            let client = speaking(preset, &server);
            client.set_retry_limit(0);
            scene.upload(&client).run().unwrap_err();
            let before = server.received() as u64;
            assert_eq!(before, cut * CHUNK, "{preset}");
            // Another client, as in another process.
            let mut upload = scene.upload(&speaking(preset, &server));
            upload.run().unwrap();
            assert_eq!(upload.remote().snapshot().bytes_skipped, before, "{preset}");
            assert_eq!(server.received(), 4500, "{preset}");
            assert!(server.complete() == [scene.content()], "{preset}");
        }
    }
}

#[test]
fn chunks_are_found_without_a_state_file_where_each_can_be_asked_for() {
    for preset in &ASKED[..3] {
        let server = FormServer::start(preset, on_post(3, Fault::Status(403)));
        let scene = Scene::new(4500);
        let client = speaking(preset, &server);
        client.set_retry_limit(0);
        scene.upload(&client).run().unwrap_err();
        std::fs::remove_file(scene.dir.path().join("state")).unwrap();
        let mut upload = scene.upload(&speaking(preset, &server));
        upload.run().unwrap();
        assert_eq!(
            upload.remote().snapshot().bytes_skipped,
            2 * CHUNK,
            "{preset}"
        );
        // What is complete needs no byte.
        let before = server.received();
        scene.upload(&speaking(preset, &server)).run().unwrap();
        assert_eq!(server.received(), before, "{preset}");
    }
}

#[test]
fn a_file_of_the_same_name_is_left_alone() {
    for size in [500, 1000, 4500, 9000] {
        let server = FormServer::start("jquery-file-upload", on_post(3, Fault::LostAnswer));
        let other = vec![b'o'; size];
        let scene = Scene::new(4500);
        server.held(|held| held.growing.insert("a file.bin".to_owned(), other.clone()));
        let mut upload = scene.upload(&speaking("jquery-file-upload", &server));
        upload.run().unwrap();
        assert!(server.complete() == [scene.content()], "{size}");
        server.held(|held| assert!(held.growing["a file.bin"] == other, "{size}"));
        assert_eq!(
            upload.remote().location().as_deref(),
            Some("/f/a file.bin+")
        );
    }
}

#[test]
fn a_file_that_changed_is_another_one() {
    let server = FormServer::start("flow.js", on_post(3, Fault::Status(403)));
    let scene = Scene::new(4500);
    let client = speaking("flow.js", &server);
    client.set_retry_limit(0);
    scene.upload(&client).run().unwrap_err();
    files::make(&scene.path, 4500, 8).unwrap();
    // The system's clock may not have moved on since the first one.
    let file = std::fs::File::options().write(true).open(&scene.path);
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(2);
    file.unwrap().set_modified(later).unwrap();
    run("flow.js", &server, &scene).unwrap();
    assert!(server.complete() == [scene.content()]);
}
