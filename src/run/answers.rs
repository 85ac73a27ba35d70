//! What a run learns from the server's answers.

use resup_digests::Algorithm;

use super::hashed_source::HashedSource;
use super::ids::KnownIds;
use super::learned_digest::LearnedDigest;
use super::learned_store::LearnedStore;
use crate::control::log::LogLevel;
use crate::control::Control;
use crate::error::Error;
use crate::protocol::{Answer, Job, Outcome, State};

/// What a run has learned from answers: for its later requests, for the program, and for the client's
/// other uploads.
pub(super) struct Answers<'a> {
    pub control: &'a Control,
    pub ids: &'a KnownIds,
    pub learned_digest: &'a LearnedDigest,
    pub learned_store: &'a LearnedStore,
    /// The server's key of the upload.
    pub id: Option<String>,
}

impl Answers<'_> {
    /// Whether the id in an answer is that of this upload; `None` where the id does not tell.
    pub(super) fn tells_upload(&self, answer: &Answer, job: &Job) -> Option<bool> {
        let id = answer.id.as_deref()?;
        match self.id.as_deref() {
            Some(known) => Some(known == id),
            None => self
                .ids
                .belongs_to_another(id, job, answer.agreed)
                .then_some(false),
        }
    }

    /// Forgets the key of an upload that the server no longer has, if it has begun another one.
    pub(super) fn forget_lost(&mut self, answer: &Answer) {
        if self.id.is_some() && answer.id == self.id {
            return;
        }
        let (level, line) = match self.id.take() {
            Some(_) if answer.sections.is_some() => (
                LogLevel::Warn,
                "the server no longer has all partial uploads of the file; those begin anew",
            ),
            Some(_) => (
                LogLevel::Warn,
                "the server no longer has the upload that was begun; a new one begins",
            ),
            None => (
                LogLevel::Info,
                "nothing is known of an earlier upload of this file; a new one begins",
            ),
        };
        self.control.log(level, || line.to_owned());
    }

    /// Notes the values of an answer.
    pub(super) fn note(&mut self, answer: &Answer, job: &Job) {
        if let Some(id) = &answer.id {
            self.ids.note(id, job, answer.agreed);
            self.id = Some(id.clone());
        }
        if let Some(small) = answer.small {
            self.learned_store.set(small);
        }
        let (offset, size) = (answer.offset, job.shown_size());
        self.control.log(LogLevel::Debug, || {
            let ranges = answer.ranges.chunk_by(|one, next| one.to == next.from);
            let behind = ranges.map(|it| (it[0].from, it[it.len() - 1].to));
            let sections = answer.sections.iter().flat_map(|it| it.held.clone());
            let behind: String = behind
                .chain(sections)
                .map(|(from, to)| format!(", {from} to {to}"))
                .collect();
            format!("the server has {offset} of {size}{behind}")
        });
        let (id, message) = (self.id.clone(), answer.message.clone());
        self.control.edit_server_info(|info| {
            info.id = id;
            info.message = message;
            info.failure = None;
        });
    }

    /// Notes the outcome of a part.
    pub(super) fn note_part(&mut self, outcome: &Outcome, job: &Job) {
        match outcome {
            Outcome::Accepted(answer)
            | Outcome::OffsetMismatch(answer)
            | Outcome::ChecksumMismatch(answer) => self.note(answer, job),
            Outcome::UnknownUpload(refusal) => {
                // No other upload can begin of a source whose first bytes are gone, so this one is asked for again.
                if !job.is_passed {
                    self.id = None;
                }
                self.note_refusal(refusal);
            }
        }
    }

    /// Notes the outcome of a send.
    pub(super) fn note_outcome(
        &mut self,
        outcome: &Outcome,
        job: &Job,
        source: &mut HashedSource<'_>,
    ) {
        self.note_part(outcome, job);
        match outcome {
            Outcome::Accepted(answer)
            | Outcome::OffsetMismatch(answer)
            | Outcome::ChecksumMismatch(answer)
                // In the end the digest of all that was sent is still needed.
                if answer.state != State::Complete =>
            {
                self.agree(answer.agreed, job, source);
            }
            _ => {}
        }
    }

    /// Goes on with the digest that an answer has agreed to.
    pub(super) fn agree(
        &self,
        agreed: Option<Algorithm>,
        job: &Job,
        source: &mut HashedSource<'_>,
    ) {
        let Some(agreed) = agreed else {
            return;
        };
        // What was asked for by name tells nothing about what the server likes.
        if job.offer.len() > 1 {
            self.learned_digest.set(agreed);
        }
        if source.agree(agreed) {
            self.control.log(LogLevel::Debug, || {
                format!("the server compares by {}", agreed.label())
            });
        }
        let algorithm = source.digest.algorithm();
        self.control
            .edit_server_info(|info| info.algorithm = algorithm);
    }

    /// Notes the words of a refusal, for the program.
    pub(super) fn note_refusal(&self, error: &Error) {
        note_refusal(self.control, error);
    }
}

/// Notes the words of a refusal, for the program.
pub(super) fn note_refusal(control: &Control, error: &Error) {
    let Some(refusal) = error.refusal() else {
        return;
    };
    let (message, excerpt) = (refusal.message.clone(), refusal.excerpt.clone());
    control.edit_server_info(|info| {
        info.message = message;
        info.excerpt = Some(excerpt).filter(|text| !text.is_empty());
    });
}
