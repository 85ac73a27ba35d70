//! The upload loop: locate, send from there, locate again after a break, until it is complete.
#![forbid(unsafe_code)]

use std::time::Instant;

use crate::control::log::LogLevel;
use crate::control::rate::Limiter;
use crate::control::snapshot::UploadState;
use crate::control::Control;
use crate::digest::alongside;
use crate::digest::state_file::StateFile;
use crate::digest::{hex, Digest, Digesting};
use crate::engine::budget::Backoff;
use crate::engine::segments::Segments;
use crate::error::{Error, ErrorKind, RefusalKind};
use crate::http::Wire;
use crate::options::{DigestMode, RetryPolicy};
use crate::protocol::{Answer, Job, Outcome, Protocol, Segment, State};
use crate::random;
use crate::run::throttle::Paced;
use crate::source::Source;
use crate::transport::Cutter;

/// A way to the server that the engine can open anew after each break.
pub(crate) trait Line {
    /// Opens a link, and tells how to cut it.
    ///
    /// # Errors
    /// When the settings, or the system's, cannot be used.
    fn open(&self) -> Result<(Box<dyn Wire + '_>, Option<Cutter>), Error>;
}

/// Everything that one run needs.
pub(crate) struct Engine<'a> {
    pub protocol: &'a dyn Protocol,
    pub line: &'a dyn Line,
    pub control: &'a Control,
    pub source: &'a mut dyn Source,
    pub job: Job,
    pub retry: RetryPolicy,
    pub digest: DigestMode,
    /// Where digest states are kept for a later run.
    pub state_file: Option<StateFile>,
    pub segments: Segments,
    /// Limits of the bytes per second: the upload's and the client's.
    pub rates: [&'a Limiter; 2],
}

/// What the run has learnt so far.
struct Progress {
    digest: Digest,
    backoff: Backoff,
    id: Option<String>,
    /// What the server confirmed last; `None` before its first answer.
    offset: Option<u64>,
    /// The most that it ever confirmed: only more than that renews the budgets.
    best: u64,
    /// No claim without proof may go past this: what the server said at first, and what was
    /// sent since.
    ceiling: u64,
    /// The server holds what is not this file's, of this MD5: the next send makes it drop that.
    restart: Option<[u8; 16]>,
    /// 422 answers since the server confirmed more than before.
    corrupt: u32,
    /// The last segment was too large, and there is a smaller size to try.
    smaller: bool,
    /// A session has ended since the server confirmed more than before.
    session_over: bool,
}

enum Next {
    /// Send from here.
    From(u64),
    /// The server has it all.
    Done,
}

impl Engine<'_> {
    /// Uploads until the server has confirmed the whole file.
    pub(crate) fn run(mut self) -> Result<(), Error> {
        let mut progress = Progress {
            digest: Digest::new(
                self.digest != DigestMode::None || self.source.mtime().is_none(),
                self.state_file.take(),
            ),
            backoff: Backoff::new(self.retry),
            id: None,
            offset: None,
            best: 0,
            ceiling: 0,
            restart: None,
            corrupt: 0,
            smaller: false,
            session_over: false,
        };
        self.control.begin(self.job.size);
        if let Err(why) = progress.digest.load() {
            self.control.log(LogLevel::Info, || {
                format!("the state file is of no use: {why}")
            });
        }
        loop {
            if self.control.checkpoint()? {
                progress.backoff.paused();
            }
            let error = match self.attempt(&mut progress) {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            let smaller = std::mem::take(&mut progress.smaller);
            // The host's wish, not a break; the checkpoint knows which.
            if self.control.was_interrupted() || error == Error::Cancelled {
                continue;
            }
            self.refused(&error);
            if smaller {
                self.control
                    .log(LogLevel::Info, || format!("{error}; smaller segments"));
                continue;
            }
            // Logging in again is no retry. But a server that forgets, too, is not asked for ever.
            let session_over = error.kind() == ErrorKind::SessionExpired;
            if session_over && !std::mem::replace(&mut progress.session_over, true) {
                self.control
                    .log(LogLevel::Info, || format!("{error}; a new login"));
                continue;
            }
            self.segments.broken();
            // A server that once spoke the protocol may stand behind a login page by now.
            let strange = matches!(
                error,
                Error::BadResponse { .. } | Error::ResponseTooLong { .. }
            );
            let passing = error.is_passing() || strange && progress.offset.is_some();
            let retry_after = error.refusal().and_then(|refusal| refusal.retry_after);
            let random = random::u128()? as u64;
            let pause = match passing {
                true => progress.backoff.next(Instant::now(), retry_after, random),
                false => None,
            };
            let Some(pause) = pause else {
                self.control
                    .log(LogLevel::Error, || format!("given up: {error}"));
                return Err(error);
            };
            self.control.log(LogLevel::Warn, || {
                format!("{error}; next attempt in {pause:?}")
            });
            self.control.wait(pause);
        }
    }

    /// One attempt: a new link, a locate, and sends until the end or the next break.
    fn attempt(&mut self, progress: &mut Progress) -> Result<(), Error> {
        self.control.attempt();
        self.source.verify()?;
        // Without a time, only its digest tells a source from another one of its name and size.
        let first = self.digest == DigestMode::First || self.source.mtime().is_none();
        if first && self.job.md5.is_none() {
            // Announced to the server: made from the source, not from what a file says.
            progress.digest.distrust();
            self.hash_up_to(&mut progress.digest, self.job.size)?;
            self.job.md5 = Some(hex(progress.digest.md5()));
        }
        let (wire, cutter) = self.line.open()?;
        if let Some(cutter) = cutter {
            self.control.arm(cutter)?;
        }
        self.control.enter(UploadState::Locating);
        let first = progress.offset.is_none();
        let answer = self.locate(&*wire, &mut progress.digest, first)?;
        self.learn(progress, &answer);
        if answer.state == State::Complete && self.complete(progress, &answer, false)? {
            return Ok(());
        }
        let mut offset = self.accept(progress, &answer)?;
        loop {
            match self.send(progress, &*wire, offset)? {
                Next::Done => return Ok(()),
                Next::From(next) => offset = next,
            }
        }
    }

    /// Sends one segment from `offset`.
    fn send(
        &mut self,
        progress: &mut Progress,
        wire: &dyn Wire,
        offset: u64,
    ) -> Result<Next, Error> {
        let length = self.segments.next(self.job.size - offset);
        self.control.log(LogLevel::Debug, || {
            format!("sending {length} bytes from {offset} on")
        });
        let began = Instant::now();
        self.source.seek(offset)?;
        self.control.enter(UploadState::Sending);
        let ends = offset + length == self.job.size;
        let whole = self.job.md5.as_deref().filter(|_| ends);
        let outcome = alongside(&mut progress.digest, length, |feed| {
            let source = &mut *self.source;
            let bytes = Digesting { source, feed };
            let segment = Segment {
                id: progress.id.as_deref(),
                offset,
                length,
                restart: progress.restart,
                bytes: &mut Paced::new(bytes, self.control, self.rates, whole),
            };
            self.protocol.send(wire, &self.job, segment)
        });
        progress.ceiling = progress.ceiling.max(progress.digest.at());
        let outcome = outcome.inspect_err(|error| {
            if let ErrorKind::Refused(RefusalKind::TooLarge) = error.kind() {
                progress.smaller = self.segments.too_large(length);
            }
        });
        match outcome? {
            Outcome::Taken(answer) => {
                self.segments.taken(began.elapsed());
                self.learn(progress, &answer);
                if answer.state == State::Complete {
                    if self.complete(progress, &answer, true)? {
                        return Ok(Next::Done);
                    }
                } else if answer.offset == offset + length {
                    // A restart was obeyed: all it has is from this send.
                    progress.restart = None;
                }
                self.go_on(progress, &answer)
            }
            Outcome::Elsewhere(answer) => {
                self.learn(progress, &answer);
                self.go_on(progress, &answer)
            }
            Outcome::Corrupt(answer) => {
                self.learn(progress, &answer);
                self.corrupt(progress, &answer)
            }
            Outcome::Forgotten(refusal) => {
                progress.id = None;
                self.refused(&refusal);
                Err(Error::BadResponse {
                    why: format!("it does not know the upload that it told of before: {refusal}"),
                })
            }
        }
    }

    /// Goes on from the answered offset if the server has more than before. If not, this attempt
    /// is over: no faster than the back-off, and not for ever.
    fn go_on(&mut self, progress: &mut Progress, answer: &Answer) -> Result<Next, Error> {
        let before = progress.offset;
        let next = self.accept(progress, answer)?;
        if Some(next) > before {
            return Ok(Next::From(next));
        }
        let before = before.unwrap_or(0);
        Err(Error::BadResponse {
            why: format!("bytes from {before} on were for it, and it is at {next} now"),
        })
    }

    fn corrupt(&mut self, progress: &mut Progress, answer: &Answer) -> Result<Next, Error> {
        progress.corrupt += 1;
        self.source.verify()?;
        // Ours may be the wrong one: it is made anew from what is in the file now.
        progress.digest.distrust();
        progress.ceiling = progress.ceiling.min(answer.offset);
        if progress.corrupt > 1 {
            let why = answer.message.clone();
            return Err(Error::DigestMismatch {
                why: why.unwrap_or_else(|| "it gives no details".to_owned()),
            });
        }
        self.accept(progress, answer).map(Next::From)
    }

    /// Makes sure that going on from the answered offset is right, and gets the digest there.
    fn accept(&mut self, progress: &mut Progress, answer: &Answer) -> Result<u64, Error> {
        let claimed = answer.offset;
        let first = progress.offset.is_none();
        let beyond = !first && progress.restart.is_none() && claimed > progress.ceiling;
        let theirs = answer.prefix_md5.filter(|_| progress.digest.is_hashing());
        if theirs.is_none() && beyond {
            let sent = progress.ceiling;
            return Err(Error::BadOffset {
                why: format!("{claimed} bytes, but only {sent} were sent"),
            });
        }
        let ours = match theirs {
            Some(theirs) => self.has_prefix(&mut progress.digest, claimed, theirs)?,
            // What was disproved once stays so until it is proved or gone.
            None => progress.restart.is_none() || claimed == 0,
        };
        if !ours {
            self.control.log(LogLevel::Warn, || {
                format!("the server's first {claimed} bytes are not this file's: from 0 on")
            });
        }
        // Another file's bytes, or damaged ones: none of them is built upon.
        let offset = if ours { claimed } else { 0 };
        progress.restart = match theirs.or(progress.restart) {
            Some(theirs) if !ours => Some(theirs),
            _ => None,
        };
        self.hash_up_to(&mut progress.digest, offset)?;
        progress.digest.confirm();
        if first {
            self.control.log(LogLevel::Info, || {
                format!(
                    "{}: from {offset} of {} bytes on",
                    self.job.name, self.job.size
                )
            });
            self.control.skipped(offset);
        } else if offset > progress.best {
            progress.backoff.progressed();
            progress.corrupt = 0;
            progress.session_over = false;
        }
        progress.best = progress.best.max(offset);
        progress.ceiling = if ours {
            progress.ceiling.max(offset)
        } else {
            0
        };
        progress.offset = Some(offset);
        self.control.confirmed(offset);
        Ok(offset)
    }

    /// Checks that what the server calls complete, in answer to a send or a locate, is this file;
    /// `false` when it is another one, which has to be replaced.
    fn complete(
        &mut self,
        progress: &mut Progress,
        answer: &Answer,
        to_send: bool,
    ) -> Result<bool, Error> {
        let size = self.job.size;
        let first = progress.offset.is_none();
        match answer.prefix_md5.filter(|_| progress.digest.is_hashing()) {
            Some(theirs) => {
                if !self.has_prefix(&mut progress.digest, size, theirs)? {
                    return match first || progress.restart.is_some() {
                        true => Ok(false),
                        false => Err(Error::DigestMismatch {
                            why: "it calls complete what is another file".to_owned(),
                        }),
                    };
                }
            }
            // What was disproved once stays so until it is proved or replaced.
            None if progress.restart.is_some() && !to_send => return Ok(false),
            None if first || progress.ceiling >= size => {}
            None => {
                let sent = progress.ceiling;
                return Err(Error::BadOffset {
                    why: format!("complete, but only {sent} of {size} bytes were sent"),
                });
            }
        }
        // What the server has is what was read; it must still be what the host chose.
        self.source.verify()?;
        if first {
            self.control.skipped(size);
        }
        self.control.confirmed(size);
        self.control
            .log(LogLevel::Info, || format!("complete: {size} bytes"));
        let digest = &mut progress.digest;
        digest.finish();
        let whole = digest.is_hashing() && digest.at() == size;
        let md5 = whole.then(|| hex(digest.md5()));
        let location = answer.location.clone();
        self.control.edit_texts(|texts| {
            texts.md5 = md5;
            texts.location = location;
        });
        Ok(true)
    }

    /// Takes over a refusal's words.
    fn refused(&self, error: &Error) {
        let Some(refusal) = error.refusal() else {
            return;
        };
        let (message, excerpt) = (refusal.message.clone(), refusal.excerpt.clone());
        self.control.edit_texts(|texts| {
            texts.server_message = message;
            texts.server_excerpt = Some(excerpt).filter(|text| !text.is_empty());
        });
    }

    /// Takes over what every answer may bring.
    fn learn(&mut self, progress: &mut Progress, answer: &Answer) {
        if answer.id.is_some() {
            progress.id.clone_from(&answer.id);
        }
        if let Some(most) = answer.max_segment {
            self.segments.announce(most);
        }
        let size = self.job.size;
        self.control.log(LogLevel::Debug, || {
            format!("the server has {} of {size} bytes", answer.offset)
        });
        let (id, message) = (progress.id.clone(), answer.message.clone());
        self.control.edit_texts(|texts| {
            texts.id = id;
            texts.server_message = message;
        });
    }
}
