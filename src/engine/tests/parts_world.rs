//! The server and the faults of a random history with parts.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::super::parts::Ranges;
use super::part_runs::{random_failure, Ended, Server};
use super::*;
use crate::protocol::Range;

/// The bytes of a server, as pieces in order: from, to, and whether they are the source's.
#[derive(Debug, Default, Clone)]
pub(super) struct Pieces(Vec<(u64, u64, bool)>);

impl Pieces {
    /// Replaces the bytes from one offset up to another.
    pub fn put(&mut self, from: u64, to: u64, right: bool) {
        self.remove(from, to);
        if from < to {
            self.0.push((from, to, right));
            self.0.sort_unstable();
        }
    }

    pub fn remove(&mut self, from: u64, to: u64) {
        let mut kept = Vec::new();
        for (begin, end, right) in self.0.drain(..) {
            kept.push((begin, end.min(from), right));
            kept.push((begin.max(to), end, right));
        }
        kept.retain(|(begin, end, _)| begin < end);
        kept.sort_unstable();
        self.0 = kept;
    }

    /// Gives the bytes without gaps: the first from 0 on, or from the first offset there is.
    pub fn ranges(&self) -> Vec<(u64, u64)> {
        let mut ranges: Vec<(u64, u64)> = Vec::new();
        for (from, to, _) in &self.0 {
            match ranges.last_mut() {
                Some((_, end)) if end == from => *end = *to,
                _ => ranges.push((*from, *to)),
            }
        }
        ranges
    }

    pub fn prefix(&self) -> u64 {
        match self.ranges().first() {
            Some((0, to)) => *to,
            _ => 0,
        }
    }

    pub fn is_right(&self) -> bool {
        self.0.iter().all(|(_, _, right)| *right)
    }

    /// Gives a stand-in for the digest of a range: the same for the same bytes, another for others.
    pub fn digest(&self, from: u64, to: u64) -> Digest {
        let mut wrong = Vec::new();
        for (begin, end, right) in &self.0 {
            let (begin, end) = (*begin.max(&from), *end.min(&to));
            if begin < end && !right {
                wrong.push((begin, end));
            }
        }
        digest_of(from, to, &wrong)
    }
}

fn digest_of(from: u64, to: u64, wrong: &[(u64, u64)]) -> Digest {
    let mut hasher = DefaultHasher::new();
    (from, to, wrong).hash(&mut hasher);
    let both = u128::from(hasher.finish()) << 64 | u128::from(to);
    Digest::new(Algorithm::Md5, &both.to_be_bytes()).unwrap()
}

/// Gives the stand-in for the digest of a range of the source.
pub(super) fn source_digest(from: u64, to: u64) -> Digest {
    digest_of(from, to, &[])
}

/// How often the bytes of the file may be sent in a run.
const MAX_COPIES: u64 = 40;

/// One run: its server, and how things go wrong.
pub(super) struct World {
    pub rng: fastrand::Rng,
    pub size: u64,
    pub connections: usize,
    pub held: Pieces,
    pub complete: bool,
    /// How many of four answers have the digest of the beginning.
    pub proofs: u8,
    /// Whether the server claims bytes that it does not have.
    pub lies: bool,
    /// Whether it keeps what came of a broken part.
    pub keeps: bool,
    /// What came of broken parts, and is not stored yet.
    late: Vec<(u64, u64)>,
    /// The number of parts that the last answer offered.
    pub offered: u64,
    pub max_segment: Option<u64>,
    /// A fault happens once in so many steps.
    pub rarity: u64,
    pub under_way: Vec<PartSend>,
    /// What the server has confirmed to the client: no send may have these bytes.
    pub confirmed: Ranges,
    /// The number of bytes in all sends.
    pub sent: u64,
    pub most_slots: usize,
    /// Whether a range was not the source's.
    pub disproved: bool,
}

impl World {
    fn happens(&mut self) -> bool {
        self.rng.u64(..self.rarity) == 0
    }

    /// Stores what came late of the bytes from one offset up to another.
    fn store_late(&mut self, from: u64, to: u64) {
        let reaches = |(begin, end): &(u64, u64)| *begin < to && from < *end;
        for (begin, end) in self.late.extract_if(.., |piece| reaches(piece)) {
            self.held.put(begin, end, true);
        }
    }

