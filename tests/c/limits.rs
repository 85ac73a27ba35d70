//! Time limits that pass, a certificate of an unknown authority, and a file that may not be read.

use super::*;
use crate::one::Report;

fn run_with_limit(server: &ScriptedServer, size: u64, limit: &str, ms: &str) -> Report {
    let once_more = ["client_set_retry_limit", "1", limit, ms];
    One::new().upload(&server.endpoint(), size, &once_more)
}

fn assert_contains(report: &Report, parts: &[&str]) {
    for part in parts {
        assert!(report.0.contains(part), "{part:?} is not in {report:?}");
    }
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    let silent = Step::new().read(Read::All).end(End::HoldOpen);
    let report = run_with_limit(
        &ScriptedServer::start(vec![silent]),
        SIZE,
        "client_set_response_timeout",
        "300",
    );
    assert_contains(
        &report,
        &["status 53\n", "http 0\n", "retryable 1\n", "attempts 2\n"],
    );
    assert_contains(&report, &["127.0.0.1:", "no response within 300 ms"]);
}

#[test]
fn a_network_that_takes_nothing_is_given_up() {
    let server = ScriptedServer::start_with(|head, _| {
        send(head, || {
            let some = Read::HeadAndBodyBytes(100_000);
            Step::new().read(some).end(End::HoldOpen)
        })
    });
    let limits = [
        "client_set_stall_timeout",
        "300",
        "client_set_response_timeout",
        "300",
    ];
    let upload = |retries| {
        let settings = [&["client_set_retry_limit", retries], &limits[..]].concat();
        One::new().upload(&server.endpoint(), BIG, &settings)
    };
    let report = upload("0");
    assert_contains(&report, &["status 53\n", "retryable 1\n", "attempts 1\n"]);
    assert_contains(&report, &["accepted no data for 300 ms"]);
    // The second send is smaller, and may fit into the system's buffers.
    let report = upload("1");
    assert_contains(&report, &["status 53\n", "retryable 1\n", "attempts 2\n"]);
}

#[test]
fn a_certificate_of_an_unknown_authority_is_refused() {
    let server = ScriptedServer::start_tls(vec![Step::reply(200, "{}")]);
    let report = run_with_limit(&server, SIZE, "client_set_stall_timeout", "3000");
    assert_contains(
        &report,
        &["status 54\n", "http 0\n", "retryable 0\n", "attempts 1\n"],
    );
    assert_contains(
        &report,
        &["127.0.0.1:", "from an issuer that is not trusted"],
    );
    assert!(server.requests().is_empty(), "nothing is sent to it");
}

/// Runs as the user nobody where the test runs as root, who may read everything.
#[test]
fn a_file_that_may_not_be_read_is_told_of() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;
    use std::path::Path;
    use std::process::Command;

    let one = One::new();
    let program = one.bench.build_static("one-static", &["one.c"]);
    let file = one.bench.path("denied");
    std::fs::write(&file, "secret").unwrap();
    let mode = |path: &Path, mode| {
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(path, mode).unwrap();
    };
    mode(&file, 0o000);
    mode(file.parent().unwrap(), 0o711);
    let mut command = Command::new(program);
    command.arg("http://127.0.0.1:1/").arg(&file);
    if std::fs::metadata("/proc/self").unwrap().uid() == 0 {
        command.uid(65534).current_dir("/");
    }
    let report = one.run(command);
    assert_contains(&report, &["refused 31 ", "denied\" may not be read"]);
}
