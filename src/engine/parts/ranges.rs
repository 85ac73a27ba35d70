//! A set of a file's bytes.

/// A set of a file's bytes, as ranges in order that neither overlap nor touch.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(in crate::engine) struct Ranges(Vec<(u64, u64)>);

impl Ranges {
    /// Makes the set of the first `offset` bytes.
    pub(in crate::engine) fn up_to(offset: u64) -> Self {
        let mut ranges = Ranges::default();
        ranges.insert(0, offset);
        ranges
    }

    /// Adds the bytes from one offset up to another.
    pub(in crate::engine) fn insert(&mut self, from: u64, to: u64) {
        if from >= to {
            return;
        }
        // Those that overlap or touch the new one become a part of it.
        let first = self.0.partition_point(|(_, end)| *end < from);
        let last = self.0.partition_point(|(begin, _)| *begin <= to);
        let (mut from, mut to) = (from, to);
        if first < last {
            from = from.min(self.0[first].0);
            to = to.max(self.0[last - 1].1);
        }
        self.0.splice(first..last, [(from, to)]);
    }

    /// Adds the bytes of another set.
    pub(in crate::engine) fn insert_all(&mut self, other: &Ranges) {
        for (from, to) in &other.0 {
            self.insert(*from, *to);
        }
    }

    /// Whether all bytes from one offset up to another are in the set.
    pub(in crate::engine) fn contains(&self, from: u64, to: u64) -> bool {
        let covers = |(begin, end): &(u64, u64)| *begin <= from && to <= *end;
        from >= to || self.0.iter().any(covers)
    }

    /// Gives the first range that is not wholly in another set.
    pub(in crate::engine) fn find_outside(&self, other: &Ranges) -> Option<(u64, u64)> {
        let mut ranges = self.0.iter().copied();
        ranges.find(|(from, to)| !other.contains(*from, *to))
    }

    /// Gives the first offset from `from` on that is not in the set.
    pub(in crate::engine) fn reach(&self, from: u64) -> u64 {
        let mut ranges = self.0.iter();
        let found = ranges.find(|(begin, end)| *begin <= from && from < *end);
        found.map_or(from, |(_, end)| *end)
    }

    /// Whether some byte from one offset up to another is in the set.
    pub(in crate::engine) fn meets(&self, from: u64, to: u64) -> bool {
        let meets = |(begin, end): &(u64, u64)| *begin < to && from < *end;
        from < to && self.0.iter().any(meets)
    }

    /// Gives the number of bytes.
    pub(in crate::engine) fn total(&self) -> u64 {
        self.0.iter().map(|(from, to)| to - from).sum()
    }

    /// Gives the number of bytes from the start without a gap.
    pub(in crate::engine) fn prefix(&self) -> u64 {
        match self.0.first() {
            Some((0, to)) => *to,
            _ => 0,
        }
    }

    /// Whether there are bytes behind a gap.
    pub(in crate::engine) fn has_gap(&self) -> bool {
        self.total() > self.prefix()
    }

    /// Gives the first gap in a file of `size` bytes.
    pub(in crate::engine) fn first_gap(&self, size: u64) -> Option<(u64, u64)> {
        let from = self.prefix();
        let mut later = self.0.iter().map(|(begin, _)| *begin);
        let to = later.find(|begin| *begin > from).unwrap_or(size).min(size);
        (from < to).then_some((from, to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ranges(list: &[(u64, u64)]) -> Ranges {
        let mut ranges = Ranges::default();
        for (from, to) in list {
            ranges.insert(*from, *to);
        }
        ranges
    }

    #[test]
    fn ranges_that_touch_become_one() {
        for (added, all) in [
            (vec![(5, 5)], vec![]),
            (vec![(0, 5), (5, 9)], vec![(0, 9)]),
            (vec![(5, 9), (0, 4)], vec![(0, 4), (5, 9)]),
            (vec![(5, 9), (0, 4), (3, 6)], vec![(0, 9)]),
            (vec![(1, 2), (3, 4), (5, 6), (0, 9)], vec![(0, 9)]),
            (vec![(0, 9), (2, 3)], vec![(0, 9)]),
        ] {
            assert_eq!(ranges(&added).0, all, "{added:?}");
        }
    }

    #[test]
    fn the_first_gap_is_behind_the_beginning() {
        for (held, gap) in [
            (vec![], Some((0, 100))),
            (vec![(20, 30)], Some((0, 20))),
            (vec![(0, 10), (20, 30), (40, 50)], Some((10, 20))),
            (vec![(0, 99)], Some((99, 100))),
            (vec![(0, 100)], None),
        ] {
            let ranges = ranges(&held);
            assert_eq!(ranges.first_gap(100), gap, "{held:?}");
        }
    }

    proptest! {
        #[test]
        fn it_is_a_set(added in prop::collection::vec((0usize..60, 0usize..60), 0..12)) {
            let mut set = [false; 60];
            let mut ranges = Ranges::default();
            for (from, to) in added {
                ranges.insert(from as u64, to as u64);
                set.iter_mut().take(to).skip(from).for_each(|byte| *byte = true);
            }
            let total = set.iter().filter(|byte| **byte).count() as u64;
            prop_assert_eq!(ranges.total(), total);
            let prefix = set.iter().take_while(|byte| **byte).count() as u64;
            prop_assert_eq!(ranges.prefix(), prefix);
            prop_assert_eq!(ranges.has_gap(), total > prefix);
            prop_assert_eq!(Ranges::up_to(prefix).find_outside(&ranges), None);
            prop_assert_eq!(Ranges::up_to(60).find_outside(&ranges).is_none(), total == 60);
            for from in 0..60 {
                let reach = (from..60).find(|at| !set[*at]).unwrap_or(60);
                prop_assert_eq!(ranges.reach(from as u64), reach as u64);
                for to in from..60 {
                    let all = set[from..to].iter().all(|byte| *byte);
                    prop_assert_eq!(ranges.contains(from as u64, to as u64), all);
                    let any = set[from..to].iter().any(|byte| *byte);
                    prop_assert_eq!(ranges.meets(from as u64, to as u64), any);
                }
            }
            prop_assert!(ranges.0.windows(2).all(|pair| pair[0].1 < pair[1].0));
        }
    }
}
