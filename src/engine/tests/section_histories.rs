//! Random histories of files in sections, with faults of every kind.

use resup_test_support::seed;

use super::part_runs::{self, check_histories, random_failure, random_plan, Ended, Server};
use super::*;
use crate::protocol::Sections;

/// One run: its server, and how things go wrong.
struct World {
    rng: fastrand::Rng,
    size: u64,
    connections: usize,
    length: u64,
    /// What the server holds of each section.
    held: Vec<u64>,
    /// What it holds of the whole file, once it has refused to join sections.
    whole: Option<u64>,
    /// Whether it joins sections.
    joins: bool,
    /// Whether it claims bytes that it does not have.
    lies: bool,
    is_complete: bool,
    /// A fault happens once in so many steps.
    rarity: u64,
    under_way: Vec<PartSend>,
    /// What the server has told last of each section: no part has these bytes again.
    told: Vec<u64>,
    most_slots: usize,
}

impl World {
    fn happens(&mut self) -> bool {
        self.rng.u64(..self.rarity) == 0
    }

    fn section(&self, offset: u64) -> usize {
        (offset / self.length) as usize
    }

    fn range(&self, section: usize) -> (u64, u64) {
        let begin = section as u64 * self.length;
        (begin, begin + self.held[section])
    }

    fn end(&self, section: usize) -> u64 {
        ((section as u64 + 1) * self.length).min(self.size)
    }

    /// Makes an answer about these sections, which confirms what they hold.
    fn answer(&mut self, sections: impl Iterator<Item = usize>) -> Answer {
        let mut held: Vec<_> = sections.map(|it| self.range(it)).collect();
        if self.lies && self.happens() {
            let place = self.rng.usize(..held.len());
            let begin = held[place].0;
            held[place].1 = self.rng.u64(begin..=self.end(self.section(begin)));
        }
        for (begin, reach) in &held {
            let section = self.section(*begin);
            self.told[section] = reach - begin;
        }
        let reach = |at, (from, to): &(u64, u64)| if *from == at { *to } else { at };
        Answer {
            agreed: None,
            is_own: true,
            parts: Some(self.held.len() as u64),
            sections: Some(Sections {
                length: self.length,
                is_whole: false,
                held: held.clone(),
            }),
            ..partial(held.iter().fold(0, reach))
        }
    }

    fn whole(&self, held: u64) -> Answer {
        let state = match self.is_complete {
            true => State::Complete,
            false => State::Partial,
        };
        Answer {
            agreed: None,
            is_own: true,
            ..answer(state, held)
        }
    }

    /// Loses a section now and then.
    fn lose(&mut self) {
        if self.happens() && self.happens() {
            let section = self.rng.usize(..self.held.len());
            self.held[section] = 0;
        }
    }
}

impl Server for World {
    fn new(mut rng: fastrand::Rng) -> Self {
        let size = rng.u64(2..40 << 20);
        let count = rng.u64(2..13).min(size);
        let length = size.div_ceil(count);
        let begins = (0..size.div_ceil(length)).map(|number| number * length);
        let held = begins.map(|begin| {
            let all = length.min(size - begin);
            [0, rng.u64(..=all), all][rng.usize(..3)]
        });
        World {
            held: held.collect(),
            size,
            connections: rng.usize(1..=7),
            length,
            whole: None,
            joins: rng.u8(..4) > 0,
            lies: rng.u8(..8) == 0,
            is_complete: false,
            rarity: rng.u64(3..40),
            under_way: Vec::new(),
            told: Vec::new(),
            most_slots: 0,
            rng,
        }
    }

    fn rng(&mut self) -> &mut fastrand::Rng {
        &mut self.rng
    }

    fn locate(&mut self) -> Result<Answer, Stop> {
        assert!(self.under_way.is_empty(), "a locate beside parts");
        if self.happens() {
            return Err(random_failure(&mut self.rng));
        }
        if let Some(held) = self.whole {
            return Ok(self.whole(held));
        }
        self.lose();
        self.told = vec![0; self.held.len()];
        Ok(self.answer(0..self.held.len()))
    }

    fn compare(&mut self, _: u64, _: u64, _: Digest) -> bool {
        unreachable!("sections have no digests of ranges")
    }

