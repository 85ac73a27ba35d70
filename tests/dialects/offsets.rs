//! Offsets in the answers to chunks: what is lost is noticed, and lies are not followed.

use resup::ErrorKind;
use resup_test_support::scripted::{reply, reply_with, Read, ScriptedServer, Step};

use super::*;
use crate::runs::on_post;

/// The dialects whose servers tell how many bytes they have.
const TOLD: [&str; 2] = ["jquery-file-upload", "nginx-upload-module"];

#[test]
fn a_chunk_that_the_server_has_lost_is_sent_again() {
    for preset in TOLD {
        for number in 2..=5 {
            let server = FormServer::start(preset, on_post(number, Fault::Forget));
            let scene = Scene::new(4500);
            let what = format!("{preset}, {number}");
            run(preset, &server, &scene).unwrap_or_else(|e| panic!("{what}: {e}"));
            assert!(server.complete() == [scene.content()], "{what}");
            let again = if number == 5 { 500 } else { 1000 };
            assert_eq!(server.received(), 4500 + again, "{what}");
        }
    }
}

#[test]
fn a_first_chunk_that_the_server_has_lost_is_noticed() {
    // Nothing tells that there is no byte, and the next chunk is the first of another file.
    let server = FormServer::start(TOLD[0], on_post(1, Fault::Forget));
    let scene = Scene::new(4500);
    run(TOLD[0], &server, &scene).unwrap();
    assert!(server.complete() == [scene.content()]);

    let server = FormServer::start(TOLD[1], on_post(1, Fault::Forget));
    let error = run(TOLD[1], &server, &scene).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadOffset);
    assert!(
        error
            .to_string()
            .contains("finds nothing in \"1000-1999/4500\""),
        "{error}"
    );
    assert_eq!(server.received(), 2000);
}

#[test]
fn a_server_that_loses_the_same_chunk_again_and_again_is_given_up() {
    for preset in TOLD {
        let mut posts = 0;
        let server = FormServer::start(preset, move |form| {
            posts += u64::from(form.method == "POST");
            match form.method == "POST" && posts > 1 {
                true => Fault::Forget,
                false => Fault::None,
            }
        });
        let scene = Scene::new(4500);
        let client = speaking(preset, &server);
        client.set_retry_limit(3);
        let told = scene.upload(&client).run().unwrap_err().to_string();
        let part = "it says offset 1000 after it got bytes from 1000 on";
        assert!(told.contains(part), "{preset}: {told}");
        // The first one, and four times the second.
        assert_eq!(server.received(), 5000, "{preset}");
    }
}

/// Uploads 4500 bytes to a server that answers each chunk with these fields and this body, and questions so that
/// the file goes on after the first chunk. Gives how many chunks came.
fn told(dialect: &str, headers: &[(&str, &str)], body: &str) -> (Error, usize) {
    let (chunk, question) = (
        reply_with(200, headers, body),
        reply(200, r#"{"file": {"size": 1000}}"#),
    );
    let server = ScriptedServer::start_with(move |head, _| {
        let is_question = head.method == "GET";
        let answer = if is_question { &question } else { &chunk };
        Step::new().read(Read::All).write(answer.clone())
    });
    let scene = Scene::new(4500);
    let client = client(&server.endpoint());
    client.set_dialect(dialect).unwrap();
    client.set_retry_limit(2);
    let error = scene.upload(&client).run().unwrap_err();
    let requests = server.requests();
    let chunks = requests.iter().filter(|it| it.head.method != "GET");
    (error, chunks.count())
}

#[test]
fn nothing_is_sent_on_a_lie() {
    let file = r#"{"files": [{"name": "x"}]}"#;
    for (range, part) in [
        ("0-1000", "1001 exceeds the 1000 bytes that were sent"),
        ("0-4499", "4500 exceeds the 1000 bytes that were sent"),
        ("0--1", "finds nothing in \"0--1\""),
        ("500-999", "finds nothing in \"500-999\""),
        ("all", "finds nothing in \"all\""),
        ("0-18446744073709551615", "is not a whole number of bytes"),
        ("0-18446744073709551616", "is not a whole number of bytes"),
        (
            "0-99999999999999999999999",
            "is not a whole number of bytes",
        ),
    ] {
        let (error, chunks) = told("jquery-file-upload", &[("Range", range)], file);
        assert_eq!(error.kind(), ErrorKind::BadOffset, "{range}: {error}");
        assert!(error.to_string().contains(part), "{range}: {error}");
        assert_eq!(chunks, 1, "{range}");
    }
    let several = [("Range", "0-999"), ("Range", "0-1999")];
    let (error, chunks) = told("jquery-file-upload", &several, file);
    let part = "there are several fields range: \"0-999\" and \"0-1999\"";
    assert!(error.to_string().contains(part), "{error}");
    assert_eq!(chunks, 1);

    let dialect = r#"{"base": "dropzone", "offset": "/size"}"#;
    for (size, part) in [
        ("1001", "1001 exceeds the 1000 bytes that were sent"),
        ("-1", "-1 is not a whole number of bytes, at /size"),
        ("18446744073709551616", "is not a whole number of bytes"),
        ("0.5", "0.5 is not a whole number of bytes"),
        ("\"many\"", "\"many\" is not a whole number of bytes"),
    ] {
        let body = format!("{{\"size\": {size}}}");
        let (error, chunks) = told(dialect, &[], &body);
        assert_eq!(error.kind(), ErrorKind::BadOffset, "{size}: {error}");
        assert!(error.to_string().contains(part), "{size}: {error}");
        assert_eq!(chunks, 1, "{size}");
    }
    let (error, chunks) = told(dialect, &[], "stored");
    assert!(error.to_string().contains("it is no JSON"), "{error}");
    assert_eq!(chunks, 1);
}

#[test]
fn a_success_with_an_error_in_its_body_is_none() {
    let dialect = r#"{"base": "dropzone", "success": "200 and not regex:(?i)\\b(error|failed)\\b and header:X-Stored",
                      "message": "regex:(?i)error: ([^<]*)"}"#;
    let stored = [("X-Stored", "1")];
    let page = "<p>ERROR: no room left</p>";
    let (error, chunks) = told(dialect, &stored, page);
    assert!(error.to_string().contains("no room left"), "{error}");
    assert_eq!(chunks, 1);
    let (error, chunks) = told(dialect, &[], "<p>stored</p>");
    assert!(
        error.to_string().contains("success needs header:X-Stored"),
        "{error}"
    );
    assert_eq!(chunks, 1);
}

