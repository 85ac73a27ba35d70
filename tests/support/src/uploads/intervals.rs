//! What responses have said to be held.

/// The bytes, as intervals in any order that neither touch nor overlap.
#[derive(Default)]
pub(super) struct Intervals(Vec<(u64, u64)>);

impl Intervals {
    /// Adds the bytes `from..to`.
    pub fn add(&mut self, mut from: u64, mut to: u64) {
        self.0.retain(|&(first, end)| {
            let apart = end < from || to < first;
            if !apart {
                (from, to) = (from.min(first), to.max(end));
            }
            apart
        });
        self.0.push((from, to));
    }

    /// Returns how many of the bytes `from..to` are among them.
    pub fn count(&self, from: u64, to: u64) -> u64 {
        let common = |&(first, end): &(u64, u64)| to.min(end).saturating_sub(from.max(first));
        self.0.iter().map(common).sum()
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }
}
