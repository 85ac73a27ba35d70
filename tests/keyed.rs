//! Uploads that have a URL of their own, as their key.

mod common;

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::Arc;

use common::{client, make_file};
use resup::{Client, Error, Flow, LogLevel, ProtocolName, Upload};
use resup_test_support::head::RequestHead;
use resup_test_support::scripted::{json, reply_with, End, Read, ScriptedServer, Step};

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
fn a_saved_key_is_for_the_description_that_its_upload_was_created_with() {
    let server = ScriptedServer::start_with(|head, _| match head.method.as_str() {
        "HEAD" => answer(200, &[("Upload-Offset", "0")]),
        "PATCH" => answer(403, &[]).end(End::Close),
        _ => takes(head, "/u/1", ""),
    });
    let dir = tempfile::tempdir().unwrap();
    let path = make_file(&dir, "f", 5000);
    type Change = fn(&mut Upload) -> Result<(), Error>;
    let changes: [(Change, bool, &str); 7] = [
        (|_| Ok(()), false, "it is new"),
        (|_| Ok(()), true, "it is the same"),
        (|upload| upload.set_name("g"), false, "name"),
        (|upload| upload.set_directory("d"), false, "directory"),
        (|upload| upload.set_content_type("text/css"), false, "type"),
        (|upload| upload.set_field("album", "7"), false, "field"),
        (|_| Ok(()), false, "user"),
    ];
    for (change, resumes, what) in changes {
        let seen = server.requests().len();
        let client = tus(&server);
        if what == "user" {
            client.set_user("joe").unwrap();
        }
        let mut upload = Upload::from_file(&client, &path).unwrap();
        change(&mut upload).unwrap();
        upload.set_state_file(dir.path().join("state")).unwrap();
        upload.run().unwrap_err();
        let first = if resumes { "HEAD" } else { "POST" };
        assert_eq!(
            methods(&server, seen),
            ["OPTIONS", first, "PATCH"],
            "{what}"
        );
    }
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

#[test]
fn the_next_run_of_an_upload_goes_on_without_a_state_file() {
    let server = ScriptedServer::start_with(|head, _| match head.method.as_str() {
        "HEAD" => answer(200, &[("Upload-Offset", "5000")]),
        "PATCH" => answer(403, &[]).end(End::Close),
        _ => takes(head, "/u/1", ""),
    });
    let dir = tempfile::tempdir().unwrap();
    let path = make_file(&dir, "f", 5000);
    let client = tus(&server);
    let from_memory = Upload::from_memory(&client, vec![7; 5000], "m").unwrap();
    for mut upload in [Upload::from_file(&client, &path).unwrap(), from_memory] {
        let seen = server.requests().len();
        upload.run().unwrap_err();
        upload.run().unwrap();
        let methods = methods(&server, seen);
        let created = methods.iter().filter(|method| *method == "POST").count();
        assert_eq!(created, 1, "{methods:?}");
        assert_eq!(methods.last().unwrap(), "HEAD");
        // What is complete is not asked for again.
        upload.run().unwrap_err();
        assert!(server
            .requests()
            .iter()
            .rev()
            .any(|it| it.head.method == "POST"));
    }
    // The same file by another name is another upload.
    let mut upload = Upload::from_file(&client, &path).unwrap();
    upload.run().unwrap_err();
    let seen = server.requests().len();
    upload.set_name("other").unwrap();
    upload.run().unwrap_err();
    assert_eq!(methods(&server, seen)[0], "POST");
}

#[test]
fn an_upload_that_another_protocol_has_begun_begins_anew_and_the_log_says_so() {
    let server = ScriptedServer::start_with(|head, _| match head.method.as_str() {
        "PATCH" => answer(403, &[]).end(End::Close),
        _ => takes(head, "/u/1", ""),
    });
    let dir = tempfile::tempdir().unwrap();
    let path = make_file(&dir, "f", 5000);
    let (lines, told) = std::sync::mpsc::channel();
    let run = |protocol| {
        let client = client(&server.endpoint());
        client.set_protocol(protocol);
        let lines = lines.clone();
        client.on_log(LogLevel::Warn, move |_, line| {
            let _ = lines.send(line.to_owned());
            Flow::Continue
        });
        let mut upload = Upload::from_file(&client, &path).unwrap();
        upload.set_state_file(dir.path().join("state")).unwrap();
        upload.run().unwrap_err();
        told.try_iter().collect::<Vec<_>>()
    };
    let words = "the upload was begun by tus, and this run speaks ietf; it begins anew";
    let is_told = |lines: &[String]| lines.iter().any(|line| line == words);
    assert!(!is_told(&run(ProtocolName::Tus)));
    let seen = server.requests().len();
    assert!(is_told(&run(ProtocolName::Ietf)));
    assert_eq!(methods(&server, seen)[0], "POST");
}

#[test]
fn where_the_server_no_longer_speaks_the_protocol_of_the_state_file_the_upload_begins_anew() {
    let speaks_tus = Arc::new(AtomicBool::new(true));
    let is_tus = speaks_tus.clone();
    let server = ScriptedServer::start_with(move |head, _| match head.method.as_str() {
        "PATCH" => answer(403, &[]).end(End::Close),
        _ if is_tus.load(Relaxed) => takes(head, "/u/1", ""),
        "OPTIONS" => Step::reply(405, ""),
        "HEAD" => Step::new().read(Read::All).write(reply_with(404, &[], "")),
        _ if head.header("tus-resumable").is_some() => Step::reply(400, ""),
        _ if head.boundary().is_some() => Step::reply(200, &json("complete", 5000, "k")),
        _ => Step::reply(200, &json("new", 0, "k")),
    });
    let dir = tempfile::tempdir().unwrap();
    let path = make_file(&dir, "f", 5000);
    let run = |client: &Client| {
        let mut upload = Upload::from_file(client, &path).unwrap();
        upload.set_state_file(dir.path().join("state")).unwrap();
        (upload.run(), upload.remote().id())
    };
    assert!(run(&tus(&server)).0.is_err());
    speaks_tus.store(false, Relaxed);
    let (lines, told) = std::sync::mpsc::channel();
    let client = client(&server.endpoint());
    client.on_log(LogLevel::Info, move |_, line| {
        let _ = lines.send(line.to_owned());
        Flow::Continue
    });
    let (result, id) = run(&client);
    result.unwrap();
    assert_eq!(id.as_deref(), Some("k"));
    let lines: Vec<_> = told.try_iter().collect();
    let words = "nothing shows that the server still speaks tus";
    assert!(lines.iter().any(|line| line.contains(words)), "{lines:?}");
    assert!(
        !lines.iter().any(|line| line.contains("not form resume")),
        "{lines:?}"
    );
    assert!(!dir.path().join("state").exists());
}
