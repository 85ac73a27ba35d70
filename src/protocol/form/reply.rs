//! Reading a response: from its HTTP status and JSON to an answer for the engine, or an error.

use serde::Deserialize;

use crate::digest::from_hex;
use crate::error::Error;
use crate::http::{excerpt, limited, refusal, Response};
use crate::protocol::{Answer, Outcome, State};

/// The longest `id` that is accepted. A longer one is a mistake, or an attack on memory.
const LONGEST_ID: usize = 1024;

/// The JSON object of a response. Unknown members are ignored: a later version may have more.
#[derive(Deserialize)]
struct Body {
    state: Option<String>,
    offset: Option<serde_json::Number>,
    id: Option<String>,
    location: Option<String>,
    prefix_md5: Option<String>,
    max_segment: Option<u64>,
    message: Option<String>,
}

/// Reads the response to a locate for a file of `size` bytes.
pub(super) fn located(response: &Response, size: u64) -> Result<Answer, Error> {
    if response.status == 200 {
        return answer(&parse(&response.body)?, size);
    }
    Err(refusal(response))
}

/// Reads the response to a send for a file of `size` bytes.
pub(super) fn sent(response: &Response, size: u64) -> Result<Outcome, Error> {
    match response.status {
        200 => Ok(Outcome::Accepted(answer(&parse(&response.body)?, size)?)),
        404 | 410 => Ok(Outcome::UnknownUpload(refusal(response))),
        409 | 422 => match parse(&response.body) {
            // Without an offset it is a refusal like others.
            Ok(body) if body.offset.is_some() => {
                let answer = fallback(&body, size)?;
                Ok(if response.status == 409 {
                    Outcome::OffsetMismatch(answer)
                } else {
                    Outcome::ChecksumMismatch(answer)
                })
            }
            _ => Err(refusal(response)),
        },
        _ => Err(refusal(response)),
    }
}

fn parse(body: &[u8]) -> Result<Body, Error> {
    serde_json::from_slice(body).map_err(|e| {
        bad(format!(
            "it is not the JSON object that was expected ({e}); it begins: {}",
            excerpt(body)
        ))
    })
}

fn answer(body: &Body, size: u64) -> Result<Answer, Error> {
    let state = match body.state.as_deref() {
        Some("new") => State::New,
        Some("partial") => State::Partial,
        Some("complete") => State::Complete,
        Some(other) => {
            return Err(bad(format!(
                "its state is \"{}\", not new, partial or complete",
                limited(other)
            )))
        }
        None => return Err(bad("it has no \"state\"".to_owned())),
    };
    let offset = match (state, offset(body, size)?) {
        (State::New, Some(0) | None) => 0,
        (State::New, Some(offset)) => {
            return Err(bad_offset(format!("{offset} for an upload that is new")))
        }
        (State::Partial, Some(offset)) => offset,
        (State::Partial, None) => return Err(bad("it has no \"offset\"".to_owned())),
        (State::Complete, None) => size,
        (State::Complete, Some(offset)) if offset == size => size,
        (State::Complete, Some(offset)) => {
            return Err(bad_offset(format!(
                "complete with {offset} of {size} bytes"
            )))
        }
    };
    assemble(body, state, offset)
}

/// Reads a 409 or 422, where only the offset counts.
fn fallback(body: &Body, size: u64) -> Result<Answer, Error> {
    let offset = offset(body, size)?.unwrap_or(0);
    assemble(body, State::Partial, offset)
}

fn assemble(body: &Body, state: State, offset: u64) -> Result<Answer, Error> {
    let prefix_md5 = match &body.prefix_md5 {
        None => None,
        Some(hex) => Some(
            from_hex(hex)
                .ok_or_else(|| bad(format!("its prefix_md5 \"{}\" is not an MD5", limited(hex))))?,
        ),
    };
    if body.id.as_ref().is_some_and(|id| id.len() > LONGEST_ID) {
        return Err(bad(format!("its id is longer than {LONGEST_ID} bytes")));
    }
    if body.max_segment == Some(0) {
        return Err(bad("its max_segment is 0".to_owned()));
    }
    Ok(Answer {
        state,
        offset,
        id: body.id.clone(),
        location: body.location.as_deref().map(limited),
        prefix_md5,
        max_segment: body.max_segment,
        message: body.message.as_deref().map(limited),
    })
}

fn offset(body: &Body, size: u64) -> Result<Option<u64>, Error> {
    let Some(number) = &body.offset else {
        return Ok(None);
    };
    match number.as_u64() {
        Some(offset) if offset <= size => Ok(Some(offset)),
        Some(offset) => Err(bad_offset(format!(
            "{offset} exceeds the file's size {size}"
        ))),
        None => Err(bad_offset(format!(
            "{number} is not a whole number of bytes"
        ))),
    }
}

fn bad(why: String) -> Error {
    Error::bad_response(why)
}

