//! Servers that lie, and answers that are none.

use resup::{ErrorKind, RefusalKind};
use resup_test_support::scripted::{reply, reply_with, Read, ScriptedServer, Step};

use super::*;

/// Uploads 4500 bytes to a server that answers questions and chunks so.
fn told(dialect: &str, question: Vec<u8>, chunk: Vec<u8>) -> (Error, ScriptedServer) {
    let server = ScriptedServer::start_with(move |head, _| {
        let answer = if head.method == "GET" {
            &question
        } else {
            &chunk
        };
        Step::new().read(Read::All).write(answer.clone())
    });
    let scene = Scene::new(4500);
    let client = client(&server.endpoint());
    client.set_dialect(dialect).unwrap();
    client.set_retry_limit(2);
    let mut upload = scene.upload(&client);
    let error = upload.run().unwrap_err();
    (error, server)
}

#[test]
fn an_answer_that_is_none_ends_the_upload() {
    let page = || reply(200, "<html><form><input type=password></form>");
    let away = || reply_with(302, &[("Location", "http://elsewhere/")], "");
    let missing = || reply(204, "");
    for (dialect, question, chunk, part) in [
        // A page for people is no chunk that was taken.
        ("fineuploader", missing(), page(), "a login"),
        ("plupload", missing(), page(), "a login"),
        (
            "fineuploader",
            missing(),
            reply(200, r#"{"success": false, "error": "no room"}"#),
            "no room",
        ),
        (
            "plupload",
            missing(),
            reply(200, r#"{"error": {"message": "no dir"}}"#),
            "no dir",
        ),
        (
            "resumable.js",
            missing(),
            away(),
            "points to http://elsewhere/",
        ),
        (
            "resumable.js",
            away(),
            page(),
            "points to http://elsewhere/",
        ),
        ("resumable.js", reply(401, ""), page(), "401"),
        ("flow.js", reply(404, ""), page(), "404"),
        (
            "dropzone",
            missing(),
            reply(413, ""),
            "no chunk of 1000 bytes; set a smaller",
        ),
        ("nginx-upload-module", missing(), reply(415, ""), "415"),
    ] {
        let (error, server) = told(dialect, question, chunk);
        let text = error.to_string();
        assert!(text.contains(part), "{dialect}: {text}");
        // A redirect after an answer may pass, and is tried again.
        assert!(server.requests().len() <= 6, "{dialect}: {text}");
    }
}

#[test]
fn a_last_chunk_that_completes_nothing_is_no_success() {
    let (error, _) = told(
        "nginx-upload-module",
        reply(200, ""),
        reply(201, "0-999/4500"),
    );
    assert_eq!(error.kind(), ErrorKind::Refused(RefusalKind::Other));
}

#[test]
fn a_size_that_cannot_be_right_is_not_believed() {
    let dialect = r#"{"base": "jquery-file-upload", "state": {"offset": "/size"}}"#;
    for (size, part) in [
        ("4501", "4501 exceeds the file's size 4500"),
        ("-1", "-1 is not a whole number"),
        ("\"10 KB\"", "is not a whole number"),
        ("18446744073709551616", "is not a whole number"),
        ("1e30", "is not a whole number"),
        // More than was sent.
        ("3000", "another program uploads the same file"),
    ] {
        let (mut posts, body) = (0, format!("{{\"size\": {size}}}"));
        let server = ScriptedServer::start_with(move |head, _| {
            posts += u64::from(head.method == "POST");
            match head.method.as_str() {
                "GET" => Step::reply(200, &body),
                _ if posts == 2 => Step::new().end(resup_test_support::scripted::End::Reset),
                _ => Step::reply(200, "{}"),
            }
        });
        let scene = Scene::new(4500);
        let client = client(&server.endpoint());
        client.set_dialect(dialect).unwrap();
        client.set_retry_limit(2);
        let error = scene.upload(&client).run().unwrap_err().to_string();
        assert!(error.contains(part), "{size}: {error}");
    }
}

#[test]
fn an_endless_answer_ends() {
    let endless = [
        reply_with(200, &[("Transfer-Encoding", "chunked")], ""),
        vec![b'f'; 1 << 21],
    ]
    .concat();
    let text = String::from_utf8(endless).unwrap();
    let text = text.replace("Content-Length: 0\r\n", "");
    let server = ScriptedServer::start(vec![Step::new().read(Read::All).write(text)]);
    let scene = Scene::new(4500);
    let client = client(&server.endpoint());
    client.set_dialect("plupload").unwrap();
    client.set_retry_limit(1);
    client
        .set_response_timeout(std::time::Duration::from_secs(1))
        .unwrap();
    scene.upload(&client).run().unwrap_err();
    assert!(server.requests().len() <= 2);
}
