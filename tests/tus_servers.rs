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

use resup_test_support::head::RequestHead;
use resup_test_support::http_proxy::Fault;

const SEGMENT: u64 = 100_000;
const SIZE: u64 = 1_000_000;

/// Does `fault` to the requests of a method, the first `times` of them.
fn on(
    method: &'static str,
    times: u64,
    fault: Fault,
) -> impl FnMut(&RequestHead, u64) -> Fault + Send {
    let mut done = 0;
    move |head, _| {
        if head.method != method || done == times {
            return Fault::None;
        }
        done += 1;
        fault
    }
}
