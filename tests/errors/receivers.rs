//! Refusals of the project's receiver, and what an upload to it comes to.

use std::thread;
use std::time::{Duration, Instant};

use resup::{Client, Upload};
use resup_test_support::receiver::{Receiver, Setup};

use crate::messages::Case;
use crate::one::One;

/// Settings for one attempt.
const ONCE: [&str; 2] = ["client_set_retry_limit", "0"];
const BASIC: [&str; 2] = ["client_set_basic_auth", "joe,correct horse"];

fn start(args: &[&str]) -> Receiver {
    Setup::new().args(args).start()
}

/// The outcome of an upload to a receiver, with the values that stand for the document's.
fn refused(
    one: &One,
    receiver: &Receiver,
    size: u64,
    more: &[&str],
    values: &[(&'static str, &str)],
) -> Case {
    let told = one.upload(&receiver.endpoint(), size, &[&ONCE[..], more].concat());
    let owned = |(example, value): &(&'static str, &str)| (*example, (*value).to_owned());
    Case::new(&told, values.iter().map(owned).collect())
}

/// Begins an upload that takes long.
fn hold(receiver: &Receiver, user: bool) -> Upload {
    let client = Client::new(&receiver.endpoint()).unwrap();
    if user {
        client.set_basic_auth("joe", "correct horse").unwrap();
    }
    let mut upload = Upload::from_memory(&client, vec![0; 1_000_000], "long").unwrap();
    upload.remote().set_rate_limit(10_000);
    upload.start().unwrap();
    let until = Instant::now() + Duration::from_secs(20);
    while upload.remote().snapshot().bytes_sent == 0 {
        assert!(Instant::now() < until, "it does not begin");
        thread::sleep(Duration::from_millis(10));
    }
    // Until the receiver has read the form.
    thread::sleep(Duration::from_millis(300));
    upload
}

fn guessed(one: &One) -> Case {
    let receiver = start(&[]);
    receiver.admin(&["user", "add", "joe"], "correct horse\n");
    for number in 0..8 {
        let wrong = format!("joe,wrong {number}");
        let wrong = [ONCE[0], ONCE[1], "client_set_basic_auth", &wrong];
        one.upload(&receiver.endpoint(), 10, &wrong);
    }
    refused(one, &receiver, 10, &BASIC, &[])
}

/// Makes what a row of the document is about.
pub fn make(situation: &str, one: &One) -> Case {
    match situation {
        "the project's receiver has no user, and a proxy brings the request (403)" => {
            let by_proxy = ["client_set_header", "X-Forwarded-For,10.0.0.1"];
            refused(one, &start(&[]), 10, &by_proxy, &[])
        }
        "the project's receiver has no user, and is called by another name than localhost (403)" => {
            let receiver = start(&[]);
            // As an HTTP proxy it gets the URL's name.
            let proxy = format!("http://{}", receiver.addr());
            let by_name = [ONCE[0], ONCE[1], "client_set_proxy", &proxy];
            let told = one.upload("http://files.example/upload", 10, &by_name);
            Case::new(&told, Vec::new())
        }
        "one user has too many requests at the project's receiver (429)" => {
            let receiver = start(&["--max-connections", "2"]);
            receiver.admin(&["user", "add", "joe"], "correct horse\n");
            let _held = hold(&receiver, true);
            refused(one, &receiver, 10, &BASIC, &[("2048", "1")])
        }
        "one user sends too many files to the project's receiver (429)" => {
            let receiver = start(&["--max-uploads-per-user", "1"]);
            let _held = hold(&receiver, false);
            refused(one, &receiver, 10, &[], &[("500", "1")])
        }
        "wrong passwords came too often to the project's receiver (429)" => guessed(one),
        "a user has as many uploads at the project's receiver as one may have (507)" => {
            let receiver = start(&["--max-records", "1"]);
            one.upload(&receiver.endpoint(), 5, &ONCE);
            refused(one, &receiver, 10, &[], &[("1000000", "1")])
        }
        other => panic!("no failure is made for \"{other}\""),
    }
}
