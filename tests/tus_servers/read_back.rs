//! The finished file is read back and compared, where the program wants that.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use resup::ErrorKind;
use resup_test_support::http_proxy::Fault;
use resup_test_support::tus::{Kind, Setup};

use crate::scene::{name, scenes, setups, Scene};
use crate::SIZE;

/// Whether a server gives a finished file at the URL of its upload.
fn gives_files(setup: &Setup) -> bool {
    matches!(setup.kind(), Kind::Tusd | Kind::Node)
}

#[test]
fn a_file_is_read_back_where_the_server_gives_it() {
    for scene in scenes() {
        let name = &scene.name;
        let (client, file) = (scene.client(), scene.file(SIZE));
        let mut upload = scene.upload(&client, &file);
        upload.set_read_back(true).unwrap();
        match (upload.run(), gives_files(scene.server.setup())) {
            (Ok(()), true) => {}
            (Err(error), false) => {
                let error = error.to_string();
                let words = "the server has the whole file, and does not give it to be compared";
                assert!(error.contains(words), "{name}: {error}");
            }
            (result, _) => panic!("{name}: {result:?}"),
        }
        scene.check(&upload, &file);
        let methods = scene.methods();
        let reads = methods.iter().filter(|method| *method == "GET").count();
        assert_eq!(reads, 1, "{name}: {methods:?}");
    }
}

#[test]
fn a_byte_that_the_server_changes_is_told_and_the_next_run_uploads_anew() {
    for setup in setups().filter(gives_files) {
        let name = name(&setup);
        let place: Arc<Mutex<Option<PathBuf>>> = Arc::default();
        let there = place.clone();
        let plan = move |head: &resup_test_support::head::RequestHead, _: u64| {
            // Between the last byte and the request for all of them.
            let target = there.lock().unwrap().take_if(|_| head.method == "GET");
            if let Some(dir) = target {
                damage(dir);
            }
            Fault::None
        };
        let Some(scene) = Scene::with(setup, plan) else {
            continue;
        };
        *place.lock().unwrap() = Some(scene.server.data());
        let (client, file) = (scene.client(), scene.file(SIZE));
        let mut upload = scene.upload(&client, &file);
        upload.set_read_back(true).unwrap();
        let error = upload.run().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DigestMismatch, "{name}: {error}");
        let wrong = upload.remote().id().unwrap();
        upload.run().unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_ne!(upload.remote().id().unwrap(), wrong, "{name}");
        scene.check(&upload, &file);
    }
}

/// Changes a byte of the one large file below a directory.
fn damage(dir: PathBuf) {
    let mut dirs = vec![dir];
    let mut found = 0;
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else if fs::metadata(&path).unwrap().len() == SIZE {
                let mut bytes = fs::read(&path).unwrap();
                bytes[1000] ^= 1;
                fs::write(&path, bytes).unwrap();
                found += 1;
            }
        }
    }
    assert_eq!(found, 1);
}
