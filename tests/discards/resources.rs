//! Servers of tus and of the IETF's protocol.

use std::fs;
use std::path::{Path, PathBuf};

use resup::{Client, Error, ErrorKind, ProtocolName, RefusalKind, Upload};
use resup_test_support::head::RequestHead;
use resup_test_support::scripted::{reply_with, End, Read, ScriptedServer, Step};

use crate::common::{client, make_file};
use crate::REFUSED;

const SIZE: u64 = 5000;

fn answer(status: u16, headers: &[(&str, &str)]) -> Step {
    let mut all = vec![("Tus-Resumable", "1.0.0")];
    all.extend(headers);
    Step::new()
        .read(Read::All)
        .write(reply_with(status, &all, ""))
}

const EXTENSIONS: &str = "creation,termination";

/// Answers as a server that begins uploads at `at`, has 7 bytes of each, and takes no more.
fn stuck(head: &RequestHead, at: &str, extensions: &str) -> Step {
    match head.method.as_str() {
        "OPTIONS" => answer(
            204,
            &[("Tus-Version", "1.0.0"), ("Tus-Extension", extensions)],
        ),
        "POST" => answer(201, &[("Location", at)]),
        "HEAD" => answer(200, &[("Upload-Offset", "7"), ("Upload-Length", "5000")]),
        "PATCH" => answer(403, &[]).end(End::Close),
        _ => answer(204, &[]),
    }
}

/// Starts such a server, which answers the requests of one method with `step`.
fn server(method: &'static str, step: Step) -> ScriptedServer {
    ScriptedServer::start_with(move |head, _| match head.method == method {
        true => step.clone(),
        false => stuck(head, "/u/1", EXTENSIONS),
    })
}

fn tus(server: &ScriptedServer) -> Client {
    let client = client(&server.endpoint());
    client.set_protocol(ProtocolName::Tus);
    client.set_retry_limit(2);
    client
}

struct File {
    dir: tempfile::TempDir,
    path: PathBuf,
}

impl File {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = make_file(&dir, "f", SIZE);
        Self { dir, path }
    }

    fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    fn upload(&self, client: &Client) -> Upload {
        Upload::from_file(client, &self.path).unwrap()
    }

    /// Makes an upload with a state file.
    fn kept(&self, client: &Client) -> Upload {
        let mut upload = self.upload(client);
        upload.set_state_file(self.state()).unwrap();
        upload
    }
}

/// Gives the methods of the requests since the first `seen` ones.
fn methods(server: &ScriptedServer, seen: usize) -> Vec<String> {
    let requests = server.requests().into_iter().skip(seen);
    requests.map(|request| request.head.method).collect()
}

/// Runs an upload, which fails, and discards it.
fn discard(server: &ScriptedServer) -> (Result<(), Error>, Vec<String>) {
    let (file, client) = (File::new(), tus(server));
    let mut upload = file.upload(&client);
    upload.run().unwrap_err();
    let seen = server.requests().len();
    (upload.discard(), methods(server, seen))
}

#[test]
fn the_upload_is_deleted_and_begins_anew() {
    let server = server("", Step::new());
    let (file, client) = (File::new(), tus(&server));
    let mut upload = file.upload(&client);
    upload.run().unwrap_err();
    let seen = server.requests().len();
    upload.discard().unwrap();
    assert_eq!(methods(&server, seen), ["HEAD", "DELETE"]);
    let request = server.requests().pop().unwrap();
    assert_eq!(request.head.target, "/u/1");
    assert_eq!(request.head.header("tus-resumable"), Some("1.0.0"));
    assert_eq!(upload.remote().protocol(), Some("tus"));
    // Nothing is known any more.
    let seen = server.requests().len();
    assert_eq!(upload.discard().unwrap_err().kind(), ErrorKind::WrongState);
    assert_eq!(methods(&server, seen), [""; 0]);
    upload.run().unwrap_err();
    assert_eq!(methods(&server, seen), ["POST", "PATCH"]);
}

