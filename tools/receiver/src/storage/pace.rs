//! A limit for how often something is done for one owner.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The shortest time between two times.
const INTERVAL: Duration = Duration::from_secs(60);

/// When it was done last, for each owner.
#[derive(Clone, Default)]
pub struct Pace(Arc<Mutex<HashMap<String, Instant>>>);

impl Pace {
    /// Whether it may be done for this owner now. If so, it counts as done.
    pub fn allows(&self, owner: &str) -> bool {
        let now = Instant::now();
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.retain(|_, time| now.saturating_duration_since(*time) < INTERVAL);
        let allows = !last.contains_key(owner);
        if allows {
            last.insert(owner.to_owned(), now);
        }
        allows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_owner_has_a_pace_of_its_own() {
        let pace = Pace::default();
        assert!(pace.allows("ann") && pace.allows("bob"));
        assert!(!pace.allows("ann") && !pace.allows("bob"));
    }
}