    fn answer(&mut self) -> Answer {
        if self.rng.u8(..4) == 0 {
            self.store_late(0, self.size);
        }
        let prefix = self.held.prefix();
        let proves = self.rng.u8(..4) < self.proofs;
        let range = |(from, to)| Range {
            from,
            to,
            digest: self.held.digest(from, to),
        };
        let behind = self.held.ranges().into_iter().filter(|(from, _)| *from > 0);
        let mut answer = Answer {
            prefix: proves.then(|| self.held.digest(0, prefix)),
            max_segment: self.max_segment,
            ranges: behind.map(range).collect(),
            ..answer(State::Partial, prefix)
        };
        if self.complete {
            answer.state = State::Complete;
        }
        if self.lies && self.happens() {
            match answer.ranges.pop() {
                Some(_) if self.rng.bool() => {}
                _ => answer.offset = self.rng.u64(..=self.size),
            }
            answer.ranges.retain(|range| range.from >= answer.offset);
            // Sometimes its digest is that of the file.
            if self.rng.bool() && answer.offset + 9 < self.size {
                let (from, to) = (answer.offset + 2, answer.offset + 8);
                answer.ranges.clear();
                answer.ranges.push(Range {
                    from,
                    to,
                    digest: source_digest(from, to),
                });
            }
        }
        if !self.happens() {
            answer.parts = Some(self.rng.u64(2..9));
            self.offered = answer.parts.unwrap();
        }
        answer
    }

    /// Loses bytes now and then, or the whole upload.
    fn lose(&mut self) {
        if self.happens() && self.happens() {
            let from = self.rng.u64(..=self.size) * self.rng.u64(..2);
            self.held.remove(from, self.size);
            self.complete = false;
        }
    }

    fn check(&self, offset: u64, length: u64) {
        assert!(offset + length <= self.size, "past the end");
        assert!(self.max_segment.is_none_or(|most| length <= most));
        let mut with = self.confirmed.clone();
        with.insert(offset, offset + length);
        let new = with.total() - self.confirmed.total();
        assert_eq!(new, length, "confirmed bytes are sent again");
    }

    /// Makes the answer to a request beside which there is no other one.
    fn whole_answer(&mut self) -> Answer {
        let mut answer = self.answer();
        self.offered = answer.parts.unwrap_or_default();
        if answer.parts.is_none() {
            answer.ranges.clear();
        }
        self.confirmed = Ranges::up_to(answer.offset);
        answer
    }
}

impl Server for World {
    fn new(mut rng: fastrand::Rng) -> Self {
        let size = rng.u64(1..30 << 20);
        let mut held = Pieces::default();
        for _ in 0..rng.u64(..4) {
            let from = rng.u64(..size) * rng.u64(..2);
            held.put(from, rng.u64(from..=size), rng.u8(..4) > 0);
        }
        World {
            size,
            connections: rng.usize(1..=7),
            complete: false,
            proofs: [0, 3, 4][rng.usize(..3)],
            lies: rng.u8(..6) == 0,
            keeps: rng.bool(),
            late: Vec::new(),
            offered: 0,
            max_segment: rng.bool().then(|| rng.u64(size / 60 + 1..=size)),
            rarity: rng.u64(3..40),
            under_way: Vec::new(),
            confirmed: Ranges::default(),
            sent: 0,
            most_slots: 0,
            disproved: false,
            held,
            rng,
        }
    }

    fn rng(&mut self) -> &mut fastrand::Rng {
        &mut self.rng
    }

    fn locate(&mut self) -> Result<Answer, Stop> {
        assert!(self.under_way.is_empty(), "a locate beside parts");
        self.disproved = false;
        self.lose();
        if self.happens() {
            return Err(random_failure(&mut self.rng));
        }
        Ok(self.whole_answer())
    }

    fn compare(&mut self, from: u64, to: u64, digest: Digest) -> bool {
        let equal = digest == source_digest(from, to);
        match equal {
            true => self.confirmed.insert(from, to),
            false if from == 0 => self.confirmed = Ranges::default(),
            false => self.disproved = true,
        }
        equal
    }

