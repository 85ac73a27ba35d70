//! What comes between an answer and the next send: the source goes to the server's offset, and one
//! without a size is read ahead.

use super::driver::Driver;
use crate::control::log::LogLevel;
use crate::control::snapshot::UploadState;
use crate::control::stop::Stop;
use crate::engine::Event;
use crate::error::Error;

impl Driver<'_> {
    pub(super) fn settle(
        &mut self,
        (offset, held): (u64, u64),
        foreign: Option<u64>,
        is_first: bool,
    ) -> Result<Event, Stop> {
        if let Some(foreign) = foreign {
            self.log(LogLevel::Warn, || {
                format!(
                    "the server's first {foreign} bytes are not this file's; starting again from 0"
                )
            });
        }
        // The digest may be further than the first section that is not whole, and nothing needs it there.
        if !self.has_sections || offset == self.job.size {
            self.source.hash_up_to(offset)?;
            self.source.digest.confirm();
        }
        if let Some(window) = self.source.source.window() {
            window.release(offset)?;
            self.job.is_passed = window.is_passed();
        }
        if is_first {
            let (name, size) = (&self.job.name, self.job.shown_size());
            let protocol = self.protocol.name();
            self.log(LogLevel::Info, || {
                format!("{name}: from {offset} of {size} on, by {protocol}")
            });
            self.control.set_skipped(held);
        }
        self.control.confirm(held);
        Ok(Event::Settled)
    }

    /// Reads the next bytes of a source without a size.
    pub(super) fn fill(&mut self, offset: u64, most: u64) -> Result<Event, Stop> {
        let Some(window) = self.source.source.window() else {
            let why = "a source with a size is not read ahead".to_owned();
            return Err(Error::Internal { why }.into());
        };
        self.control.enter(UploadState::Sending);
        let (length, size) = window.fill(self.control, offset, most)?;
        if let Some(size) = size {
            self.job.size = size;
            self.control.set_size(size);
        }
        let is_over = |limit: &u64| offset + length > *limit;
        match self.protocol.max_size().filter(is_over) {
            Some(limit) => Err(Error::TooLarge { limit }.into()),
            None => Ok(Event::Filled { length, size }),
        }
    }
}
