//! The upload loop: locate, send from there, locate again after a break, until it is complete.
#![forbid(unsafe_code)]

#[cfg(test)]
mod tests;

use crate::body::digest::{Digest, Digesting};
use crate::body::hasher::alongside;
use crate::body::pace::Paced;
use crate::body::source::Source;
use crate::control::{Control, UploadState};
use crate::error::Error;
use crate::protocol::{Answer, Job, Outcome, Protocol, Segment, State};
use crate::random;
use crate::retry::{Backoff, Policy};
use crate::transport::{Cutter, Wire};

/// A way to the server that the engine can open anew after each break.
pub(crate) trait Line {
    /// Opens a link, and tells how to cut it.
    fn open(&self) -> (Box<dyn Wire + '_>, Option<Cutter>);
}

/// Everything that one run needs.
pub(crate) struct Engine<'a> {
    pub protocol: &'a dyn Protocol,
    pub line: &'a dyn Line,
    pub control: &'a Control,
    pub source: &'a mut dyn Source,
    pub job: &'a Job,
    pub retry: Policy,
    /// The most file bytes in one send, where the host wants a limit.
    pub segment_size: Option<u64>,
}

/// What the run has learnt so far.
struct Progress {
    digest: Digest,
    backoff: Backoff,
    id: Option<String>,
    max_segment: Option<u64>,
    /// What the server confirmed last; `None` before its first answer.
    offset: Option<u64>,
    /// No claim of the server may go past this: what it said at first, and what was sent since.
    ceiling: u64,
    /// The server holds what is not this file's: the next send makes it drop that.
    restart: bool,
    /// 422 answers in a row.
    corrupt: u32,
}

/// The first bytes of an uploaded file are read in steps of this size for the digest.
const HASH_STEP: usize = 128 * 1024;

