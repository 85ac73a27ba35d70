//! Places where tests let the receiver crash. `RESUP_RECEIVER_CRASH=after-sync:3` aborts the process when it
//! comes to the place `after-sync` for the third time. Without a number it is the first time.
//!
//! The places, in the order in which an upload comes to them:
//!
//! | place | when |
//! | --- | --- |
//! | `after-write` | bytes were written |
//! | `after-sync` | the file was synced |
//! | `after-begin` | a multipart upload was begun in an object store, its id is not saved yet |
//! | `after-complete` | an object was made, its upload is not finished yet |
//! | `before-commit`, `after-group` | around the commit of any change of the records |
//! | `after-commit` | a writer's change was committed |
//! | `after-finish` | a finished upload was committed, its file is not yet at its place |
//! | `after-rename` | the file is at its place |
//! | `after-withdraw` | a file was moved back from its place, or pieces were withdrawn; their records are still there |

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::LazyLock;

static PLAN: LazyLock<Option<(String, AtomicU32)>> = LazyLock::new(|| {
    let plan = std::env::var("RESUP_RECEIVER_CRASH").ok()?;
    let (point, count) = plan.split_once(':').unwrap_or((&plan, "1"));
    Some((point.to_owned(), AtomicU32::new(count.parse().ok()?)))
});

/// Aborts the process if the environment says so.
pub fn hit(point: &str) {
    if let Some((planned, left)) = &*PLAN {
        if planned == point && left.fetch_sub(1, Ordering::Relaxed) == 1 {
            std::process::abort();
        }
    }
}