    fn send(&mut self, offset: u64, length: u64, _: Option<Digest>) -> Ended {
        assert!(self.under_way.is_empty(), "a send beside parts");
        let end = offset + length;
        if let Some(held) = self.whole {
            assert_eq!(offset, held);
            let read = match self.happens() {
                true => self.rng.u64(offset..=end),
                false => end,
            };
            self.whole = Some(read);
            if read < end || self.happens() {
                self.is_complete = read == self.size;
                return (read, Err(random_failure(&mut self.rng)));
            }
            self.is_complete = end == self.size;
            return (end, Ok(Outcome::Accepted(self.whole(end))));
        }
        assert_eq!(
            (offset, length),
            (self.size, 0),
            "only what is whole is joined"
        );
        if self.happens() {
            return (end, Err(random_failure(&mut self.rng)));
        }
        if !self.joins {
            self.whole = Some(0);
            let refusal = refused(RefusalKind::Failing, 403);
            return (end, Err(Stop::Failed(refusal)));
        }
        self.lose();
        if (0..self.held.len()).any(|it| self.range(it).1 != self.end(it)) {
            return (end, Err(Stop::Failed(Error::bad_response("not whole"))));
        }
        self.is_complete = true;
        (end, Ok(Outcome::Accepted(self.whole(self.size))))
    }

    fn begin_parts(&mut self, sends: Vec<PartSend>) {
        for send in sends {
            assert!(send.length > 0);
            let section = self.section(send.offset);
            assert!(
                send.offset + send.length <= self.end(section),
                "past the section"
            );
            let with = |it: &PartSend| self.section(it.offset) == section;
            assert!(!self.under_way.iter().any(with), "two parts in a section");
            self.under_way.push(send);
            let most = self.connections.min(MOST_CONNECTIONS).min(self.held.len());
            assert!(self.under_way.len() <= most);
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
        let send = self.under_way.remove(place);
        let section = self.section(send.offset);
        let end = send.offset + send.length;
        self.lose();
        let mut from = send.offset;
        let ended = |read, result| (send.part, (read, result));
        if let Some(most) = send.asks {
            if abort || self.happens() {
                return ended(from, Err(random_failure(&mut self.rng)));
            }
            let answer = self.answer([section].into_iter());
            match answer.reach() {
                reach if reach > most => {
                    assert!(self.lies, "{reach} of {most}");
                    return ended(from, Err(Stop::Failed(connection_lost())));
                }
                reach if reach < from => return ended(from, Ok(Outcome::OffsetMismatch(answer))),
                reach if reach >= end => return ended(from, Ok(Outcome::Accepted(answer))),
                reach => from = reach,
            }
        }
        let is_new = from >= section as u64 * self.length + self.told[section];
        assert!(self.lies || is_new, "confirmed bytes are sent again");
        if abort || self.happens() {
            let read = self.rng.u64(from..=end);
            if self.range(section).1 == from && self.rng.bool() {
                self.held[section] += self.rng.u64(..=read - from);
            }
            return ended(read, Err(random_failure(&mut self.rng)));
        }
        if self.happens() && self.happens() {
            let answer = self.answer([section].into_iter());
            return ended(end, Ok(Outcome::ChecksumMismatch(answer)));
        }
        if self.range(section).1 != from {
            let answer = self.answer([section].into_iter());
            return ended(end, Ok(Outcome::OffsetMismatch(answer)));
        }
        self.held[section] += end - from;
        if self.happens() {
            return ended(end, Err(random_failure(&mut self.rng)));
        }
        let answer = self.answer([section].into_iter());
        ended(end, Ok(Outcome::Accepted(answer)))
    }

    fn check_success(&self) {
        assert!(self.is_complete);
    }
}

/// Makes one run; gives its result.
fn run(world: &mut World) -> Result<(), Error> {
    let plan = Plan {
        abilities: Abilities {
            proves_prefix: false,
            needs_key: true,
            ..plan().abilities
        },
        ..random_plan(&mut world.rng, world.size, world.connections)
    };
    part_runs::run(world, plan)
}

#[test]
fn every_history_of_sections_ends_and_only_whole_files_are_complete() {
    check_histories(run);
}

#[test]
fn without_faults_every_run_succeeds() {
    let seed = seed::seed();
    for case in 0..1000 {
        let mut world = World::new(seed::rng(seed.wrapping_add(case)));
        (world.lies, world.rarity) = (false, u64::MAX);
        assert_eq!(run(&mut world), Ok(()), "case {case}");
    }
}
