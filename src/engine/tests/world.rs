//! The server and the faults of a random history.

use super::stream::Stream;
use super::*;

/// The bytes of a server: their number, and how many of the first ones are the source's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Held {
    pub length: u64,
    pub right: u64,
}

impl Held {
    pub fn nothing() -> Self {
        Held {
            length: 0,
            right: 0,
        }
    }

    pub fn is_right(self) -> bool {
        self.right >= self.length
    }

    /// Gives a stand-in for the digest: the same for the same bytes, another one for others.
    pub fn digest(self) -> Digest {
        let wrong = if self.is_right() { 0 } else { self.right + 1 };
        let both = u128::from(self.length) << 64 | u128::from(wrong);
        Digest::new(Algorithm::Md5, &both.to_be_bytes()).unwrap()
    }

    fn truncate(&mut self, length: u64) {
        self.length = self.length.min(length);
        self.right = self.right.min(self.length);
    }

    pub fn append(&mut self, bytes: u64, damaged: bool) {
        if self.is_right() && !damaged {
            self.right += bytes;
        }
        self.length += bytes;
    }
}

/// A server's reaction to every send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Habit {
    /// It accepts them, except for faults. The other habits have no faults.
    Accepts,
    /// It keeps nothing, and says so.
    KeepsNothing,
    /// It ends the connection before the first byte.
    Disconnects,
    /// It takes nothing, and says an offset that is higher by one each time.
    Crawls,
    /// It keeps one byte of each send.
    Nibbles,
    /// It keeps one byte of each send, and ends the connection.
    NibblesAndDisconnects,
    /// It takes sends of up to so many bytes, and keeps nothing of longer ones.
    TakesUpTo(u64),
}

/// The server of one run.
pub(super) struct Server {
    pub held: Held,
    pub complete: bool,
    /// How many of four answers have the digest of the server's bytes.
    pub proofs: u8,
    /// Whether the server compares the client's digests.
    pub checks: bool,
    /// Whether the server claims bytes that it does not have.
    pub lies: bool,
    pub max_segment: Option<u64>,
    pub habit: Habit,
}

/// One run: its server, and how things go wrong.
pub(super) struct World {
    pub rng: fastrand::Rng,
    pub size: u64,
    pub server: Server,
    /// Whether the server was complete before the run.
    pub was_complete: bool,
    /// Whether the server had other bytes before the run.
    pub was_foreign: bool,
    /// Whether the client sends digests.
    pub hashing: bool,
    /// The last offset that the server gave. No send may begin before it.
    pub confirmed: u64,
    /// A fault happens once in so many steps.
    pub rarity: u64,
    /// The number of sends that the network damaged.
    pub damages: u32,
    /// The number of bytes in all sends.
    pub sent: u64,
    /// The source, where that is a stream without a size.
    pub stream: Option<Stream>,
}

impl World {
    pub fn new(mut rng: fastrand::Rng) -> Self {
        // The steps are the same for a small file, but for the size of segments.
        let size = [0, 1, rng.u64(..300), rng.u64(..20_000_000)][rng.usize(..4)];
        let length = rng.u64(..=size);
        let mut held = Held::nothing();
        match rng.u8(..4) {
            0 => held.append(length, false),
            1 => held.append(length, length > 0),
            _ => {}
        }
        let complete = size > 0 && held.length == size && rng.bool();
        let server = Server {
            held,
            complete,
            proofs: [0, 0, 3, 4][rng.usize(..4)],
            checks: rng.bool(),
            lies: rng.u8(..5) == 0,
            max_segment: rng.bool().then(|| rng.u64(1..200).max(size / 100)),
            habit: match rng.u8(..40) {
                0 => Habit::KeepsNothing,
                1 => Habit::Disconnects,
                2 => Habit::Crawls,
                3 => Habit::Nibbles,
                4 => Habit::NibblesAndDisconnects,
                5 | 6 => Habit::TakesUpTo(rng.u64(65536..10_000_000)),
                _ => Habit::Accepts,
            },
        };
        World {
            size,
            was_complete: complete,
            was_foreign: !held.is_right(),
            hashing: rng.u8(..4) > 0,
            confirmed: 0,
            rarity: rng.u64(2..12),
            damages: 0,
            sent: 0,
            stream: None,
            server,
            rng,
        }
    }

    fn happens(&mut self) -> bool {
        self.server.habit == Habit::Accepts && self.rng.u64(..self.rarity) == 0
    }

