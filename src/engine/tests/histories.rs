//! Random histories: a server that is a few numbers, faults of every kind, 10⁵ runs.
//!
//! Each run has to end. It may not end well with another file at the server where that could be
//! known. No byte that the server has confirmed is sent again, and none is skipped.

use resup_test_support::seed;

use super::*;

/// How many runs are made; `RESUP_TEST_RUNS` multiplies them.
const RUNS: u64 = 100_000;
/// No run may take more steps.
const MAX_STEPS: u32 = 20_000;

/// The bytes of a server: how many there are, and how many of the first are the source's.
#[derive(Debug, Clone, Copy)]
struct Held {
    length: u64,
    right: u64,
}

impl Held {
    fn nothing() -> Self {
        Held {
            length: 0,
            right: 0,
        }
    }

    fn is_right(self) -> bool {
        self.right >= self.length
    }

    /// Stands for the MD5: the same for the same bytes, and else another one.
    fn md5(self) -> [u8; 16] {
        let wrong = if self.is_right() { 0 } else { self.right + 1 };
        (u128::from(self.length) << 64 | u128::from(wrong)).to_be_bytes()
    }

    fn truncate(&mut self, length: u64) {
        self.length = self.length.min(length);
        self.right = self.right.min(self.length);
    }

    fn append(&mut self, bytes: u64, damaged: bool) {
        if self.is_right() && !damaged {
            self.right += bytes;
        }
        self.length += bytes;
    }
}

/// What a server does with every send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Habit {
    /// It takes them, but for faults.
    Takes,
    /// It keeps nothing, and says so.
    KeepsNothing,
    /// It breaks the connection before the first byte.
    Breaks,
}

/// One run's server, and how things go wrong.
struct World {
    rng: fastrand::Rng,
    size: u64,
    held: Held,
    complete: bool,
    /// It was complete before the run.
    was_complete: bool,
    /// Of four answers, so many tell the digest of what the server has.
    proofs: u8,
    /// The client sends digests.
    hashing: bool,
    /// The server compares them.
    checks: bool,
    /// The server claims what it does not have.
    lies: bool,
    max_segment: Option<u64>,
    /// The last offset that the client was told. No send may begin before it.
    told: u64,
    /// Faults happen once in so many steps.
    rarity: u64,
    habit: Habit,
    /// The server had other bytes before the run.
    was_foreign: bool,
    /// How many sends were damaged on the way.
    damages: u32,
}

impl World {
    fn new(mut rng: fastrand::Rng) -> Self {
        let size = [0, 1, rng.u64(..300), rng.u64(..300)][rng.usize(..4)];
        let length = rng.u64(..=size);
        let mut held = Held::nothing();
        match rng.u8(..4) {
            0 => held.append(length, false),
            1 => held.append(length, length > 0),
            _ => {}
        }
        let complete = size > 0 && held.length == size && rng.bool();
        World {
            size,
            held,
            complete,
            was_complete: complete,
            proofs: [0, 0, 3, 4][rng.usize(..4)],
            hashing: rng.u8(..4) > 0,
            checks: rng.bool(),
            lies: rng.u8(..5) == 0,
            max_segment: rng.bool().then(|| rng.u64(1..200)),
            told: 0,
            rarity: rng.u64(2..12),
            habit: match rng.u8(..20) {
                0 => Habit::KeepsNothing,
                1 => Habit::Breaks,
                _ => Habit::Takes,
            },
            was_foreign: !held.is_right(),
            damages: 0,
            rng,
        }
    }

    fn happens(&mut self) -> bool {
        self.rng.u64(..self.rarity) == 0
    }

    fn answer(&mut self) -> Answer {
        let state = match (self.complete, self.held.length) {
            (true, _) => State::Complete,
            (false, 0) => State::New,
            (false, _) => State::Partial,
        };
        let proves = self.rng.u8(..4) < self.proofs;
        let mut answer = Answer {
            prefix_md5: proves.then(|| self.held.md5()),
            max_segment: self.max_segment,
            ..answer(state, self.held.length)
        };
        if self.lies && self.happens() {
            answer.offset = self.rng.u64(..=self.size);
            answer.state = match answer.offset == self.size && self.rng.bool() {
                true => State::Complete,
                false => State::Partial,
            };
        }
        self.told = answer.offset;
        answer
    }

