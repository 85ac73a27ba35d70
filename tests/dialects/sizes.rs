//! Chunks whose size has changed since the file was begun.

use super::*;
use crate::runs::on_post;

/// The dialects in which the server is asked for each chunk, and for the number of bytes.
const ASKED: [&str; 2] = ["resumable.js", "jquery-file-upload"];

/// Begins a file of 4500 bytes, of which the server gets one chunk of 1000.
fn begun(preset: &'static str) -> (FormServer, Scene, Client) {
    let server = FormServer::start(preset, on_post(2, Fault::Status(403)));
    let scene = Scene::new(4500);
    let client = speaking(preset, &server);
    client.set_retry_limit(0);
    scene.upload(&client).run().unwrap_err();
    assert_eq!(server.received(), 1000);
    (server, scene, client)
}

/// Checks that an upload is refused before a request, with words that tell the way out.
#[track_caller]
fn check_refused(mut upload: Upload, server: &FormServer) {
    let requests = server.held(|held| held.requests.len());
    let told = upload.run().unwrap_err().to_string();
    assert_eq!(
        told,
        "segment size is 500 bytes now, and the upload was begun with chunks of 1000, which the server has; set it \
         to that, or remove the state file to begin anew"
    );
    assert_eq!(server.held(|held| held.requests.len()), requests);
}

#[test]
fn another_segment_size_is_refused_while_the_server_has_chunks() {
    for preset in ASKED {
        let (server, scene, client) = begun(preset);
        // Another client is as one in another process.
        for client in [client, speaking(preset, &server)] {
            let mut upload = scene.upload(&client);
            upload.set_segment_size(SegmentSize::Fixed(500)).unwrap();
            check_refused(upload, &server);
        }
        // The way out.
        run(preset, &server, &scene).unwrap();
        assert_eq!(server.received(), 4500, "{preset}");
        assert!(server.complete() == [scene.content()], "{preset}");
    }
}

#[test]
fn another_chunk_size_of_the_dialect_is_refused_while_the_server_has_chunks() {
    for preset in ASKED {
        let (server, scene, _) = begun(preset);
        let dialect = format!(r#"{{"base": "{preset}", "chunk_size": 500}}"#);
        let mut upload = scene.upload(&speaking(&dialect, &server));
        upload.set_segment_size(SegmentSize::Unlimited).unwrap();
        check_refused(upload, &server);
        // The other way out.
        std::fs::remove_file(scene.dir.path().join("state")).unwrap();
        let mut upload = scene.upload(&speaking(&dialect, &server));
        upload.set_segment_size(SegmentSize::Unlimited).unwrap();
        upload.run().unwrap();
        assert!(server.complete() == [scene.content()], "{preset}");
    }
}

#[test]
fn without_a_state_file_chunks_of_another_size_are_another_upload() {
    for preset in ASKED {
        let (server, scene, _) = begun(preset);
        std::fs::remove_file(scene.dir.path().join("state")).unwrap();
        let mut upload = scene.upload(&speaking(preset, &server));
        upload.set_segment_size(SegmentSize::Fixed(500)).unwrap();
        upload.run().unwrap();
        assert_eq!(upload.remote().snapshot().bytes_skipped, 0, "{preset}");
        assert_eq!(server.received(), 1000 + 4500, "{preset}");
        assert!(server.complete() == [scene.content()], "{preset}");
    }
}
