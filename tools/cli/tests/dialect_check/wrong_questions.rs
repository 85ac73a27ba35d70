//! Questions of a dialect that are wrong: about chunks, about the bytes that are there, and the last request.

use resup_test_support::scripted::Step;

use super::server::Answers;
use super::wrong_keys::{assert_found, Case};

/// Writes a dialect that asks for chunks.
fn asked(test: &str) -> String {
    format!(
        r#"{{"chunk_size": 1000, "repeat": "chunk", "fields": {{"id": "{{identifier}}", "n": "{{number}}"}}, "test": {test}}}"#
    )
}

#[test]
fn a_status_for_a_chunk_that_no_key_has() {
    assert_found(Case {
        dialect: asked(r#"{"has": "200", "send": "404"}"#),
        answers: Answers {
            missing: 204,
            ..Answers::default()
        },
        exit: 6,
        key: "test.send",
        why: "answers 204 for a chunk that it cannot have",
        proposal: Some(r#""send": "404 204" in "test""#),
    });
    assert_found(Case {
        dialect: asked(r#"{"has": "201", "send": "404"}"#),
        answers: Answers::default(),
        exit: 6,
        key: "test.has",
        why: "answers 200 for a chunk that it has accepted",
        proposal: Some(r#""has": "201 200" in "test""#),
    });
}

#[test]
fn a_question_that_the_server_does_not_take() {
    assert_found(Case {
        dialect: asked("{}"),
        answers: Answers {
            missing: 405,
            ..Answers::default()
        },
        exit: 6,
        key: "test.method",
        why: "it takes no GET",
        proposal: Some(r#""test": null, if it cannot be asked"#),
    });
}

#[test]
fn a_server_that_has_every_chunk() {
    assert_found(Case {
        dialect: asked("{}"),
        answers: Answers {
            missing: 200,
            ..Answers::default()
        },
        exit: 7,
        key: "test.has",
        why: "a chunk that was never sent",
        proposal: None,
    });
}

#[test]
fn a_chunk_that_the_server_has_and_the_dialect_sends_again() {
    assert_found(Case {
        dialect: asked(r#"{"has": "201", "send": "200-299 404"}"#),
        answers: Answers::default(),
        exit: 7,
        key: "test.has",
        why: "has accepted this chunk, and answers 200, which \"test.send\" takes for no; for one that it does not have it answers 404",
        proposal: Some(r#""has": "200" in "test", and 200 not in "send""#),
    });
}

#[test]
fn a_question_that_names_another_upload() {
    assert_found(Case {
        dialect: asked("{}"),
        answers: Answers {
            has: 404,
            ..Answers::default()
        },
        exit: 7,
        key: "test.query",
        why: "it finds it not",
        proposal: None,
    });
}

#[test]
fn a_question_that_is_the_same_for_every_upload() {
    assert_found(Case {
        dialect: asked(r#"{"query": {"n": "{number}"}}"#),
        answers: Answers::default(),
        exit: 7,
        key: "test.query",
        why: "does not tell one upload from another",
        proposal: Some("a field with {identifier} in \"query\" of \"test\""),
    });
}

/// Writes a dialect that asks for the number of bytes.
fn counted(state: &str) -> String {
    format!(r#"{{"chunk_size": 1000, "repeat": "chunk", "state": {state}}}"#)
}

#[test]
fn a_pointer_to_the_bytes_that_leads_nowhere() {
    assert_found(Case {
        dialect: counted(r#"{"offset": "/size"}"#),
        answers: Answers {
            state: Some(r#"{"file": {"name": "x", "size": N}}"#),
            ..Answers::default()
        },
        exit: 7,
        key: "state.offset",
        why: "has accepted 2000 bytes, and its answer has nothing at /size",
        proposal: Some(r#""offset": "/file/size" in "state""#),
    });
}

#[test]
fn an_answer_about_the_bytes_that_is_none() {
    for (state, key) in [
        (r#"{"offset": "/size", "none": "200"}"#, "state.none"),
        (r#"{"offset": "/size"}"#, "state.url"),
    ] {
        assert_found(Case {
            dialect: counted(state),
            answers: Answers {
                state: Some("no such file"),
                ..Answers::default()
            },
            exit: 7,
            key,
            why: "",
            proposal: None,
        });
    }
}

#[test]
fn a_last_request_that_is_not_accepted() {
    let done = r#"{"chunk_size": 1000, "repeat": "chunk", "done": {"url": "/done", "success": "200 and json:/ok"}}"#;
    for (answer, exit, key, proposal) in [
        (Step::reply(404, ""), 6, "done.url", None),
        (
            Step::reply(200, r#"{"status": "stored"}"#),
            6,
            "done.success",
            Some(r#""success": "200 and json:/status=stored" in "done""#),
        ),
    ] {
        assert_found(Case {
            dialect: done.to_owned(),
            answers: Answers {
                done: answer,
                ..Answers::default()
            },
            exit,
            key,
            why: "",
            proposal,
        });
    }
}
