//! Limits that pass, and a certificate that nobody vouches for.

use super::*;

/// Uploads to a server; gives what `one` prints.
fn outcome(server: &ScriptedServer, size: u64, limit_ms: &str) -> String {
    let bench = Bench::new();
    let program = bench.build("one", &["one.c"], &[]);
    let file = bench.path("file.bin");
    files::make(&file, size, 5).unwrap();
    let mut one = Command::new(program);
    one.arg(server.endpoint()).arg(&file).args(["1", limit_ms]);
    let ended = bench.run(&mut one, WATCHDOG);
    ended.assert_success();
    ended.stdout
}

fn assert_told(told: &str, parts: &[&str]) {
    for part in parts {
        assert!(told.contains(part), "{part:?} is not in {told}");
    }
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    let silent = Step::new().read(Read::All).end(End::HoldOpen);
    let told = outcome(&ScriptedServer::start(vec![silent]), SIZE, "30");
    assert_told(
        &told,
        &["status 53\n", "http 0\n", "retryable 1\n", "attempts 2\n"],
    );
    assert_told(&told, &["127.0.0.1:", "no answer within 300ms"]);
}

#[test]
fn a_network_that_takes_nothing_is_given_up() {
    let server = ScriptedServer::start_with(|head, _| {
        send(head, || {
            let some = Read::HeadAndBodyBytes(100_000);
            Step::new().read(some).end(End::HoldOpen)
        })
    });
    let told = outcome(&server, BIG, "300");
    assert_told(&told, &["status 53\n", "retryable 1\n", "attempts 2\n"]);
    assert_told(&told, &["took nothing for 300ms"]);
}

#[test]
fn a_certificate_of_an_unknown_authority_is_refused() {
    let server = ScriptedServer::start_tls(vec![Step::reply(200, "{}")]);
    let told = outcome(&server, SIZE, "3000");
    assert_told(
        &told,
        &["status 54\n", "http 0\n", "retryable 0\n", "attempts 1\n"],
    );
    assert_told(&told, &["127.0.0.1:", "UnknownIssuer"]);
    assert!(server.requests().is_empty(), "nothing is sent to it");
}
