//! Each setting through the C ABI: its default, its effect, and what a bad value gets.

use std::time::{Duration, Instant};

use resup_test_support::head::RequestHead;
use resup_test_support::hole::Hole;
use resup_test_support::scripted::{json, End, Read, ScriptedServer, Step};

use super::one::One;

pub const SIZE: u64 = 100_000;

/// Takes segments of 40 000 bytes, or the whole file at once.
pub fn accept(head: &RequestHead, at: &mut u64) -> Step {
    if head.boundary().is_none() {
        return Step::reply(200, &json("new", 0, "k"));
    }
    let all = head.content_length().unwrap() > SIZE;
    *at += if all { SIZE } else { 40_000 };
    match *at >= SIZE {
        true => Step::reply(200, &json("complete", SIZE, "k")),
        false => Step::reply(200, &json("partial", *at, "k")),
    }
}

pub fn accepting_server() -> ScriptedServer {
    let mut at = 0;
    ScriptedServer::start_with(move |head, _| accept(head, &mut at))
}

/// Uploads to a server that takes everything, and returns its requests as one text.
fn requests(one: &One, settings: &[&str]) -> String {
    let server = accepting_server();
    let report = one.upload(&server.endpoint(), SIZE, settings);
    assert_eq!(report.number("status"), 0, "{settings:?}: {report:?}");
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

/// A setting, a value, what that puts into the requests, and what is there without it.
const EFFECTS: [(&str, &str, &str, &str); 16] = [
    (
        "client_set_basic_auth",
        "joe,pw",
        "Basic am9lOnB3",
        "&dir=&prefix=1",
    ),
    (
        "client_set_bearer_token",
        "sesame",
        "Bearer sesame",
        "&dir=&prefix=1",
    ),
    ("client_set_header", "X-Key,k7", "\"k7\"", "&dir=&prefix=1"),
    ("client_set_cookie", "c,7", "c=7", "&dir=&prefix=1"),
    (
        "client_set_signing_secret",
        "geheim",
        "&sign=",
        "&dir=&prefix=1",
    ),
    (
        "client_set_filename_style",
        "1",
        "; filename*=UTF-8''100000.bin\r",
        "; filename=\"100000.bin\"\r",
    ),
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
        "filename=\"100000.bin\"",
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
    (
        "upload_set_digest_algorithm",
        "3",
        "&digests=md5",
        "&digests=blake3%2Csha256%2Cmd5",
    ),
    (
        "upload_set_segment_size",
        "40000",
        "name=\"length\"\r\n\r\n40000\r",
        "name=\"length\"\r\n\r\n100000\r",
    ),
];

#[test]
fn a_setting_is_sent_and_its_default_without_it() {
    let one = One::new();
    let default = requests(&one, &[]);
    for (setting, value, effect, without) in EFFECTS {
        let with = requests(&one, &[setting, value]);
        let seen = with.contains(effect) && !default.contains(effect);
        assert!(seen, "{setting}: {effect:?}: {with:.600}");
        assert!(
            default.contains(without),
            "{setting}: {without:?} is no default: {default:.600}"
        );
    }
}

#[test]
fn without_a_digest_none_is_sent() {
    let with = requests(&One::new(), &["upload_set_digest", "0"]);
    assert!(!with.contains("md5\"\r\n\r\n"), "{with}");
}

/// A setting, a bad value, and what its refusal has to name.
const BAD: [(&str, &str, &str); 43] = [
    ("client_set_proxy", "ftp://joe:pw@h", "has a scheme"),
    ("client_set_no_proxy", "a\nb", "control characters"),
    ("client_set_trust", "9", "9"),
    (
        "client_set_ca_file",
        "/no/such/file",
        "\"/no/such/file\": it cannot be read",
    ),
    ("client_set_ca_file_utf16", "/no/such/file", "/no/such/file"),
    ("client_set_ca_file", "/dev/null", "it is empty"),
    ("client_set_ca_pem", "nothing", "it is neither PEM"),
    (
        "client_set_client_certificate",
        "/dev/null,/dev/null",
        "\"/dev/null\": it is empty",
    ),
    (
        "client_set_client_certificate_utf16",
        "/no,/no",
        "\"/no\": it cannot be read",
    ),
    (
        "client_set_filename_style",
        "2",
        "neither WHATWG (0) nor RFC 8187 (1)",
    ),
    ("client_set_login_field", "a,b", "set the login form first"),
    ("client_set_basic_auth", ",b", "must not be empty"),
    ("client_set_basic_auth", "a:b,c", "colon"),
    ("client_set_bearer_token", "", "is empty"),
    ("client_set_header", "Host,h", "\"host\" cannot be set"),
    (
        "client_set_header",
        "a b,c",
        "\"a b\" is not a valid header name",
    ),
    ("client_set_header", "X,a\nb", "control characters"),
    (
        "client_set_cookie",
        "a b,c",
        "\"a b\" is not a valid cookie name",
    ),
    ("client_set_cookie", "a,b;c", "semicolons"),
    ("client_set_signing_secret", "", "must not be empty"),
    (
        "client_set_signing_algorithm",
        "2",
        "neither HMAC-SHA-256 (0) nor HMAC-MD5 (1)",
    ),
    ("client_set_user", "", "user must not be empty"),
    ("client_set_user", "a\nb", "'\\n'"),
    ("client_set_user_agent", "a\r\nX: y", "'\\r'"),
    ("client_set_protocol", "9", "protocol 9"),
    ("client_set_dialect", "x", "dialect \"x\" is not known"),
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
        "50 ms is longer than the longest, 1 ms",
    ),
    ("client_set_retry_backoff", "0,1", "more than 0"),
    ("upload_set_name", "a/b", "\"a/b\""),
    ("upload_set_directory", "a\nb", "'\\n'"),
    ("upload_set_content_type", "png", "\"png\""),
    ("upload_set_field", "offset,7", "\"offset\""),
    ("upload_set_field", ",7", "empty"),
    ("upload_set_digest", "9", "9"),
    ("upload_set_digest_algorithm", "4", "algorithm 4"),
    (
        "upload_set_connections",
        "7",
        "connections must be 1 to 6, or 0 for as many as help, not 7",
    ),
    (
        "upload_set_parts",
        "{\"x\": 1}",
        "parts have the unknown key \"x\"",
    ),
    ("upload_set_state_file", "", "empty"),
    ("upload_set_state_file_utf16", "", "empty"),
];

