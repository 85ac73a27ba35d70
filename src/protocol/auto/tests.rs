//! What the first response says about the server's protocol.

use resup_digests::Algorithm;

use super::*;
use crate::http::credentials::SigningAlgorithm;
use crate::http::endpoint::Endpoint;
use crate::http::secret::Secret;
use crate::options::{FilenameStyle, LocateMethod};
use crate::protocol::form::Signer;
use crate::protocol::script::{job, Reply, Script};

const AT: &str = "http://host/up";

fn form(signer: Option<Signer>) -> Form {
    let endpoint = Endpoint::parse(AT).unwrap();
    Form::new(
        endpoint,
        LocateMethod::default(),
        FilenameStyle::default(),
        signer,
    )
}

fn auto(learned: &LearnedProtocol) -> Auto<'_> {
    Auto::new(form(None), learned, None, None)
}

fn locate(learned: &LearnedProtocol, script: &Script) -> (Result<Answer, Error>, &'static str) {
    let auto = auto(learned);
    (auto.locate(script, &job(), None), auto.name())
}

/// Gives the protocol that is found by these responses, and the requests after the form.
fn found(replies: &[Reply<'_>]) -> (&'static str, Vec<String>) {
    let (learned, script) = (LearnedProtocol::default(), Script::new(replies));
    let (answer, name) = locate(&learned, &script);
    assert_eq!(answer.is_ok(), name != "form", "{answer:?}");
    let mut lines = script.lines();
    assert_eq!(lines.remove(0), format!("POST {AT}"));
    (name, lines)
}

#[test]
fn a_server_of_forms_costs_nothing() {
    let learned = LearnedProtocol::default();
    let script = Script::new(&[(200, &[])]).with_body(r#"{"state":"new","offset":0}"#);
    let (answer, name) = locate(&learned, &script);
    assert!(answer.is_ok());
    assert_eq!((name, script.lines().len()), ("form", 1));
    assert_eq!(learned.found.get(), Some(&ProtocolName::Form));
}

#[test]
fn tus_shows_in_the_first_refusal() {
    let options = format!("OPTIONS {AT}");
    let (name, lines) = found(&[
        (412, &[("tus-resumable", "1.0.0")]),
        (204, &[]),
        (201, &[("location", "/up/1")]),
    ]);
    assert_eq!(
        (name, &lines[..]),
        ("tus", &[options, format!("POST {AT}")][..])
    );
}

#[test]
fn a_refusal_without_signs_is_followed_by_one_question() {
    let options = format!("OPTIONS {AT}");
    let (name, lines) = found(&[
        (405, &[]),
        (
            204,
            &[("tus-version", "1.0.0"), ("tus-extension", "creation")],
        ),
        (204, &[]),
        (201, &[("location", "/up/1")]),
    ]);
    assert_eq!((name, &lines[0]), ("tus", &options));
    let (name, lines) = found(&[
        (415, &[]),
        (204, &[("accept-patch", "application/partial-upload")]),
        (201, &[("location", "/up/1")]),
    ]);
    assert_eq!((name, lines.len()), ("ietf", 2));
    let (name, lines) = found(&[(404, &[]), (200, &[])]);
    assert_eq!((name, lines), ("form", vec![options]));
    // These say nothing about the protocol.
    for status in [401, 403, 413, 429, 500, 502, 503, 507] {
        assert_eq!(found(&[(status, &[])]), ("form", vec![]));
    }
    let (name, lines) = found(&[(405, &[("dav", "1, 2")])]);
    assert_eq!((name, lines.len()), ("form", 0));
}

#[test]
fn webdav_is_spoken_where_the_url_is_that_of_a_collection() {
    let learned = LearnedProtocol::default();
    let form = Form::new(
        Endpoint::parse("http://host/dav/").unwrap(),
        LocateMethod::default(),
        FilenameStyle::default(),
        None,
    );
    let auto = Auto::new(form, &learned, None, None);
    // Apache answers so.
    let script = Script::new(&[(404, &[]), (200, &[("dav", "1,2")]), (404, &[])]);
    let answer = auto.locate(&script, &job(), None).unwrap();
    assert_eq!((auto.name(), answer.offset), ("dav", 0));
    let url = "http://host/dav/";
    let lines = ["POST", "OPTIONS"].map(|method| format!("{method} {url}"));
    let asks = format!("HEAD {url}a%20b.txt");
    assert_eq!(script.lines(), [&lines[..], &[asks]].concat());
    assert_eq!(learned.found.get(), Some(&ProtocolName::Dav));
}

#[test]
fn what_a_server_made_of_the_form_is_taken_back() {
    let made = ("location", "/up/7");
    let (name, lines) = found(&[
        (201, &[made, ("upload-complete", "?1")]),
        (201, &[("location", "/up/8")]),
        (204, &[]),
    ]);
    assert_eq!(name, "ietf");
    assert_eq!(lines, [format!("POST {AT}"), format!("DELETE {AT}/7")]);
    // Nothing is deleted elsewhere.
    for elsewhere in ["http://other/up/7", "/up", "mailto:x"] {
        let (name, lines) = found(&[
            (201, &[("location", elsewhere), ("upload-offset", "0")]),
            (201, &[("location", "/up/8")]),
        ]);
        assert_eq!((name, lines), ("ietf", vec![format!("POST {AT}")]));
    }
    // A relative reference is one from where the form went.
    let (name, lines) = found(&[
        (307, &[("location", "/new/")]),
        (201, &[("location", "7"), ("upload-offset", "0")]),
        (201, &[("location", "/up/8")]),
        (204, &[]),
    ]);
    assert_eq!((name, &*lines[2]), ("ietf", "DELETE http://host/new/7"));
    // A server that does not speak it after all has made something else.
    let (learned, script) = (
        LearnedProtocol::default(),
        Script::new(&[(201, &[made, ("upload-id", "7")]), (200, &[])]),
    );
    locate(&learned, &script).0.unwrap_err();
    assert_eq!(script.lines(), [format!("POST {AT}"), format!("POST {AT}")]);
    // It was there before the form came.
    let (name, lines) = found(&[
        (200, &[made, ("upload-offset", "0")]),
        (201, &[("location", "/up/8")]),
    ]);
    assert_eq!((name, lines), ("ietf", vec![format!("POST {AT}")]));
    // A server of forms may name the file that it has, and say something wrong beside that.
    let (name, lines) = found(&[(201, &[made]), (200, &[])]);
    assert_eq!((name, lines), ("form", vec![format!("OPTIONS {AT}")]));
    let (name, lines) = found(&[(201, &[made, ("dav", "1")])]);
    assert_eq!((name, lines.len()), ("form", 0));
}

#[test]
fn a_server_of_forms_stays_one() {
    let learned = LearnedProtocol::default();
    let tus: Reply<'_> = (404, &[("tus-resumable", "1.0.0")]);
    let script = Script::new(&[(200, &[]), tus]).with_body(r#"{"state":"new","offset":0}"#);
    let auto = auto(&learned);
    auto.locate(&script, &job(), None).unwrap();
    // Something else answers in its place for a while.
    auto.locate(&script, &job(), None).unwrap_err();
    assert_eq!((auto.name(), script.lines().len()), ("form", 2));
}

#[test]
fn a_protocol_is_learned_once_the_server_has_answered_by_it() {
    let learned = LearnedProtocol::default();
    let script = Script::new(&[
        (412, &[("tus-resumable", "1.0.0")]),
        (204, &[]),
        (404, &[]),
        (201, &[("location", "/up/1")]),
    ]);
    let auto = auto(&learned);
    auto.locate(&script, &job(), None).unwrap_err();
    assert_eq!(learned.found.get(), None);
    auto.locate(&script, &job(), None).unwrap();
    assert_eq!(learned.found.get(), Some(&ProtocolName::Tus));
    script.seen();
}

#[test]
fn what_a_setting_asks_for_is_not_left_out() {
    let tus: [Reply<'_>; 1] = [(412, &[("tus-resumable", "1.0.0")])];
    let signer = || {
        Some(Signer {
            secret: Secret::new("geheim".to_owned()),
            algorithm: SigningAlgorithm::default(),
        })
    };
    let named = || Job {
        offer: &[Algorithm::Sha256],
        ..job()
    };
    for (signer, job) in [(signer(), job()), (None, named())] {
        let learned = LearnedProtocol::default();
        // Where it is not known yet, and where it is.
        for (known, requests) in [(None, 1), (Some(ProtocolName::Tus), 0)] {
            let script = Script::new(&tus[..requests]);
            let auto = Auto::new(form(signer.clone()), &learned, known, None);
            let error = auto.locate(&script, &job, None).unwrap_err();
            match signer {
                Some(_) => assert!(error.to_string().contains("nothing is signed"), "{error}"),
                None => assert!(matches!(error, Error::DigestUnavailable { .. }), "{error}"),
            }
            assert_eq!(script.lines().len(), requests, "nothing is created");
        }
    }
}

#[test]
fn a_protocol_of_the_state_file_that_is_not_spoken_any_more_begins_anew() {
    let key = Some("http://host/u/1");
    let has: Reply<'_> = (200, &[("upload-offset", "4")]);
    for (replies, name) in [
        // It is spoken still.
        (&[(204, &[][..]), has][..], "tus"),
        // Nothing of it is there: a server of forms answers as it likes.
        (&[(405, &[]), (404, &[]), (400, &[]), (200, &[])], "form"),
    ] {
        let learned = LearnedProtocol::default();
        let auto = Auto::new(form(None), &learned, None, Some(ProtocolName::Tus));
        assert_eq!(auto.name(), "tus");
        let script = Script::new(replies).with_last_body(r#"{"state":"new","offset":0}"#);
        let answer = auto.locate(&script, &job(), key).unwrap();
        assert_eq!(
            (auto.name(), answer.offset),
            (name, if name == "tus" { 4 } else { 0 })
        );
        script.lines();
        let notes = auto.notes();
        assert_eq!(notes.len(), usize::from(name == "form"));
        assert!(
            notes
                .iter()
                .all(|(_, line)| line.contains("still speaks tus")),
            "{notes:?}"
        );
        assert!(auto.notes().is_empty());
    }
    // What tus itself refuses is not another protocol.
    let learned = LearnedProtocol::default();
    let auto = Auto::new(form(None), &learned, None, Some(ProtocolName::Tus));
    let no: Reply<'_> = (400, &[("tus-resumable", "1.0.0")]);
    let script = Script::new(&[(204, &[]), no]);
    assert!(auto.locate(&script, &job(), key).is_err());
    assert_eq!((auto.name(), script.lines().len()), ("tus", 2));
}

#[test]
fn a_lost_connection_does_not_end_the_upload_of_the_state_file() {
    let (key, learned) = (Some("http://host/u/1"), LearnedProtocol::default());
    let auto = Auto::new(form(None), &learned, None, Some(ProtocolName::Tus));
    let has: Reply<'_> = (200, &[("upload-offset", "4")]);
    let script = Script::new(&[(204, &[]), (0, &[]), has]);
    let error = auto.locate(&script, &job(), key).unwrap_err();
    assert!(matches!(error, Error::ConnectionLost { .. }), "{error}");
    let answer = auto.locate(&script, &job(), key).unwrap();
    assert_eq!((auto.name(), answer.offset), ("tus", 4));
    assert!(auto.notes().is_empty());
    script.lines();
}
