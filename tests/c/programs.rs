//! The sources of the programs that use and misuse the C API, here and on Windows, and a server for them.

use std::time::Duration;

use resup_test_support::scripted::{json, Read, ScriptedServer, Step};

pub const BEHAVIOUR: [&str; 10] = [
    "behaviour.c",
    "behaviour_runs.c",
    "behaviour_events.c",
    "behaviour_ends.c",
    "behaviour_sources.c",
    "behaviour_stream.c",
    "behaviour_threads.c",
    "events.c",
    "statuses.c",
    "check.c",
];
pub const MISUSE: [&str; 9] = [
    "misuse.c",
    "misuse_calls.c",
    "misuse_handles.c",
    "misuse_arguments.c",
    "misuse_sources.c",
    "misuse_busy.c",
    "misuse_random.c",
    "statuses.c",
    "check.c",
];
pub const FLOAT: [&str; 3] = ["float.c", "statuses.c", "check.c"];

/// Starts a server that reads the start of a file and then does nothing.
pub fn hanging_server() -> ScriptedServer {
    ScriptedServer::start_with(|head, _| match head.boundary() {
        None => Step::reply(200, &json("new", 0, "hang")),
        Some(_) => Step::new()
            .read(Read::HeadAndBodyBytes(64 * 1024))
            .wait(Duration::from_secs(600)),
    })
}
