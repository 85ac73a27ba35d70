//! Streams that are read once, and what an upload of them comes to.

use std::io::Cursor;
use std::time::Duration;

use resup::{Client, DigestMode, ProtocolName, SegmentSize, Upload};
use resup_test_support::scripted::{reply_with, End, Read, ScriptedServer, Step};

use crate::messages::{Case, Outcome};

const ARGUMENT: i32 = 15;
const SOURCE_IO: i32 = 33;

/// Uploads a stream; gives the message of its failure.
fn upload(endpoint: &str, protocol: ProtocolName, digest: DigestMode) -> String {
    let client = Client::new(endpoint).unwrap();
    client.set_protocol(protocol);
    let short = Duration::from_millis(1);
    client.set_retry_backoff(short, short).unwrap();
    let reader = Cursor::new(vec![0; 500_000]);
    let mut upload = Upload::from_reader(&client, reader, "stream").unwrap();
    upload.set_digest(digest).unwrap();
    let segment = SegmentSize::Fixed(100_000);
    upload.set_segment_size(segment).unwrap();
    upload.run().unwrap_err().to_string()
}

fn answer(status: u16, headers: &[(&str, &str)]) -> Step {
    let step = Step::new().read(Read::All);
    step.write(reply_with(status, headers, ""))
}

/// Starts a server of tus with these extensions, which takes two sends, and then answers questions so.
fn tus(extensions: &'static str, question: Step) -> ScriptedServer {
    let mut patches = 0;
    ScriptedServer::start_with(move |head, _| match head.method.as_str() {
        "OPTIONS" => answer(
            204,
            &[("Tus-Version", "1.0.0"), ("Tus-Extension", extensions)],
        ),
        "POST" => answer(201, &[("Location", "/1")]),
        "PATCH" => {
            patches += 1;
            match patches {
                3.. => Step::new().end(End::Reset),
                at => answer(204, &[("Upload-Offset", &(at * 100_000).to_string())]),
            }
        }
        _ => question.clone(),
    })
}

/// Makes what a row of the document is about, if that is such a stream.
pub fn make(situation: &str) -> Option<Case> {
    const DEFERS: &str = "creation,creation-defer-length";
    let by = |server: &ScriptedServer| {
        upload(&server.endpoint(), ProtocolName::Tus, DigestMode::OnePass)
    };
    let nobody = "http://127.0.0.1:1/";
    let (status, message) = match situation {
        "a stream whose size is not known, and the protocol is set to form" => (
            ARGUMENT,
            upload(nobody, ProtocolName::Form, DigestMode::OnePass),
        ),
        "such a stream, and the server shows no protocol that takes it" => {
            let server = ScriptedServer::start_with(|_, _| answer(405, &[]));
            let endpoint = server.endpoint();
            (
                ARGUMENT,
                upload(&endpoint, ProtocolName::Auto, DigestMode::OnePass),
            )
        }
        "such a stream, and the server's tus needs the size first" => {
            (ARGUMENT, by(&tus("creation", answer(404, &[]))))
        }
        "the digest first, of a stream that is read once" => (
            ARGUMENT,
            upload(nobody, ProtocolName::Tus, DigestMode::First),
        ),
        "the server has lost bytes of a stream that is read once" => {
            let back = answer(
                200,
                &[("Upload-Offset", "100000"), ("Upload-Defer-Length", "1")],
            );
            (SOURCE_IO, by(&tus(DEFERS, back)))
        }
        "the server no longer has the upload of a stream that is read once" => {
            (SOURCE_IO, by(&tus(DEFERS, answer(404, &[]))))
        }
        _ => return None,
    };
    let outcome = Outcome::Failure { status, message };
    let values = Vec::new();
    Some(Case { outcome, values })
}
