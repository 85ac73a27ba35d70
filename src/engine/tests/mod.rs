//! The engine's decisions: a table for each phase, and random histories.

mod beginning;
mod comparing;
mod concluding;
mod held_ranges;
mod histories;
mod locating;
mod parallel;
mod part_runs;
mod parts_histories;
mod parts_world;
mod reading_back;
mod rechecking;
mod recovering;
mod section_histories;
mod sections;
mod sending;
mod settling;
mod sizeless;
mod storing;
mod stream;
mod tails;
mod whole_sections;
mod world;

use std::time::{Duration, Instant};

use resup_digests::{Algorithm, Digest};

use super::step::PartId;
use super::*;
use crate::control::stop::Stop;
use crate::error::{Error, ErrorKind, Refusal, RefusalKind};
use crate::options::{RetryPolicy, SegmentSize, SIZE_UNKNOWN};
use crate::protocol::{Abilities, Answer, Chunks, Outcome, State};

const SIZE: u64 = 1000;

/// Gives the digest of the server's bytes in these tests.
fn digest() -> Digest {
    Digest::of(Algorithm::Md5, b"the server's bytes")
}

fn plan() -> Plan {
    Plan {
        size: SIZE,
        connections: 0,
        stores: false,
        hashing: true,
        digest_first: false,
        abilities: Abilities {
            locates: true,
            proves_prefix: true,
            needs_key: false,
            checksum: None,
        },
        chunks: None,
        retry: RetryPolicy {
            limit: 3,
            base: Duration::from_secs(1),
            cap: Duration::from_secs(4),
            time: None,
        },
        segment_size: SegmentSize::Unlimited,
        learned_limit: LearnedLimit::default(),
        reads_back: false,
    }
}

/// A run at a fixed time, with the longest waits.
struct Run {
    transfer: Transfer,
    now: Instant,
}

impl Run {
    fn new(plan: Plan) -> Self {
        let (transfer, step) = Transfer::new(plan);
        assert_eq!(step, Step::Begin);
        Run {
            transfer,
            now: Instant::now(),
        }
    }

    /// Makes a run of the default plan that has asked the server for its offset.
    fn locating() -> Self {
        Self::locating_by(plan())
    }

    fn locating_by(plan: Plan) -> Self {
        let mut run = Run::new(plan);
        assert!(matches!(run.handle(Event::Begun), Step::Locate { .. }));
        run
    }

    /// Makes a run that sends everything from the server's first `offset` on.
    fn sending_from(offset: u64) -> (Self, PartId) {
        let mut run = Run::locating();
        run.handle(Event::Located(partial(offset)));
        let part = part_of(run.handle(Event::Settled));
        (run, part)
    }

    fn handle(&mut self, event: Event) -> Step {
        self.transfer.handle(event, self.now, u64::MAX)
    }

    /// Ends the send with `outcome`, after all its bytes were read.
    fn sent(&mut self, part: PartId, read: u64, outcome: Outcome) -> Step {
        self.handle(Event::Sent {
            part,
            read,
            result: Ok(outcome),
        })
    }

    /// Ends the send with a failure after `read` bytes.
    fn send_failed(&mut self, part: PartId, read: u64, error: Error) -> Step {
        self.handle(Event::Sent {
            part,
            read,
            result: Err(Stop::Failed(error)),
        })
    }

    /// Makes the step fail.
    fn failed(&mut self, error: Error) -> Step {
        self.handle(Event::Stopped(Stop::Failed(error)))
    }

    /// Begins again after a failure, up to the locate.
    fn recovered(&mut self) {
        assert_eq!(self.handle(Event::Recovered), Step::Begin);
        assert!(matches!(self.handle(Event::Begun), Step::Locate { .. }));
    }
}

fn part_of(step: Step) -> PartId {
    match step {
        Step::Send { part, .. } => part,
        other => panic!("no send but {other:?}"),
    }
}

fn answer(state: State, offset: u64) -> Answer {
    Answer {
        agreed: Some(Algorithm::Md5),
        ..Answer::new(state, offset)
    }
}

fn partial(offset: u64) -> Answer {
    answer(State::Partial, offset)
}

fn complete() -> Answer {
    answer(State::Complete, SIZE)
}

/// Adds a digest of the server's bytes to an answer.
fn proved(answer: Answer) -> Answer {
    Answer {
        prefix: Some(digest()),
        ..answer
    }
}

fn settle(offset: u64, foreign: Option<u64>, is_first: bool) -> Step {
    Step::Settle {
        offset,
        held: offset,
        foreign,
        is_first,
    }
}

fn send(part: u64, offset: u64, length: u64, restart: Option<Digest>) -> Step {
    Step::Send {
        part: PartId(part),
        offset,
        length,
        restart,
    }
}

fn connection_lost() -> Error {
    Error::ConnectionLost {
        host: "h".to_owned(),
        why: "by the test".to_owned(),
    }
}

fn refused(kind: RefusalKind, status: u16) -> Error {
    Error::Refused(Box::new(Refusal {
        kind,
        status,
        login: None,
        proxy: None,
        message: None,
        excerpt: String::new(),
        redirect: None,
        hint: None,
        retry_after: None,
    }))
}

fn wait(step: &Step) -> Option<Duration> {
    match step {
        Step::Recover {
            remedy: Remedy::Wait(wait),
            ..
        } => Some(*wait),
        _ => None,
    }
}

/// Gives the error that the run recovers from by a wait.
fn waited_for(step: Step) -> Error {
    match step {
        Step::Recover {
            error,
            remedy: Remedy::Wait(_),
        } => error,
        other => panic!("no wait but {other:?}"),
    }
}

/// Gives the kind of the error that ends the run.
fn end(step: Step) -> ErrorKind {
    match step {
        Step::Finish(Err(error)) => error.kind(),
        other => panic!("no failed end but {other:?}"),
    }
}
