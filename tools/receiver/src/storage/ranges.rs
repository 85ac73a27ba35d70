//! The bytes that are durable behind the offset of an unfinished upload.

use std::fmt::Write;

use resup_digests::{Algorithm, Digest};

/// The largest number of ranges of an upload.
pub const MOST: usize = 1000;

/// Some bytes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// Where they begin.
    pub from: u64,
    /// Where they end.
    pub to: u64,
    /// Their digest.
    pub digest: Digest,
    /// Whether the client has sent that digest, too.
    pub is_proven: bool,
}

/// Ranges in order. They do not overlap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ranges(Vec<Range>);

impl Ranges {
    /// Lists them.
    pub fn iter(&self) -> impl Iterator<Item = &Range> {
        self.0.iter()
    }

    /// Counts their bytes.
    pub fn total(&self) -> u64 {
        self.0.iter().map(|range| range.to - range.from).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Counts them.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The end of the last one; 0 when there is none.
    pub fn end(&self) -> u64 {
        self.0.last().map_or(0, |last| last.to)
    }

    /// Adds a range. It must not overlap the others.
    pub fn add(&mut self, range: Range) {
        let place = self.0.partition_point(|it| it.from < range.from);
        self.0.insert(place, range);
    }

    /// Takes the first range, if it begins there.
    pub fn take_first(&mut self, from: u64) -> Option<Range> {
        let first = self.0.first()?;
        (first.from == from).then(|| self.0.remove(0))
    }

    /// Removes the ranges that have bytes of `from..to`. Returns those of their bytes that are not in it: begin and end.
    pub fn cut(&mut self, from: u64, to: u64) -> Vec<(u64, u64)> {
        let reached = |range: &Range| range.from < to && from < range.to;
        let cut: Vec<_> = self.0.iter().copied().filter(reached).collect();
        self.0.retain(|range| !reached(range));
        let rests = cut.iter().flat_map(|it| [(it.from, from), (to, it.to)]);
        rests.filter(|(from, to)| from < to).collect()
    }

    /// Removes the ranges that go past the end of a file. Returns whether there were any.
    pub fn clip(&mut self, length: u64) -> bool {
        let before = self.0.len();
        self.0.retain(|range| range.to <= length);
        self.0.len() < before
    }

    /// Writes them as text, for the database.
    pub fn save(&self) -> String {
        let mut text = String::new();
        for range in &self.0 {
            let sender = if range.is_proven {
                "client"
            } else {
                "receiver"
            };
            let (name, hex) = (range.digest.algorithm().name(), range.digest.hex());
            // A String takes everything.
            let _ = writeln!(text, "{} {} {name} {hex} {sender}", range.from, range.to);
        }
        text
    }

    /// Reads what [`save`](Self::save) wrote; `None` when the text is not such ranges.
    pub fn restore(text: &str) -> Option<Self> {
        let ranges: Option<Vec<_>> = text.lines().map(restore).collect();
        let ranges = ranges?;
        let mut end = 0;
        let mut is_next = |range: &Range| {
            let is_next = end <= range.from && range.from < range.to;
            end = range.to;
            is_next
        };
        ranges.iter().all(&mut is_next).then_some(Self(ranges))
    }
}

fn restore(line: &str) -> Option<Range> {
    let words: Vec<_> = line.split(' ').collect();
    let [from, to, name, hex, sender] = words[..] else {
        return None;
    };
    Some(Range {
        from: from.parse().ok()?,
        to: to.parse().ok()?,
        digest: Digest::of_hex(Algorithm::of_name(name)?, hex)?,
        is_proven: sender == "client",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(bounds: &[(u64, u64)]) -> Ranges {
        let mut ranges = Ranges::default();
        for (from, to) in bounds {
            ranges.add(Range {
                from: *from,
                to: *to,
                digest: Digest::of(Algorithm::Blake3, &from.to_le_bytes()),
                is_proven: from % 20 == 0,
            });
        }
        ranges
    }

    fn bounds(ranges: &Ranges) -> Vec<(u64, u64)> {
        ranges.iter().map(|it| (it.from, it.to)).collect()
    }

    #[test]
    fn ranges_are_in_order_and_saved() {
        let ranges = ranges(&[(50, 60), (10, 20), (20, 30)]);
        assert_eq!(bounds(&ranges), [(10, 20), (20, 30), (50, 60)]);
        assert_eq!(ranges.end(), 60);
        let text = ranges.save();
        assert_eq!(Ranges::restore(&text), Some(ranges));
        assert_eq!(Ranges::restore(""), Some(Ranges::default()));
        let backwards: Vec<_> = text.lines().rev().collect();
        for bad in [
            "1",
            &text[3..],
            &backwards.join("\n"),
            &text.replace("blake3", "md5"),
        ] {
            assert_eq!(Ranges::restore(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_cut_leaves_the_rest_of_what_it_reached() {
        let all = [(10, 20), (20, 30), (50, 60)];
        for (from, to, left, rests) in [
            (0, 10, &all[..], &[][..]),
            (30, 50, &all, &[]),
            (10, 20, &all[1..], &[]),
            (12, 15, &all[1..], &[(10, 12), (15, 20)]),
            (15, 25, &all[2..], &[(10, 15), (25, 30)]),
            (0, 100, &[], &[]),
            (15, 55, &[], &[(10, 15), (55, 60)]),
        ] {
            let mut ranges = ranges(&all);
            assert_eq!(ranges.cut(from, to), rests, "{from} {to}");
            assert_eq!(bounds(&ranges), left, "{from} {to}");
        }
    }

    #[test]
    fn the_first_one_is_taken_where_it_touches() {
        let mut ranges = ranges(&[(10, 20), (20, 30)]);
        assert_eq!(ranges.take_first(0), None);
        assert_eq!(ranges.take_first(10).map(|it| it.to), Some(20));
        assert_eq!(ranges.take_first(20).map(|it| it.to), Some(30));
        assert_eq!(ranges.take_first(30), None);
    }

    #[test]
    fn ranges_past_the_end_of_the_file_are_removed() {
        let mut ranges = ranges(&[(10, 20), (20, 30)]);
        assert!(!ranges.clip(30));
        assert!(ranges.clip(29));
        assert_eq!(bounds(&ranges), [(10, 20)]);
    }
}
