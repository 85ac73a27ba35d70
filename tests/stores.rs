//! Small files that go to the server in one request.

mod common;
#[path = "common/digests.rs"]
mod told;

use common::client;
use resup::{Client, DigestAlgorithm, DigestMode, Upload};
use resup_digests::{Algorithm, Digest};
use resup_test_support::chaos::{ChaosProxy, Faults};
use resup_test_support::files;
use resup_test_support::model::{ModelReceiver, Options, Secret};
use resup_test_support::scripted::{reply_with, End, Read, ScriptedServer, Step};

fn upload(client: &Client, name: &str, content: &[u8]) -> Upload {
    let mut upload = Upload::from_memory(client, content, name).unwrap();
    let result = upload.run();
    result.unwrap_or_else(|error| panic!("{name}: {error}"));
    told::assert_told(&upload.remote(), content, name);
    upload
}

#[test]
fn after_the_first_answer_small_files_take_one_request() {
    let receiver = ModelReceiver::with(Options::newest());
    let client = client(&receiver.endpoint());
    for n in 0..20 {
        let content = files::bytes(n as usize * 1000, n);
        let end = upload(&client, &n.to_string(), &content)
            .remote()
            .snapshot();
        assert_eq!((end.bytes_sent, end.bytes_skipped), (n * 1000, 0));
        assert_eq!((end.position, end.offset), (n * 1000, n * 1000));
    }
    let stats = receiver.stats();
    assert_eq!((stats.locates, stats.sends, stats.stores), (1, 1, 19));
    assert_eq!(receiver.files().len(), 20);
    // A larger one is asked for first.
    upload(&client, "large", &files::bytes(300_000, 99));
    assert_eq!(receiver.stats().locates, 2);
}

#[test]
fn a_file_that_is_there_is_not_stored_again() {
    let receiver = ModelReceiver::with(Options::newest());
    let client = client(&receiver.endpoint());
    for _ in 0..3 {
        upload(&client, "a", &[7; 5000]);
    }
    assert_eq!(receiver.files().len(), 1);
    // One request is enough: it is known whose id is in the answer.
    let stats = receiver.stats();
    assert_eq!((stats.locates, stats.stores), (1, 2));
}

#[test]
fn without_digests_or_without_the_servers_word_there_are_no_stores() {
    let silent = Options {
        small: None,
        ..Options::newest()
    };
    for options in [Options::default(), silent] {
        let receiver = ModelReceiver::with(options);
        let client = client(&receiver.endpoint());
        (0..3).for_each(|n| drop(upload(&client, &n.to_string(), &files::bytes(50, n))));
        assert_eq!(receiver.stats().stores, 0);
    }
    let receiver = ModelReceiver::with(Options {
        digests_optional: true,
        ..Options::newest()
    });
    let dir = tempfile::tempdir().unwrap();
    let path = common::make_file(&dir, "f", 50);
    let client = client(&receiver.endpoint());
    upload(&client, "first", b"a");
    let mut upload = Upload::from_file(&client, &path).unwrap();
    upload.set_digest(DigestMode::None).unwrap();
    upload.run().unwrap();
    assert_eq!(receiver.stats().stores, 0);
}

#[test]
fn a_store_is_signed_and_has_the_agreed_digest() {
    for algorithm in [DigestAlgorithm::Sha256, DigestAlgorithm::Md5] {
        let receiver = ModelReceiver::with(Options {
            secret: Some(Secret {
                text: "geheim".to_owned(),
                md5: false,
            }),
            ..Options::newest()
        });
        let client = client(&receiver.endpoint());
        client.set_signing_secret(b"geheim").unwrap();
        for n in 0..3 {
            let content = files::bytes(5000, n);
            let mut upload = Upload::from_memory(&client, &content[..], &n.to_string()).unwrap();
            upload.set_digest_algorithm(algorithm).unwrap();
            upload.run().unwrap();
        }
        assert_eq!(receiver.files().len(), 3);
    }
}

