//! The driver: carries out the engine's steps.

use std::time::Instant;

use resup_digests::{Algorithm, Digest};

use super::answers::Answers;
use super::connector::Connector;
use super::hashed_source::HashedSource;
use super::proof::Proof;
use super::setup::Setup;
use crate::control::log::LogLevel;
use crate::control::rate::Limiter;
use crate::control::snapshot::UploadState;
use crate::control::stop::Stop;
use crate::control::Control;
use crate::digest::RollingDigest;
use crate::engine::{Event, Plan, Step, Transfer};
use crate::error::Error;
use crate::http::{Exchange, Link};
use crate::options::DigestMode;
use crate::protocol::{Answer, Job, Protocol, ReadBack, State};
use crate::random;

/// So many sends in a row may find their connection dead. After the second one the client keeps no
/// connection, unless other uploads can use theirs.
pub(super) const MAX_DEAD: u32 = 3;

/// What the log says then.
pub(super) const DEAD: &str =
    "the connection that was kept was closed meanwhile; asking again on a new one";

/// A run in progress.
pub(super) struct Driver<'a> {
    pub(super) protocol: &'a dyn Protocol,
    pub(super) connector: &'a dyn Connector,
    pub(super) control: &'a Control,
    pub(super) source: HashedSource<'a>,
    pub(super) job: Job,
    pub(super) plan: Plan,
    pub(super) rates: [&'a Limiter; 2],
    pub(super) answers: Answers<'a>,
    /// The connection of this attempt.
    pub(super) exchange: Option<Box<dyn Exchange + 'a>>,
    /// The text that all parts of this run have.
    pub(super) part_key: Option<String>,
    /// How many sends in a row found their connection dead.
    pub(super) dead_sends: u32,
    /// Whether the file goes up in sections, each of which is an upload of its own.
    pub(super) has_sections: bool,
    /// The bytes of the last send with a checksum, if its response did not come, and of such parts.
    pub(super) unchecked: Vec<(u64, u64)>,
    /// What was read of the finished file so far.
    pub(super) read_back: Option<ReadBack>,
}

impl<'a> Driver<'a> {
    pub(super) fn new(setup: Setup<'a>) -> Self {
        // Without a time, only its digest tells a source from another one of the same name and
        // size.
        let abilities = setup.protocol.abilities();
        let has_size = setup.job.has_size();
        let is_timeless = has_size && abilities.proves_prefix && setup.source.mtime().is_none();
        let hashing = setup.digest != DigestMode::None || is_timeless;
        let offer: &[_] = match hashing {
            true => setup.algorithm.offer(),
            false => &[],
        };
        let is_known = setup.key.is_some();
        let learned = setup.learned_digest.get().filter(|it| offer.contains(it));
        let stores = setup.may_store(learned.is_some());
        let algorithm = learned.or(offer.first().copied());
        let algorithm = match setup.source.window() {
            // It digests what it drops, and only the position counts here.
            Some(window) => {
                window.digest_by(algorithm);
                None
            }
            None => algorithm,
        };
        let digest = RollingDigest::new(algorithm, setup.state_file);
        Driver {
            protocol: setup.protocol,
            connector: setup.connector,
            control: setup.control,
            plan: Plan {
                size: setup.job.size,
                connections: setup.connections,
                stores,
                hashing,
                digest_first: setup.digest == DigestMode::First || is_timeless,
                abilities,
                chunks: setup.protocol.chunks(),
                retry: setup.retry,
                segment_size: setup.segment_size,
                learned_limit: setup.learned_limit,
                reads_back: setup.reads_back,
            },
            source: HashedSource {
                proof: Proof::new(setup.source),
                source: setup.source,
                digest,
                spare: None,
                control: setup.control,
            },
            job: Job { offer, ..setup.job },
            rates: setup.rates,
            answers: Answers {
                control: setup.control,
                ids: setup.ids,
                learned_digest: setup.learned_digest,
                learned_store: setup.learned_store,
                id: setup.key,
            },
            exchange: None,
            part_key: None,
            dead_sends: 0,
            has_sections: false,
            // Nothing tells where the last send of an earlier run began.
            unchecked: is_known.then_some((0, u64::MAX)).into_iter().collect(),
            read_back: None,
        }
    }

    /// Uploads until the server has confirmed the whole file.
    pub(super) fn run(mut self) -> Result<(), Error> {
        self.control.set_size(self.job.size);
        if let Err(why) = self.source.digest.load(self.job.offer) {
            self.log(LogLevel::Info, || {
                format!("the state file cannot be used: {why}")
            });
        }
        // What a state file knows was sent before, so the server is asked.
        self.plan.stores &= !self.source.digest.was_loaded();
        let (mut transfer, mut step) = Transfer::new(self.plan.clone());
        loop {
            let event = match step {
                Step::Begin => self.begin()?,
                Step::Finish(result) => return self.finish(result),
                Step::SendParts { .. } => {
                    step = self.send_parts(&mut transfer, step);
                    continue;
                }
                step => self.perform(step),
            };
            step = next(&mut transfer, event);
        }
    }

