//! Receivers that are killed while a hook, which fails now and then, is told of finished files. RESUP_TEST_RUNS makes the
//! test longer.

#![cfg(unix)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::thread;
use std::time::Duration;

use common::accounts::admin_ok;
use common::hook::{wait_until, Answer, HookServer};
use common::raw::Raw;
use common::{Receiver, Upload};
use resup_test_support::{runs, seed, tools};
use serde_json::Value;

const POINTS: [&str; 4] = [
    "before-commit",
    "after-group",
    "after-finish",
    "after-rename",
];

#[test]
fn each_finished_file_is_told_and_no_other_one() {
    let runs: usize = runs::count(4);
    let seed = seed::seed();
    let mut rng = seed::rng(seed);
    let hook = HookServer::start_with(move |call, number| {
        // Some are not taken, and some after a while.
        let mut rng = seed::rng(seed ^ number as u64);
        if call.json["data"]["place"].is_null() || rng.u32(..4) == 0 {
            return Answer::Status(503, String::new());
        }
        thread::sleep(Duration::from_millis(rng.u64(..40)));
        Answer::Status(200, String::new())
    });
    let url = hook.url();
    let mut receiver = Receiver::start(&["--hook-after", &url, "--hook-timeout", "1"]);
    for run in 0..runs {
        let plan = match rng.bool() {
            true => format!("{}:{}", POINTS[run % POINTS.len()], rng.u32(1..30)),
            false => String::new(),
        };
        receiver.kill_and_restart_crashing(&plan);
        let (pid, delay) = (receiver.pid(), Duration::from_millis(rng.u64(100..1500)));
        let killer = thread::spawn(move || {
            thread::sleep(delay);
            tools::signal(pid, "KILL");
        });
        for number in 0..100 {
            // What fails is not finished, or finished without an answer.
            let file = Upload::new(&format!("{run}-{number}"), 500);
            let Ok(mut stream) = std::net::TcpStream::connect(receiver.address) else {
                break;
            };
            let request = match number % 2 {
                0 => file.store("blake3").build(),
                _ => {
                    let raw = Raw::tus_post(500, &[("filename", &file.name)])
                        .set("Content-Type", "application/offset+octet-stream");
                    let raw = raw.body(&file.content);
                    [raw.head().into_bytes(), raw.body].concat()
                }
            };
            let _ = std::io::Write::write_all(&mut stream, &request);
            let _ = common::Reply::try_read(&mut stream);
        }
        killer.join().unwrap();
        receiver.wait();
    }
    receiver.kill_and_restart();
    let text = admin_ok(receiver.data(), &["audit"], "");
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    let finished: BTreeMap<String, Value> = lines
        .filter(|line: &Value| line["event"] == "completed")
        .map(|line| (line["id"].as_str().unwrap().to_owned(), line))
        .collect();
    let list = receiver.get("/uploads?state=complete&limit=1000");
    let listed = list.json["uploads"].as_array().unwrap().iter();
    let listed: BTreeSet<_> = listed.map(|item| item["id"].clone().to_string()).collect();
    let known = finished.values().map(|line| line["upload"].to_string());
    assert_eq!(known.collect::<BTreeSet<_>>(), listed);
    assert_eq!(finished.len(), listed.len());
    let told = || -> BTreeSet<String> {
        let calls = hook.calls().into_iter();
        calls
            .map(|call| call.header("webhook-id").to_owned())
            .collect()
    };
    wait_until("the last message", || told().len() >= finished.len());
    // None is told that is not finished, and each repetition says the same.
    for call in hook.calls() {
        let line = finished.get(call.header("webhook-id"));
        assert_eq!(line, Some(&call.json["data"]));
    }
    println!("{} files, {} calls", finished.len(), hook.calls().len());
}
