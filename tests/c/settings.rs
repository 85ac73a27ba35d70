//! Each setting through the C ABI: its default, its effect, and what a bad value gets.

use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use resup_test_support::files;
use resup_test_support::scripted::{json, End, Read, ScriptedServer, Step};

use super::host::Bench;

const SIZE: u64 = 100_000;
const ARGUMENT: &str = "refused 15 ";
const WATCHDOG: Duration = Duration::from_secs(60);

struct Host {
    bench: Bench,
    program: PathBuf,
    file: PathBuf,
}

impl Host {
    fn new() -> Self {
        let bench = Bench::new();
        let program = bench.build("configured", &["configured.c"], &[]);
        let file = bench.path("file.bin");
        files::make(&file, SIZE, 5).unwrap();
        Host {
            bench,
            program,
            file,
        }
    }

    /// What the program prints for an upload with these settings.
    fn run(&self, url: &str, settings: &[&str]) -> String {
        let mut command = Command::new(&self.program);
        command.arg(url).arg(&self.file).args(settings);
        let ended = self.bench.run(&mut command, WATCHDOG);
        ended.assert_success();
        ended.stdout
    }

    /// What a server that takes everything is sent, all in one text.
    fn sent(&self, settings: &[&str]) -> String {
        let mut at = 0;
        let server = ScriptedServer::start_with(move |head, _| {
            if head.boundary().is_none() {
                return Step::reply(200, &json("new", 0, "k"));
            }
            // Segments of 40 000 bytes or one of all, by its length.
            at += if head.content_length().unwrap() > SIZE {
                SIZE
            } else {
                40_000
            };
            match at >= SIZE {
                true => Step::reply(200, &json("complete", SIZE, "k")),
                false => Step::reply(200, &json("partial", at, "k")),
            }
        });
        let told = self.run(&server.endpoint(), settings);
        assert!(told.contains("status 0\n"), "{settings:?}: {told}");
        let requests = server.requests();
        let texts = requests.iter().map(|request| {
            let head = &request.head;
            format!(
                "{} {}\n{:?}\n{}\n",
                head.method,
                head.target,
                head.headers,
                request.body_text()
            )
        });
        texts.collect()
    }
}

/// A setting, a value, what it makes appear in the requests, and what is there without it.
const SEEN: [(&str, &str, &str, &str); 10] = [
    ("client_set_user", "joe", "&user=joe&", "&dir=&prefix=1"),
    ("client_set_user_agent", "mine/7", "mine/7", "resup/0.1"),
    (
        "client_set_locate_method",
        "1",
        "GET /upload?action=locate",
        "POST /upload\n",
    ),
    (
        "upload_set_name",
        "n.txt",
        "filename=\"n.txt\"",
        "filename=\"file.bin\"",
    ),
    ("upload_set_directory", "a/b", "&dir=a%2Fb&", "&dir=&"),
    (
        "upload_set_content_type",
        "image/png",
        "\nContent-Type: image/png\r",
        "\nContent-Type: application/octet-stream\r",
    ),
    (
        "upload_set_field",
        "tenant,seven",
        "&tenant=seven&",
        "&dir=&prefix=1",
    ),
    ("upload_set_digest", "2", "&md5=", "name=\"md5\""),
    ("upload_set_digest", "0", "action=locate", "name=\"md5\""),
    (
        "upload_set_segment_size",
        "40000",
        "name=\"length\"\r\n\r\n40000\r",
        "name=\"length\"\r\n\r\n100000\r",
    ),
];