    /// Begins an attempt.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    fn begin(&mut self) -> Result<Event, Error> {
        self.exchange = None;
        self.control.checkpoint()?;
        self.control.count_attempt();
        let verified = self.source.source.verify();
        Ok(self.event(verified.map(|_| Event::Begun)))
    }

    fn perform(&mut self, step: Step) -> Event {
        let result = match step {
            Step::DigestWhole => self.digest_whole(),
            Step::Connect => self.connect().map(|()| Event::Connected),
            Step::Locate { hash_ahead } => self.locate(hash_ahead),
            Step::Store => self.store(),
            Step::CompareRange(range) => {
                let equal = self.source.has_range(range);
                equal.map(|equal| Event::Compared { equal })
            }
            Step::Compare { length, digest } => {
                let equal = self.source.has_prefix(length, digest);
                equal.map(|equal| Event::Compared { equal })
            }
            Step::Settle {
                offset,
                held,
                foreign,
                is_first,
            } => self.settle((offset, held), foreign, is_first),
            Step::Fill { offset, most } => self.fill(offset, most),
            Step::Send {
                part,
                offset,
                length,
                restart,
            } => Ok(self.send_segment(part, (offset, length), restart)),
            Step::Recheck => self.recheck(),
            Step::ReadBack { location } => Ok(self.read_back(location)),
            Step::Conclude { location, is_first } => self.conclude(location, is_first),
            Step::Recover { error, remedy } => self.recover(&error, remedy),
            Step::Begin | Step::SendParts { .. } | Step::Finish(_) => {
                unreachable!("run() handles these steps")
            }
        };
        self.log_notes();
        self.event(result)
    }

    fn event(&self, result: Result<Event, Stop>) -> Event {
        result.unwrap_or_else(|stop| Event::Stopped(self.cause(stop)))
    }

    /// Gives the reason why work ended early.
    pub(super) fn cause(&self, stop: Stop) -> Stop {
        cause(self.control, stop)
    }

    pub(super) fn log(&self, level: LogLevel, line: impl FnOnce() -> String) {
        self.control.log(level, line);
    }

    fn digest_whole(&mut self) -> Result<Event, Stop> {
        // An older server knows the file by its MD5 only.
        let is_open = self.job.offer.len() > 1 && self.answers.learned_digest.get().is_none();
        let md5 = (is_open && self.job.digests.is_empty()).then_some(Algorithm::Md5);
        let other = md5.filter(|md5| self.source.digest.algorithm() != Some(*md5));
        let digests = self.source.hash_whole(other)?;
        let is_old = |it: &Digest| digests.iter().all(|new| new.algorithm() != it.algorithm());
        self.job.digests.retain(is_old);
        self.job.digests.extend(digests);
        Ok(Event::Digested)
    }

    pub(super) fn connect(&mut self) -> Result<(), Stop> {
        self.exchange = Some(self.connector.connect()?);
        self.control.enter(UploadState::Locating);
        Ok(())
    }

    pub(super) fn connection<'s>(
        exchange: &'s Option<Box<dyn Exchange + 'a>>,
    ) -> &'s (dyn Exchange + 'a) {
        exchange.as_deref().expect("an attempt has a connection")
    }

    fn locate(&mut self, hash_ahead: bool) -> Result<Event, Stop> {
        self.connect()?;
        let exchange = Self::connection(&self.exchange);
        let before = self.protocol.name();
        let key = self.answers.id.clone();
        let locate = || self.protocol.locate(exchange, &self.job, key.as_deref());
        let located = match hash_ahead {
            true => self.source.hash_during(locate),
            false => locate(),
        };
        let mut answer = self.settled(located?, key.as_deref())?;
        self.note_protocol(before);
        let exchange = Self::connection(&self.exchange);
        if self.protocol.abilities().needs_key {
            self.answers.forget_lost(&answer);
        }
        if exchange.link() == Link::Kept && !self.is_proven(&answer)? {
            self.log(LogLevel::Debug, || {
                "the answer may be a late one to an earlier request; asking on a new connection"
                    .to_owned()
            });
            let exchange = Self::connection(&self.exchange);
            exchange.renew();
            let key = self.answers.id.as_deref();
            answer = self.protocol.locate(exchange, &self.job, key)?;
        }
        self.has_sections = answer.sections.is_some() && self.plan.connections > 0;
        if self.has_sections {
            self.source.proof.read_apart();
        }
        self.answers.note(&answer, &self.job);
        self.remember();
        let source = &mut self.source;
        self.answers.agree(answer.agreed, &self.job, source);
        let is_agreed = |digest: &Digest| answer.agreed.is_none_or(|it| digest.algorithm() == it);
        match self.plan.digest_first && !self.job.digests.iter().any(is_agreed) {
            true => Ok(Event::DigestMissing),
            false => Ok(Event::Located(answer)),
        }
    }

    /// Whether something shows that the answer to a locate is about this upload, or believing it
    /// costs no byte.
    pub(super) fn is_proven(&mut self, answer: &Answer) -> Result<bool, Stop> {
        if let Some(told) = self.answers.tells_upload(answer, &self.job) {
            return Ok(told);
        }
        let costs_nothing = answer.state != State::Complete && answer.offset == 0;
        // Where uploads have URLs, the protocol has asked twice by itself.
        if costs_nothing || self.protocol.abilities().needs_key {
            return Ok(true);
        }
        match answer.prefix.filter(|_| self.plan.hashing) {
            Some(digest) => self.source.has_prefix(answer.offset, digest),
            None => Ok(false),
        }
    }
}

/// Gives the engine's next step.
pub(super) fn next(transfer: &mut Transfer, event: Event) -> Step {
    match random::u128() {
        Ok(random) => transfer.handle(event, Instant::now(), random as u64),
        Err(error) => Step::Finish(Err(error)),
    }
}

/// Gives the reason why work ended early. A failure while the program wants a pause or an end
/// counts as an interruption.
pub(super) fn cause(control: &Control, stop: Stop) -> Stop {
    match stop {
        // After a pause it would be sent again.
        Stop::Failed(Error::MayBeStored { .. }) if !control.is_cancelled() => stop,
        _ if control.was_interrupted() => Stop::Interrupted,
        stop => stop,
    }
}
