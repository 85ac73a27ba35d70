//! The plan of a file's parts: which bytes the server holds, which are under way, and which come
//! next.

mod length;
mod ramp;
mod ranges;
mod sections;
#[cfg(test)]
mod tests;
mod window;

pub(super) use ranges::Ranges;

use std::collections::HashSet;
use std::time::Instant;

use super::phase::Sending;
use super::step::PartId;
use crate::protocol::{Answer, Range};
use length::PartLength;
use ramp::Ramp;
use sections::Sections;

/// The most parts of one upload at a time. More take only from other programs.
pub(crate) const MOST: usize = 6;
/// Fewer bytes are not worth parts.
const LEAST: u64 = 2 << 20;

/// The plan of a file's parts.
#[derive(Debug)]
pub(super) struct Parts {
    size: u64,
    /// The program's limit of parts at a time.
    most: usize,
    /// How many the server takes at a time; 0 if it takes none.
    offered: usize,
    /// The bytes that the server holds and that are the file's.
    held: Ranges,
    /// Whether the server holds other ranges, which are not the file's.
    is_disproved: bool,
    /// Bytes that were sent, in earlier attempts, too: they may have arrived, or arrive late.
    sent: Ranges,
    /// Bytes of parts that failed, each with the number of the last part that was begun by then. They are not sent again
    /// before a later one is answered: an earlier one may have been answered before they arrived.
    unknown: Vec<(u64, u64, PartId)>,
    /// The ranges of the last answer to a part.
    shown: Vec<Range>,
    /// The ranges of sections that were compared in this run, and are the file's.
    proven: HashSet<Range>,
    under_way: Vec<Sending>,
    /// The sections of the file, where each goes to an upload of its own.
    sections: Option<Sections>,
    length: PartLength,
    ramp: Ramp,
}

impl Parts {
    pub(super) fn new(size: u64, most: usize) -> Self {
        Parts {
            size,
            most: most.min(MOST),
            offered: 0,
            held: Ranges::default(),
            is_disproved: false,
            sent: Ranges::default(),
            unknown: Vec::new(),
            shown: Vec::new(),
            proven: HashSet::new(),
            under_way: Vec::new(),
            sections: None,
            length: PartLength::default(),
            ramp: Ramp::default(),
        }
    }

    /// Notes how many parts the server takes at a time.
    pub(super) fn offer(&mut self, offered: u64) {
        self.offered = usize::try_from(offered).unwrap_or(usize::MAX);
        self.ramp.limit(self.most.min(self.offered));
    }

    /// Sets the bytes that the server holds.
    pub(super) fn hold(&mut self, held: Ranges) {
        self.held = held;
        self.is_disproved = false;
        self.unknown.clear();
        self.shown.clear();
    }

    /// Divides the file into sections, of which no part is under way.
    pub(super) fn divide(&mut self, length: u64, is_whole: bool) {
        self.sections = Some(Sections::new(length, is_whole));
    }

    /// Whether there are sections that can be sent at a time. If not, they go in order.
    pub(super) fn go_at_a_time(&self) -> bool {
        self.has_sections() && self.most > 0
    }

    pub(super) fn has_sections(&self) -> bool {
        self.sections.is_some()
    }

    /// Makes the file one again.
    pub(super) fn leave_sections(&mut self) {
        self.sections = None;
        self.drop_all(0);
    }

    /// Gives a range of these that was neither held before nor sent.
    pub(super) fn find_foreign(&self, held: &Ranges) -> Option<(u64, u64)> {
        let mut known = self.sent.clone();
        known.insert_all(&self.held);
        held.find_outside(&known)
    }

    /// Gives the highest offset that the server may have of the section in which a part begins, if it has to be asked.
    pub(super) fn doubt(&self, offset: u64) -> Option<u64> {
        self.sections.as_ref()?.doubt(offset)
    }

    /// Notes that the server holds ranges behind its offset that are not the file's.
    pub(super) fn disprove(&mut self, offset: u64) {
        self.drop_all(offset);
        self.is_disproved = true;
    }