#[test]
fn another_name_of_the_upload_in_each_answer_ends_it() {
    let mut posts = 0;
    let server = ScriptedServer::start_with(move |head, _| {
        if head.method == "GET" {
            return Step::reply(200, r#"{"file": {"size": 1000}}"#);
        }
        posts += 1;
        let body = format!("{{\"files\": [{{\"name\": \"file {posts}\"}}]}}");
        Step::new().read(Read::All).write(reply(200, &body))
    });
    let scene = Scene::new(4500);
    let client = client(&server.endpoint());
    client.set_dialect("jquery-file-upload").unwrap();
    client.set_retry_limit(2);
    let told = scene.upload(&client).run().unwrap_err().to_string();
    assert!(told.contains("and before it was \"file 1\""), "{told}");
    let requests = server.requests();
    // None of them is about another upload than the first.
    let chunks: Vec<_> = requests
        .iter()
        .filter(|it| it.head.method == "POST")
        .collect();
    assert_eq!(chunks.len(), 4);
    for chunk in &chunks[1..] {
        let range = chunk.head.header("content-range");
        assert_eq!(range, Some("bytes 1000-1999/4500"));
    }
}

#[test]
fn redirects_without_end_are_not_followed() {
    for status in [301, 302, 303, 307, 308] {
        let server = ScriptedServer::start_with(move |_, number| {
            let to = format!("/up?{number}");
            Step::new()
                .read(Read::All)
                .write(reply_with(status, &[("Location", &to)], ""))
        });
        let scene = Scene::new(4500);
        let client = client(&server.endpoint());
        client.set_dialect("dropzone").unwrap();
        client.set_retry_limit(2);
        let error = scene.upload(&client).run().unwrap_err();
        assert!(error.to_string().contains(&status.to_string()), "{error}");
        assert_eq!(server.requests().len(), 1, "{error}");
    }
}

#[test]
fn an_answer_without_end_has_no_offset() {
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n100000\r\n";
    let endless = [head.as_bytes(), &vec![b'\xff'; 1 << 20]].concat();
    let server = ScriptedServer::start(vec![Step::new().read(Read::All).write(endless)]);
    let scene = Scene::new(4500);
    let client = client(&server.endpoint());
    let dialect = r#"{"base": "dropzone", "offset": "regex:size=(\\d+)"}"#;
    client.set_dialect(dialect).unwrap();
    client.set_retry_limit(1);
    let told = scene.upload(&client).run().unwrap_err().to_string();
    assert!(told.contains("bytes of its body were read"), "{told}");
    assert!(server.requests().len() <= 2);
}

#[test]
fn values_are_found_in_fields_and_pages() {
    let mut received = 0;
    let server = ScriptedServer::start_with(move |_, _| {
        received = (received + 1000).min(4500);
        let fields = [
            ("X-Received", received.to_string()),
            ("X_Address", "/f/7".to_owned()),
        ];
        let fields = fields
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        let page = "<html>\u{e4}\u{0} <b>Thank you</b></html>";
        Step::new()
            .read(Read::All)
            .write(reply_with(200, &fields, page))
    });
    let scene = Scene::new(4500);
    let client = client(&server.endpoint());
    let dialect = r#"{"base": "dropzone", "offset": "header:x-received", "location": "header:X_Address",
                      "success": "200 and header:X-Received regex:^[1-9]\\d*$ and not header:X-Error",
                      "complete": "header:X-Received=4500", "message": "regex:<b>(.*)</b>"}"#;
    client.set_dialect(dialect).unwrap();
    let mut upload = scene.upload(&client);
    upload.run().unwrap();
    let remote = upload.remote();
    assert_eq!(remote.location().as_deref(), Some("/f/7"));
    assert_eq!(remote.server_message().as_deref(), Some("Thank you"));
    assert_eq!(server.requests().len(), 5);
}