    fn fault(&mut self) -> Stop {
        Stop::Failed(match self.rng.u8(..8) {
            0 => return Stop::Interrupted,
            1 => Error::bad_response("a page"),
            2 => refused(RefusalKind::Busy, 503),
            3 => Error::SessionExpired {
                host: "h".to_owned(),
            },
            4 => refused(RefusalKind::TooLarge, 413),
            _ => connection_lost(),
        })
    }

    fn locate(&mut self) -> Result<Answer, Stop> {
        if self.happens() {
            return Err(self.fault());
        }
        Ok(self.answer())
    }

    /// Takes a send; gives how much of it was read, and what came of it.
    fn send(
        &mut self,
        offset: u64,
        length: u64,
        restart: Option<[u8; 16]>,
    ) -> (u64, Result<Outcome, Stop>) {
        assert!(offset + length <= self.size, "past the end");
        assert!(self.max_segment.is_none_or(|most| length <= most));
        match restart {
            None => assert!(offset >= self.told, "confirmed bytes are sent again"),
            Some(md5) => {
                assert_eq!(offset, 0);
                assert!(self.hashing, "without digests nothing is disproved");
                // A restart of other bytes than these is out of date.
                if self.held.md5() == md5 {
                    self.held = Held::nothing();
                    self.complete = false;
                }
            }
        }
        match self.habit {
            Habit::Takes => {}
            Habit::KeepsNothing => return (offset + length, Ok(Outcome::Accepted(self.answer()))),
            Habit::Breaks => return (offset, Err(Stop::Failed(connection_lost()))),
        }
        if self.happens() {
            // Bytes are lost at the server, or all of them with the upload.
            self.complete = false;
            self.held.truncate(self.rng.u64(..=self.size));
            if self.happens() {
                self.held = Held::nothing();
                let refusal = refused(RefusalKind::Other, 404);
                self.told = 0;
                return (offset, Ok(Outcome::UnknownUpload(refusal)));
            }
        }
        if offset != self.held.length || self.complete {
            self.complete = false;
            return (offset, Ok(Outcome::OffsetMismatch(self.fallback())));
        }
        let arrives = match self.happens() {
            true => self.rng.u64(..=length),
            false => length,
        };
        // Damage on the way: TCP misses it seldom, so it comes with few faults.
        let damaged = arrives > 0 && self.happens() && self.happens();
        self.damages += u32::from(damaged);
        let before = self.held;
        self.held.append(arrives, damaged);
        if arrives < length {
            return (
                self.rng.u64(offset + arrives..=offset + length),
                Err(self.fault()),
            );
        }
        let end = offset + length;
        if self.happens() && self.happens() {
            // The server keeps nothing, and says so.
            self.held = before;
            return (end, Ok(Outcome::Accepted(self.answer())));
        }
        if self.hashing && self.checks && !self.held.is_right() {
            self.held = match end == self.size {
                true => Held::nothing(),
                false => before,
            };
            return (end, Ok(Outcome::ChecksumMismatch(self.fallback())));
        }
        self.complete = end == self.size;
        match self.happens() {
            true => (end, Err(self.fault())),
            false => (end, Ok(Outcome::Accepted(self.answer()))),
        }
    }

    fn fallback(&mut self) -> Answer {
        let answer = self.answer();
        Answer {
            state: State::Partial,
            ..answer
        }
    }
}