    /// Notes that the server will drop what it holds behind an offset.
    pub(super) fn drop_all(&mut self, offset: u64) {
        self.hold(Ranges::up_to(offset));
        self.sent = Ranges::default();
    }

    pub(super) fn is_disproved(&self) -> bool {
        self.is_disproved
    }

    /// Notes that the server holds a range behind a gap.
    pub(super) fn hold_range(&mut self, from: u64, to: u64) {
        self.held.insert(from, to);
    }

    /// Notes that a range of sections was compared, and is the file's.
    pub(super) fn prove(&mut self, range: Range) {
        self.proven.insert(range);
    }

    /// Whether a range was compared already.
    pub(super) fn is_proven(&self, range: &Range) -> bool {
        self.proven.contains(range)
    }

    /// Gives how many parts the server takes at a time.
    pub(super) fn offered(&self) -> u64 {
        self.offered as u64
    }

    /// Gives how many bytes come before the first part, where they cannot be a part.
    pub(super) fn first_length(&self) -> u64 {
        self.length.usual()
    }

    pub(super) fn held(&self) -> &Ranges {
        &self.held
    }

    /// Begins to send parts, if there is something to gain by them. If not, gives how many of the
    /// next bytes one send may carry.
    pub(super) fn begin(&mut self, now: Instant) -> Result<(), u64> {
        let left = self.size - self.held.total();
        if self.has_sections() && left > 0 {
            self.ramp.begin();
            return Ok(());
        }
        if !self.are_possible() || left == 0 {
            return Err(u64::MAX);
        }
        self.ramp.begin();
        // Only parts can fill a gap.
        if !self.held.has_gap() {
            if left < LEAST {
                return Err(u64::MAX);
            }
            if let Some(length) = self.ramp.alone(now, left) {
                return Err(length.max(LEAST));
            }
        }
        Ok(())
    }

    /// Whether both sides can send parts.
    pub(super) fn are_possible(&self) -> bool {
        self.most > 0 && self.offered >= 2
    }

    /// Notes that this side cannot send parts.
    pub(super) fn give_up(&mut self) {
        self.most = 0;
    }

    /// Whether one connection is better by itself from here on. Then the parts end.
    pub(super) fn is_over(&self, now: Instant) -> bool {
        let left = self.size - self.held.total();
        let is_better = || !self.held.has_gap() && self.ramp.alone(now, left).is_some();
        self.under_way.is_empty() && !self.has_sections() && (self.most == 0 || is_better())
    }

    /// Whether the server holds the whole file.
    pub(super) fn is_done(&self) -> bool {
        self.held.total() == self.size
    }

    /// Whether only the server can tell what is to be sent.
    pub(super) fn is_unknown(&self) -> bool {
        self.is_idle() && !self.unknown.is_empty()
    }

    /// Whether no part is under way.
    pub(super) fn is_idle(&self) -> bool {
        self.under_way.is_empty()
    }

    /// Plans the next part, if there is a free connection and something to send. `limit` gives the
    /// most that a part of this length may carry.
    pub(super) fn next(
        &mut self,
        part: PartId,
        now: Instant,
        limit: impl Fn(u64) -> u64,
    ) -> Option<Sending> {
        let slots = self.ramp.slots();
        if self.under_way.len() >= slots {
            return None;
        }
        let mut taken = self.held.clone();
        for (from, to, _) in &self.unknown {
            taken.insert(*from, *to);
        }
        for other in &self.under_way {
            taken.insert(other.offset, other.offset + other.length);
        }
        let (from, to) = match &self.sections {
            Some(sections) => sections.next(self.size, &self.held, &self.under_way)?,
            None => taken.first_gap(self.size)?,
        };
        let open = self.size - taken.total();
        let is_whole = self.sections.as_ref().is_some_and(Sections::are_whole);
        let length = match is_whole {
            true => to - from,
            false => limit(self.length.next(open, slots, self.ramp.most(), to - from)),
        };
        let next = Sending {
            part,
            offset: from,
            length,
            since: now,
        };
        self.under_way.push(next);
        Some(next)
    }

