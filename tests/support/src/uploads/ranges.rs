//! What is held behind the offset of an upload.

use super::content::Content;

/// How many ranges a response has at most.
const MOST: usize = 1000;

/// A piece of a file.
#[derive(Clone)]
pub(super) struct Range {
    pub from: u64,
    pub content: Content,
}

/// Ranges in order, without overlaps.
#[derive(Default)]
pub(super) struct Ranges(Vec<Range>);

impl Range {
    pub fn to(&self) -> u64 {
        self.from + self.content.len()
    }

    /// Whether it has one of the bytes `from..to`.
    pub fn reaches(&self, from: u64, to: u64) -> bool {
        self.from < to && from < self.to()
    }

    /// Returns what is left of it without the bytes `from..to`.
    fn without(self, from: u64, to: u64) -> Vec<Self> {
        if !self.reaches(from, to) {
            return vec![self];
        }
        let cut = |from: u64, to: u64| Range {
            from,
            content: Content::new(
                self.content.bytes()[(from - self.from) as usize..(to - self.from) as usize]
                    .to_vec(),
                self.content.is_proved(),
            ),
        };
        let before = (self.from < from).then(|| cut(self.from, from));
        let after = (to < self.to()).then(|| cut(to, self.to()));
        before.into_iter().chain(after).collect()
    }
}

impl Ranges {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Returns those that a response has.
    pub fn told(&mut self) -> &mut [Range] {
        let count = self.0.len().min(MOST);
        &mut self.0[..count]
    }

    /// Returns the end of the last one.
    pub fn end(&self) -> Option<u64> {
        self.0.last().map(Range::to)
    }

    /// Drops those that no digest has proved.
    pub fn drop_unproved(&mut self) {
        self.0.retain(|range| range.content.is_proved());
    }

    /// Drops all bytes before this one.
    pub fn cut_before(&mut self, at: u64) {
        self.cut(0, at);
    }

    /// Adds a range, in place of what is there.
    pub fn replace(&mut self, new: Range) {
        self.cut(new.from, new.to());
        self.add(vec![new]);
    }

    /// Adds those bytes of a range that are not there.
    pub fn fill(&mut self, new: Range) {
        let mut pieces = vec![new];
        for old in &self.0 {
            let rest = pieces.into_iter();
            pieces = rest
                .flat_map(|piece| piece.without(old.from, old.to()))
                .collect();
        }
        self.add(pieces);
    }

    /// Takes the first range if it begins at this byte.
    pub fn take_first(&mut self, at: u64) -> Option<Range> {
        match self.0.first() {
            Some(first) if first.from == at => Some(self.0.remove(0)),
            _ => None,
        }
    }

    fn cut(&mut self, from: u64, to: u64) {
        let old = std::mem::take(&mut self.0).into_iter();
        self.0 = old.flat_map(|range| range.without(from, to)).collect();
    }

    fn add(&mut self, new: Vec<Range>) {
        self.0
            .extend(new.into_iter().filter(|range| range.content.len() > 0));
        self.0.sort_by_key(|range| range.from);
    }
}