#[test]
fn what_a_setting_says_is_sent_and_without_it_the_default() {
    let host = Host::new();
    let default = host.sent(&[]);
    let everywhere = ["action=locate", "action=send", "name=\"md5\""];
    for (setting, value, effect, without) in SEEN {
        let with = host.sent(&[setting, value]);
        if setting == "upload_set_digest" && value == "0" {
            assert!(!with.contains("md5\"\r\n\r\n"), "{with}");
        }
        if !everywhere.contains(&effect) {
            assert!(
                with.contains(effect),
                "{setting}: {effect:?} is not in {with:.600}"
            );
            assert!(
                !default.contains(effect),
                "{setting}: {effect:?} is in the default"
            );
        }
        assert!(
            default.contains(without),
            "{setting}: {without:?} is no default: {default:.600}"
        );
    }
}

/// A setting, a bad value, and what its refusal has to name.
const BAD: [(&str, &str, &str); 17] = [
    ("client_set_user", "", "user must not be empty"),
    ("client_set_user", "a\nb", "'\\n'"),
    ("client_set_user_agent", "a\r\nX: y", "'\\r'"),
    ("client_set_locate_method", "9", "9"),
    (
        "client_set_connect_timeout",
        "0",
        "connect timeout must be more than 0",
    ),
    (
        "client_set_response_timeout",
        "0",
        "response timeout must be more than 0",
    ),
    (
        "client_set_stall_timeout",
        "0",
        "stall timeout must be more than 0",
    ),
    (
        "client_set_retry_backoff",
        "50,1",
        "50ms is longer than the longest, 1ms",
    ),
    ("client_set_retry_backoff", "0,1", "more than 0"),
    ("upload_set_name", "a/b", "\"a/b\""),
    ("upload_set_directory", "a\nb", "'\\n'"),
    ("upload_set_content_type", "png", "\"png\""),
    ("upload_set_field", "offset,7", "\"offset\""),
    ("upload_set_field", ",7", "empty"),
    ("upload_set_digest", "9", "9"),
    ("upload_set_state_file", "", "empty"),
    ("upload_set_state_file_utf16", "", "empty"),
];

/// Settings for which every value is a good one.
const ANY_VALUE: [&str; 5] = [
    "client_set_retry_limit",
    "client_set_retry_time",
    "client_set_rate_limit",
    "upload_set_segment_size",
    "upload_set_rate_limit",
];

#[test]
fn bad_values_are_refused_by_name() {
    let host = Host::new();
    for (setting, value, named) in BAD {
        let told = host.run("http://127.0.0.1:1/", &[setting, value]);
        assert!(told.starts_with(ARGUMENT), "{setting}: {told}");
        assert!(
            told.contains(named),
            "{setting}: {named:?} is not in {told}"
        );
    }
}

#[test]
fn every_setter_of_the_header_is_tested_here() {
    let own = include_str!("settings.rs");
    let setters = super::kept_exports();
    let setters = setters.iter().filter(|name| name.contains("_set_"));
    let mut count = 0;
    for setter in setters {
        let name = setter.trim_start_matches("resup_");
        count += 1;
        let bad = BAD.iter().any(|row| row.0 == name) || ANY_VALUE.contains(&name);
        assert!(bad, "no bad value for {name}");
        let quoted = own.matches(&format!("\"{name}\"")).count();
        assert!(quoted >= 2, "no effect for {name}");
    }
    assert!(count >= 19, "{count}");
}

fn failing() -> ScriptedServer {
    ScriptedServer::start(vec![Step::reply(503, "{}")])
}

fn number(told: &str, name: &str) -> u64 {
    let line = told.lines().find_map(|line| line.strip_prefix(name));
    line.unwrap().trim().parse().unwrap()
}

#[test]
fn retries_are_as_many_as_set_and_eight_by_default() {
    let (host, server) = (Host::new(), failing());
    let quick = ["client_set_retry_backoff", "1,5"];
    let default = host.run(&server.endpoint(), &quick);
    assert_eq!(number(&default, "attempts"), 9);
    assert!(number(&default, "wait") <= 5, "{default}");
    let two = [quick[0], quick[1], "client_set_retry_limit", "2"];
    assert_eq!(number(&host.run(&server.endpoint(), &two), "attempts"), 3);
    let none = ["client_set_retry_limit", "0"];
    assert_eq!(number(&host.run(&server.endpoint(), &none), "attempts"), 1);
    let brief = [
        quick[0],
        "20,20",
        "client_set_retry_limit",
        "100000",
        "client_set_retry_time",
        "100",
    ];
    let told = host.run(&server.endpoint(), &brief);
    assert!(
        number(&told, "status") == 73 && number(&told, "attempts") < 1000,
        "{told}"
    );
}

