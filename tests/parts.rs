//! Files that are sent in parts: on how many connections.

#[path = "common/scene.rs"]
mod scene;

use std::io::Cursor;
use std::time::{Duration, Instant};

use resup::Upload;
use resup_test_support::chaos::Faults;
use resup_test_support::model::Options;

use scene::{slow, watch, Scene, LARGE, MEDIUM, SLOW};

#[test]
fn a_slow_link_gets_more_connections() {
    let scene = Scene::new(LARGE, |_, _| slow());
    let client = scene.client();
    let mut upload = scene.upload(&client);
    watch(&mut upload);
    let begun = Instant::now();
    upload.run().unwrap();
    let one = Duration::from_secs(LARGE / SLOW);
    assert!(
        begun.elapsed() < one * 3 / 4,
        "{:?} of {one:?}",
        begun.elapsed()
    );
    scene.check(&upload);
    // On a busy machine the last ones may not be worth it.
    let connections = scene.link.connections();
    assert!((4..=6).contains(&connections), "{connections}");
    let end = upload.remote().snapshot();
    assert_eq!((end.attempts, end.bytes_sent), (1, LARGE));
}

#[test]
fn a_fast_link_stays_at_one_connection() {
    let scene = Scene::new(30 << 20, |_, _| Faults::default());
    // Without the link, which is slower.
    let client = scene::client(&scene.receiver.endpoint());
    let mut upload = scene.upload(&client);
    watch(&mut upload);
    upload.run().unwrap();
    scene.check(&upload);
    assert_eq!(scene.receiver.connections(), 1);
}

#[test]
fn the_program_the_server_and_the_source_limit_the_connections() {
    std::thread::scope(|scope| {
        for (connections, parts, is_stream, most) in [
            (1, 6, false, 1),
            (2, 6, false, 2),
            (0, 3, false, 3),
            (0, 1, false, 1),
            (0, 6, true, 1),
        ] {
            scope.spawn(move || {
                let options = Options {
                    parts: Some(parts),
                    ..Options::newest()
                };
                let scene = Scene::with(options, MEDIUM, 0, |_, _| slow());
                let client = scene.client();
                let mut upload = match is_stream {
                    true => {
                        let stream = Cursor::new(scene.content.clone());
                        Upload::from_stream(&client, stream, "file").unwrap()
                    }
                    false => scene.upload(&client),
                };
                upload.set_connections(connections).unwrap();
                upload.run().unwrap();
                scene.check(&upload);
                let used = scene.link.connections();
                assert!(used <= most && (used > 1) == (most > 1), "{used} of {most}");
            });
        }
    });
}

#[test]
fn a_server_that_wants_no_second_connection_is_no_failure() {
    const REPLIES: [&str; 3] = [
        "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 503 Busy\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n",
    ];
    let reset = Faults {
        refuse: true,
        ..Faults::default()
    };
    let refusal = |reply| Faults {
        reply: Some(reply),
        ..Faults::default()
    };
    std::thread::scope(|scope| {
        for faults in REPLIES.map(refusal).into_iter().chain([reset]) {
            scope.spawn(move || {
                let scene = Scene::new(MEDIUM, move |number, _| match number {
                    0 => slow(),
                    _ => faults.clone(),
                });
                let client = scene.client();
                let mut upload = scene.upload(&client);
                watch(&mut upload);
                upload.run().unwrap();
                scene.check(&upload);
                // Two more are tried again after a while, and less and less often.
                let connections = scene.link.connections();
                assert!((2..=7).contains(&connections), "{connections}");
                assert_eq!(upload.remote().snapshot().attempts, 1);
            });
        }
    });
}
