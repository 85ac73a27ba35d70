//! Receivers that violate the protocol fail, each in the checks for its mistake.

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use common::{check, everything, JOE_AND_EVE};
use resup_test_support::model::{Flaw, ModelReceiver, Options};
use resup_test_support::scripted::{reply_with, Read, ScriptedServer, Step};

/// The mistakes, and the checks that each one must make fail; no others.
const FLAWS: &[(Flaw, &[&str])] = &[
    (
        Flaw::OffsetTooHigh,
        &[
            "broken-before-file",
            "broken-by-reset",
            "broken-keeps",
            "broken-resumes",
            "conflict-offset",
            "conflict-offset-zero",
            "conflict-repeated",
            "digest-of-resumed",
            "digest-prefix-md5",
            "identity-dir",
            "identity-md5",
            "identity-md5-first",
            "identity-mtime",
            "identity-name",
            "identity-no-mtime",
            "identity-size",
            "instant-unfinished",
            "limit-just-right",
            "locate-again",
            "locate-encodings",
            "locate-partial",
            "locates-race",
            "names-case",
            "names-of-dirs",
            "names-signs",
            "names-unicode",
            "owner-files",
            "owner-ids",
            "restart-broken",
            "restart-late",
            "restart-unfinished",
            "send-empty-segment",
            "send-odd-offsets",
            "send-repeated",
            "sign-accepted",
            "sign-nonce",
            "writer-dead",
            "writers-race",
            "wrong-length",
            "wrong-range",
            "wrong-sends",
        ],
    ),
    (
        Flaw::WrongPrefix,
        &[
            "broken-by-reset",
            "broken-keeps",
            "locate-prefix-md5",
            "restart-broken",
            "restart-finished",
            "restart-unfinished",
        ],
    ),
    (
        Flaw::LosesBroken,
        &[
            "broken-by-reset",
            "broken-empty-end",
            "broken-keeps",
            "broken-resumes",
            "restart-broken",
        ],
    ),
    (
        Flaw::ClaimsLength,
        &[
            "broken-before-file",
            "broken-by-reset",
            "broken-keeps",
            "broken-resumes",
            "restart-broken",
        ],
    ),
    (
        Flaw::NoDigestCheck,
        &[
            "broken-wrong-end",
            "digest-md5",
            "digest-of-resumed",
            "digest-prefix-md5",
        ],
    ),
    (
        Flaw::KeepsWrongBytes,
        &[
            "broken-wrong-end",
            "digest-md5",
            "digest-of-resumed",
            "digest-prefix-md5",
            "wrong-length",
        ],
    ),
    (
        Flaw::CompleteUnproved,
        &[
            "broken-before-digest",
            "broken-empty-end",
            "broken-wrong-end",
            "digest-md5",
            "digest-of-resumed",
            "sign-tail",
        ],
    ),
    (
        Flaw::ConflictWithoutOffset,
        &[
            "conflict-new",
            "conflict-offset",
            "conflict-offset-zero",
            "conflict-repeated",
            "restart-late",
        ],
    ),
    (
        Flaw::AnyOffset,
        &[
            "conflict-new",
            "conflict-offset",
            "conflict-offset-zero",
            "conflict-repeated",
            "restart-late",
        ],
    ),
    (Flaw::AnyRestart, &["restart-late"]),
    (Flaw::NoRestart, &["restart-finished", "restart-unfinished"]),
    (Flaw::AnySegment, &["limit-too-long"]),
    (Flaw::UnknownIdIs400, &["unknown-id"]),
    (Flaw::RefusesExtra, &["locate-extra-fields"]),
    (Flaw::AsciiNames, &["names-case", "names-unicode"]),
    (
        Flaw::PlusStays,
        &[
            "locate-encodings",
            "locate-extra-fields",
            "names-of-dirs",
            "names-signs",
            "send-filename-star",
            "sign-accepted",
        ],
    ),
    (Flaw::IgnoresDir, &["identity-dir", "names-of-dirs"]),
    (Flaw::IgnoresMtime, &["identity-mtime"]),
    (Flaw::IgnoresMd5, &["identity-md5", "identity-md5-first"]),
    (Flaw::AnySize, &["instant-other-size"]),
    (Flaw::AnySha256, &["instant-other-sha256"]),
    (Flaw::SharedIds, &["owner-ids"]),
    (Flaw::SharedFiles, &["owner-files", "owner-instant"]),
    (Flaw::SharedContent, &["owner-instant"]),
    (
        Flaw::ResetsEarly,
        &["early-conflict", "early-unknown-id", "login-early"],
    ),
    (Flaw::NoLength, &["answer-errors", "answer-length"]),
    (
        Flaw::HangsOnNonsense,
        &["hostile-multipart", "wrong-length"],
    ),
    (Flaw::KeepsDead, &["writer-dead"]),
    (
        Flaw::LetsAllIn,
        &["login-early", "login-needed", "login-wrong"],
    ),
    (Flaw::AnyPassword, &["login-wrong"]),
    (Flaw::Unsigned, &["sign-needed"]),
    (
        Flaw::ExtraUnsigned,
        &["locate-extra-fields", "sign-accepted", "sign-changed"],
    ),
    (Flaw::NamesDecoded, &["sign-accepted"]),
    (Flaw::TailUnsigned, &["sign-tail"]),
    (Flaw::AnyNonce, &["sign-nonce"]),
    (Flaw::AnyTime, &["sign-time"]),
    (
        Flaw::RefusesGet,
        &[
            "locate-again",
            "locate-complete",
            "locate-extra-fields",
            "locate-new-get",
            "locate-partial",
            "names-case",
            "names-signs",
            "names-unicode",
            "sign-accepted",
        ],
    ),
    (Flaw::RefusesExpect, &["send-expect-continue"]),
    (Flaw::RefusesEmpty, &["send-empty-file"]),
    (Flaw::RefusesSha256, &["send-sha256"]),
    (
        Flaw::FailsOnLargeSizes,
        &["locate-huge-size", "wrong-locates"],
    ),
    (Flaw::FailsOnLongIds, &["hostile-ids"]),
    (
        Flaw::FailsOnNul,
        &["hostile-ids", "hostile-urlencoded", "names-hostile"],
    ),
    (Flaw::RefusesPieces, &["send-in-pieces"]),
    (Flaw::AnyLocate, &["wrong-locates"]),
    (
        Flaw::DamagesLong,
        &[
            "broken-by-reset",
            "broken-keeps",
            "broken-resumes",
            "limit-just-right",
            "send-expect-continue",
            "send-odd-offsets",
            "send-whole",
            "writer-dead",
            "writer-live",
            "writers-race",
        ],
    ),
    (Flaw::DamagesLineEnds, &["send-any-bytes"]),
    (
        Flaw::WrongPrefixInSends,
        &["restart-finished", "send-prefix-md5"],
    ),
    (Flaw::OtherIdInSends, &["answer-id"]),
    (Flaw::TextAnswers, &["answer-json"]),
    (Flaw::ByteOrderMarks, &["answer-json"]),
    (Flaw::SaysCompressed, &["answer-json"]),
    (
        Flaw::AnySecret,
        &["sign-changed", "sign-tail", "sign-wrong"],
    ),
];

