//! What a run does in protocols in which each upload has a key, and each send a checksum.

use std::time::Duration;

use resup_digests::Digest;

use super::driver::Driver;
use super::reading;
use crate::control::log::LogLevel;
use crate::control::snapshot::UploadState;
use crate::control::stop::Stop;
use crate::error::rounded;
use crate::http::endpoint::Endpoint;
use crate::protocol::{Answer, Checksum, ChecksumState, Job, State};

/// The waits for a server that may drop bytes of a send that was cut.
pub(super) const SETTLING: [Duration; 3] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
];

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
    let endpoint = endpoint.uri().to_string();
    let parts = (endpoint, name, dir, user, content_type, fields);
    serde_json::to_string(&parts).unwrap_or_default()
}

impl Driver<'_> {
    /// Logs what connection and protocol have to say.
    pub(super) fn log_notes(&self) {
        for note in self.exchange.iter().flat_map(|exchange| exchange.notes()) {
            self.log(LogLevel::Debug, || note);
        }
        for (level, line) in self.protocol.notes() {
            self.log(level, || line);
        }
    }

    /// Notes the protocol in which the server has answered; `before` is the one of the request before.
    pub(super) fn note_protocol(&mut self, before: &str) {
        let name = self.protocol.name();
        if name != before {
            // The key of another protocol tells nothing here.
            self.answers.id = None;
        }
        let abilities = self.protocol.abilities();
        if name != before && !abilities.proves_prefix {
            let what = match (abilities.needs_key, self.source.digest.has_file()) {
                (false, _) => "only the last of the bytes that it has are compared with the file's",
                (true, true) => "nothing compares the bytes that it has with the file",
                (true, false) => {
                    "nothing compares the bytes that it has with the file, and without a state file \
                     another process begins anew"
                }
            };
            self.log(LogLevel::Warn, || match before {
                "auto" => format!(
                    "a stream whose size is not known goes by {name}: nothing compares the bytes that the \
                     server has with the stream, and no other process can go on with it"
                ),
                _ => format!(
                    "the server speaks {name}, not form resume: {what}"
                ),
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
        let Some(key) = self.protocol.record().or_else(|| self.answers.id.clone()) else {
            return;
        };
        if let Err(line) = self.source.digest.remember(self.protocol.name(), &key) {
            self.log(LogLevel::Warn, || line);
        }
    }

    /// Takes an answer once the server may drop nothing more: of a send with a checksum that was cut, it
    /// keeps nothing, but some servers say so only a moment later.
    pub(super) fn settled(&mut self, answer: Answer, key: Option<&str>) -> Result<Answer, Stop> {
        let (mut answer, size) = (answer, self.job.size);
        let needs_key = self.protocol.abilities().needs_key;
        if let Some(digest) = answer.prefix.filter(|_| needs_key) {
            // A server that proves its bytes drops none of them later.
            self.unchecked.clear();
            return self.prove(answer, digest);
        }
        if self.protocol.abilities().checksum.is_none() {
            return Ok(answer);
        }
        for wait in SETTLING {
            let is_inside = |at: u64| {
                self.unchecked
                    .iter()
                    .any(|(from, to)| *from < at && at < *to)
            };
            let may_change = answer.ends().filter(|at| *at < size).any(is_inside);
            if answer.state == State::Complete || !may_change {
                break;
            }
            let offset = answer.offset;
            self.log(LogLevel::Info, || {
                format!(
                    "the server has {offset} bytes, the last of which no checksum has proved; asking again in {}",
                    rounded(wait)
                )
            });
            self.control.sleep(wait)?;
            let exchange = Self::connection(&self.exchange);
            let known = answer.id.clone();
            let key = known.as_deref().or(key);
            answer = self.protocol.locate(exchange, &self.job, key)?;
        }
        self.unchecked.clear();
        Ok(answer)
    }

    /// Takes an answer of a server that proves what it has of an upload with a key. If these are not the file's bytes, a
    /// new upload begins.
    fn prove(&mut self, answer: Answer, digest: Digest) -> Result<Answer, Stop> {
        let is_known = self.source.digest.algorithm() == Some(digest.algorithm());
        // A stream that is read once cannot begin anew.
        let is_compared = self.plan.hashing && is_known && self.source.source.window().is_none();
        if !is_compared || self.source.has_prefix(answer.offset, digest)? {
            return Ok(answer);
        }
        let offset = answer.offset;
        self.log(LogLevel::Warn, || {
            format!("the server's first {offset} bytes are not this file's; a new upload begins")
        });
        let exchange = Self::connection(&self.exchange);
        Ok(self.protocol.locate(exchange, &self.job, None)?)
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
