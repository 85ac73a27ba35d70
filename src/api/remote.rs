//! The part of an upload that every thread may use at any time.

use std::sync::{Arc, Mutex, PoisonError};

use resup_digests::Algorithm;

use crate::control::rate::Limiter;
use crate::control::snapshot::{ServerInfo, Snapshot};
use crate::control::Control;
use crate::error::Error;
use crate::options::DigestAlgorithm;

/// The part of an [`Upload`](crate::Upload) that every thread may use at any time.
#[derive(Debug, Clone, Default)]
pub struct Remote {
    control: Arc<Mutex<Arc<Control>>>,
    pub(crate) rate: Arc<Limiter>,
}

impl Remote {
    pub(crate) fn current(&self) -> Arc<Control> {
        let mut control = self.control.lock().unwrap_or_else(PoisonError::into_inner);
        if control.is_elsewhere() {
            *control = Arc::new(Control::of_parent());
        }
        control.clone()
    }

    pub(crate) fn renew(&self) -> Arc<Control> {
        let fresh = Arc::new(Control::default());
        *self.control.lock().unwrap_or_else(PoisonError::into_inner) = fresh.clone();
        fresh
    }

    /// Cancels the current run; before the first run, cancels that one. Returns at once; `run` and
    /// `wait` end within 100 ms with [`Error::Cancelled`].
    pub fn cancel(&self) {
        self.current().cancel();
    }

    /// Pauses the run until [`resume`](Self::resume). The connection is closed; the server keeps
    /// its bytes.
    pub fn pause(&self) {
        self.current().pause();
    }

    /// Resumes the run after [`pause`](Self::pause), from the server's offset.
    pub fn resume(&self) {
        self.current().resume();
    }

    /// Sets the most file bytes per second that this upload sends; 0, the default, for no limit.
    /// Takes effect at once, also during a run.
    pub fn set_rate_limit(&self, bytes_per_second: u64) {
        self.rate.set(bytes_per_second);
    }

    /// Gives the state and the numbers of the run.
    pub fn snapshot(&self) -> Snapshot {
        self.current().snapshot()
    }

    /// Gives why the last attempt failed, until the server answers again: why the run waits. `None`
    /// after the run has ended.
    pub fn failure(&self) -> Option<Error> {
        self.current().failure()
    }

    fn server_info(&self) -> ServerInfo {
        self.current().server_info()
    }

    /// Gives the name of the protocol or dialect that is spoken with the server, such as `tus` or `plain`,
    /// once the server has answered in it.
    pub fn protocol(&self) -> Option<&'static str> {
        self.server_info().protocol
    }

    /// Gives the server's key of the upload.
    pub fn id(&self) -> Option<String> {
        self.server_info().id
    }

    /// Gives the location of the finished file, in the server's words.
    pub fn location(&self) -> Option<String> {
        self.server_info().location
    }

    /// Gives the algorithm of the digest, once the server has agreed to it; `None` before, and where no
    /// digest is computed. Never [`DigestAlgorithm::Automatic`].
    pub fn digest_algorithm(&self) -> Option<DigestAlgorithm> {
        self.server_info().algorithm.map(DigestAlgorithm::from)
    }

    /// Gives the lower-case hex digest of the whole file, by [`digest_algorithm`](Self::digest_algorithm),
    /// once the upload is complete and if the run read the whole file.
    pub fn digest(&self) -> Option<String> {
        self.server_info().digest.map(|digest| digest.hex())
    }

    /// Gives [`digest`](Self::digest) where that is an MD5.
    pub fn md5(&self) -> Option<String> {
        let digest = self.server_info().digest;
        let md5 = digest.filter(|digest| digest.algorithm() == Algorithm::Md5);
        md5.map(|md5| md5.hex())
    }

    /// Gives the server's last message for a person.
    pub fn server_message(&self) -> Option<String> {
        self.server_info().message
    }

    /// Gives the start of the body of the server's last refusal, as one line.
    pub fn server_excerpt(&self) -> Option<String> {
        self.server_info().excerpt
    }
}