/// Settings that take every value.
const ANY_VALUE: [&str; 9] = [
    "client_set_creation_with_upload",
    "client_set_tls_verify",
    // A bad one has a status of its own, in networks.rs.
    "client_set_login_form",
    "client_set_retry_limit",
    "client_set_retry_timeout",
    "client_set_rate_limit",
    "upload_set_read_back",
    "upload_set_segment_size",
    "upload_set_rate_limit",
];

/// Settings whose effects have tests of their own, below, in networks.rs or in protocols.rs.
const OTHER_EFFECTS: [&str; 28] = [
    // It needs a server of tus.
    "client_set_creation_with_upload",
    "client_set_dialect",
    "client_set_protocol",
    "client_set_proxy",
    "client_set_no_proxy",
    "client_set_trust",
    "client_set_ca_file",
    "client_set_ca_file_utf16",
    "client_set_ca_pem",
    "client_set_client_certificate",
    "client_set_client_certificate_utf16",
    "client_set_tls_verify",
    "client_set_login_form",
    "client_set_login_field",
    "client_set_signing_algorithm",
    "client_set_connect_timeout",
    "client_set_response_timeout",
    "client_set_stall_timeout",
    "client_set_retry_limit",
    "client_set_retry_timeout",
    "client_set_retry_backoff",
    "client_set_rate_limit",
    "upload_set_rate_limit",
    "upload_set_state_file",
    "upload_set_state_file_utf16",
    // It needs a server of WebDAV or tus.
    "upload_set_read_back",
    // It needs a server that takes parts.
    "upload_set_connections",
    // It needs a storage: tests/presigned.rs.
    "upload_set_parts",
];

