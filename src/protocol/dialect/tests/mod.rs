//! Texts that are dialects and texts that are none, and the uploads that they are about.

mod charset;
mod finders;
mod once;
mod questions;
mod refused;
mod success;
mod trials;

use super::template::{Template, Values};
use super::*;
use crate::error::ErrorKind;

fn why(text: &str) -> String {
    let error = Spec::read(text).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    error.to_string()
}

#[test]
fn every_preset_is_a_dialect_and_can_be_the_base_of_one() {
    for Preset { name, text, .. } in PRESETS {
        let spec = Spec::read(name).unwrap();
        assert_eq!(spec.name, name);
        assert_eq!(Spec::read(text).unwrap().name, "dialect");
        let own = format!(r#"{{"base": "{name}", "file_field": "mine"}}"#);
        let own = Spec::read(&own).unwrap();
        assert_eq!((own.name, own.file_field.as_str()), (name, "mine"));
        assert_eq!(own.chunk_size, spec.chunk_size);
    }
    // A key is taken from a base by null.
    let without = Spec::read(r#"{"base": "resumable.js", "test": null}"#).unwrap();
    assert!(!without.is_asked());
}

#[test]
fn a_text_that_is_no_dialect_is_refused_in_words() {
    for (text, parts) in [
        ("", &["\"\" is not known", "plain, resumable.js"][..]),
        ("Plain", &["\"Plain\" is not known"]),
        ("{", &["is not a JSON object: EOF"]),
        ("[1]", &["\"[1]\" is not known"]),
        (r#"{"base": "x"}"#, &["\"x\" is not known"]),
        (r#"{"base": 7}"#, &["\"7\" is not known"]),
        (
            r#"{"fileField": "f"}"#,
            &["unknown key \"fileField\"", "file_field"],
        ),
        (
            r#"{"file_field": ""}"#,
            &["key \"file_field\"", "a form's field"],
        ),
        (
            r#"{"file_field": 7}"#,
            &["has 7 for the key \"file_field\"", "a text"],
        ),
        (
            r#"{"method": "get"}"#,
            &["has \"get\" for the key \"method\"", "POST or PUT"],
        ),
        (r#"{"body": "json"}"#, &["multipart or raw"]),
        (
            r#"{"chunk_size": 0}"#,
            &["has 0 for the key \"chunk_size\"", "from 1 to 1 TiB"],
        ),
        (
            r#"{"chunk_size": "1M"}"#,
            &["has \"1M\" for the key \"chunk_size\""],
        ),
        (r#"{"chunk_size": -1}"#, &["has -1 for"]),
        (
            r#"{"chunk_size": 9, "repeat": "never"}"#,
            &["chunk or file"],
        ),
        (r#"{"repeat": "chunk"}"#, &["no \"chunk_size\""]),
        (
            r#"{"fields": {"n": "{numbr}"}}"#,
            &["key \"fields.n\"", "number, index"],
        ),
        (r#"{"fields": {"n": "{"}}"#, &["in braces"]),
        (
            r#"{"fields": {"n": 1}}"#,
            &["has 1 for the key \"fields.n\"; it may be a text"],
        ),
        (
            r#"{"fields": {"n": null}}"#,
            &["has null for the key \"fields.n\""],
        ),
        (
            r#"{"fields": []}"#,
            &["has [] for the key \"fields\"; it may be an object"],
        ),
        (r#"{"headers": {"a b": "c"}}"#, &["header \"a b\""]),
        (r#"{"headers": {"a": "b\nc"}}"#, &["one line"]),
        (r#"{"body": "raw", "fields": {"a": "b"}}"#, &["no fields"]),
        (r#"{"message": "error"}"#, &["a JSON pointer such as"]),
        (r#"{"message": "/a~2"}"#, &["a JSON pointer such as"]),
        (
            r#"{"success": "ok"}"#,
            &["has \"ok\" for the key \"success\"", "text:WORDS"],
        ),
        (r#"{"success": "200 and 201"}"#, &["key \"success\""]),
        (r#"{"success": "299-200"}"#, &["key \"success\""]),
        (r#"{"success": "99"}"#, &["key \"success\""]),
        (r#"{"success": "json:error"}"#, &["json:POINTER"]),
        (r#"{"success": "text:"}"#, &["text:WORDS"]),
        (r#"{"success": ""}"#, &["key \"success\""]),
        (
            r#"{"chunk_size": 9, "test": {"get": 1}}"#,
            &["\"test.get\"", "test.has"],
        ),
        (
            r#"{"chunk_size": 9, "test": {"has": "all"}}"#,
            &["\"test.has\"", "statuses"],
        ),
        (
            r#"{"chunk_size": 9, "state": {}}"#,
            &["without \"state.offset\""],
        ),
        (
            r#"{"chunk_size": 9, "state": {"offset": "/a"}, "test": {}}"#,
            &["one of them"],
        ),
        (r#"{"test": {}}"#, &["no \"chunk_size\""]),
        (
            r#"{"done": {"always": 1}}"#,
            &["\"done.always\"", "true or false"],
        ),
        (
            r#"{"done": {"url": "a\nb"}}"#,
            &["\"done.url\"", "an address"],
        ),
    ] {
        let why = why(text);
        for part in parts {
            assert!(why.contains(part), "{text}: {why}");
        }
    }
    // None of them grows without bounds.
    let terms = vec!["text:a"; 30].join(" and ");
    let fields: Vec<_> = (0..60).map(|n| format!(r#""{n}": "x""#)).collect();
    let deep = format!(r#"{{"fields": {}{}}}"#, "[".repeat(500), "]".repeat(500));
    for (text, part) in [
        (
            format!(r#"{{"success": "{terms}"}}"#),
            "at most 20 conditions",
        ),
        (
            format!(r#"{{"fields": {{{}}}}}"#, fields.join(",")),
            "more than 50 entries",
        ),
        (
            format!(r#"{{"fields": {{"a": "{}"}}}}"#, "x".repeat(2000)),
            "at most 1000 bytes",
        ),
        (
            format!(r#"{{"success": "{}"}}"#, "1".repeat(70_000)),
            "more than 65536",
        ),
        (deep, "recursion limit"),
    ] {
        let why = why(&text);
        assert!(why.contains(part) && why.len() < 1500, "{why}");
    }
}

fn job() -> Job {
    Job {
        name: "ä \"b\".txt".to_owned(),
        size: 25,
        is_passed: false,
        mtime: Some(7),
        offer: &[],
        digests: Vec::new(),
        dir: "2026/may".to_owned(),
        user: Some("joe".to_owned()),
        content_type: "text/plain".to_owned(),
        connections: 0,
        fields: Vec::new(),
    }
}

#[test]
fn the_places_of_a_text_are_filled() {
    let job = job();
    let values = Values {
        job: &job,
        identifier: "0123456789abcdef0123456789abcdef",
        id: "x",
        chunk_size: 10,
        chunks: 3,
        offset: 20,
        length: 5,
    };
    let fill = |text: &str| Template::read(text).unwrap().fill(&values);
    assert_eq!(
        fill("{number} {index} {offset}-{end}/{size} {length} {chunk_size} {chunks}"),
        "3 2 20-24/25 5 10 3"
    );
    assert_eq!(
        fill("{name}|{dir}|{path}"),
        "ä \"b\".txt|2026/may|2026/may/ä \"b\".txt"
    );
    assert_eq!(fill("{type}|{mtime}|{user}|{id}"), "text/plain|7|joe|x");
    assert_eq!(fill("{uuid}"), "01234567-89ab-cdef-0123-456789abcdef");
    assert_eq!(fill("x}"), "x}");
    let header = Template::read("filename=\"{name}\"").unwrap();
    assert_eq!(
        header.fill_header(&values),
        "filename=\"%C3%A4 %22b%22.txt\""
    );
}

fn dialect<'a>(spec: &'a Spec, segment_size: SegmentSize, job: &Job) -> Result<Dialect<'a>, Error> {
    let endpoint = Endpoint::parse("http://h/up").unwrap();
    let how = (FilenameStyle::default(), segment_size);
    Dialect::new(spec, &endpoint, how, (job, "target"))
}

#[test]
fn what_a_dialect_has_no_place_for_is_refused() {
    let plain = Spec::read("plain").unwrap();
    let bare = Job {
        dir: String::new(),
        user: None,
        ..job()
    };
    assert!(dialect(&plain, SegmentSize::Unlimited, &bare).is_ok());
    for (job, what) in [
        (
            Job {
                user: None,
                ..job()
            },
            "directory is set",
        ),
        (
            Job {
                dir: String::new(),
                ..job()
            },
            "user is set",
        ),
    ] {
        let error = dialect(&plain, SegmentSize::Unlimited, &job).err().unwrap();
        assert!(error.to_string().starts_with(what), "{error}");
    }
    let text = r#"{"fields": {"d": "{dir}", "u": "{user}"}}"#;
    let named = Spec::read(text).unwrap();
    assert!(dialect(&named, SegmentSize::Unlimited, &job()).is_ok());
    // No request leaves the client's server.
    for url in ["http://other/", "https://h/", "ftp://h/"] {
        let text = format!(r#"{{"chunk_size": 9, "done": {{"url": "{url}"}}}}"#);
        let away = Spec::read(&text).unwrap();
        let error = dialect(&away, SegmentSize::Unlimited, &bare).err().unwrap();
        assert!(error.to_string().contains(url), "{error}");
    }
}

#[test]
fn an_identifier_is_that_of_the_file_and_its_chunks() {
    let bare = Job {
        user: None,
        ..job()
    };
    let spec = Spec::read("resumable.js").unwrap();
    let identifier = |spec: &Spec, size, job: &Job| {
        let dialect = dialect(spec, size, job).unwrap();
        let identifier = dialect.identifier().clone();
        identifier
    };
    let first = identifier(&spec, SegmentSize::Unlimited, &bare);
    assert_eq!(first.len(), 32);
    assert_eq!(first, identifier(&spec, SegmentSize::Automatic, &bare));
    assert_ne!(first, identifier(&spec, SegmentSize::Fixed(5), &bare));
    let other = Job {
        mtime: Some(8),
        ..bare.clone()
    };
    assert_ne!(first, identifier(&spec, SegmentSize::Unlimited, &other));
    // Nothing tells two of these apart, or asks about them.
    let timeless = Job {
        mtime: None,
        ..bare.clone()
    };
    let chance = || identifier(&spec, SegmentSize::Unlimited, &timeless);
    assert_ne!(chance(), chance());
    let unasked = Spec::read("dropzone").unwrap();
    let plain = Job {
        dir: String::new(),
        ..bare
    };
    let chance = || identifier(&unasked, SegmentSize::Unlimited, &plain);
    assert_ne!(chance(), chance());
}

#[test]
fn another_chunk_size_is_refused_for_an_upload_that_was_begun() {
    let job = Job {
        user: None,
        ..job()
    };
    let spec = Spec::read("resumable.js").unwrap();
    let begun = dialect(&spec, SegmentSize::Fixed(10), &job).unwrap();
    let key = begun.key(None).unwrap().text();
    assert!(begun.key(Some(&key)).is_ok());
    let other = dialect(&spec, SegmentSize::Fixed(20), &job).unwrap();
    let error = other.key(Some(&key)).unwrap_err().to_string();
    assert!(
        error.contains("20 bytes now") && error.contains("chunks of 10"),
        "{error}"
    );
    let text = "10.abc.a.b/c";
    assert_eq!(Key::read(text).unwrap().id.as_deref(), Some("a.b/c"));
    assert_eq!(Key::read(text).unwrap().text(), text);
    assert!(Key::read("x.y").is_none() && Key::read("7").is_none());
}
