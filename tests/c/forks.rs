//! A process that forks: it and its children use one client.

use std::process::Command;

use resup_test_support::files;
use resup_test_support::head::RequestHead;
use resup_test_support::scripted::{json, ScriptedServer, Step};
use resup_test_support::tls::Identity;

use super::harness::Bench;
use super::LIMIT;

const SIZE: u64 = 300_000;

#[test]
fn a_process_and_its_children_use_only_connections_of_their_own() {
    let script = |head: &RequestHead, _| {
        let (state, offset) = match head.boundary() {
            None => ("new", 0),
            Some(_) => ("complete", SIZE),
        };
        Step::reply(200, &json(state, offset, "k"))
    };
    let bench = Bench::new();
    let file = bench.path("file.bin");
    files::make(&file, SIZE, 1).unwrap();
    let program = bench.build("fork", &["fork.c", "statuses.c", "check.c"], &[]);
    for server in [
        ScriptedServer::start_with(script),
        ScriptedServer::start_tls_with(Identity::new(), script),
    ] {
        let ca = bench.path("ca.pem");
        let mut command = Command::new(&program);
        command.arg(server.endpoint()).arg(&file);
        if server.endpoint().starts_with("https") {
            std::fs::write(&ca, server.ca_pem()).unwrap();
            command.arg(&ca);
        }
        let outcome = bench.run(&mut command, LIMIT);
        println!("{}", outcome.stdout);
        outcome.assert_success();
        // The parent's, which it keeps all the time, and one of each child.
        assert_eq!(server.connections(), 4);
    }
}
