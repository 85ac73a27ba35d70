//! Limits that pass, and a certificate that nobody vouches for.

use super::*;
use crate::one::Told;

fn outcome(server: &ScriptedServer, size: u64, limit: &str, ms: &str) -> Told {
    let once_more = ["client_set_retry_limit", "1", limit, ms];
    One::new().upload(&server.endpoint(), size, &once_more)
}

fn assert_told(told: &Told, parts: &[&str]) {
    for part in parts {
        assert!(told.0.contains(part), "{part:?} is not in {told:?}");
    }
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    let silent = Step::new().read(Read::All).end(End::HoldOpen);
    let told = outcome(
        &ScriptedServer::start(vec![silent]),
        SIZE,
        "client_set_response_timeout",
        "300",
    );
    assert_told(
        &told,
        &["status 53\n", "http 0\n", "retryable 1\n", "attempts 2\n"],
    );
    assert_told(&told, &["127.0.0.1:", "no response within 300 ms"]);
}

#[test]
fn a_network_that_takes_nothing_is_given_up() {
    let server = ScriptedServer::start_with(|head, _| {
        send(head, || {
            let some = Read::HeadAndBodyBytes(100_000);
            Step::new().read(some).end(End::HoldOpen)
        })
    });
    let told = outcome(&server, BIG, "client_set_stall_timeout", "300");
    assert_told(&told, &["status 53\n", "retryable 1\n", "attempts 2\n"]);
    assert_told(&told, &["accepted no data for 300 ms"]);
}

#[test]
fn a_certificate_of_an_unknown_authority_is_refused() {
    let server = ScriptedServer::start_tls(vec![Step::reply(200, "{}")]);
    let told = outcome(&server, SIZE, "client_set_stall_timeout", "3000");
    assert_told(
        &told,
        &["status 54\n", "http 0\n", "retryable 0\n", "attempts 1\n"],
    );
    assert_told(&told, &["127.0.0.1:", "UnknownIssuer"]);
    assert!(server.requests().is_empty(), "nothing is sent to it");
}

/// What root may read, nobody may not.
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
    let told = one.told(command);
    assert_told(&told, &["refused 31 ", "denied\" may not be read"]);
}