#[test]
fn a_bad_value_is_refused_with_what_is_wrong() {
    let one = One::new();
    for (setting, value, named) in BAD {
        let report = one.upload("http://127.0.0.1:1/", SIZE, &[setting, value]);
        let refused = report.text("refused");
        assert!(refused.starts_with("15 "), "{setting}: {report:?}");
        assert!(refused.contains(named), "{setting}: {named:?}: {report:?}");
    }
}

#[test]
fn every_setter_of_the_header_is_tested_here() {
    let exports = super::listed_exports();
    let setters = exports.iter().filter(|name| name.contains("_set_"));
    let mut count = 0;
    for setter in setters {
        let name = setter.trim_start_matches("resup_");
        count += 1;
        let bad = BAD.iter().any(|row| row.0 == name) || ANY_VALUE.contains(&name);
        assert!(bad, "no bad value for {name}");
        let shown = EFFECTS.iter().any(|row| row.0 == name) || OTHER_EFFECTS.contains(&name);
        assert!(shown, "no effect for {name}");
    }
    assert!(count >= 19, "{count}");
}

fn failing() -> ScriptedServer {
    ScriptedServer::start(vec![Step::reply(503, "{}")])
}

#[test]
fn as_many_retries_are_made_as_set_and_eight_by_default() {
    let (one, server) = (One::new(), failing());
    let with = |settings: &[&str]| one.upload(&server.endpoint(), SIZE, settings);
    let quick = ["client_set_retry_backoff", "1,5"];
    let default = with(&quick);
    assert_eq!(default.number("attempts"), 9);
    assert!(default.number("wait") <= 5, "{default:?}");
    let two = with(&[quick[0], quick[1], "client_set_retry_limit", "2"]);
    assert_eq!(two.number("attempts"), 3);
    assert_eq!(with(&["client_set_retry_limit", "0"]).number("attempts"), 1);
    let brief = with(&[
        quick[0],
        "20,20",
        "client_set_retry_limit",
        "100000",
        "client_set_retry_timeout",
        "100",
    ]);
    assert_eq!(brief.number("status"), 73, "{brief:?}");
    assert!(brief.number("attempts") < 1000, "{brief:?}");
}

#[test]
fn time_limits_end_what_takes_longer() {
    let one = One::new();
    let error = |url: &str, size: u64, setting: &str, value: &str| {
        let settings = ["client_set_retry_limit", "0", setting, value];
        one.upload(url, size, &settings).text("error").to_owned()
    };
    let silent = ScriptedServer::start(vec![Step::new().read(Read::All).end(End::HoldOpen)]);
    let report = error(
        &silent.endpoint(),
        SIZE,
        "client_set_response_timeout",
        "150",
    );
    assert!(report.contains("no response within 150 ms"), "{report}");

    let hole = Hole::new();
    let url = format!("http://{}/", hole.addr());
    let report = error(&url, SIZE, "client_set_connect_timeout", "250");
    assert!(report.contains("no connection within 250 ms"), "{report}");

    let stuck = ScriptedServer::start_with(|head, _| match head.boundary() {
        None => Step::reply(200, &json("new", 0, "k")),
        Some(_) => Step::new().read(Read::HeadOnly).end(End::HoldOpen),
    });
    let report = error(
        &stuck.endpoint(),
        32 << 20,
        "client_set_stall_timeout",
        "350",
    );
    assert!(report.contains("accepted no data for 350 ms"), "{report}");
}

#[test]
fn proxies_of_the_environment_never_lead_to_this_machine() {
    let (one, server) = (One::new(), accepting_server());
    let mut command = one.command(&server.endpoint(), SIZE, &[]);
    for variable in ["ALL_PROXY", "HTTP_PROXY", "http_proxy", "HTTPS_PROXY"] {
        command.env(variable, "http://127.0.0.1:1");
    }
    assert_eq!(one.run(command).number("status"), 0);
}

#[test]
fn an_upload_is_no_faster_than_its_rate_limit() {
    let one = One::new();
    for setting in ["client_set_rate_limit", "upload_set_rate_limit"] {
        let began = Instant::now();
        requests(&one, &[setting, "100000"]);
        // One second for the 100 000 bytes, less what may go at once.
        assert!(began.elapsed() > Duration::from_millis(700), "{setting}");
    }
}
