//! What a trial gets to know, and the presets that people save and change.

use std::sync::Arc;

use super::{dialect, job, Dialect, SegmentSize, Spec};
use crate::error::Error;
use crate::protocol::dialect::trial::shown;
use crate::protocol::dialect::{Purpose, Recorder, Step, PRESETS};
use crate::protocol::script::{Bytes, Script};
use crate::protocol::{Job, Outcome, Protocol, Segment};

fn bare() -> Job {
    Job {
        user: None,
        dir: String::new(),
        ..job()
    }
}

fn tried(text: &str) -> (Spec, Arc<Recorder>) {
    let recorder = Arc::new(Recorder::new());
    (
        Spec::read(text).unwrap().with_trial(recorder.clone()),
        recorder,
    )
}

fn send(dialect: &Dialect<'_>, script: &Script, offset: u64) -> Result<Outcome, Error> {
    let segment = Segment {
        offset,
        length: 10,
        bytes: &mut Bytes(b"0123456789"),
        id: None,
        checksum: None,
        restart: None,
        part: None,
    };
    dialect.send(script, &bare(), segment)
}

fn verdicts(step: &Step) -> Vec<(&str, &str, bool, &str)> {
    let verdicts = step.verdicts.iter();
    verdicts
        .map(|it| (it.key, &*it.rule, it.is_met, &*it.found))
        .collect()
}

#[test]
fn each_key_says_what_it_thinks_of_a_response() {
    let (spec, recorder) = tried(
        r#"{"chunk_size": 10, "repeat": "chunk", "fields": {"n": "{number}", "csrf_token": "s3cret"},
        "headers": {"X-Api-Key": "s3cret", "X-Size": "{size}"}, "success": "200 and json:/ok=true and not text:no room",
        "message": "/why", "test": {"query": {"n": "{number}"}}}"#,
    );
    let dialect = dialect(&spec, SegmentSize::Unlimited, &bare()).unwrap();
    let script = Script::new(&[(404, &[])]);
    dialect.locate(&script, &bare(), None).unwrap();
    let script = Script::new(&[(200, &[])]).with_body(r#"{"ok": false, "why": "too old"}"#);
    let error = send(&dialect, &script, 10).map(drop).unwrap_err();
    let steps = recorder.take();
    assert_eq!(steps.len(), 2);
    let [asked, sent] = &steps[..] else { panic!() };
    assert_eq!((asked.purpose, asked.method), (Purpose::Test, "GET"));
    assert_eq!(asked.url, "http://h/up");
    assert_eq!(asked.query[0].value.as_deref(), Some("1"));
    assert_eq!(
        verdicts(asked),
        [
            ("test.has", "200 201", false, "404"),
            ("test.send", "202-299 404", true, "404"),
        ]
    );
    assert_eq!(
        (sent.purpose, sent.chunk, sent.bytes),
        (Purpose::Send, (2, 3), (10, 10))
    );
    assert_eq!(sent.file_field.as_deref(), Some("file"));
    assert_eq!(
        verdicts(sent),
        [
            ("success", "200", true, "200"),
            ("success", "json:/ok=true", false, "false"),
            (
                "success",
                "not text:no room",
                true,
                "a body without these words"
            ),
            ("message", "/why", true, "too old"),
        ]
    );
    assert_eq!(sent.error.as_ref(), Some(&error));
    assert_eq!(sent.response.as_ref().unwrap().status, 200);
    // The value of a secret is not there, in whatever form.
    assert!(!format!("{steps:?}").contains("s3cret"));
    let names: Vec<_> = sent
        .headers
        .iter()
        .map(|it| (&*it.name, it.value.as_deref()))
        .collect();
    assert_eq!(names, [("x-api-key", None), ("x-size", Some("25"))]);
    assert!(recorder.take().is_empty());
}

#[test]
fn a_trial_sends_no_more_chunks_than_it_may() {
    let (spec, recorder) = tried(r#"{"chunk_size": 10, "repeat": "chunk"}"#);
    let dialect = dialect(&spec, SegmentSize::Unlimited, &bare()).unwrap();
    recorder.limit(1);
    let script = Script::new(&[(200, &[])]);
    assert!(send(&dialect, &script, 0).is_ok());
    assert!(matches!(send(&dialect, &script, 10), Err(Error::Cancelled)));
    assert_eq!(recorder.take().len(), 1);
    assert_eq!(script.lines().len(), 1);
}

#[test]
fn a_preset_that_was_saved_makes_the_same_requests() {
    for preset in PRESETS {
        let requests = |text: &str| {
            let (spec, recorder) = tried(text);
            let dialect = dialect(&spec, SegmentSize::Fixed(10), &bare()).unwrap();
            // What is made by chance is not compared.
            *dialect.identifier() = "0123456789abcdef0123456789abcdef".to_owned();
            let reply = (200, &[][..]);
            let script = Script::new(&[reply; 8]).with_body("{\"success\": true, \"files\": [{}]}");
            let offsets: &[u64] = match spec.chunk_size {
                Some(_) => &[0, 10],
                None => &[0],
            };
            let mut told = Vec::new();
            if spec.is_asked() {
                let _ = dialect.locate(
                    &script,
                    &bare(),
                    Some("10.0123456789abcdef0123456789abcdef.x"),
                );
            }
            for offset in offsets {
                let _ = send(&dialect, &script, *offset);
            }
            for mut step in recorder.take() {
                // A new name is given to each file that is begun.
                let by_chance = step.fields.iter_mut().chain(&mut step.query);
                let by_chance =
                    by_chance.filter(|_| step.purpose == Purpose::TestStranger || !spec.is_asked());
                by_chance.for_each(|it| {
                    it.value = it.value.as_ref().map(|value| value.len().to_string())
                });
                told.push(format!("{step:?}"));
            }
            assert!(!told.is_empty());
            told
        };
        // As an editor may save it.
        let saved = format!("\u{feff}{}\r\n", preset.text.replace('\n', "\r\n"));
        assert_eq!(requests(preset.name), requests(&saved), "{}", preset.name);
    }
}

#[test]
fn a_url_is_shown_without_secrets() {
    for (url, expected) in [
        ("http://h/up", "http://h/up"),
        (
            "http://h/up?a=1&Access-Token=xyz&b",
            "http://h/up?a=1&Access-Token=…&b",
        ),
        // Pages hand their session to a widget, and a store its signature.
        (
            "http://h/up?PHPSESSID=xyz&se=1&sig=xyz&X-Amz-Credential=xyz",
            "http://h/up?PHPSESSID=…&se=1&sig=…&X-Amz-Credential=…",
        ),
    ] {
        assert_eq!(shown(url), expected);
    }
}
