//! The sections of a file, each of which goes to an upload of its own.

use std::cmp::Reverse;
use std::iter::successors;

use super::ranges::Ranges;
use crate::engine::phase::Sending;

/// The sections of a file. A section gets its bytes in order, so it has one part at a time.
#[derive(Debug)]
pub(super) struct Sections {
    length: u64,
    /// Whether the server stores a section whole or not at all.
    is_whole: bool,
    /// The sections whose last part failed, by their beginnings, each with the offset up to which it was read: what of
    /// that has arrived only the server can tell.
    doubtful: Vec<(u64, u64)>,
}

impl Sections {
    pub(super) fn new(length: u64, is_whole: bool) -> Self {
        Sections {
            length: length.max(1),
            is_whole,
            doubtful: Vec::new(),
        }
    }

    /// Whether each section goes in one part.
    pub(super) fn are_whole(&self) -> bool {
        self.is_whole
    }

    fn beginning(&self, offset: u64) -> u64 {
        offset - offset % self.length
    }

    /// Gives what is left of the section with the most left, of those without a part under way. So they end together.
    pub(super) fn next(
        &self,
        size: u64,
        held: &Ranges,
        under_way: &[Sending],
    ) -> Option<(u64, u64)> {
        let next = |begin: &u64| begin.checked_add(self.length).filter(|it| *it < size);
        let is_free = |begin: &u64| {
            let mut others = under_way.iter().map(|it| self.beginning(it.offset));
            others.all(|other| other != *begin)
        };
        successors(Some(0), next)
            .filter(is_free)
            .map(|begin| (held.reach(begin), (begin + self.length).min(size)))
            .filter(|(from, to)| from < to)
            .max_by_key(|(from, to)| (to - from, Reverse(*from)))
    }

    /// Gives the highest offset that the server may have of the section in which `offset` is, if it has to be asked.
    pub(super) fn doubt(&self, offset: u64) -> Option<u64> {
        let begin = self.beginning(offset);
        let mut doubtful = self.doubtful.iter();
        doubtful.find(|it| it.0 == begin).map(|it| it.1)
    }

    /// Notes that a part from `offset` on failed, which was read up to another offset.
    pub(super) fn lose(&mut self, offset: u64, read: u64) {
        let before = self.doubt(offset);
        if self.is_whole || before.is_none() && read <= offset {
            return;
        }
        self.settle(offset);
        let begin = self.beginning(offset);
        self.doubtful
            .push((begin, read.max(before.unwrap_or_default())));
    }

    /// Notes that the server has told what it has of the section in which `offset` is.
    pub(super) fn settle(&mut self, offset: u64) {
        let begin = self.beginning(offset);
        self.doubtful.retain(|it| it.0 != begin);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::engine::step::PartId;

    fn held(list: &[(u64, u64)]) -> Ranges {
        let mut held = Ranges::default();
        for (from, to) in list {
            held.insert(*from, *to);
        }
        held
    }

    #[test]
    fn the_section_with_the_most_left_is_next_unless_it_has_a_part() {
        let sections = Sections::new(10, false);
        let since = Instant::now();
        let part = |offset| Sending {
            part: PartId(1),
            offset,
            length: 1,
            since,
        };
        for (list, under_way, next) in [
            (&[][..], &[][..], Some((0, 10))),
            (&[(0, 1)], &[], Some((10, 20))),
            (&[(0, 1)], &[10], Some((1, 10))),
            (&[(0, 1)], &[10, 1], Some((20, 25))),
            (&[(0, 1)], &[12, 2, 20], None),
            // A section that is held does not hide that the next one has begun.
            (&[(0, 13)], &[], Some((13, 20))),
            (&[(0, 20)], &[], Some((20, 25))),
            (&[(0, 25)], &[], None),
        ] {
            let under_way: Vec<_> = under_way.iter().map(|it| part(*it)).collect();
            let given = sections.next(25, &held(list), &under_way);
            assert_eq!(given, next, "{list:?} {under_way:?}");
        }
    }

    #[test]
    fn a_section_is_in_doubt_from_a_failure_to_the_next_answer() {
        let mut sections = Sections::new(10, false);
        sections.lose(12, 12);
        assert_eq!(sections.doubt(12), None, "nothing was read");
        sections.lose(12, 17);
        assert_eq!(sections.doubt(12), Some(17));
        assert_eq!(sections.doubt(20), None);
        sections.lose(12, 14);
        assert_eq!(
            sections.doubt(12),
            Some(17),
            "the first part may arrive late"
        );
        sections.settle(15);
        assert_eq!(sections.doubt(12), None);
    }
}
