//! What a run does in protocols in which each upload has a key, and each send a checksum.

use super::driver::Driver;
use super::reading;
use crate::control::log::LogLevel;
use crate::control::snapshot::UploadState;
use crate::control::stop::Stop;
use crate::http::endpoint::Endpoint;
use crate::protocol::{Checksum, ChecksumState, Job};

/// Gives what an upload is created with. The same file under another name is another upload, for one.
pub(super) fn target(endpoint: &Endpoint, job: &Job) -> String {
    let Job {
        name,
        dir,
        user,
        content_type,
        fields,
        ..
    } = job;
    format!(
        "{:?}",
        (
            endpoint.uri().to_string(),
            name,
            dir,
            user,
            content_type,
            fields
        )
    )
}

impl Driver<'_> {
    /// Notes the protocol in which the server has answered; `before` is the one of the request before.
    pub(super) fn note_protocol(&self, before: &str) {
        let name = self.protocol.name();
        if name != before {
            let forgets = match self.source.digest.has_file() {
                true => "",
                false => ", and without a state file a later run begins anew",
            };
            self.log(LogLevel::Warn, || {
                format!(
                    "the server speaks {name}, not form resume: nothing compares the bytes that it has \
                     with the file{forgets}"
                )
            });
        }
        self.control
            .edit_server_info(|info| info.protocol = Some(name));
    }

    /// Saves the upload's key, if a later run needs it.
    pub(super) fn remember(&mut self) {
        if !self.protocol.abilities().needs_key {
            return;
        }
        let Some(key) = &self.answers.id else {
            return;
        };
        if let Err(line) = self.source.digest.remember(self.protocol.name(), key) {
            self.log(LogLevel::Warn, || line);
        }
    }

    /// Computes the checksum that goes before these bytes, if there is one.
    pub(super) fn checksum(&mut self, offset: u64, length: u64) -> Result<Option<Checksum>, Stop> {
        let Some(algorithm) = self.protocol.abilities().checksum else {
            return Ok(None);
        };
        self.control.enter(UploadState::Hashing);
        let mut state = ChecksumState::new(algorithm);
        let source = &mut *self.source.source;
        reading::read(source, self.control, (offset, offset + length), |bytes| {
            state.update(bytes);
        })?;
        Ok(Some(state.finish()))
    }
}
