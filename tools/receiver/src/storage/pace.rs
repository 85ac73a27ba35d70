//! A limit for how often something is done for one owner.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The shortest time between two times.
const INTERVAL: Duration = Duration::from_secs(60);

/// When it was done last, for each owner; nothing while it is being done.
#[derive(Clone, Default)]
pub struct Pace(Arc<Mutex<HashMap<String, Option<Instant>>>>);

/// The right to do it for an owner. When this is dropped, it is done.
pub struct Turn {
    pace: Pace,
    owner: String,
}

impl Pace {
    /// Begins it for this owner, if that may be now.
    pub fn begin(&self, owner: &str) -> Option<Turn> {
        let now = Instant::now();
        let mut last = self.lock();
        last.retain(|_, time| {
            time.is_none_or(|time| now.saturating_duration_since(time) < INTERVAL)
        });
        if last.contains_key(owner) {
            return None;
        }
        last.insert(owner.to_owned(), None);
        Some(Turn {
            pace: self.clone(),
            owner: owner.to_owned(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Option<Instant>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let owner = std::mem::take(&mut self.owner);
        self.pace.lock().insert(owner, Some(Instant::now()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_owner_has_a_pace_of_its_own() {
        let pace = Pace::default();
        let (ann, bob) = (pace.begin("ann"), pace.begin("bob"));
        assert!(ann.is_some() && bob.is_some());
        assert!(pace.begin("ann").is_none());
        drop(ann);
        assert!(pace.begin("ann").is_none() && pace.begin("bob").is_none());
    }
}