    fn send(&mut self, offset: u64, length: u64, restart: Option<Digest>) -> Ended {
        assert!(self.under_way.is_empty(), "a send beside parts");
        self.late.clear();
        let (prefix, end) = (self.held.prefix(), offset + length);
        if std::mem::take(&mut self.disproved) {
            // All ranges have to be dropped.
            self.confirmed = Ranges::up_to(prefix);
        }
        match restart {
            None => self.check(offset, length),
            Some(digest) => {
                assert_eq!(offset, 0);
                if digest == self.held.digest(0, prefix) {
                    self.held = Pieces::default();
                    self.complete = false;
                }
            }
        }
        self.lose();
        let prefix = self.held.prefix();
        if offset != prefix {
            return (offset, Ok(Outcome::OffsetMismatch(self.whole_answer())));
        }
        if length > 0 {
            // It drops what is behind a gap.
            self.held.remove(prefix, self.size);
        }
        let read = match self.happens() {
            true => self.rng.u64(offset..=end),
            false => end,
        };
        self.held.put(offset, read, true);
        self.sent += read - offset;
        if read < end || self.happens() {
            return (read, Err(random_failure(&mut self.rng)));
        }
        if end == self.size && !self.held.is_right() {
            self.held = Pieces::default();
            return (end, Ok(Outcome::ChecksumMismatch(self.whole_answer())));
        }
        self.complete = end == self.size;
        (end, Ok(Outcome::Accepted(self.whole_answer())))
    }

    fn begin_parts(&mut self, sends: Vec<PartSend>) {
        for send in sends {
            assert!(send.length > 0);
            self.check(send.offset, send.length);
            self.store_late(send.offset, send.offset + send.length);
            for other in &self.under_way {
                let apart = other.offset + other.length <= send.offset
                    || send.offset + send.length <= other.offset;
                assert!(apart, "two parts have the same bytes");
            }
            self.under_way.push(send);
            let bound = self.connections.min(MOST_CONNECTIONS);
            assert!(self.under_way.len() <= bound.min(self.offered as usize));
            self.most_slots = self.most_slots.max(self.under_way.len());
        }
    }

    fn parts_under_way(&self) -> usize {
        self.under_way.len()
    }

    fn most_parts(&self) -> usize {
        self.most_slots
    }

    fn end_part(&mut self, abort: bool) -> (PartId, Ended) {
        let place = self.rng.usize(..self.under_way.len());
        let PartSend {
            part,
            offset,
            length,
            ..
        } = self.under_way.remove(place);
        let end = offset + length;
        self.lose();
        if abort || self.happens() {
            let read = self.rng.u64(offset..=end);
            if self.keeps {
                let came = (offset, self.rng.u64(offset..=read));
                match self.rng.bool() {
                    true => self.late.push(came),
                    false => self.held.put(came.0, came.1, true),
                }
            }
            self.sent += read - offset;
            return (part, (read, Err(random_failure(&mut self.rng))));
        }
        self.sent += length;
        if self.happens() && self.happens() {
            return (part, (end, Ok(Outcome::ChecksumMismatch(self.answer()))));
        }
        if self.happens() && self.happens() {
            return (part, (end, Ok(Outcome::OffsetMismatch(self.answer()))));
        }
        if self.happens() && self.happens() {
            self.held = Pieces::default();
            self.late.clear();
            let refusal = refused(RefusalKind::Other, 404);
            return (part, (end, Ok(Outcome::UnknownUpload(refusal))));
        }
        if self.lies && self.happens() {
            // It keeps nothing, and says so.
            return (part, (end, Ok(Outcome::Accepted(self.answer()))));
        }
        self.held.put(offset, end, true);
        if self.happens() {
            return (part, (end, Err(random_failure(&mut self.rng))));
        }
        let answer = self.answer();
        let mut shown = Ranges::up_to(answer.offset);
        answer
            .ranges
            .iter()
            .for_each(|it| shown.insert(it.from, it.to));
        if shown.contains(offset, end) {
            self.confirmed.insert(offset, end);
        }
        if !self.lies {
            // Of other ranges their digests tell which are the file's.
            self.confirmed.insert(0, answer.offset);
            let is_right = |it: &&Range| it.digest == source_digest(it.from, it.to);
            let right = answer.ranges.iter().filter(is_right);
            right.for_each(|it| self.confirmed.insert(it.from, it.to));
        }
        (part, (end, Ok(Outcome::Accepted(answer))))
    }

    fn check_event(&self) {
        let (sent, size) = (self.sent, self.size);
        assert!(sent <= MAX_COPIES * size, "{sent} bytes of {size}");
    }

    fn check_success(&self) {
        let is_whole = self.complete && self.held.prefix() == self.size;
        assert!(self.lies || is_whole && self.held.is_right());
    }
}
