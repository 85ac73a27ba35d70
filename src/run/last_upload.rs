//! The upload that the last run has begun at the server, for the program's next run of it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::control::Control;
use crate::protocol::Protocol;
use crate::source::{Opener, Source};

/// The protocol and the key of the upload that the last run has begun, where only the key finds it, until it
/// is complete; that of a stream which is read once is kept for good. A state file keeps them for other processes.
#[derive(Debug, Clone, Default)]
pub(crate) struct LastUpload(Arc<Mutex<Option<Known>>>);

/// An upload that the server knows by its key.
#[derive(Debug, Clone)]
struct Known {
    /// The source's version, and what the upload was created with.
    of: String,
    protocol: String,
    key: String,
}

impl LastUpload {
    /// Gives the protocol and the key of the upload, if it is this one.
    pub(super) fn get(&self, of: &str) -> Option<(String, String)> {
        let known = self.lock().clone();
        let known = known.filter(|known| known.of == of)?;
        Some((known.protocol, known.key))
    }

    /// Notes the upload of a run that a further one may go on with. One that the server has not answered changes nothing: what an
    /// earlier run has begun is still there.
    pub(super) fn note(&self, of: String, protocol: &dyn Protocol, control: &Control) {
        if let Some(key) = protocol.record().or_else(|| control.server_info().id) {
            *self.lock() = Some(Known {
                of,
                protocol: protocol.name().to_owned(),
                key,
            });
        }
    }

    /// Forgets the upload: it is complete.
    pub(super) fn forget(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> MutexGuard<'_, Option<Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Names the version of a source; `None` if nothing tells whether it is the same in the next run.
pub(super) fn version(opener: &Opener, source: &dyn Source) -> Option<String> {
    match opener {
        Opener::Memory(_) => Some("memory".to_owned()),
        Opener::Forward(_) => Some("stream".to_owned()),
        _ => source.identity(),
    }
}
