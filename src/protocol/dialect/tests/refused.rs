//! Places, patterns and offsets that are none: the message says what is wrong, and what it may be.

use super::why;

#[test]
fn a_place_or_a_pattern_that_is_none_is_refused_in_words() {
    for (text, told) in [
        (
            r#"{"message": "error"}"#,
            "has \"error\" for the key \"message\"; it may be a JSON pointer such as \"/file/size\" (RFC 6901), \
             header:NAME, header:NAME regex:PATTERN or regex:PATTERN",
        ),
        (
            r#"{"id": 7}"#,
            "has 7 for the key \"id\"; it may be a text",
        ),
        (
            r#"{"location": "header:a b"}"#,
            "for the key \"location\"; it may be header: with a name such as Location, and \"a b\" cannot be one's \
             name",
        ),
        (
            r#"{"success": "200 and header:X Y=z"}"#,
            "for the key \"success\"; it may be header: with a name such as Location, and \"X Y\" cannot be one's \
             name",
        ),
        (
            r#"{"location": "header:"}"#,
            "and \"\" cannot be one's name",
        ),
        (
            r#"{"message": "regex:(a"}"#,
            "has \"regex:(a\" for the key \"message\"; it may be a regular expression, and this one is wrong: found \
             open group without closing ')'",
        ),
        (
            r#"{"message": "header:X regex:(?=a)"}"#,
            "wrong: look-around is not supported",
        ),
        (
            r#"{"message": "regex:(a{1000}){1000}"}"#,
            "has \"regex:(a{1000}){1000}\" for the key \"message\"; it may be a smaller regular expression: this one \
             takes more than 16384 bytes when it is compiled; write + or * in place of large counts",
        ),
        (
            r#"{"success": "not regex:((((a{99}){99}){99}){99})"}"#,
            "for the key \"success\"; it may be a smaller regular expression",
        ),
        (
            r#"{"message": "regex:size=\\d+"}"#,
            "it may be a regular expression with one group, such as size=(\\d+), which is the value, and this one \
             has 0",
        ),
        (
            r#"{"message": "regex:(a)(b)"}"#,
            "this one has 2; groups that are no value begin with ?:",
        ),
        (
            r#"{"complete": "regex:"}"#,
            "for the key \"complete\"; it may be regex: with 1 to 500 characters behind it, and here are 0",
        ),
        // What is split at " and " is no pattern with that.
        (
            r#"{"success": "regex:one and two"}"#,
            "header:NAME regex:PATTERN or one of these after \"not \", joined by \" and \"",
        ),
        (
            r#"{"chunk_size": 9, "state": {"offset": "size"}}"#,
            "for the key \"state.offset\"; it may be a JSON pointer",
        ),
    ] {
        let why = why(text);
        assert!(why.starts_with("dialect has ") && why.contains(told), "{text}: {why}");
    }
    let text = format!(r#"{{"message": "regex:({})"}}"#, "ä".repeat(499));
    let why = why(&text);
    assert!(
        why.contains("regex: with 1 to 500 characters behind it, and here are 501"),
        "{why}"
    );
    assert!(why.len() < 1000, "{why}");
}

#[test]
fn an_offset_that_tells_nothing_is_refused_in_words() {
    for (text, told) in [
        (
            r#"{"offset": "/size"}"#,
            "has no \"chunk_size\", so the file goes in one request, and \"offset\", \"last_byte\", \"test\", \
             \"state\", \"done\" and \"repeat\": \"chunk\" are for files in chunks",
        ),
        (
            r#"{"last_byte": "header:Range"}"#,
            "has no \"chunk_size\"",
        ),
        (
            r#"{"chunk_size": 9, "offset": "/a", "last_byte": "/b"}"#,
            "has both \"offset\" and \"last_byte\"; one of them is enough, and null takes that of a base away",
        ),
        (
            r#"{"base": "jquery-file-upload", "offset": "/files/0/size"}"#,
            "has both \"offset\" and \"last_byte\"",
        ),
        (
            r#"{"base": "jquery-file-upload", "state": {"offset": "/a", "last_byte": "/b"}}"#,
            "has both \"state.offset\" and \"state.last_byte\"",
        ),
        (
            r#"{"chunk_size": 9, "state": {}}"#,
            "has a \"state\" without \"state.offset\" and \"state.last_byte\"",
        ),
        (
            r#"{"chunk_size": 9, "offset_is": "last"}"#,
            "has the unknown key \"offset_is\"; it may have base,",
        ),
    ] {
        let why = why(text);
        assert!(why.starts_with("dialect has ") && why.contains(told), "{text}: {why}");
    }
    let text = r#"{"base": "jquery-file-upload", "last_byte": null, "offset": "/files/0/size"}"#;
    assert!(super::Spec::read(text).is_ok());
}
