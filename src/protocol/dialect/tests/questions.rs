//! What a server says that it has, and what of that is believed.

use super::{dialect, job, Dialect, SegmentSize, Spec};
use crate::error::Error;
use crate::protocol::script::{Reply, Script};
use crate::protocol::{Answer, Job, Protocol, State};

const PRESETS: [&str; 3] = ["resumable.js", "flow.js", "simple-uploader"];
const HAS: Reply<'_> = (200, &[]);

fn bare() -> Job {
    Job {
        user: None,
        ..job()
    }
}

fn plain() -> Job {
    Job {
        dir: String::new(),
        ..bare()
    }
}

fn locate(dialect: &Dialect<'_>, script: &Script) -> Result<Answer, Error> {
    dialect.locate(script, &bare(), None)
}

#[test]
fn a_page_that_has_every_chunk_completes_nothing() {
    for preset in PRESETS {
        let spec = Spec::read(preset).unwrap();
        let dialect = dialect(&spec, SegmentSize::Fixed(10), &bare()).unwrap();
        // Two chunks, and one of nobody's.
        let script = Script::new(&[HAS; 3]);
        let error = locate(&dialect, &script).unwrap_err();
        assert!(matches!(error, Error::BadResponse { .. }), "{error}");
        assert!(
            error.to_string().contains("one that was never sent"),
            "{error}"
        );
        let identifier = dialect.identifier().clone();
        let lines = script.lines();
        let are_about_it = lines.iter().map(|line| line.contains(&identifier));
        assert_eq!(are_about_it.collect::<Vec<_>>(), [true, true, false]);
        assert!(!lines[2].contains(".txt"), "{}", lines[2]);
    }
}

#[test]
fn a_file_that_is_there_is_complete() {
    for preset in PRESETS {
        let spec = Spec::read(preset).unwrap();
        let dialect = dialect(&spec, SegmentSize::Fixed(10), &bare()).unwrap();
        let script = Script::new(&[HAS, HAS, (404, &[])]);
        let answer = locate(&dialect, &script).unwrap();
        assert_eq!((answer.state, answer.offset), (State::Complete, 25));
        script.lines();
    }
    // This question is the same for every upload.
    let text = r#"{"base": "flow.js", "test": {"query": {"n": "{number}"}}}"#;
    let spec = Spec::read(text).unwrap();
    let dialect = dialect(&spec, SegmentSize::Fixed(10), &bare()).unwrap();
    let script = Script::new(&[HAS; 2]);
    assert_eq!(locate(&dialect, &script).unwrap().state, State::Complete);
    script.lines();
}

#[test]
fn a_file_is_whole_only_where_this_client_has_sent_it() {
    // A server that makes room before tells the size from the first chunk on. The engine compares it
    // with what was sent, since nobody else adds to such an upload.
    let spec = Spec::read("jquery-file-upload").unwrap();
    let dialect = dialect(&spec, SegmentSize::Fixed(10), &plain()).unwrap();
    let script = Script::new(&[HAS]).with_body(r#"{"file": {"size": 25}}"#);
    let answer = dialect.locate(&script, &plain(), Some("10.abc.x")).unwrap();
    assert_eq!((answer.state, answer.is_own), (State::Complete, true));
}

#[test]
fn a_number_of_bytes_is_where_the_dialect_says() {
    let ask = |offset: &str, reply: Reply<'_>, body: &str| {
        let text = format!(r#"{{"base": "jquery-file-upload", "state": {{{offset}}}}}"#);
        let spec = Spec::read(&text).unwrap();
        let dialect = dialect(&spec, SegmentSize::Fixed(10), &plain()).unwrap();
        let script = Script::new(&[reply]).with_body(body);
        let answer = dialect.locate(&script, &plain(), Some("10.abc.x"));
        script.lines();
        answer.map(|answer| answer.offset)
    };
    let field = r#""offset": "header:X-Size""#;
    let range = r#""last_byte": "header:Range regex:-(\\d+)""#;
    let page = r#""offset": "regex:(\\d+) bytes""#;
    let json = r#""offset": "/n""#;
    for (offset, reply, body, expected) in [
        (field, (200, &[("x-size", "20")][..]), "", Ok(20)),
        (field, HAS, "", Err("there is nothing at header:X-Size")),
        (field, (404, &[]), "", Ok(0)),
        (range, (200, &[("range", "0-19")]), "", Ok(20)),
        (
            range,
            (200, &[("range", "none")]),
            "",
            Err("finds nothing in \"none\""),
        ),
        (
            range,
            (200, &[("range", "0-25")]),
            "",
            Err("26 exceeds the file's size 25"),
        ),
        (page, HAS, "<p>13 bytes", Ok(13)),
        (
            page,
            HAS,
            "<p>Log in",
            Err("there is nothing at regex:(\\d+) bytes"),
        ),
        (json, HAS, "{}", Ok(0)),
        (json, HAS, r#"{"n": null}"#, Ok(0)),
        (json, HAS, r#"{"n": "20"}"#, Ok(20)),
        (json, HAS, "<p>Log in", Err("it is no JSON")),
    ] {
        match (ask(offset, reply, body), expected) {
            (Ok(told), Ok(expected)) => assert_eq!(told, expected, "{offset} {body}"),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{error}"),
            (told, _) => panic!("{offset} {body}: {told:?}"),
        }
    }
}