    fn answer(&mut self) -> Answer {
        assert!(self.server.held.length <= self.size, "past the end");
        let state = match (self.server.complete, self.server.held.length) {
            (true, _) => State::Complete,
            (false, 0) => State::New,
            (false, _) => State::Partial,
        };
        let proves = self.rng.u8(..4) < self.server.proofs;
        let mut answer = Answer {
            prefix: proves.then(|| self.server.held.digest()),
            max_segment: self.server.max_segment,
            ..answer(state, self.server.held.length)
        };
        if self.server.lies && self.happens() {
            answer.offset = self.rng.u64(..=self.size);
            answer.state = match answer.offset == self.size && self.rng.bool() {
                true => State::Complete,
                false => State::Partial,
            };
        }
        self.confirmed = answer.offset;
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

    pub fn locate(&mut self) -> Result<Answer, Stop> {
        if self.happens() {
            return Err(self.fault());
        }
        Ok(self.answer())
    }

    /// Takes a send; gives the offset up to which it was read, and its result.
    pub fn send(
        &mut self,
        offset: u64,
        length: u64,
        restart: Option<Digest>,
    ) -> (u64, Result<Outcome, Stop>) {
        assert!(offset + length <= self.size, "past the end");
        assert!(self.server.max_segment.is_none_or(|most| length <= most));
        match restart {
            None => assert!(offset >= self.confirmed, "confirmed bytes are sent again"),
            Some(digest) => {
                assert_eq!(offset, 0);
                assert!(self.hashing, "without digests nothing is disproved");
                // A restart with another digest is out of date.
                if self.server.held.digest() == digest {
                    self.server.held = Held::nothing();
                    self.server.complete = false;
                }
            }
        }
        let end = offset + length;
        let lost = || Err(Stop::Failed(connection_lost()));
        // A restart that is out of date is no reason to take bytes at another offset.
        let fits = offset == self.server.held.length;
        match self.server.habit {
            Habit::Accepts => {}
            Habit::KeepsNothing => return (end, Ok(Outcome::Accepted(self.answer()))),
            Habit::Disconnects => return (offset, lost()),
            Habit::Crawls if fits && self.server.held.length + 1 < end => {
                self.server.held.append(1, false);
                return (end, Ok(Outcome::OffsetMismatch(self.fallback())));
            }
            Habit::Nibbles if fits && length > 1 => {
                self.server.held.append(1, false);
                return (end, Ok(Outcome::Accepted(self.answer())));
            }
            Habit::NibblesAndDisconnects if fits && length > 1 => {
                self.server.held.append(1, false);
                return (end, lost());
            }
            Habit::TakesUpTo(most) if length > most => return (offset + most, lost()),
            _ => {}
        }
        if self.happens() {
            // The server loses some bytes, or the whole upload.
            self.server.complete = false;
            self.server.held.truncate(self.rng.u64(..=self.size));
            if self.happens() {
                self.server.held = Held::nothing();
                let refusal = refused(RefusalKind::Other, 404);
                self.confirmed = 0;
                return (offset, Ok(Outcome::UnknownUpload(refusal)));
            }
        }
        if offset != self.server.held.length || self.server.complete {
            self.server.complete = false;
            return (offset, Ok(Outcome::OffsetMismatch(self.fallback())));
        }
        let arrives = match self.happens() {
            true => self.rng.u64(..=length),
            false => length,
        };
        // Damage on the network: TCP seldom misses it, so it is rarer than other faults.
        let damaged = arrives > 0 && self.happens() && self.happens();
        self.damages += u32::from(damaged);
        let before = self.server.held;
        self.server.held.append(arrives, damaged);
        if arrives < length {
            return (
                self.rng.u64(offset + arrives..=offset + length),
                Err(self.fault()),
            );
        }
        if self.happens() && self.happens() {
            // The server keeps nothing, and says so.
            self.server.held = before;
            return (end, Ok(Outcome::Accepted(self.answer())));
        }
        if self.hashing && self.server.checks && !self.server.held.is_right() {
            self.server.held = match end == self.size {
                true => Held::nothing(),
                false => before,
            };
            return (end, Ok(Outcome::ChecksumMismatch(self.fallback())));
        }
        let is_last = self.stream.as_ref().is_none_or(|stream| stream.has_ended);
        self.server.complete = end == self.size && is_last;
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
