//! Asking what the server has of a file.

use super::place::Place;
use super::stored::Stored;
use super::Dav;
use crate::error::Error;
use crate::http::Exchange;
use crate::protocol::{Answer, Job, Outcome, State, Tail};

impl Dav<'_> {
    /// Asks what the server has, and makes an answer of it. `sent` says up to which offset the run has
    /// just sent bytes: those of a file that is not yet complete need not be compared.
    pub(super) fn ask(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        (place, sent): (&Place, Option<u64>),
    ) -> Result<Answer, Error> {
        let stored = Stored::ask(exchange, &place.url)?;
        let (is_ours, is_whole) = {
            let mut known = self.known();
            known.stored.clone_from(&stored);
            (known.is_ours, known.is_whole)
        };
        let answer = self.answer();
        let stored = match stored {
            Some(stored) if stored.length > 0 => stored,
            Some(_) if job.size == 0 => return Ok(self.complete(job, place)),
            _ => return Ok(answer),
        };
        let conflict = |why: String| Error::OtherFile {
            at: place.shown(),
            why,
        };
        let (length, size) = (stored.length, job.size);
        if length > size {
            return Err(conflict(format!(
                "it has {length} bytes, and this one has {size}"
            )));
        }
        if length < size && sent == Some(length) && !is_whole {
            return Ok(Answer {
                state: State::Partial,
                offset: length,
                ..answer
            });
        }
        let bytes = stored.tail(exchange, &place.url)?;
        self.known().last = bytes.map(|bytes| bytes.byte);
        if bytes.is_none() && !is_ours {
            return Err(conflict(format!(
                "it has {length} bytes, and the server does not give them to be compared with the \
                 {size} bytes of this one"
            )));
        }
        let tail = bytes.map(|bytes| {
            Box::new(Tail {
                bytes: bytes.range,
                // Even one that the run has begun may be another program's by now.
                conflict: Some(conflict(format!(
                    "the last of its {length} bytes are not this file's"
                ))),
            })
        });
        Ok(match length == size {
            true => Answer {
                tail,
                ..self.complete(job, place)
            },
            // It is replaced as a whole, and compared all the same.
            false if is_whole => Answer { tail, ..answer },
            false => Answer {
                state: State::Partial,
                offset: length,
                tail,
                ..answer
            },
        })
    }

    /// Makes the answer of a server that has nothing.
    pub(super) fn answer(&self) -> Answer {
        Answer {
            grain: self.known().is_whole.then_some(u64::MAX),
            ..Answer::new(State::New, 0)
        }
    }

    /// Makes the answer of a server that has the whole file.
    pub(super) fn complete(&self, job: &Job, place: &Place) -> Answer {
        Answer {
            state: State::Complete,
            offset: job.size,
            location: Some(place.url.uri().to_string()),
            ..self.answer()
        }
    }

    /// Asks again, after the server has refused a request because its file is another one.
    pub(super) fn ask_after_412(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        place: &Place,
    ) -> Result<Outcome, Error> {
        exchange.renew();
        let before = self.known().stored.clone();
        let answer = self.ask(exchange, job, (place, None))?;
        let mut known = self.known();
        if let (Some(stored), Some(before)) = (&known.stored, before) {
            // The run ends if the last bytes are not equal.
            let is_compared = answer.tail.is_some() || stored.length == 0;
            known.has_odd_tags |= stored.length == before.length && is_compared;
        }
        Ok(Outcome::OffsetMismatch(answer))
    }
}
