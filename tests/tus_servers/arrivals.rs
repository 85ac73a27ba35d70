//! Files that arrive, with nothing broken on the way.

use resup::{ProtocolName, SegmentSize};
use resup_test_support::files;
use resup_test_support::http_proxy::{on, Fault, HttpProxy};
use resup_test_support::receiver::Receiver;
use resup_test_support::tus::{Kind, Setup};

use crate::scene::{client, left_over, methods, scenes, Scene};
use crate::{SEGMENT, SIZE};

#[test]
fn files_of_all_sizes_arrive() {
    for scene in scenes() {
        let client = scene.client();
        for size in [0, 1, SEGMENT - 1, SEGMENT, SEGMENT + 1, SIZE] {
            let before = scene.proxy.exchanges().len();
            let file = scene.file(size);
            let mut upload = scene.upload(&client, &file);
            upload
                .set_segment_size(SegmentSize::Fixed(SEGMENT))
                .unwrap();
            upload
                .run()
                .unwrap_or_else(|e| panic!("{}: {size}: {e}", scene.name));
            scene.check(&upload, &file);
            let patches = &scene.methods()[before..];
            let patches = patches.iter().filter(|it| *it == "PATCH").count() as u64;
            // An upload of nothing is made at once by tus, and needs to be ended by the IETF's protocol.
            let least = u64::from(scene.protocol() == ProtocolName::Ietf);
            let expected = size.div_ceil(SEGMENT).max(least);
            assert_eq!(patches, expected, "{}: {size}", scene.name);
            assert_eq!(upload.remote().snapshot().bytes_sent, size);
            assert!(!scene.state_file().exists(), "{}: {size}", scene.name);
        }
        assert_eq!(scene.server.files().len(), 6, "{}", scene.name);
    }
}

#[test]
fn a_file_goes_up_in_one_request_where_no_size_is_set() {
    for scene in scenes() {
        let client = scene.client();
        for number in 0..2 {
            scene
                .upload(&client, &scene.file(SIZE + number))
                .run()
                .unwrap();
        }
        let methods = scene.methods();
        let patches = methods.iter().filter(|it| *it == "PATCH").count();
        assert_eq!(patches, 2, "{}: {methods:?}", scene.name);
        // The second file needs no question about the server.
        assert!(
            methods.ends_with(&["PATCH", "POST", "PATCH"].map(str::to_owned)),
            "{methods:?}"
        );
    }
}

#[test]
fn the_default_finds_the_protocol_and_leaves_nothing_else() {
    // The receiver speaks forms as well, and those cost no question.
    for scene in scenes().filter(|scene| scene.kind() != Kind::Receiver) {
        let client = client(&scene.endpoint());
        for number in 1..3 {
            let file = scene.file(SIZE + number);
            let mut upload = scene.upload(&client, &file);
            upload
                .run()
                .unwrap_or_else(|e| panic!("{}: {e}", scene.name));
            scene.check(&upload, &file);
            assert_eq!(left_over(&scene, number), [0; 0], "{}", scene.name);
        }
        let methods = scene.methods();
        assert!(
            methods.ends_with(&["PATCH", "POST", "PATCH"].map(str::to_owned)),
            "{methods:?}"
        );
        assert!(methods.len() <= 7, "{}: {methods:?}", scene.name);
    }
}

#[test]
fn the_default_asks_the_own_receiver_nothing_more() {
    let [by_default, by_name] = [None, Some(ProtocolName::Form)].map(|protocol| {
        let receiver = Receiver::start();
        let proxy = HttpProxy::clean(receiver.addr());
        let client = client(&format!("http://{}/upload", proxy.addr()));
        protocol.into_iter().for_each(|it| client.set_protocol(it));
        let dir = tempfile::tempdir().unwrap();
        for size in [0, 1, SIZE] {
            let file = dir.path().join(size.to_string());
            files::make(&file, size, size).unwrap();
            resup::Upload::from_file(&client, &file)
                .unwrap()
                .run()
                .unwrap();
        }
        methods(&proxy)
    });
    assert_eq!(by_default, by_name);
}

#[test]
fn relative_urls_of_uploads_are_understood() {
    for kind in [Kind::Node, Kind::Uploadx] {
        let cut = on("PATCH", 1, Fault::CutBody(SIZE / 2));
        let Some(scene) = Scene::with(Setup::new(kind).relative(), cut) else {
            continue;
        };
        let (client, file) = (scene.client(), scene.file(SIZE));
        let mut upload = scene.upload(&client, &file);
        upload.run().unwrap_or_else(|e| panic!("{kind:?}: {e}"));
        scene.check(&upload, &file);
        let url = upload.remote().id().unwrap();
        assert!(url.starts_with(&scene.endpoint()), "{url}");
    }
}