/// The number of kits at once. They mostly wait, so there may be more than cores.
const THREADS: usize = 6;

/// Checks that the model receiver with this mistake fails `expected`, and nothing else.
fn check_flaw(flaw: Flaw, expected: &[&str]) -> Result<(), String> {
    let receiver = ModelReceiver::with(Options {
        flaw: Some(flaw),
        ..everything()
    });
    let arguments = [&JOE_AND_EVE[..], &["--time", "10"]].concat();
    let found = check(&receiver.endpoint(), &arguments);
    match found.with("fail") == expected && found.code == 1 {
        true => Ok(()),
        false => Err(format!(
            "{flaw:?} should fail in\n{expected:?}\nbut exits with {} and fails in\n{:?}\n{}",
            found.code,
            found.with("fail"),
            found.failures()
        )),
    }
}

#[test]
fn each_mistake_fails_its_checks_and_no_others() {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut problems = Vec::new();
        while let Some((flaw, expected)) = FLAWS.get(next.fetch_add(1, Ordering::Relaxed)) {
            problems.extend(check_flaw(*flaw, expected).err());
        }
        problems
    };
    let problems: Vec<String> = thread::scope(|scope| {
        let workers: Vec<_> = (0..THREADS).map(|_| scope.spawn(work)).collect();
        let join = |worker: thread::ScopedJoinHandle<'_, Vec<String>>| worker.join().unwrap();
        workers.into_iter().flat_map(join).collect()
    });
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn a_login_that_ends_the_one_before_fails() {
    let receiver = ModelReceiver::with(Options {
        flaw: Some(Flaw::OneSession),
        ..everything()
    });
    let login = receiver.endpoint().replace("/upload", "/login");
    let arguments = ["--login", &login, "--login-field", "user=joe"];
    let password = ["--login-field", "password=password of joe"];
    let more = ["--secret", "geheim", "--filter", "login-session"];
    let arguments = [&arguments[..], &password, &more].concat();
    let found = check(&receiver.endpoint(), &arguments);
    assert_eq!(found.with("fail"), ["login-session"]);
}

#[test]
fn a_server_that_is_no_receiver_passes_nothing() {
    let page = reply_with(200, &[("X-Page", "welcome")], "<html>Welcome!</html>");
    let server = ScriptedServer::start_with(move |_, _| Step::new().read(Read::All).write(&*page));
    let found = check(&server.endpoint(), &JOE_AND_EVE);
    assert_eq!(found.with("pass"), [""; 0]);
    assert_eq!(found.code, 1);
}

#[test]
fn a_receiver_that_always_replaces_the_writer_fails() {
    let receiver = ModelReceiver::start();
    let found = check(&receiver.endpoint(), &[]);
    assert_eq!(found.with("fail"), ["writer-live"], "{}", found.failures());
    assert_eq!(found.code, 1);
}
