//! Files go to servers of other people by tus, and by the IETF's protocol, whatever breaks on the way. `make servers` fetches
//! the servers.

#[path = "tus_servers/arrivals.rs"]
mod arrivals;
#[path = "tus_servers/breaks.rs"]
mod breaks;
#[path = "tus_servers/creations.rs"]
mod creations;
#[path = "tus_servers/discards.rs"]
mod discards;
#[path = "c/harness.rs"]
#[allow(dead_code)]
mod harness;
#[path = "tus_servers/readers.rs"]
mod pipes;
#[path = "common/raw.rs"]
mod raw;
#[path = "tus_servers/read_back.rs"]
mod read_back;
#[path = "common/readers.rs"]
mod readers;
#[path = "tus_servers/refusals.rs"]
mod refusals;
#[path = "common/tus.rs"]
mod scene;
#[path = "tus_servers/sections.rs"]
mod sections;
#[path = "common/steps.rs"]
mod steps;

use resup_test_support::tus::{Kind, Setup};

const SEGMENT: u64 = 100_000;
const SIZE: u64 = 1_000_000;

#[test]
fn the_guides_steps_bring_files_to_tusd() {
    for (setup, heading) in [
        (Setup::new(Kind::Tusd), "… tusd, or another one for tus"),
        (
            Setup::new(Kind::Tusd).ietf(),
            "… one for the IETF's resumable uploads",
        ),
    ] {
        let Some(server) = setup.start() else {
            continue;
        };
        if let Some(steps) = steps::take("my-server.md", heading, &server.endpoint()) {
            steps.check(&server.files());
        }
    }
}