impl Engine<'_> {
    /// Uploads until the server has confirmed the whole file.
    pub(crate) fn run(mut self) -> Result<(), Error> {
        let mut progress = Progress {
            digest: Digest::new(),
            backoff: Backoff::new(self.retry),
            id: None,
            max_segment: None,
            offset: None,
            ceiling: 0,
            restart: false,
            corrupt: 0,
        };
        self.control.begin(self.job.size);
        loop {
            self.control.checkpoint()?;
            let error = match self.attempt(&mut progress) {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            // The host's wish; the checkpoint knows which.
            if self.control.is_interrupted() || error == Error::Cancelled {
                continue;
            }
            if let Some(refusal) = error.refusal() {
                let message = refusal.message.clone();
                self.control
                    .edit_texts(|texts| texts.server_message = message);
            }
            // A server that once spoke the protocol may stand behind a login page by now.
            let passing = error.is_passing()
                || matches!(error, Error::BadAnswer { .. }) && progress.offset.is_some();
            if !passing {
                return Err(error);
            }
            let retry_after = error.refusal().and_then(|refusal| refusal.retry_after);
            match progress.backoff.next(retry_after, random::u128()? as u64) {
                Some(pause) => self.control.wait(pause),
                None => return Err(error),
            }
        }
    }

    /// One attempt: a new link, a locate, and sends until the end or the next break.
    fn attempt(&mut self, progress: &mut Progress) -> Result<(), Error> {
        self.control.attempt();
        self.source.verify()?;
        let (wire, cutter) = self.line.open();
        if let Some(cutter) = cutter {
            self.control.arm(cutter)?;
        }
        self.control.enter(UploadState::Locating);
        let answer = self.protocol.locate(&*wire, self.job)?;
        self.learn(progress, &answer);
        if answer.state == State::Complete {
            return self.complete(progress, &answer);
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
        let most = [self.segment_size, progress.max_segment];
        let most = most.into_iter().flatten().min().unwrap_or(u64::MAX);
        let length = (self.job.size - offset).min(most);
        let end = offset + length;
        self.source.seek(offset)?;
        self.control.confirmed(offset);
        self.control.enter(UploadState::Sending);
        let outcome = alongside(&mut progress.digest, length, |feed| {
            let source = &mut *self.source;
            let segment = Segment {
                id: progress.id.as_deref(),
                offset,
                length,
                restart: progress.restart,
                bytes: &mut Paced::new(Digesting { source, feed }, self.control),
            };
            self.protocol.send(wire, self.job, segment)
        });
        progress.ceiling = progress.ceiling.max(progress.digest.at());
        let answer = match outcome? {
            Outcome::Taken(answer) => {
                progress.corrupt = 0;
                answer
            }
            Outcome::Elsewhere(answer) => {
                self.learn(progress, &answer);
                return self.stuck(progress, offset, &answer);
            }
            Outcome::Corrupt(answer) => {
                self.learn(progress, &answer);
                return self.corrupt(progress, &answer);
            }
            Outcome::Forgotten => {
                progress.id = None;
                return Err(Error::BadAnswer {
                    why: "it does not know the upload that it told of before".to_owned(),
                });
            }
        };
        self.learn(progress, &answer);
        if answer.state == State::Complete {
            if end != self.job.size {
                return Err(Error::ImpossibleOffset {
                    why: format!("complete after {end} of {} bytes", self.job.size),
                });
            }
            return self.complete(progress, &answer).map(|()| Next::Done);
        }
        if answer.offset <= offset {
            return self.stuck(progress, offset, &answer);
        }
        self.accept(progress, &answer).map(Next::From)
    }

    /// The server did not move although it was sent bytes, or says it is elsewhere.
    fn stuck(
        &mut self,
        progress: &mut Progress,
        sent_from: u64,
        answer: &Answer,
    ) -> Result<Next, Error> {
        if answer.offset != sent_from {
            let before = progress.offset;
            let next = self.accept(progress, answer)?;
            if before.is_none_or(|before| next > before) {
                return Ok(Next::From(next));
            }
        }
        // No faster than the back-off, and not for ever.
        Err(Error::BadAnswer {
            why: format!(
                "it stays at offset {} although bytes from {sent_from} on were sent",
                answer.offset
            ),
        })
    }

    fn corrupt(&mut self, progress: &mut Progress, answer: &Answer) -> Result<Next, Error> {
        progress.corrupt += 1;
        self.source.verify()?;
        // Ours may be the wrong one: it is made anew from what is in the file now.
        progress.digest = Digest::new();
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
        let known = progress.offset.is_none() || claimed <= progress.ceiling;
        if answer.prefix_md5.is_none() && !known {
            let sent = progress.ceiling;
            return Err(Error::ImpossibleOffset {
                why: format!("{claimed} bytes, but only {sent} were sent"),
            });
        }
        self.hash_up_to(&mut progress.digest, claimed)?;
        let proven = answer
            .prefix_md5
            .map(|theirs| theirs == progress.digest.md5());
        let offset = match proven {
            // Another file's bytes, or damaged ones: none of them is built upon.
            Some(false) => {
                self.hash_up_to(&mut progress.digest, 0)?;
                0
            }
            Some(true) | None => claimed,
        };
        progress.restart = offset != claimed;
        match progress.offset {
            None => self.control.skipped(offset),
            Some(before) if offset > before => progress.backoff.progressed(),
            Some(_) => {}
        }
        progress.digest.confirm();
        progress.offset = Some(offset);
        progress.ceiling = progress.ceiling.max(offset);
        self.control.confirmed(offset);
        Ok(offset)
    }

    /// Reads the source until the digest covers its first `offset` bytes.
    fn hash_up_to(&mut self, digest: &mut Digest, offset: u64) -> Result<(), Error> {
        digest.rewind(offset);
        if digest.at() == offset {
            return Ok(());
        }
        self.control.enter(UploadState::Hashing);
        self.source.seek(digest.at())?;
        let mut left = offset - digest.at();
        let mut buf = vec![0; HASH_STEP];
        alongside(digest, left, |feed| {
            let source = &mut *self.source;
            let mut digesting = Digesting { source, feed };
            while left > 0 {
                self.control.check()?;
                let most = usize::try_from(left).unwrap_or(usize::MAX);
                let most = most.min(buf.len());
                left -= digesting.read(&mut buf[..most])? as u64;
            }
            Ok(())
        })
    }

    fn complete(&mut self, progress: &mut Progress, answer: &Answer) -> Result<(), Error> {
        // What the server has is what was read; it must still be what the host chose.
        self.source.verify()?;
        if progress.offset.is_none() {
            self.control.skipped(self.job.size);
        }
        self.control.confirmed(self.job.size);
        let digest = &progress.digest;
        let md5 = (digest.at() == self.job.size).then(|| crate::body::digest::hex(digest.md5()));
        let location = answer.location.clone();
        self.control.edit_texts(|texts| {
            texts.md5 = md5;
            texts.location = location;
        });
        Ok(())
    }

    /// Takes over what every answer may bring.
    fn learn(&self, progress: &mut Progress, answer: &Answer) {
        if answer.id.is_some() {
            progress.id.clone_from(&answer.id);
        }
        if answer.max_segment.is_some() {
            progress.max_segment = answer.max_segment;
        }
        let (id, message) = (progress.id.clone(), answer.message.clone());
        self.control.edit_texts(|texts| {
            texts.id = id;
            texts.server_message = message;
        });
    }
}

enum Next {
    /// Send from here.
    From(u64),
    /// The server has it all.
    Done,
}
