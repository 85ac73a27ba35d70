//! One send, and what came of it.

use resup_digests::Digest;

use super::driver::{Driver, DEAD, MAX_DEAD};
use super::pace::Pace;
use super::throttle::{FileEnd, ThrottledReader};
use crate::control::log::LogLevel;
use crate::control::snapshot::UploadState;
use crate::control::stop::Stop;
use crate::digest::in_background;
use crate::engine::{Event, PartId};
use crate::error::Error;
use crate::http::Link;
use crate::protocol::{Outcome, Segment};

impl Driver<'_> {
    /// Sends a segment, and notes what its outcome tells.
    pub(super) fn send_segment(
        &mut self,
        part: PartId,
        (offset, length): (u64, u64),
        restart: Option<Digest>,
    ) -> Event {
        let result = self.send(offset, length, restart);
        let read = self.source.digest.at();
        if let Ok(outcome) = &result {
            let id = self.answers.id.clone();
            let (source, job) = (&mut self.source, &self.job);
            self.answers.note_outcome(outcome, job, source);
            self.note_protocol(self.protocol.name());
            if self.answers.id != id || self.protocol.record().is_some() {
                self.remember();
            }
        }
        Event::Sent {
            part,
            read,
            result: result.map_err(|stop| self.unsent(stop)),
        }
    }

    fn send(&mut self, offset: u64, length: u64, restart: Option<Digest>) -> Result<Outcome, Stop> {
        self.log(LogLevel::Debug, || {
            format!("sending {length} bytes from {offset} on")
        });
        let checksum = self.checksum(offset, length)?;
        self.source.source.seek(offset)?;
        self.read_back = None;
        // After parts there is none.
        if self.exchange.is_none() {
            self.exchange = Some(self.connector.connect()?);
        }
        self.control.enter(match length {
            // The server has all bytes, and is asked for the file.
            0 => UploadState::Verifying,
            _ => UploadState::Sending,
        });
        let unchecked = checksum.as_ref().map(|_| (offset, offset + length));
        self.unchecked = unchecked.into_iter().collect();
        let ends_file = offset + length == self.job.size;
        let end = ends_file.then_some(FileEnd {
            announced: &self.job.digests,
            proof: &mut self.source.proof,
            size: self.job.size,
        });
        let exchange = Self::connection(&self.exchange);
        let outcome = in_background(&mut self.source.digest, length, |sink| {
            let source = &mut *self.source.source;
            let segment = Segment {
                id: self.answers.id.as_deref(),
                offset,
                length,
                restart,
                part: None,
                checksum,
                bytes: &mut ThrottledReader::new(
                    source,
                    sink,
                    Pace::new(self.control, self.rates),
                    end,
                ),
            };
            self.protocol.send(exchange, &self.job, segment)
        })?;
        self.dead_sends = 0;
        self.unchecked.clear();
        Ok(outcome)
    }

    /// Decides on a send that failed. If it found the connection dead, it is no failure of the
    /// server: for the engine that is as if the program had paused and resumed, so it asks the
    /// server at once, on a new connection.
    pub(super) fn unsent(&mut self, stop: Stop) -> Stop {
        let cause = self.cause(stop);
        let link = self.exchange.as_ref().map(|exchange| exchange.link());
        let may_be_stored = matches!(cause, Stop::Failed(Error::MayBeStored { .. }));
        if may_be_stored
            || cause == Stop::Interrupted
            || link != Some(Link::Dead)
            || self.dead_sends == MAX_DEAD
        {
            return cause;
        }
        self.dead_sends += 1;
        self.log(LogLevel::Info, || DEAD.to_owned());
        Stop::Interrupted
    }
}
