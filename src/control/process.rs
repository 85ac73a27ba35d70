//! The process that a run is in.
//!
//! After a `fork()` the run goes on in the parent, and the child has a copy of its control, perhaps
//! with a lock that nobody will ever release. So the child does not use that copy.
//!
//! The locks on a client's settings and on the control of an upload are held for a moment only, and
//! are not guarded like that: a child that is made in this moment may wait for one for ever.

use std::process;
use std::sync::atomic::Ordering::Relaxed;

use super::Control;
use crate::error::Error;

impl Control {
    /// Makes the control of a run in another process: it has ended for this one.
    pub(crate) fn of_parent() -> Self {
        let control = Control::default();
        control.finish(Err(Error::WrongState(
            "the upload runs in the process that started it, and this is a child of that \
             (fork); to upload here, start it again",
        )));
        control
    }

    /// Notes that the run is in this process.
    pub(crate) fn begin(&self) {
        self.process.store(process::id(), Relaxed);
    }

    /// Whether the run goes on in another process. Takes no lock.
    pub(crate) fn is_elsewhere(&self) -> bool {
        let process = self.process.load(Relaxed);
        process != 0 && process != process::id() && !self.counters.is_frozen()
    }
}