#[test]
fn a_state_file_tells_another_program_which_upload_it_is() {
    let server = server("", Step::new());
    for protocol in [ProtocolName::Tus, ProtocolName::Auto] {
        let file = File::new();
        file.kept(&tus(&server)).run().unwrap_err();
        assert!(file.state().exists());
        let later = client(&server.endpoint());
        later.set_protocol(protocol);
        let seen = server.requests().len();
        file.kept(&later).discard().unwrap();
        assert_eq!(methods(&server, seen).last().unwrap(), "DELETE");
        assert!(!file.state().exists());
    }
}

#[test]
fn without_its_url_there_is_nothing_to_discard() {
    let server = server("POST", answer(412, &[("Tus-Version", "1.0.0")]));
    let file = File::new();
    for protocol in [ProtocolName::Tus, ProtocolName::Ietf, ProtocolName::Auto] {
        let client = client(&server.endpoint());
        client.set_protocol(protocol);
        let error = file.kept(&client).discard().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WrongState, "{error}");
        assert!(error.to_string().contains("state file"), "{error}");
    }
    // Only the first question of `Auto` went to the server.
    assert_eq!(methods(&server, 0), ["POST"]);
}

#[test]
fn what_a_server_made_of_the_first_question_is_removed() {
    let server = ScriptedServer::start_with(|head, _| match head.method.as_str() {
        "POST" => answer(201, &[("Location", "/u/1"), ("Upload-Complete", "?1")]),
        _ => answer(204, &[]),
    });
    let error = File::new().upload(&client(&server.endpoint())).discard();
    assert_eq!(error.unwrap_err().kind(), ErrorKind::WrongState);
    assert_eq!(methods(&server, 0), ["POST", "DELETE"]);
}

#[test]
fn what_is_gone_is_discarded() {
    for status in [404, 410] {
        let (outcome, methods) = discard(&server("HEAD", answer(status, &[])));
        assert_eq!((outcome, methods), (Ok(()), vec!["HEAD".to_owned()]));
        let (outcome, _) = discard(&server("DELETE", answer(status, &[])));
        assert_eq!(outcome, Ok(()));
    }
}

#[test]
fn a_server_that_does_not_offer_it_is_not_asked() {
    let server = ScriptedServer::start_with(|head, _| stuck(head, "/u/1", "creation"));
    let (outcome, methods) = discard(&server);
    let error = outcome.unwrap_err();
    assert!(matches!(error, Error::NotDiscarded { .. }), "{error}");
    assert!(error.to_string().contains("termination"), "{error}");
    assert_eq!(methods, [""; 0]);
}

#[test]
fn a_server_that_refuses_is_named() {
    for (status, kind) in [
        (403, ErrorKind::Refused(RefusalKind::NotAllowed)),
        (405, REFUSED),
        (501, REFUSED),
    ] {
        let (outcome, _) = discard(&server("DELETE", answer(status, &[])));
        let error = outcome.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(
            error.to_string().contains("stays there until it expires"),
            "{error}"
        );
    }
}

#[test]
fn a_finished_file_and_one_of_another_size_stay() {
    for (offset, size, words) in [
        ("5000", "5000", "complete at the server"),
        ("7", "5001", "another file"),
    ] {
        let step = answer(200, &[("Upload-Offset", offset), ("Upload-Length", size)]);
        let (outcome, methods) = discard(&server("HEAD", step));
        let error = outcome.unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(error.kind(), REFUSED);
        assert_eq!(methods, ["HEAD"]);
    }
}

#[test]
fn a_failure_that_passes_is_tried_again_and_the_state_file_stays_meanwhile() {
    for last in [204, 503] {
        let mut deletes = 0;
        let server = ScriptedServer::start_with(move |head, _| {
            if head.method != "DELETE" {
                return stuck(head, "/u/1", EXTENSIONS);
            }
            deletes += 1;
            match deletes {
                1 => Step::new().read(Read::All).end(End::Close),
                2 => answer(423, &[]),
                _ => answer(last, &[]),
            }
        });
        let (file, client) = (File::new(), tus(&server));
        let mut upload = file.kept(&client);
        upload.run().unwrap_err();
        let outcome = upload.discard();
        assert_eq!(outcome.is_ok(), last == 204, "{outcome:?}");
        assert_eq!(file.state().exists(), last != 204);
    }
}

