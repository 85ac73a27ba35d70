//! Creations that carry a file, and what is made of their answers.

use std::sync::{Arc, Mutex};

use resup::{Client, DigestMode, Error, ErrorKind, Flow, LogLevel, Upload};
use resup_test_support::scripted::{End, Read, ScriptedServer, Step};

use super::{answer, client, methods, offsets, right, File, SIZE};

/// Starts a server that takes files with their creation, and answers each of these so.
fn server(extensions: &'static str, step: Step) -> ScriptedServer {
    let (mut at, mut made) = (0, 0);
    ScriptedServer::start_with(move |head, _| match head.method.as_str() {
        "OPTIONS" => answer(
            204,
            &[("Tus-Version", "1.0.0"), ("Tus-Extension", extensions)],
        ),
        "POST" if head.content_length() == Some(SIZE) => {
            at = SIZE / 3;
            step.clone()
        }
        "POST" => {
            (at, made) = (0, made + 1);
            answer(201, &[("Location", &format!("/files/{made}"))])
        }
        _ => right(head, &mut at),
    })
}

fn offering(step: Step) -> ScriptedServer {
    server("creation,creation-with-upload", step)
}

/// The outcome of an upload to a server of which its client has learned what it offers.
struct Ended {
    result: Result<(), Error>,
    /// The methods of its requests.
    methods: Vec<String>,
    log: String,
}

/// Uploads a file after another one that has learned what the server offers.
fn upload(server: &ScriptedServer, is_allowed: bool, digest: DigestMode) -> Ended {
    let client: Client = client(&server.endpoint());
    client.set_creation_with_upload(is_allowed);
    let first = vec![1; SIZE as usize];
    let mut first = Upload::from_memory(&client, first, "first").unwrap();
    first.run().unwrap();
    let before = methods(server).len();
    let lines = Arc::new(Mutex::new(String::new()));
    let noted = lines.clone();
    client.on_log(LogLevel::Debug, move |level, line| {
        *noted.lock().unwrap() += &format!("{level:?} {line}\n");
        Flow::Continue
    });
    let file = File::new();
    let mut upload = Upload::from_file(&client, &file.path).unwrap();
    let state_file = file.dir.path().join("state");
    upload.set_state_file(&state_file).unwrap();
    upload.set_digest(digest).unwrap();
    let result = upload.run();
    assert!(result.is_err() || !state_file.exists());
    let log = lines.lock().unwrap().clone();
    Ended {
        result,
        methods: methods(server).split_off(before),
        log,
    }
}

/// Uploads a file to a server that answers creations that carry it so; gives what must be a success.
fn succeed(server: &ScriptedServer) -> Ended {
    let ended = upload(server, true, DigestMode::OnePass);
    let result = &ended.result;
    assert!(result.is_ok(), "{result:?}: {:?}", ended.methods);
    ended
}

fn made(offset: Option<u64>) -> Step {
    let offset = offset.map(|it| it.to_string());
    let mut headers = vec![("Location", "/files/stored")];
    headers.extend(offset.iter().map(|it| ("Upload-Offset", it.as_str())));
    answer(201, &headers)
}

#[test]
fn a_creation_carries_the_file_where_the_program_and_the_server_say_so() {
    for digest in [DigestMode::None, DigestMode::OnePass, DigestMode::First] {
        let ended = upload(&offering(made(Some(SIZE))), true, digest);
        assert_eq!(ended.result, Ok(()));
        assert_eq!(ended.methods, ["POST"]);
        assert!(!ended.log.contains("Warn"), "{}", ended.log);
    }
    for (extensions, is_allowed) in [("creation", true), ("creation,creation-with-upload", false)] {
        let server = server(extensions, made(Some(SIZE)));
        let ended = upload(&server, is_allowed, DigestMode::OnePass);
        assert_eq!(ended.result, Ok(()));
        assert_eq!(ended.methods[0], "POST");
        assert_eq!(ended.methods[1], "PATCH", "{extensions}");
    }
}

