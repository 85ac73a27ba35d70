//! Sending parts at a time.

use std::mem;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread::{self, Builder};
use std::time::{Duration, Instant};

use super::digest_ahead::{DigestAhead, EndOnDrop, MAX_AHEAD};
use super::driver::{cause, next, Driver, DEAD, MAX_DEAD};
use super::hashed_source::has_range;
use super::senders::{Common, Ended, Senders};
use crate::control::log::LogLevel;
use crate::control::stop::Stop;
use crate::control::Control;
use crate::digest::RollingDigest;
use crate::engine::{Event, PartSend, Step, Transfer};
use crate::protocol::Outcome;
use crate::random;

/// The time between two measures of the rate.
const INTERVAL: Duration = Duration::from_millis(200);

impl Driver<'_> {
    /// Carries out steps as long as they are about parts; gives the next one.
    pub(super) fn send_parts(&mut self, transfer: &mut Transfer, first: Step) -> Step {
        // The first sender takes it over.
        self.exchange = None;
        let key = match random::u128() {
            Ok(random) => self
                .part_key
                .get_or_insert_with(|| format!("{random:032x}")),
            Err(error) => return Step::Finish(Err(error)),
        };
        let (algorithm, checksum) = (
            self.source.digest.algorithm(),
            self.protocol.abilities().checksum,
        );
        let (has_sections, size) = (self.has_sections, self.job.size);
        let common = Common {
            protocol: self.protocol,
            control: self.control,
            rates: self.rates,
            job: &self.job,
            // Nobody looks at the digest of a section's part.
            algorithm: algorithm.filter(|_| !has_sections),
            checksum,
            key,
            sent: AtomicU64::new(0),
        };
        let state_file = self.source.digest.file();
        let digest = mem::replace(&mut self.source.digest, RollingDigest::new(None, None));
        let mut offset = digest.at();
        let digested = offset;
        let ahead = DigestAhead::new(digest);
        let (control, answers) = (self.control, &mut self.answers);
        let (dead, unchecked) = (&mut self.dead_sends, &mut self.unchecked);
        let source = &*self.source.source;
        let step = thread::scope(|scope| {
            let _guard = EndOnDrop(&ahead);
            if let (Some(_), Ok(mut other)) = (algorithm, source.another()) {
                let builder = Builder::new().name("resup-ahead".to_owned());
                let ahead = &ahead;
                let run = move || {
                    let _ = ahead.run(&mut *other, control);
                };
                // Without it, the digest is made at the end.
                let _ = builder.spawn_scoped(scope, run);
            }
            let mut senders = Senders::new(scope, &common, self.connector);
            let (mut step, mut end, mut measure_at) = (first, 0, Instant::now() + INTERVAL);
            loop {
                match step {
                    Step::SendParts { sends, abort } => {
                        if abort {
                            control.abort_exchanges();
                        }
                        for send in sends {
                            end = end.max(send.offset + send.length);
                            senders.begin(send, answers.id.clone(), source);
                        }
                        ahead.raise(match has_sections {
                            // It takes as long as the sending.
                            true => size.min(digested + common.sent.load(Relaxed)),
                            false => end.min(offset + MAX_AHEAD),
                        });
                    }
                    Step::CompareRange(range) => {
                        let other = source.another().map_err(Stop::from);
                        let equal = other.and_then(|mut it| has_range(&mut *it, control, range));
                        step = next(
                            transfer,
                            match equal {
                                Ok(equal) => Event::Compared { equal },
                                Err(stop) => Event::Stopped(cause(control, stop)),
                            },
                        );
                        continue;
                    }
                    step => {
                        // Only after a defect a part can be under way.
                        if senders.is_busy() {
                            control.abort_exchanges();
                        }
                        return step;
                    }
                }
                let now = Instant::now();
                let ended = match now < measure_at {
                    true => senders.wait(measure_at),
                    false => None,
                };
                let event = match ended {
                    Some(ended) => {
                        if let Ok(outcome) = &ended.result {
                            answers.note_part(outcome, common.job);
                        }
                        if ended.result.is_err() && checksum.is_some() {
                            unchecked.push((ended.from, ended.read));
                        }
                        if let Ok(Outcome::Accepted(answer)) = &ended.result {
                            if let (Some(file), Some(record)) =
                                (&state_file, common.protocol.record())
                            {
                                // A disk that is full is no reason to end an upload.
                                let _ = file.save_upload(common.protocol.name(), &record);
                            }
                            offset = offset.max(answer.offset);
                            ahead.confirm(offset);
                            *dead = 0;
                        }
                        event(control, ended, senders.is_busy(), dead)
                    }
                    None => {
                        measure_at = now.max(measure_at) + INTERVAL;
                        Event::Measured {
                            sent: common.sent.load(Relaxed),
                            under_way: senders.under_way(),
                        }
                    }
                };
                step = next(transfer, event);
            }
        });
        self.source.digest = ahead.into_digest();
        step
    }
}

/// Counts the bytes of a part that has ended, and makes an event of it. `others` go on, or none. `dead` sends in a
/// row have found their connection dead.
pub(super) fn event(control: &Control, ended: Ended, others: bool, dead: &mut u32) -> Event {
    let PartSend {
        part,
        offset,
        length,
        ..
    } = ended.send;
    match &ended.result {
        Ok(Outcome::Accepted(answer)) if answer.shows(offset, offset + length) => {
            control.confirm_part(length);
        }
        _ => control.lose_part(ended.read - ended.from),
    }
    let mut result = ended.result.map_err(|stop| cause(control, stop));
    if ended.was_dead && !others && *dead < MAX_DEAD {
        *dead += 1;
        control.log(LogLevel::Info, || DEAD.to_owned());
        // It is no failure of the server: the engine asks it at once, on a new connection.
        result = Err(Stop::Interrupted);
    }
    if let (Err(Stop::Failed(error)), true) = (&result, others) {
        control.log(LogLevel::Info, || {
            format!("{error}; this part is sent again, and other parts go on")
        });
    }
    Event::Sent {
        part,
        read: ended.read,
        result,
    }
}