#[test]
fn only_a_deletion_is_a_success() {
    let page = reply_with(
        200,
        &[("Content-Type", "text/html")],
        "<html>Please log in</html>",
    );
    let begun = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffff\r\n";
    let endless = begun.to_owned() + &"x".repeat(60_000);
    let cases = [
        ("a page", Step::new().read(Read::All).write(page)),
        (
            "an endless body",
            Step::new()
                .read(Read::All)
                .write(endless)
                .end(End::HoldOpen),
        ),
        ("a promise", answer(202, &[])),
    ];
    for (name, step) in cases {
        let server = server("DELETE", step);
        let (file, client) = (File::new(), tus(&server));
        client
            .set_response_timeout(std::time::Duration::from_secs(2))
            .unwrap();
        client.set_retry_limit(0);
        let mut upload = file.upload(&client);
        upload.run().unwrap_err();
        let error = upload.discard().unwrap_err();
        assert!(
            matches!(error.kind(), ErrorKind::BadResponse | ErrorKind::TimedOut),
            "{name}: {error}"
        );
    }
    // The same answer is believed where the upload is gone then.
    let mut deleted = false;
    let server = ScriptedServer::start_with(move |head, _| match head.method.as_str() {
        "HEAD" if deleted => answer(404, &[]),
        "DELETE" => {
            deleted = true;
            answer(200, &[])
        }
        _ => stuck(head, "/u/1", EXTENSIONS),
    });
    assert_eq!(discard(&server).0, Ok(()));
}

#[test]
fn a_redirect_is_not_followed() {
    let other = server("", Step::new());
    let to = format!("http://{}/u/1", other.addr());
    for status in [301, 302, 303, 307, 308] {
        let (outcome, _) = discard(&server("DELETE", answer(status, &[("Location", &to)])));
        let error = outcome.unwrap_err();
        assert!(error.to_string().contains(&to), "{error}");
    }
    assert_eq!(other.requests().len(), 0);
}

#[test]
fn an_upload_elsewhere_gets_no_password() {
    let other = server("", Step::new());
    let at = format!("http://{}/u/1", other.addr());
    let home = ScriptedServer::start_with(move |head, _| stuck(head, &at, EXTENSIONS));
    let (file, client) = (File::new(), tus(&home));
    client.set_bearer_token("secret").unwrap();
    let mut upload = file.upload(&client);
    upload.run().unwrap_err();
    upload.discard().unwrap();
    let deletion = other.requests().pop().unwrap();
    assert_eq!(deletion.head.method, "DELETE");
    assert_eq!(deletion.head.header("authorization"), None);
    assert_eq!(methods(&home, 0), ["OPTIONS", "POST"]);
}

#[test]
fn the_ietfs_protocol_deletes_likewise() {
    let server = ScriptedServer::start_with(|head, _| {
        let state = [("Upload-Offset", "7"), ("Upload-Complete", "?0")];
        let status = match head.method.as_str() {
            "POST" => 201,
            "PATCH" => return answer(403, &[]).end(End::Close),
            _ => 204,
        };
        let location = [("Location", "/u/1")];
        answer(status, &[&state[..], &location].concat())
    });
    let client = client(&server.endpoint());
    client.set_protocol(ProtocolName::Ietf);
    let file = File::new();
    file.kept(&client).run().unwrap_err();
    let seen = server.requests().len();
    file.kept(&client).discard().unwrap();
    assert_eq!(methods(&server, seen), ["HEAD", "DELETE"]);
    let requests = server.requests();
    let versions = requests[seen..]
        .iter()
        .map(|it| it.head.header("upload-draft-interop-version"));
    let versions: Vec<_> = versions.collect();
    assert_eq!(versions[0], versions[1]);
    assert!(!Path::new(&file.state()).exists());
    let _ = fs::remove_file(file.state());
}
