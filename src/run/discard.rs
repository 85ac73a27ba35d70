//! Taking an upload back at the server.

use std::time::Instant;

use resup_digests::{Algorithm, State};

use super::answers::note_refusal;
use super::connector::Connector;
use super::driver::cause;
use super::reading;
use crate::control::log::LogLevel;
use crate::control::snapshot::UploadState;
use crate::control::stop::Stop;
use crate::control::Control;
use crate::engine::Budget;
use crate::error::{rounded, Error};
use crate::options::{DigestMode, RetryPolicy};
use crate::protocol::{Job, Protocol};
use crate::random;
use crate::source::Source;

/// What it takes to discard an upload.
pub(super) struct Discard<'a> {
    pub protocol: &'a dyn Protocol,
    pub connector: &'a dyn Connector,
    pub control: &'a Control,
    pub source: &'a mut dyn Source,
    pub job: Job,
    /// The server's key of the upload, where an earlier run has saved it.
    pub key: Option<String>,
    pub retry: RetryPolicy,
    pub digest: DigestMode,
}

impl Discard<'_> {
    /// Takes the upload back. After a failure that may pass it tries again, within the limits of a run.
    pub(super) fn run(mut self) -> Result<(), Error> {
        self.control.set_size(self.job.size);
        let mut budget = Budget::new(self.retry);
        loop {
            self.control.checkpoint()?;
            self.control.count_attempt();
            let Err(stop) = self.attempt() else {
                break;
            };
            if let Stop::Failed(error) = cause(self.control, stop) {
                self.recover(error, &mut budget)?;
            }
        }
        let protocol = self.protocol.name();
        self.control
            .edit_server_info(|info| info.protocol = Some(protocol));
        self.control.log(LogLevel::Info, || {
            format!("{}: discarded, by {protocol}", self.job.name)
        });
        Ok(())
    }

    fn attempt(&mut self) -> Result<(), Stop> {
        self.digest_whole()?;
        self.control.enter(UploadState::Locating);
        let exchange = self.connector.connect()?;
        let result = self
            .protocol
            .discard(&*exchange, &self.job, self.key.as_deref());
        for note in exchange.notes() {
            self.control.log(LogLevel::Debug, || note);
        }
        Ok(result?)
    }

    /// Computes the digests of the whole file, if a run would find the upload by one of them. Which one that
    /// is, is for the server to say.
    fn digest_whole(&mut self) -> Result<(), Stop> {
        let is_timeless = self.job.mtime.is_none();
        let is_wanted = self.protocol.abilities().proves_prefix
            && (is_timeless || self.digest == DigestMode::First);
        if !is_wanted || !self.job.digests.is_empty() {
            return Ok(());
        }
        self.control.enter(UploadState::Hashing);
        let mut states = Algorithm::ALL.map(State::new);
        let whole = (0, self.job.size);
        reading::read(self.source, self.control, whole, |bytes| {
            for state in &mut states {
                state.update(bytes);
            }
        })?;
        self.job.digests = states.iter().map(State::digest).collect();
        Ok(())
    }

    /// Waits before the next attempt.
    fn recover(&self, error: Error, budget: &mut Budget) -> Result<(), Error> {
        note_refusal(self.control, &error);
        let retry_after = error.refusal().and_then(|refusal| refusal.retry_after);
        let jitter = random::u128()? as u64;
        let pause = match error.is_passing() {
            true => budget.spend(Instant::now(), retry_after, jitter),
            false => None,
        };
        let Some(pause) = pause else {
            self.control
                .log(LogLevel::Error, || format!("not discarded: {error}"));
            return Err(error);
        };
        self.control.log(LogLevel::Warn, || {
            format!("{error}; next attempt in {}", rounded(pause))
        });
        self.control
            .edit_server_info(|info| info.failure = Some(error));
        self.control.wait(pause);
        Ok(())
    }
}
