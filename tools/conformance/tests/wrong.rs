//! Receivers that violate the protocol fail, each in the checks for its mistake.

mod common;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use common::flaws::FLAWS;
use common::newer_flaws::NEWER_FLAWS;
use common::{check, everything, JOE_AND_EVE};
use resup_test_support::model::{Flaw, ModelReceiver, Options};
use resup_test_support::scripted::{reply_with, Read, ScriptedServer, Step};

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
    let flaws = [FLAWS, NEWER_FLAWS].concat();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut problems = Vec::new();
        while let Some((flaw, expected)) = flaws.get(next.fetch_add(1, Ordering::Relaxed)) {
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
