//! Servers that keep an upload which is taken back.

use resup::{ffi, Client, ErrorKind, ProtocolName, RefusalKind, Upload};
use resup_test_support::scripted::{reply_with, End, Read, ScriptedServer, Step};

use crate::messages::{Case, Outcome};
use crate::one::One;

/// Answers by tus.
fn tus(status: u16, headers: &[(&str, &str)]) -> Step {
    let all = [&[("Tus-Resumable", "1.0.0")], headers].concat();
    let answer = reply_with(status, &all, "");
    Step::new().read(Read::All).write(answer)
}

/// A server of tus that takes no bytes, and answers a HEAD so and a DELETE with this status.
fn keeping(extensions: &'static str, offset: &'static str, deletion: u16) -> ScriptedServer {
    ScriptedServer::start_with(move |head, _| match head.method.as_str() {
        "OPTIONS" => tus(
            204,
            &[("Tus-Version", "1.0.0"), ("Tus-Extension", extensions)],
        ),
        "POST" => tus(201, &[("Location", "/u/1")]),
        "HEAD" => tus(200, &[("Upload-Offset", offset)]),
        "PATCH" => tus(403, &[]).end(End::Close),
        _ => tus(deletion, &[]),
    })
}

/// Discards a file of 10 bytes, after a run that fails if there is one.
fn discard(one: &One, server: &ScriptedServer, protocol: ProtocolName, runs: bool) -> Case {
    let path = one.bench.path("to discard");
    std::fs::write(&path, [0; 10]).unwrap();
    let client = Client::new(&server.endpoint()).unwrap();
    client.set_protocol(protocol);
    let mut upload = Upload::from_file(&client, path).unwrap();
    if runs {
        upload.run().unwrap_err();
    }
    let error = upload.discard().unwrap_err();
    let status = match error.kind() {
        ErrorKind::WrongState => ffi::RESUP_E_STATE,
        ErrorKind::Refused(RefusalKind::Other) => ffi::RESUP_E_REFUSED,
        other => panic!("{other:?}: {error}"),
    };
    let message = error.to_string();
    Case {
        outcome: Outcome::Failure { status, message },
        values: Vec::new(),
    }
}

/// Makes what a row of the document is about; `None` if it is about something else.
pub fn make(situation: &str, one: &One) -> Option<Case> {
    let by_form = |script| {
        let server = ScriptedServer::start(script);
        discard(one, &server, ProtocolName::Form, false)
    };
    let by_tus = |server: ScriptedServer| discard(one, &server, ProtocolName::Tus, true);
    let new = r#"{"state":"new","offset":0}"#;
    let offer = r#"{"state":"new","offset":0,"discard":true}"#;
    Some(match situation {
        "a discard, and the server does not offer that" => by_form(vec![Step::reply(200, new)]),
        "a discard of a file that is finished" => by_form(vec![
            Step::reply(200, offer),
            Step::reply(409, r#"{"message":"the upload is finished"}"#),
        ]),
        "a discard, and the server has no tus extension for it" => {
            by_tus(keeping("creation", "5", 204))
        }
        "a discard, and the server does not allow it (403 is `RESUP_E_NOT_ALLOWED`)" => {
            by_tus(keeping("creation,termination", "5", 405))
        }
        "the same by tus or the IETF's protocol" => {
            by_tus(keeping("creation,termination", "10", 204))
        }
        "a discard by tus or the IETF's protocol, and nothing tells the upload's URL" => {
            let server = keeping("creation,termination", "5", 204);
            discard(one, &server, ProtocolName::Tus, false)
        }
        _ => return None,
    })
}