#[test]
fn a_server_that_refuses_a_store_gets_no_other() {
    for status in [400, 404, 405, 413, 422, 501] {
        let server = ScriptedServer::start_with(move |head, _| {
            let whole = r#"{"state":"complete","offset":3,"id":"1","digest":"blake3","small":99}"#;
            match head.boundary() {
                Some(_) => Step::reply(status, "{}"),
                None => Step::reply(200, whole),
            }
        });
        let client = client(&server.endpoint());
        for name in ["a", "b", "c"] {
            let mut upload = Upload::from_memory(&client, *b"abc", name).unwrap();
            upload
                .run()
                .unwrap_or_else(|error| panic!("{status}: {error}"));
        }
        let requests = server.requests();
        let stores = requests.iter().filter(|it| it.head.boundary().is_some());
        assert_eq!(stores.count(), 1, "{status}");
    }
}

#[test]
fn a_server_that_redirects_a_store_is_asked() {
    for status in [307, 308] {
        let server = ScriptedServer::start_with(move |head, _| {
            let whole = r#"{"state":"complete","offset":3,"id":"1","digest":"blake3","small":99}"#;
            match head.target.as_str() {
                "/upload/" => Step::new().read(Read::All).write(reply_with(
                    status,
                    &[("Location", "/upload")],
                    "{}",
                )),
                _ => Step::reply(200, whole),
            }
        });
        let client = client(&format!("{}/", server.endpoint()));
        for name in ["a", "b", "c"] {
            let mut upload = Upload::from_memory(&client, *b"abc", name).unwrap();
            let result = upload.run();
            result.unwrap_or_else(|error| panic!("{status}: {error}"));
        }
        let requests = server.requests();
        let stores = requests.iter().filter(|it| it.head.boundary().is_some());
        assert_eq!(stores.count(), 1, "{status}");
    }
}

#[test]
fn bytes_without_a_time_are_located_with_their_digest_after_a_store() {
    let server = ScriptedServer::start_with(move |head, _| {
        let whole = r#"{"state":"complete","offset":3,"id":"1","digest":"blake3","small":99}"#;
        match head.boundary() {
            Some(_) => Step::reply(400, "{}"),
            None => Step::reply(200, whole),
        }
    });
    let client = client(&server.endpoint());
    for name in ["a", "b"] {
        let mut upload = Upload::from_memory(&client, *b"abc", name).unwrap();
        upload.run().unwrap();
    }
    let requests = server.requests();
    let locates = requests.iter().filter(|it| it.head.boundary().is_none());
    let digests: Vec<_> = locates.map(|locate| locate.field("blake3")).collect();
    let digest = Some(Digest::of(Algorithm::Blake3, b"abc").hex());
    assert_eq!(digests, [digest.clone(), digest]);
}

#[test]
fn a_connection_with_an_answer_to_another_store_is_not_used_again() {
    let whole = |id: u64| {
        format!(r#"{{"state":"complete","offset":3,"id":"{id}","digest":"blake3","small":99}}"#)
    };
    let server = ScriptedServer::start_with(move |head, number| match (number, head.boundary()) {
        // The answer to the first store comes twice, the second time in reply to the next one.
        (2, Some(_)) => Step::reply(200, &whole(1)),
        (3, _) => Step::reply(200, &whole(3)).end(End::Close),
        _ => Step::reply(200, &whole(number)),
    });
    let client = client(&server.endpoint());
    for name in ["a", "b", "c", "d"] {
        upload(&client, name, b"abc");
    }
    let requests = server.requests();
    let connections: Vec<_> = requests.iter().map(|it| it.connection).collect();
    assert_eq!(connections, [0, 0, 0, 1, 2]);
}

#[test]
fn a_store_that_is_cut_anywhere_is_followed_by_a_locate() {
    let receiver = ModelReceiver::with(Options::newest());
    for at in (0..6000).step_by(301) {
        let proxy = ChaosProxy::start(
            receiver.addr(),
            move |number, _| Faults {
                cut_up_after: (number == 1).then_some(at),
                ..Faults::default()
            },
            0,
        );
        let client = client(&receiver.endpoint_at(proxy.addr()));
        // After this one, the next connection is new.
        upload(&client, "first", b"a");
        client.set_user_agent("another/1").unwrap();
        let content = files::bytes(5000, at);
        upload(&client, &format!("f{at}"), &content);
    }
    assert_eq!(receiver.stats().bytes_again, 0);
}
