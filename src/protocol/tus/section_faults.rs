//! What must not happen to sections: nothing that is there is deleted or sent again for a failure of a moment, or of
//! another file.

use std::sync::OnceLock;

use super::*;
use crate::error::ErrorKind;
use crate::protocol::script::{self, segment, Bytes, Reply, Script};
use crate::protocol::{Answer, Protocol};

const AT: &str = "http://host/files/";
/// The key of a file of ten bytes in four sections.
const KEY: &str = "http://host/files/0 http://host/files/1 http://host/files/2 http://host/files/3";
const HAS_3: Reply<'static> = (200, &[("upload-offset", "3"), ("upload-length", "3")]);
const HAS_1: Reply<'static> = (200, &[("upload-offset", "1"), ("upload-length", "1")]);
const GONE: Reply<'static> = (404, &[]);

fn offers() -> OnceLock<Offers> {
    OnceLock::from(Offers {
        joins: true,
        terminates: Some(true),
        ..Offers::default()
    })
}

fn job() -> Job {
    Job {
        connections: 2,
        ..script::job()
    }
}

fn locate(tus: &Tus<'_>, script: &Script) -> Result<Answer, Error> {
    tus.locate(script, &job(), Some(KEY))
}

fn join(tus: &Tus<'_>, script: &Script) -> Result<(), Error> {
    let sent = tus.send(script, &job(), segment(KEY, 10, &mut Bytes(b"")));
    sent.map(|_| ())
}

#[test]
fn a_section_that_cannot_be_made_anew_for_a_moment_costs_no_other() {
    let offers = offers();
    let tus = Tus::at(Endpoint::parse(AT).unwrap(), &offers);
    for status in [403, 404, 413, 429, 500, 500] {
        let script = Script::new(&[HAS_3, GONE, (status, &[])]);
        locate(&tus, &script).unwrap_err();
    }
    let made: Reply<'_> = (201, &[("location", "7")]);
    let script = Script::new(&[HAS_3, GONE, made, HAS_3, (503, &[])]);
    locate(&tus, &script).unwrap_err();
    // The one that was made anew is not made again.
    let script = Script::new(&[HAS_3, HAS_3, HAS_3, HAS_1]);
    let answer = locate(&tus, &script).unwrap();
    assert_eq!(answer.offset, 10);
    assert_eq!(answer.id.as_deref(), Some(KEY.replace("/1", "/7").as_str()));
    assert!(offers.get().unwrap().has_refused.get().is_none());
}

#[test]
fn a_file_that_is_not_wanted_keeps_the_sections_of_others() {
    let offers = offers();
    for status in [403, 413, 460] {
        let tus = Tus::at(Endpoint::parse(AT).unwrap(), &offers);
        let script = Script::new(&[(status, &[]), HAS_3, HAS_3, HAS_3, HAS_1]);
        let error = join(&tus, &script).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Refused(_)), "{error}");
        assert!(!error.is_passing() || status == 460, "{error}");
        assert!(offers.get().unwrap().has_refused.get().is_none());
    }
    // Also where the server joins nothing at all.
    let tus = Tus::at(Endpoint::parse(AT).unwrap(), &offers);
    let script = Script::new(&[(400, &[]), HAS_3, HAS_3, HAS_3, HAS_1]);
    join(&tus, &script).unwrap_err();
    assert!(offers.get().unwrap().has_refused.get().is_some());
    let other = Tus::at(Endpoint::parse(AT).unwrap(), &offers);
    let script = Script::new(&[HAS_3, HAS_3, HAS_3, HAS_1]);
    assert_eq!(locate(&other, &script).unwrap().offset, 10);
}

