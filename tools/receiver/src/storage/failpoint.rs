//! A test aid: `RESUP_RECEIVER_CRASH=after-sync:3` aborts the process the third time that it has
//! synced a file. Without a number the first time counts. The points, in their order in an upload's life: `after-write`,
//! `after-sync`, `before-commit` and `after-group` (of any change of the records), `after-commit` (of a
//! writer's), `after-finish` (committed, not yet in its place), `after-rename`, and `after-withdraw`
//! (out of its place, its record still there).

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