#[test]
fn a_server_that_has_taken_less_gets_the_rest() {
    // The script's state of the upload is that of a third of it.
    let server = offering(made(Some(SIZE / 3)));
    let ended = succeed(&server);
    assert_eq!(ended.methods, ["POST", "PATCH"]);
    assert_eq!(offsets(&server), [0, SIZE / 3]);
    // One that tells nothing of the bytes is asked.
    let ended = succeed(&offering(made(None)));
    assert_eq!(ended.methods, ["POST", "HEAD", "PATCH"]);
}

#[test]
fn an_offset_that_cannot_be_is_no_success() {
    let ended = upload(&offering(made(Some(SIZE + 1))), true, DigestMode::OnePass);
    assert_eq!(ended.result.unwrap_err().kind(), ErrorKind::BadOffset);
    assert_eq!(ended.methods, ["POST"]);
}

#[test]
fn a_refusal_of_the_body_leads_to_an_upload_without_it() {
    for status in [400, 411, 413, 415] {
        let server = offering(answer(status, &[]));
        let ended = succeed(&server);
        assert_eq!(ended.methods, ["POST", "POST", "PATCH"], "{status}");
        let told = "takes no file without being asked for it first";
        assert!(ended.log.contains(told), "{}", ended.log);
    }
    // Bytes that were damaged go there again, and the creation does not say what the server has of them.
    let ended = succeed(&offering(answer(460, &[])));
    assert_eq!(ended.methods, ["POST", "POST", "PATCH"]);
}

#[test]
fn a_lost_answer_is_told_and_the_file_goes_there_once_more() {
    let read = || Step::new().read(Read::All);
    for step in [
        read().end(End::Close),
        read().end(End::Reset),
        read()
            .write("HTTP/1.1 201 X\r\nLocation: /fi")
            .end(End::Close),
    ] {
        let ended = succeed(&offering(step));
        // It is never sent with a creation again.
        assert_eq!(ended.methods, ["POST", "POST", "PATCH"]);
        let told = "Warn nothing tells whether the server has made an upload of the request that carried the file";
        assert!(ended.log.contains(told), "{}", ended.log);
        assert!(ended.log.contains("may be there twice"), "{}", ended.log);
    }
}

#[test]
fn what_forms_have_agreed_on_is_no_permission() {
    let (mut at, mut made) = (0, 0);
    let server = ScriptedServer::start_with(move |head, _| {
        let is_form = head.header("tus-resumable").is_none();
        match (is_form, head.boundary()) {
            (true, None) => {
                let small = 10 * SIZE;
                Step::reply(
                    200,
                    &format!(
                        r#"{{"state":"new","offset":0,"id":"a","digest":"md5","small":{small}}}"#
                    ),
                )
            }
            (true, Some(_)) => Step::reply(200, r#"{"state":"complete","id":"a","digest":"md5"}"#),
            (false, _) if head.method == "OPTIONS" => answer(
                204,
                &[
                    ("Tus-Version", "1.0.0"),
                    ("Tus-Extension", "creation,creation-with-upload"),
                ],
            ),
            (false, _) if head.method == "POST" => {
                (at, made) = (0, made + 1);
                answer(201, &[("Location", &format!("/files/{made}"))])
            }
            (false, _) => right(head, &mut at),
        }
    });
    let client = client(&server.endpoint());
    client.set_protocol(resup::ProtocolName::Form);
    let upload = |content: Vec<u8>| Upload::from_memory(&client, content, "f").unwrap().run();
    upload(vec![1; SIZE as usize]).unwrap();
    client.set_protocol(resup::ProtocolName::Tus);
    // The first one shows what the server offers, and is too large for what the forms have agreed on.
    upload(vec![2; 11 * SIZE as usize]).unwrap();
    let before = methods(&server).len();
    upload(vec![3; SIZE as usize]).unwrap();
    assert_eq!(methods(&server)[before..], ["POST", "PATCH"]);
}