fn bad_offset(why: String) -> Error {
    Error::BadOffset { why }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::RefusalKind;
    use proptest::prelude::*;

    fn response(status: u16, body: &str) -> Response {
        Response {
            status,
            body: body.as_bytes().to_vec(),
            ..Response::default()
        }
    }

    fn locate(body: &str, size: u64) -> Result<Answer, Error> {
        located(&response(200, body), size)
    }

    #[test]
    fn the_three_states_are_read() {
        let new = locate(r#"{"state":"new","offset":0,"id":"a7"}"#, 9).unwrap();
        assert_eq!((new.state, new.offset), (State::New, 0));
        assert_eq!(new.id.as_deref(), Some("a7"));
        let partial = locate(
            r#"{"state":"partial","offset":5,"prefix_md5":"D41D8CD98F00B204E9800998ECF8427E","max_segment":3,"later":[1]}"#,
            9,
        )
        .unwrap();
        assert_eq!((partial.state, partial.offset), (State::Partial, 5));
        assert_eq!(partial.prefix_md5.unwrap()[..2], [0xd4, 0x1d]);
        assert_eq!(partial.max_segment, Some(3));
        let complete = locate(r#"{"state":"complete","location":"/f/1"}"#, 9).unwrap();
        assert_eq!((complete.state, complete.offset), (State::Complete, 9));
        assert_eq!(complete.location.as_deref(), Some("/f/1"));
    }

    #[test]
    fn impossible_offsets_are_errors() {
        for body in [
            r#"{"state":"partial","offset":10}"#,
            r#"{"state":"partial","offset":-1}"#,
            r#"{"state":"partial","offset":1.5}"#,
            r#"{"state":"partial","offset":1e3}"#,
            r#"{"state":"partial","offset":18446744073709551616}"#,
            r#"{"state":"new","offset":4}"#,
            r#"{"state":"complete","offset":4}"#,
        ] {
            let result = locate(body, 9);
            assert!(
                matches!(result, Err(Error::BadOffset { .. })),
                "{body}: {result:?}"
            );
        }
        let conflict = sent(&response(409, r#"{"offset":10}"#), 9);
        assert!(matches!(conflict, Err(Error::BadOffset { .. })));
    }

    #[test]
    fn a_body_that_is_not_of_the_protocol_is_a_bad_response() {
        for body in [
            "",
            "<html>login</html>",
            "null",
            "[]",
            "3",
            r#"{"state":"partial""#,
            r#"{"state":"partial"}"#,
            r#"{"offset":3}"#,
            r#"{"state":"done","offset":3}"#,
            r#"{"state":"partial","offset":"3"}"#,
            r#"{"state":"partial","offset":3,"prefix_md5":"zz"}"#,
            r#"{"state":"partial","offset":3,"max_segment":0}"#,
            r#"{"state":"partial","offset":3,"offset":4}"#,
        ] {
            let result = locate(body, 9);
            assert!(
                matches!(result, Err(Error::BadResponse { .. })),
                "{body}: {result:?}"
            );
        }
        let deep = "[".repeat(100_000);
        assert!(locate(&format!(r#"{{"x":{deep}"#), 9).is_err());
    }

    #[test]
    fn a_conflict_with_an_offset_is_an_offset_mismatch() {
        let Outcome::OffsetMismatch(answer) = sent(&response(409, r#"{"offset":4}"#), 9).unwrap()
        else {
            panic!("not a conflict");
        };
        assert_eq!((answer.state, answer.offset), (State::Partial, 4));
        let plain = sent(&response(409, r#"{"message":"no"}"#), 9).unwrap_err();
        assert_eq!(plain.refusal().unwrap().message.as_deref(), Some("no"));
    }

    #[test]
    fn refusals_keep_status_message_and_excerpt() {
        for (status, kind) in [
            (302, RefusalKind::Other),
            (400, RefusalKind::Other),
            (401, RefusalKind::NotAllowed),
            (403, RefusalKind::NotAllowed),
            (408, RefusalKind::Failing),
            (413, RefusalKind::TooLarge),
            (417, RefusalKind::Failing),
            (423, RefusalKind::Locked),
            (429, RefusalKind::Busy),
            (500, RefusalKind::Failing),
            (501, RefusalKind::Other),
            (503, RefusalKind::Busy),
            (507, RefusalKind::NoSpace),
        ] {
            let error = sent(&response(status, "<h1>Too\n\n much</h1>"), 9).unwrap_err();
            let refusal = error.refusal().unwrap();
            assert_eq!((refusal.status, refusal.kind), (status, kind));
            assert_eq!(refusal.excerpt, "<h1>Too much</h1>");
        }
    }

    #[test]
    fn the_error_names_a_proxy_that_may_have_refused() {
        let through = |body: &str| {
            let proxy = Some("10.0.0.1:3128".to_owned());
            let response = Response {
                proxy,
                ..response(503, body)
            };
            sent(&response, 9).unwrap_err().to_string()
        };
        let page = through("<h1>Not reached</h1>");
        assert!(
            page.starts_with("the server, or the proxy 10.0.0.1:3128 on the way to it, refused")
        );
        let message = through(r#"{"message":"busy"}"#);
        assert_eq!(message, "the server refused with HTTP status 503: busy");
    }

    #[test]
    fn a_2xx_status_other_than_200_is_refused() {
        for status in [201, 204, 206] {
            let body = r#"{"state":"complete"}"#;
            assert!(sent(&response(status, body), 9).is_err(), "{status}");
        }
    }

    proptest! {
        #[test]
        fn no_response_panics_or_gives_an_offset_past_the_size(
            status in 100u16..600, body in ".{0,200}", size: u64,
        ) {
            let response = response(status, &body);
            if let Ok(answer) = located(&response, size) {
                prop_assert!(answer.offset <= size);
            }
            let _ = sent(&response, size);
        }

        #[test]
        fn every_offset_up_to_the_size_is_read_and_none_beyond(offset: u64, size: u64) {
            let body = format!(r#"{{"state":"partial","offset":{offset}}}"#);
            match locate(&body, size) {
                Ok(answer) => prop_assert!(offset <= size && answer.offset == offset),
                Err(e) => {
                    let is_bad_offset = matches!(e, Error::BadOffset { .. });
                    prop_assert!(offset > size && is_bad_offset);
                }
            }
        }
    }
}
