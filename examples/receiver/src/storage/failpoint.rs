//! A test aid: `RESUP_RECEIVER_CRASH=after-sync:3` aborts the process the third time that it has
//! synced a file. The points are `after-write`, `after-sync` and `after-commit`; without a
//! number the first time counts.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::LazyLock;

static PLAN: LazyLock<Option<(String, AtomicU32)>> = LazyLock::new(|| {
    let plan = std::env::var("RESUP_RECEIVER_CRASH").ok()?;
    let (point, count) = plan.split_once(':').unwrap_or((&plan, "1"));
    Some((point.to_owned(), AtomicU32::new(count.parse().ok()?)))
});

/// Aborts here if the environment asks for it.
pub fn hit(point: &str) {
    if let Some((planned, left)) = &*PLAN {
        if planned == point && left.fetch_sub(1, Ordering::Relaxed) == 1 {
            std::process::abort();
        }
    }
}
