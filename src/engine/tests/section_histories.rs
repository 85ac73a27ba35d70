//! Random histories of files in sections, with faults of every kind.

use resup_test_support::{runs, seed};

use super::*;
use crate::protocol::Sections;

/// How many runs are made; `RESUP_TEST_RUNS` multiplies them.
const RUNS: u64 = 10_000;
/// The most steps that a run may take.
const MAX_STEPS: u32 = 20_000;

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

    fn happens(&mut self) -> bool {
        self.rng.u64(..self.rarity) == 0
    }

    fn fault(&mut self) -> Stop {
        Stop::Failed(match self.rng.u8(..8) {
            0 => Error::bad_response("a page"),
            1 => refused(RefusalKind::Busy, 503),
            2 => refused(RefusalKind::Busy, 429),
            3 => refused(RefusalKind::TooLarge, 413),
            _ => connection_lost(),
        })
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

    fn locate(&mut self) -> Result<Answer, Stop> {
        assert!(self.under_way.is_empty(), "a locate beside parts");
        if self.happens() {
            return Err(self.fault());
        }
        if let Some(held) = self.whole {
            return Ok(self.whole(held));
        }
        self.lose();
        self.told = vec![0; self.held.len()];
        Ok(self.answer(0..self.held.len()))
    }

    fn begin(&mut self, sends: Vec<PartSend>) {
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

    /// Ends one of the parts that are under way, as its sender and the server do.
    fn end_part(&mut self, abort: bool) -> Event {
        let place = self.rng.usize(..self.under_way.len());
        let send = self.under_way.remove(place);
        let section = self.section(send.offset);
        let end = send.offset + send.length;
        self.lose();
        let mut from = send.offset;
        let event = |read, result| Event::Sent {
            part: send.part,
            read,
            result,
        };
        if let Some(most) = send.asks {
            if abort || self.happens() {
                return event(from, Err(self.fault()));
            }
            let answer = self.answer([section].into_iter());
            match answer.reach() {
                reach if reach > most => {
                    assert!(self.lies, "{reach} of {most}");
                    return event(from, Err(Stop::Failed(connection_lost())));
                }
                reach if reach < from => return event(from, Ok(Outcome::OffsetMismatch(answer))),
                reach if reach >= end => return event(from, Ok(Outcome::Accepted(answer))),
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
            return event(read, Err(self.fault()));
        }
        if self.happens() && self.happens() {
            let answer = self.answer([section].into_iter());
            return event(end, Ok(Outcome::ChecksumMismatch(answer)));
        }
        if self.range(section).1 != from {
            let answer = self.answer([section].into_iter());
            return event(end, Ok(Outcome::OffsetMismatch(answer)));
        }
        self.held[section] += end - from;
        if self.happens() {
            return event(end, Err(self.fault()));
        }
        let answer = self.answer([section].into_iter());
        event(end, Ok(Outcome::Accepted(answer)))
    }

    /// Takes a send that is no part.
    fn send(&mut self, offset: u64, length: u64) -> (u64, Result<Outcome, Stop>) {
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
                return (read, Err(self.fault()));
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
            return (end, Err(self.fault()));
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
}

/// Makes one run; gives its result.
fn run(world: &mut World) -> Result<(), Error> {
    let (mut transfer, mut step) = Transfer::new(Plan {
        size: world.size,
        connections: world.connections,
        abilities: Abilities {
            proves_prefix: false,
            needs_key: true,
            ..plan().abilities
        },
        retry: RetryPolicy {
            limit: 6,
            ..plan().retry
        },
        segment_size: match world.rng.u8(..4) {
            0 => SegmentSize::Fixed(world.rng.u64(1..world.size + 2).max(world.size / 60 + 1)),
            1 => SegmentSize::Automatic,
            _ => SegmentSize::Unlimited,
        },
        ..plan()
    });
    let mut now = Instant::now();
    // Whether the program wants a pause while parts are under way.
    let mut pauses = false;
    let mut measured = 0;
    for _ in 0..MAX_STEPS {
        let event = match step {
            Step::Finish(result) => return result,
            Step::Begin => {
                pauses = false;
                Event::Begun
            }
            Step::Locate { .. } => match world.locate() {
                Ok(answer) => Event::Located(answer),
                Err(stop) => Event::Stopped(stop),
            },
            Step::Settle { offset, held, .. } => {
                assert!(offset <= held && held <= world.size);
                Event::Settled
            }
            Step::Send {
                part,
                offset,
                length,
                ..
            } => {
                let (read, result) = world.send(offset, length);
                Event::Sent { part, read, result }
            }
            Step::SendParts { sends, abort } => {
                world.begin(sends);
                pauses |= world.rng.u8(..100) == 0;
                if !abort && !pauses && world.rng.u8(..8) > 0 {
                    measured += 100_000 * world.under_way.len() as u64;
                    Event::Measured {
                        sent: measured,
                        under_way: world.rng.u64(..1 << 20),
                    }
                } else {
                    match world.end_part(abort || pauses) {
                        Event::Sent { part, read, .. } if pauses => Event::Sent {
                            part,
                            read,
                            result: Err(Stop::Interrupted),
                        },
                        event => event,
                    }
                }
            }
            Step::Recheck => Event::Rechecked,
            Step::Conclude { .. } => Event::Concluded,
            Step::Recover { .. } => Event::Recovered,
            other => unreachable!("{other:?}"),
        };
        now += Duration::from_millis(world.rng.u64(..500));
        step = transfer.handle(event, now, world.rng.u64(..));
    }
    panic!("the run does not end");
}

#[test]
fn every_history_of_sections_ends_and_only_whole_files_are_complete() {
    let seed = seed::seed();
    let factor = runs::count(1);
    let (mut succeeded, mut at_a_time) = (0, [0; 7]);
    for case in 0..RUNS * factor {
        let mut world = World::new(seed::rng(seed.wrapping_add(case)));
        let unwound = std::panic::AssertUnwindSafe(|| run(&mut world));
        let result = std::panic::catch_unwind(unwound).unwrap_or_else(|_| panic!("case {case}"));
        at_a_time[world.most_slots] += 1;
        match result {
            Err(error) => assert_ne!(error.kind(), ErrorKind::Internal, "case {case}: {error}"),
            Ok(()) => {
                succeeded += 1;
                assert!(world.is_complete, "case {case}");
            }
        }
    }
    println!(
        "{succeeded} of {} succeeded; parts at a time: {at_a_time:?}",
        RUNS * factor
    );
    assert!(succeeded > RUNS / 4, "{succeeded}");
    assert!(at_a_time[6] > RUNS / 100, "{at_a_time:?}");
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
