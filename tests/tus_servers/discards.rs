//! Uploads that are taken back.

use resup::{ErrorKind, RefusalKind};
use resup_test_support::http_proxy::{on, Fault};

use crate::refusals::begin;
use crate::scene::{setups, Scene};
use crate::SIZE;

#[test]
fn an_unfinished_upload_is_deleted_and_begins_anew() {
    for setup in setups() {
        let cut = on("PATCH", 1, Fault::CutBody(SIZE / 2));
        let Some(scene) = Scene::with(setup, cut) else {
            continue;
        };
        let file = scene.file(SIZE);
        begin(&scene, &file);
        // Only the state file tells a new client which upload it is.
        let client = scene.client();
        let mut upload = scene.upload(&client, &file);
        upload
            .discard()
            .unwrap_or_else(|e| panic!("{}: {e}", scene.name));
        assert!(!scene.state_file().exists(), "{}", scene.name);
        assert_eq!(scene.server.files().len(), 0, "{}", scene.name);
        let error = upload.discard().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WrongState, "{}", scene.name);
        upload
            .run()
            .unwrap_or_else(|e| panic!("{}: {e}", scene.name));
        scene.check(&upload, &file);
        assert_eq!(scene.server.files().len(), 1, "{}", scene.name);
    }
}

#[test]
fn a_lost_answer_to_a_deletion_is_asked_again() {
    for setup in setups() {
        let (mut cut, mut lose) = (
            on("PATCH", 1, Fault::CutBody(SIZE / 2)),
            on("DELETE", 1, Fault::LoseResponse),
        );
        let plan = move |head: &_, number| match cut(head, number) {
            Fault::None => lose(head, number),
            fault => fault,
        };
        let Some(scene) = Scene::with(setup, plan) else {
            continue;
        };
        let file = scene.file(SIZE);
        begin(&scene, &file);
        let client = scene.client();
        let mut upload = scene.upload(&client, &file);
        upload
            .discard()
            .unwrap_or_else(|e| panic!("{}: {e}", scene.name));
        // The answer to the first one came to nobody.
        let methods = scene.methods();
        let first = methods.iter().position(|it| it == "DELETE").unwrap();
        assert!(first + 1 < methods.len(), "{}: {methods:?}", scene.name);
        assert_eq!(scene.server.files().len(), 0, "{}", scene.name);
    }
}

#[test]
fn a_file_whose_last_answer_was_lost_stays() {
    for setup in setups() {
        let lose = on("PATCH", 1, Fault::LoseResponse);
        let Some(scene) = Scene::with(setup, lose) else {
            continue;
        };
        let file = scene.file(SIZE);
        begin(&scene, &file);
        let client = scene.client();
        // A server that has put the file away tells of nothing there.
        if let Err(error) = scene.upload(&client, &file).discard() {
            let refused = ErrorKind::Refused(RefusalKind::Other);
            assert_eq!(error.kind(), refused, "{}: {error}", scene.name);
        }
        assert_eq!(scene.server.files().len(), 1, "{}", scene.name);
    }
}
