//! The end of an upload, and that of an attempt.

use resup_digests::Digest;

use super::driver::Driver;
use crate::control::log::LogLevel;
use crate::control::stop::Stop;
use crate::engine::{Event, Remedy};
use crate::error::{rounded, Error};

impl Driver<'_> {
    pub(super) fn conclude(
        &mut self,
        location: Option<String>,
        is_first: bool,
    ) -> Result<Event, Stop> {
        // The server has the bytes that were read; the source must still have the same.
        self.source.prove()?;
        let size = self.job.size;
        if is_first {
            self.control.set_skipped(size);
        }
        self.control.confirm(size);
        self.log(LogLevel::Info, || format!("complete: {size} bytes"));
        self.source.digest.finish();
        let digest = self.whole_digest()?;
        let algorithm = self.source.digest.algorithm();
        let algorithm = algorithm.or(digest.map(|digest| digest.algorithm()));
        self.control.edit_server_info(|info| {
            info.algorithm = algorithm;
            info.digest = digest;
            info.location = location;
        });
        Ok(Event::Concluded)
    }

    /// Gives the digest of the whole source, if all of it was read for one.
    pub(super) fn whole_digest(&self) -> Result<Option<Digest>, Stop> {
        let (digest, size) = (&self.source.digest, self.job.size);
        let is_whole = digest.algorithm().is_some() && digest.at() == size;
        Ok(match self.source.source.window() {
            Some(window) => {
                window.release(size)?;
                window.digest()
            }
            None => is_whole.then(|| digest.digest()),
        })
    }

    pub(super) fn recheck(&mut self) -> Result<Event, Stop> {
        self.source.source.verify()?;
        // Our digest may be the wrong one: it is made anew from the file as it is now.
        if self.protocol.abilities().proves_prefix {
            self.source.digest.invalidate();
        }
        Ok(Event::Rechecked)
    }

    pub(super) fn recover(&mut self, error: &Error, remedy: Remedy) -> Result<Event, Stop> {
        // Another response may still come on this connection.
        if let Some(exchange) = self.exchange.take() {
            exchange.renew();
        }
        self.answers.note_refusal(error);
        match remedy {
            Remedy::SmallerSegments => {
                self.log(LogLevel::Info, || format!("{error}; smaller segments"));
            }
            Remedy::NewLogin => self.log(LogLevel::Info, || error.to_string()),
            Remedy::Wait(pause) => {
                self.log(LogLevel::Warn, || {
                    format!("{error}; next attempt in {}", rounded(pause))
                });
                let failure = Some(error.clone());
                self.control.edit_server_info(|info| info.failure = failure);
                self.control.wait(pause);
            }
        }
        match self.control.was_interrupted() {
            true => Err(Stop::Interrupted),
            false => Ok(Event::Recovered),
        }
    }

    pub(super) fn finish(&self, result: Result<(), Error>) -> Result<(), Error> {
        if let Err(error) = &result {
            self.answers.note_refusal(error);
            self.log(LogLevel::Error, || format!("given up: {error}"));
        }
        result
    }
}
