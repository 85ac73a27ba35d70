//! Presets of dialects, and the trial of a dialect at a server.
//!
//! docs/DIALECTS.md describes dialects. A trial is an ordinary upload, of which the program gets to know every
//! request, its response, and what each key of the dialect says about it. It shows why a dialect and a server do
//! not fit each other.
//!
//! ```no_run
//! # use std::time::Duration;
//! let client = resup::Client::new("https://example.org/upload")?;
//! let trial = resup::dialect::Trial::begin(&client, "resumable.js")?;
//! let mut upload = resup::Upload::from_file(&client, "video.mp4")?;
//! let result = upload.run();
//! for step in trial.steps() {
//!     for verdict in &step.verdicts {
//!         println!("{}: {} is met: {}", verdict.key, verdict.rule, verdict.is_met);
//!     }
//! }
//! # result?;
//! # Ok::<(), resup::Error>(())
//! ```

use std::sync::Arc;

use super::client::Client;
use crate::error::Error;
pub use crate::protocol::dialect::{Field, Preset, Purpose, Received, Step, Verdict};
use crate::protocol::dialect::{Recorder, Spec, PRESETS};

/// Gives the dialects that have a name.
pub fn presets() -> &'static [Preset] {
    &PRESETS
}

/// A dialect that is tried: its requests are noted.
#[derive(Debug)]
pub struct Trial {
    spec: Spec,
    recorder: Arc<Recorder>,
}

impl Trial {
    /// Sets the dialect of `client`, as [`Client::set_dialect`] does, and notes what its uploads do from now on.
    ///
    /// # Errors
    /// As [`Client::set_dialect`].
    pub fn begin(client: &Client, dialect: &str) -> Result<Self, Error> {
        let recorder = Arc::new(Recorder::new());
        let spec = Spec::read(dialect)?.with_trial(recorder.clone());
        client.change_dialect(spec.clone());
        Ok(Trial { spec, recorder })
    }

    /// Takes the steps that have ended since the last call.
    pub fn steps(&self) -> Vec<Step> {
        self.recorder.take()
    }

    /// Sets how many chunks may still be sent. Then an upload ends with [`Error::Cancelled`], and the server keeps
    /// what it has. Default: no limit.
    pub fn set_chunks_left(&self, chunks: u64) {
        self.recorder.limit(chunks);
    }

    /// Gives the dialect's bytes in a chunk; `None` if a file goes in one request.
    pub fn chunk_size(&self) -> Option<u64> {
        self.spec.chunk_size
    }

    /// Gives the number of chunks of a file of `size` bytes; `chunk_size` is the one of the dialect or of the program.
    pub fn chunks(&self, size: u64, chunk_size: Option<u64>) -> u64 {
        self.spec.count(size, chunk_size)
    }

    /// Whether another process can ask the server what it has, by the keys `test` or `state`.
    pub fn can_resume(&self) -> bool {
        self.spec.is_asked()
    }
}