#[test]
fn time_limits_are_as_set() {
    let host = Host::new();
    let once = ["client_set_retry_limit", "0"];
    let with =
        |url: &str, setting: &str, value: &str| host.run(url, &[once[0], once[1], setting, value]);
    let silent = ScriptedServer::start(vec![Step::new().read(Read::All).end(End::HoldOpen)]);
    let told = with(&silent.endpoint(), "client_set_response_timeout", "150");
    assert!(told.contains("no answer within 150ms"), "{told}");

    // As many connections as its queue takes, and nobody who accepts them.
    let full = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = full.local_addr().unwrap();
    let fill = || TcpStream::connect_timeout(&addr, Duration::from_millis(200));
    let queue: Vec<_> = std::iter::from_fn(|| fill().ok()).take(10_000).collect();
    let told = with(
        &format!("http://{addr}/"),
        "client_set_connect_timeout",
        "250",
    );
    assert!(
        told.contains("no connection within 250ms"),
        "{} waiting: {told}",
        queue.len()
    );

    let stuck = ScriptedServer::start_with(|head, _| match head.boundary() {
        None => Step::reply(200, &json("new", 0, "k")),
        Some(_) => Step::new().read(Read::HeadOnly).end(End::HoldOpen),
    });
    files::make(&host.file, 32 << 20, 5).unwrap();
    let told = with(&stuck.endpoint(), "client_set_stall_timeout", "350");
    assert!(told.contains("took nothing for 350ms"), "{told}");
}

#[test]
fn proxies_of_the_environment_are_not_used_unasked() {
    let host = Host::new();
    let server = ScriptedServer::start_with(|head, _| match head.boundary() {
        None => Step::reply(200, &json("new", 0, "k")),
        Some(_) => Step::reply(200, &json("complete", SIZE, "k")),
    });
    let mut command = Command::new(&host.program);
    command.arg(server.endpoint()).arg(&host.file);
    for variable in ["ALL_PROXY", "HTTP_PROXY", "http_proxy", "HTTPS_PROXY"] {
        command.env(variable, "http://127.0.0.1:1");
    }
    let ended = host.bench.run(&mut command, WATCHDOG);
    assert!(ended.stdout.contains("status 0\n"), "{}", ended.stdout);
}

#[test]
fn rates_are_no_more_than_set() {
    let host = Host::new();
    for setting in ["client_set_rate_limit", "upload_set_rate_limit"] {
        let began = Instant::now();
        host.sent(&[setting, "100000"]);
        // One second for the 100 000 bytes, less what may go at once.
        assert!(began.elapsed() > Duration::from_millis(700), "{setting}");
    }
}

#[test]
fn state_files_are_left_by_a_run_that_fails() {
    let host = Host::new();
    for setting in ["upload_set_state_file", "upload_set_state_file_utf16"] {
        let server = ScriptedServer::start_with(|head, index| match (head.boundary(), index) {
            (None, _) => Step::reply(200, &json("new", 0, "k")),
            (Some(_), 1) => Step::reply(200, &json("partial", 40_000, "k")),
            _ => Step::reply(507, "{}"),
        });
        let state = host.bench.path(setting);
        let path = state.to_str().unwrap();
        let told = host.run(
            &server.endpoint(),
            &["upload_set_segment_size", "40000", setting, path],
        );
        assert!(told.contains("status 75\n"), "{told}");
        assert!(state.exists(), "{setting}");
    }
}
