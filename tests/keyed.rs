//! Uploads that have a URL of their own, as their key.

mod common;

use common::client;
use resup::{Client, ProtocolName, Upload};
use resup_test_support::head::RequestHead;
use resup_test_support::scripted::{reply_with, Read, ScriptedServer, Step};

fn tus(server: &ScriptedServer) -> Client {
    let client = client(&server.endpoint());
    client.set_protocol(ProtocolName::Tus);
    client
}

fn answer(status: u16, headers: &[(&str, &str)]) -> Step {
    let mut all = vec![("Tus-Resumable", "1.0.0")];
    all.extend(headers);
    Step::new()
        .read(Read::All)
        .write(reply_with(status, &all, ""))
}

/// Answers as a server that takes each upload to `at`, and has every byte of it after one PATCH.
fn takes(head: &RequestHead, at: &str, size: &str) -> Step {
    match head.method.as_str() {
        "OPTIONS" => answer(204, &[("Tus-Version", "1.0.0")]),
        "POST" => answer(201, &[("Location", at)]),
        "PATCH" => answer(204, &[("Upload-Offset", size)]),
        method => panic!("{method}"),
    }
}

/// Gives the methods of the requests since the first `seen` ones.
fn methods(server: &ScriptedServer, seen: usize) -> Vec<String> {
    let requests = server.requests().into_iter().skip(seen);
    requests.map(|request| request.head.method).collect()
}

#[test]
fn connections_to_another_server_are_kept_for_the_clients_next_upload() {
    let other = ScriptedServer::start_with(|head, _| takes(head, "", "5"));
    let at = format!("http://{}/u/", other.addr());
    let server = ScriptedServer::start_with(move |head, n| takes(head, &format!("{at}{n}"), ""));
    let client = tus(&server);
    for n in 0..3 {
        let mut upload = Upload::from_memory(&client, *b"abcde", &n.to_string()).unwrap();
        upload.run().unwrap();
    }
    assert_eq!(methods(&server, 0), ["OPTIONS", "POST", "POST", "POST"]);
    assert_eq!(methods(&other, 0), ["PATCH"; 3]);
    assert_eq!((server.connections(), other.connections()), (1, 1));
}
