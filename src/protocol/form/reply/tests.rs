//! What is read from responses.

use resup_digests::Digest;

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

/// Reads a response to a locate that offered no digests.
fn located(response: &Response, size: u64) -> Result<Answer, Error> {
    super::located(response, size, &[])
}

/// Reads a response to a send of a client that offered no digests.
fn sent(response: &Response, size: u64) -> Result<Outcome, Error> {
    super::sent(response, size, (&[], Algorithm::Md5))
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
        r#"{"state":"partial","offset":5,"prefix_md5":"D41D8CD98F00B204E9800998ECF8427E","max_segment":1000,"later":[1]}"#,
        9,
    )
    .unwrap();
    assert_eq!((partial.state, partial.offset), (State::Partial, 5));
    assert_eq!(partial.prefix.unwrap().bytes()[..2], [0xd4, 0x1d]);
    assert_eq!(partial.max_segment, Some(1000));
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
        r#"{"state":"partial","offset":"10"}"#,
        r#"{"state":"partial","offset":-0.5}"#,
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
        r#"{"state":"partial","offset":""}"#,
        r#"{"state":"partial","offset":"+3"}"#,
        r#"{"state":"partial","offset":"-3"}"#,
        r#"{"state":"partial","offset":" 3"}"#,
        r#"{"state":"partial","offset":"3.0"}"#,
        r#"{"state":"partial","offset":"0x3"}"#,
        r#"{"state":"partial","offset":true}"#,
        r#"{"state":"partial","offset":[3]}"#,
        r#"{"state":"partial","offset":null}"#,
        r#"{"state":"partial","offset":1e400}"#,
        r#"{"state":"partial","offset":3,"id":7.5}"#,
        r#"{"state":"partial","offset":3,"id":123456789012345678901}"#,
        r#"{"state":"partial","offset":3,"id":true}"#,
        r#"{"state":"partial","offset":3,"max_segment":-1}"#,
        r#"{"state":"partial","offset":3,"max_segment":"many"}"#,
        r#"{"state":"partial","offset":3,"prefix_md5":"zz"}"#,
        r#"{"state":"partial","offset":3,"max_segment":0}"#,
        r#"{"state":"partial","offset":3,"max_segment":999}"#,
        r#"{"state":"partial","offset":3,"offset":4}"#,
    ] {
        let result = locate(body, 9);
        assert!(
            matches!(result, Err(Error::BadResponse { .. })),
            "{body}: {result:?}"
        );
    }
    let few = locate(r#"{"state":"partial","offset":3,"max_segment":999}"#, 9).unwrap_err();
    let words = "its max_segment is 999; the protocol wants 1000 or more";
    assert!(few.to_string().contains(words), "{few}");
    let protocol = include_str!("../../../../docs/PROTOCOL.md");
    let told = format!("| `max_segment` | whole number, at least {LEAST_MAX_SEGMENT} |");
    assert!(protocol.contains(&told));
    let deep = "[".repeat(100_000);
    assert!(locate(&format!(r#"{{"x":{deep}"#), 9).is_err());
}

#[test]
fn what_means_the_same_is_read_the_same() {
    let plain = r#"{"state":"partial","offset":3000,"id":"7","max_segment":5000,"message":"hi"}"#;
    let plain = locate(plain, 4000).unwrap();
    for body in [
        "\u{feff}{\"state\":\"partial\",\"offset\":3000,\"id\":7,\"max_segment\":5000,\"message\":\"hi\"}",
        r#"{"state":"PARTIAL","offset":"3000","id":"7","max_segment":"5000","message":"hi"}"#,
        r#"{"state":"Partial","offset":3000.0,"id":7,"max_segment":5000.0,"message":"hi"}"#,
        r#"{"state":"partial","offset":3e3,"id":7,"max_segment":5000,"message":"hi","location":null}"#,
        r#"{"state":"partial","offset":3000,"id":"7","max_segment":5000,"message":"hi","prefix_md5":""}"#,
        r#"{"state":"partial","offset":3000,"id":"7","max_segment":5000,"message":"hi","prefix_md5":null,"location":false}"#,
    ] {
        assert_eq!(locate(body, 4000).unwrap(), plain, "{body}");
        let created = located(&response(201, body), 4000);
        assert_eq!(created.unwrap(), plain, "{body}");
    }
    let odd = r#"{"state":"new","offset":null,"id":null,"max_segment":null,"message":5}"#;
    let odd = locate(odd, 9).unwrap();
    assert_eq!((odd.id, odd.max_segment, odd.message), (None, None, None));
    let big = locate(r#"{"state":"new","id":18446744073709551615}"#, 9).unwrap();
    assert_eq!(big.id.unwrap(), "18446744073709551615");
    let busy = sent(&response(503, "\u{feff}{\"message\":\"busy\"}"), 9);
    let error = busy.unwrap_err();
    assert_eq!(error.refusal().unwrap().message.as_deref(), Some("busy"));
    let conflict = sent(&response(409, r#"{"offset":"4"}"#), 9).unwrap();
    assert!(matches!(
        conflict,
        Outcome::OffsetMismatch(Answer { offset: 4, .. })
    ));
}

#[test]
fn a_message_in_another_encoding_does_not_spoil_an_answer() {
    let with = |member: &[u8]| {
        let body = [b"{\"state\":\"new\",", member, b"}"].concat();
        located(
            &Response {
                status: 200,
                body,
                ..Response::default()
            },
            9,
        )
    };
    let answer = with(b"\"message\":\"gr\xfc\xdf\"").unwrap();
    assert_eq!(answer.message.unwrap(), "gr\u{fffd}\u{fffd}");
    let error = with(b"\"id\":\"gr\xfc\xdf\"").unwrap_err();
    assert!(error.to_string().contains("its id is not UTF-8"), "{error}");
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
        (421, RefusalKind::Failing),
        (423, RefusalKind::Locked),
        (425, RefusalKind::Failing),
        (429, RefusalKind::Busy),
        (500, RefusalKind::Failing),
        (501, RefusalKind::Other),
        (503, RefusalKind::Busy),
        (505, RefusalKind::Other),
        (507, RefusalKind::NoSpace),
        (509, RefusalKind::Failing),
        (511, RefusalKind::Other),
        (520, RefusalKind::Failing),
        (599, RefusalKind::Failing),
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
    assert!(page.starts_with("the server, or the proxy 10.0.0.1:3128 on the way to it, refused"));
    let message = through(r#"{"message":"busy"}"#);
    assert_eq!(message, "the server refused with HTTP status 503: busy");
}

#[test]
fn a_status_of_success_with_another_meaning_is_a_bad_response() {
    for status in [202, 203, 204, 206] {
        let response = response(status, r#"{"state":"complete"}"#);
        for result in [
            sent(&response, 9).map(drop),
            located(&response, 9).map(drop),
        ] {
            let error = result.unwrap_err();
            assert!(matches!(error, Error::BadResponse { .. }), "{error}");
            assert!(error.to_string().contains(&status.to_string()), "{error}");
        }
    }
    let made = located(&response(201, "<p>Thank you"), 9).unwrap_err();
    assert!(made.to_string().contains("has made something"), "{made}");
}

#[test]
fn the_error_names_a_proxy_that_may_have_answered() {
    let proxy = Some("10.0.0.1:3128".to_owned());
    let response = Response {
        proxy,
        ..response(200, "<h1>Blocked</h1>")
    };
    let error = located(&response, 9).unwrap_err().to_string();
    assert!(error.contains("or the proxy 10.0.0.1:3128"), "{error}");
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

/// Reads an answer of a client that offered these digests.
fn agreed(members: &str, offer: &[Algorithm]) -> Result<Answer, Error> {
    let body = format!(r#"{{"state":"partial","offset":4{members}}}"#);
    super::located(&response(200, &body), 9, offer)
}

#[test]
fn the_agreed_digest_is_the_one_that_counts() {
    let hex = |algorithm| Digest::of(algorithm, b"abcd").hex();
    let members = format!(
        r#","prefix_md5":"{}","prefix_sha256":"{}","prefix_blake3":"{}""#,
        hex(Algorithm::Md5),
        hex(Algorithm::Sha256),
        hex(Algorithm::Blake3)
    );
    for algorithm in Algorithm::ALL {
        let named = format!(r#","digest":"{}"{members}"#, algorithm.name());
        for offer in [&Algorithm::ALL[..], &[algorithm]] {
            let answer = agreed(&named, offer).unwrap();
            assert_eq!(answer.agreed, Some(algorithm));
            assert_eq!(answer.prefix, Some(Digest::of(algorithm, b"abcd")));
        }
        // What was not asked for means something else.
        assert_eq!(agreed(&named, &[]).unwrap().agreed, Some(Algorithm::Md5));
    }
    // A server of version 1.0 may have a member of that name.
    let others = [
        "",
        r#","digest":null"#,
        r#","digest":"sha512""#,
        r#","digest":"BLAKE3""#,
        r#","digest":7"#,
        r#","digest":["blake3"]"#,
    ];
    for without in others {
        let answer = agreed(&format!("{without}{members}"), &Algorithm::ALL).unwrap();
        assert_eq!(answer.agreed, Some(Algorithm::Md5));
        assert_eq!(answer.prefix, Some(Digest::of(Algorithm::Md5, b"abcd")));
        assert!(agreed(without, &[Algorithm::Md5]).is_ok());
    }
    let other = format!(
        r#","digest":"blake3","prefix_md5":"{}""#,
        hex(Algorithm::Md5)
    );
    assert_eq!(agreed(&other, &Algorithm::ALL).unwrap().prefix, None);
}

#[test]
fn an_agreement_that_cannot_be_is_an_error() {
    for (members, offer, why) in [
        (
            r#","digest":"blake3","prefix_blake3":"6437""#,
            &Algorithm::ALL[..],
            "its prefix_blake3 \"6437\" is not a BLAKE3 of 256 bits",
        ),
        (
            r#","digest":"blake3","prefix_blake3":[]"#,
            &Algorithm::ALL,
            "its prefix_blake3 \"[]\" is not",
        ),
        (
            r#","prefix_md5":7"#,
            &Algorithm::ALL,
            "its prefix_md5 \"7\" is not an MD5",
        ),
        (
            "",
            &[Algorithm::Blake3],
            "the digest BLAKE3 was asked for by name",
        ),
        (
            r#","digest":"md5""#,
            &[Algorithm::Sha256],
            "the digest SHA-256 was asked for by name",
        ),
    ] {
        let error = agreed(members, offer).unwrap_err().to_string();
        assert!(error.contains(why), "{members}: {error}");
    }
}

#[test]
fn an_error_keeps_the_digest_unless_it_names_another_one() {
    let hex = Digest::of(Algorithm::Blake3, b"abcd").hex();
    for (members, agreed) in [
        ("", Algorithm::Blake3),
        (r#","digest":"sha256""#, Algorithm::Sha256),
    ] {
        for status in [409, 422] {
            let body = format!(r#"{{"offset":4,"prefix_blake3":"{hex}"{members}}}"#);
            let response = response(status, &body);
            let both = (&Algorithm::ALL[..], Algorithm::Blake3);
            let (Outcome::OffsetMismatch(answer) | Outcome::ChecksumMismatch(answer)) =
                super::sent(&response, 9, both).unwrap()
            else {
                panic!("{status}");
            };
            assert_eq!(answer.agreed, Some(agreed));
            assert_eq!(answer.prefix.is_some(), agreed == Algorithm::Blake3);
        }
    }
    let only = (&[Algorithm::Blake3][..], Algorithm::Blake3);
    let other = response(422, r#"{"offset":4,"digest":"md5"}"#);
    let error = super::sent(&other, 9, only).unwrap_err();
    assert!(matches!(error, Error::DigestUnavailable { .. }), "{error}");
}