#[test]
fn a_file_whose_join_was_not_heard_of_is_not_sent_again() {
    let offers = offers();
    let tus = Tus::at(Endpoint::parse(AT).unwrap(), &offers);
    join(&tus, &Script::new(&[(504, &[])])).unwrap_err();
    let joined: Reply<'_> = (201, &[("location", "9")]);
    let script = Script::new(&[GONE, joined]);
    let answer = locate(&tus, &script).unwrap();
    assert_eq!((answer.offset, answer.id.as_deref()), (10, Some(KEY)));
    let seen = script.seen();
    let last = seen.last().unwrap();
    assert_eq!(last.line, format!("POST {AT}"));
    assert!(last.header("upload-concat").unwrap().starts_with("final;"));
    // Another process knows nothing of that request, so it asks where the first section has gone.
    let other = || Tus::at(Endpoint::parse(AT).unwrap(), &offers);
    let script = Script::new(&[GONE, joined]);
    assert_eq!(locate(&other(), &script).unwrap().offset, 10);
    let made: Reply<'_> = (201, &[("location", "7")]);
    for refused in [400, 404, 500] {
        let script = Script::new(&[GONE, (refused, &[]), made, HAS_3, HAS_3, HAS_1]);
        assert_eq!(locate(&other(), &script).unwrap().offset, 0);
    }
    let script = Script::new(&[HAS_3, GONE, made, HAS_3, HAS_1]);
    assert_eq!(locate(&other(), &script).unwrap().offset, 3);
    // Without an answer nothing begins anew.
    let (lost, other) = ((0, &[][..]), other());
    for _ in 0..2 {
        let error = locate(&other, &Script::new(&[GONE, lost])).unwrap_err();
        assert!(error.is_passing(), "{error}");
    }
}

#[test]
fn a_join_that_takes_longer_than_the_limit_is_not_asked_for_again_and_the_setting_is_named() {
    /// An exchange whose responses come too late.
    struct Late(Script);
    impl Exchange for Late {
        fn exchange(&self, request: Request<'_>) -> Result<Response, Error> {
            self.0.exchange(request)?;
            Err(Error::late_response("host:80".to_owned(), "2 min"))
        }
    }
    let offers = offers();
    let tus = Tus::at(Endpoint::parse(AT).unwrap(), &offers);
    let late = Late(Script::new(&[(201, &[("location", "9")])]));
    let sent = tus.send(&late, &job(), segment(KEY, 10, &mut Bytes(b"")));
    let error = sent.unwrap_err();
    assert!(!error.is_passing() && !error.is_retryable(), "{error}");
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    let text = error.to_string();
    for part in [
        "no response within 2 min",
        "set_response_timeout",
        "look there",
    ] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn a_joined_file_is_never_deleted() {
    let offers = offers();
    let tus = Tus::at(Endpoint::parse(AT).unwrap(), &offers);
    let joined: Reply<'_> = (201, &[("location", "9")]);
    let script = Script::new(&[joined, (200, &[("upload-length", "3")])]);
    let error = join(&tus, &script).unwrap_err();
    assert!(error.to_string().contains("has 3 bytes"), "{error}");
    assert_eq!(script.lines().len(), 2);
}

#[test]
fn only_sections_of_no_file_are_taken_back_and_only_a_deletion_that_is_seen_counts() {
    let deleted: Reply<'_> = (204, &[]);
    let page: Reply<'_> = (200, &[]);
    for (replies, due) in [
        (&[HAS_3, HAS_3, HAS_3, HAS_1][..], "may have made the file"),
        (&[GONE, deleted, GONE, deleted, deleted], ""),
        (&[GONE, page, GONE, deleted, deleted, deleted], ""),
        (&[GONE, page, HAS_3], "still there"),
    ] {
        let offers = offers();
        let tus = Tus::at(Endpoint::parse(AT).unwrap(), &offers);
        let result = tus.discard(&Script::new(replies), &job(), Some(KEY));
        match result {
            Ok(()) => assert_eq!(due, ""),
            Err(error) => assert!(
                !due.is_empty() && error.to_string().contains(due),
                "{error}"
            ),
        }
    }
}