/// Makes one run; whether it ended well.
fn run(case: u64, world: &mut World) -> Result<(), Error> {
    let (mut transfer, mut step) = Transfer::new(Plan {
        size: world.size,
        hashing: world.hashing,
        digest_first: world.hashing && case.is_multiple_of(5),
        retry: RetryPolicy {
            limit: 6,
            ..plan().retry
        },
        segment_size: match case % 3 {
            0 => SegmentSize::Unlimited,
            1 => SegmentSize::Fixed(world.rng.u64(1..150)),
            _ => SegmentSize::Automatic,
        },
        ..plan()
    });
    let mut now = Instant::now();
    for _ in 0..MAX_STEPS {
        let event = match step {
            Step::Finish(result) => return result,
            Step::Begin => Event::Begun,
            Step::DigestWhole => Event::Digested,
            Step::Connect => unreachable!("the server can be asked"),
            Step::Locate { .. } => match world.locate() {
                Ok(answer) => Event::Located(answer),
                Err(stop) => Event::Stopped(stop),
            },
            Step::Compare { length, md5 } => Event::Compared {
                equal: md5
                    == Held {
                        length,
                        right: length,
                    }
                    .md5(),
            },
            Step::Settle { .. } => Event::Settled,
            Step::Send {
                part,
                offset,
                length,
                restart,
            } => {
                let (read, result) = world.send(offset, length, restart);
                Event::Sent { part, read, result }
            }
            Step::Recheck => Event::Rechecked,
            Step::Conclude { .. } => Event::Concluded,
            Step::Recover { .. } => Event::Recovered,
        };
        now += Duration::from_millis(world.rng.u64(..100));
        step = transfer.handle(event, now, world.rng.u64(..));
    }
    panic!("the run does not end");
}

#[test]
fn every_history_ends_and_no_wrong_file_is_complete() {
    let seed = seed::seed();
    let factor = std::env::var("RESUP_TEST_RUNS").map_or(1, |n| n.parse().unwrap());
    let (mut ended_well, mut proved) = (0, 0);
    for case in 0..RUNS * factor {
        let mut world = World::new(seed::rng(seed.wrapping_add(case)));
        let result =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(case, &mut world)));
        let result = result.unwrap_or_else(|_| panic!("case {case}"));
        if let Err(error) = &result {
            let kind = error.kind();
            assert_ne!(kind, ErrorKind::Internal, "case {case}: {error}");
            let is_lie = kind == ErrorKind::BadOffset;
            assert!(world.lies || !is_lie, "case {case}: no lie, {error}");
            // Where other bytes are proved to be, they are replaced and no failure.
            let is_damage = kind == ErrorKind::DigestMismatch;
            let blameless = world.damages == 0 && !world.was_foreign && !world.lies;
            assert!(!blameless || !is_damage, "case {case}: no damage, {error}");
            continue;
        }
        ended_well += 1;
        if world.lies {
            continue;
        }
        assert!(world.complete, "case {case}: not complete");
        assert_eq!(world.held.length, world.size, "case {case}");
        if world.hashing {
            proved += 1;
            // A server that proves nothing is believed: that it was complete before the run, and,
            // if it compares nothing either, everything.
            let believed = world.proofs < 4 && (world.was_complete || !world.checks);
            assert!(
                world.held.is_right() || believed,
                "case {case}: a wrong file"
            );
        }
    }
    println!(
        "{ended_well} of {} ended well, {proved} with digests",
        RUNS * factor
    );
    assert!(
        ended_well > RUNS / 10 && proved > RUNS / 20,
        "{ended_well} {proved}"
    );
}

#[test]
fn foreign_bytes_that_are_proved_are_replaced_and_no_failure() {
    let seed = seed::seed();
    for case in 0..2000 {
        let mut rng = seed::rng(seed.wrapping_add(case));
        let mut world = World::new(rng.fork());
        world.size = rng.u64(2..300);
        world.held = Held::nothing();
        world.held.append(rng.u64(1..world.size), true);
        world.complete = false;
        (world.hashing, world.proofs, world.lies) = (true, 4, false);
        (world.habit, world.rarity) = (Habit::Takes, u64::MAX);
        assert_eq!(run(1, &mut world), Ok(()), "case {case}");
        assert!(world.held.is_right(), "case {case}");
    }
}
