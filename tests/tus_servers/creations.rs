//! Files that go up with the request that creates their upload.

use std::time::Instant;

use resup::Upload;
use resup_test_support::files;
use resup_test_support::http_proxy::Fault;
use resup_test_support::runs;
use resup_test_support::tus::{Kind, Setup, ALL};

use crate::scene::{Log, Scene};

/// Starts the servers that take that; uploadx does not say so.
fn scenes(fault: Fault) -> impl Iterator<Item = Scene> {
    let kinds = ALL.into_iter().chain([Kind::Receiver]);
    let kinds = kinds.filter(|kind| *kind != Kind::Uploadx);
    kinds.filter_map(move |kind| {
        let mut is_first = true;
        Scene::with(Setup::new(kind), move |head, _| {
            let carries = head.method == "POST" && head.content_length() > Some(0);
            match carries && std::mem::take(&mut is_first) {
                true => fault,
                false => Fault::None,
            }
        })
    })
}

#[test]
fn each_small_file_after_the_first_takes_one_request() {
    for scene in scenes(Fault::None) {
        let client = scene.client();
        client.set_creation_with_upload(true);
        for size in [5, 1, 1000, 256 * 1024] {
            let file = scene.file(size);
            let mut upload = scene.upload(&client, &file);
            upload.set_field("note", "a b").unwrap();
            let result = upload.run();
            result.unwrap_or_else(|e| panic!("{}: {size}: {e}", scene.name));
            let url = upload.remote().id().expect("a URL");
            files::assert_same(&file, &scene.server.stored_file(&url));
            assert!(!scene.state_file().exists(), "{}: {size}", scene.name);
        }
        let methods = ["OPTIONS", "POST", "PATCH", "POST", "POST", "POST"];
        assert_eq!(scene.methods(), methods, "{}", scene.name);
        assert_eq!(scene.server.files().len(), 4, "{}", scene.name);
        // A larger one does not go so.
        let file = scene.file(256 * 1024 + 1);
        scene.upload(&client, &file).run().unwrap();
        let last = &scene.methods()[6..];
        assert_eq!(last, ["POST", "PATCH"], "{}", scene.name);
    }
}

#[test]
fn many_small_files_take_half_the_requests() {
    let count = runs::count(200) as u64;
    for kind in [Kind::Tusd, Kind::Receiver] {
        let mut seen = Vec::new();
        for is_allowed in [false, true] {
            let Some(scene) = Scene::with(Setup::new(kind), |_, _| Fault::None) else {
                continue;
            };
            let client = scene.client();
            client.set_creation_with_upload(is_allowed);
            let begun = Instant::now();
            for number in 0..count {
                let bytes = files::bytes(1000, number);
                let name = format!("{number}.bin");
                let mut upload = Upload::from_memory(&client, bytes, &name).unwrap();
                upload.run().unwrap();
            }
            let requests = scene.methods().len() as u64;
            println!(
                "{kind:?}: {count} files, {requests} requests, {:?}",
                begun.elapsed()
            );
            seen.push(requests);
            assert_eq!(scene.server.files().len() as u64, count, "{kind:?}");
        }
        // OPTIONS, and of the first file one more.
        let expected = [1 + 2 * count, 2 + count];
        assert!(seen.is_empty() || seen == expected, "{kind:?}: {seen:?}");
    }
}

#[test]
fn nothing_of_a_file_goes_with_the_creation_unasked() {
    for scene in scenes(Fault::None) {
        let client = scene.client();
        for size in [5, 6] {
            scene.upload(&client, &scene.file(size)).run().unwrap();
        }
        let exchanges = scene.proxy.exchanges();
        let mut posts = exchanges.iter().filter(|it| it.head.method == "POST");
        assert!(posts.all(|it| it.head.content_length() == Some(0)));
    }
}

#[test]
fn after_a_break_the_file_is_there_and_the_log_tells_of_another_one() {
    let (size, mut twice) = (100_000, 0);
    for fault in [Fault::CutBody(size / 2), Fault::LoseResponse] {
        for scene in scenes(fault) {
            let client = scene.client();
            client.set_creation_with_upload(true);
            scene.upload(&client, &scene.file(1)).run().unwrap();
            let log = Log::of(&client);
            let file = scene.file(size);
            let mut upload = scene.upload(&client, &file);
            let result = upload.run();
            result.unwrap_or_else(|e| panic!("{}: {e}\n{}", scene.name, log.text()));
            let url = upload.remote().id().expect("a URL");
            files::assert_same(&file, &scene.server.stored_file(&url));
            let text = log.text();
            assert!(text.contains("the file may be there twice"), "{text}");
            twice += scene.server.files().len() - 2;
        }
    }
    println!("{twice} uploads were left by creations without an answer");
}