    /// Gives a part that is under way, which has ended.
    pub(super) fn end(&mut self, part: PartId) -> Option<Sending> {
        let place = self.under_way.iter().position(|it| it.part == part)?;
        Some(self.under_way.remove(place))
    }

    /// Notes that the server holds a part that has ended.
    pub(super) fn accept(&mut self, part: Sending, now: Instant) {
        self.held.insert(part.offset, part.offset + part.length);
        if let Some(sections) = &mut self.sections {
            sections.settle(part.offset);
        }
        let time = now.saturating_duration_since(part.since);
        self.length.note(part.length, time);
        if self.under_way.is_empty() {
            let rate = part.length as f64 / time.as_secs_f64().max(1e-6);
            self.ramp.note_part(rate);
        }
    }

    /// Notes what the answer to a part shows. Gives whether the server's offset is higher than was
    /// known. Without a proof it counts only where all bytes before it were sent.
    pub(super) fn note(&mut self, answer: &Answer, part: PartId) -> bool {
        if self.has_sections() {
            // Of a longer part that failed, more may have arrived than was asked for.
            let held = answer.sections.iter().flat_map(|it| &it.held);
            for (from, to) in held {
                let mut new = Ranges::default();
                new.insert(*from, *to);
                if self.find_foreign(&new).is_none() {
                    self.held.insert(*from, *to);
                }
            }
            return false;
        }
        self.unknown.retain(|(_, _, last)| part <= *last);
        self.shown.clone_from(&answer.ranges);
        let prefix = self.held.prefix();
        let mut sent = self.sent.clone();
        sent.insert_all(&self.held);
        for part in &self.under_way {
            sent.insert(part.offset, part.offset + part.length);
        }
        let is_new = answer.offset > prefix && sent.contains(prefix, answer.offset);
        if is_new {
            self.held.insert(0, answer.offset);
        }
        is_new
    }

    /// Gives a range that the server shows and that is not known to be held. It may have come with a part that failed, or
    /// late with one of an earlier attempt or run.
    pub(super) fn next_doubtful(&mut self) -> Option<Range> {
        let is_doubtful = |Range { from, to, .. }: &Range| {
            let reaches = |part: &Sending| part.offset < *to && *from < part.offset + part.length;
            // A part under way brings what it reaches into.
            let may_be = self.sent.meets(*from, *to) || !self.under_way.iter().any(reaches);
            may_be && !self.held.contains(*from, *to)
        };
        let place = self.shown.iter().position(is_doubtful)?;
        Some(self.shown.remove(place))
    }

    /// Notes that the source was sent from one offset up to another.
    pub(super) fn sent(&mut self, from: u64, to: u64) {
        self.sent.insert(from, to);
    }

    /// Notes that a part has failed, which was read up to an offset, after the last one was begun. Gives whether other
    /// parts go on, on fewer connections.
    pub(super) fn lose(&mut self, part: Sending, read: u64, last: PartId, now: Instant) -> bool {
        if let Some(sections) = &mut self.sections {
            sections.lose(part.offset, read);
        } else if part.offset < read {
            self.unknown.push((part.offset, read, last));
        }
        if self.held.contains(part.offset, part.offset + part.length) {
            // Another answer has shown it.
            return true;
        }
        if self.under_way.is_empty() {
            self.ramp.lost_all();
            return false;
        }
        if self.under_way.len() < self.ramp.slots() {
            self.ramp.lost(now);
        }
        true
    }

    /// Takes a measure: `sent` bytes went to the network so far, of which the parts that are under
    /// way have `under_way`.
    pub(super) fn measure(&mut self, now: Instant, sent: u64, under_way: u64) {
        if self.under_way.len() > self.ramp.slots() {
            // Connections that were given up end their parts first: without them there is less.
            return self.ramp.measure_anew();
        }
        let left = self.size - self.held.total();
        self.ramp.observe(now, sent, left.saturating_sub(under_way));
    }
}
