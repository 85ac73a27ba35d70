//! A client: a server's address, and the state that all uploads to it share.

mod identity;
mod network;

use std::process;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::check::check_duration;
use crate::control::flow::Flow;
use crate::control::log::{LogLevel, Logger};
use crate::error::Error;
use crate::http::check::check_line;
use crate::options::{LocateMethod, ProtocolName};
use crate::protocol::DialectText;
use crate::run::{ClientState, SharedState};

/// A server's address, and the settings and connections that all uploads to it share.
///
/// Cheap to clone: clones share their settings. A change during a run takes effect in the upload's
/// next run. In a child of the process (`fork()`) it makes connections of its own.
#[derive(Debug, Clone)]
pub struct Client {
    state: Arc<Mutex<ClientState>>,
    shared: Arc<Mutex<Arc<SharedState>>>,
    /// Apart from the rest, because a run's thread must never be the one that drops it.
    logger: Arc<Mutex<Option<Logger>>>,
}

impl Client {
    /// Makes a client, for `Client::new` in lib.rs.
    pub(crate) fn with_endpoint(endpoint: &str) -> Result<Self, Error> {
        Ok(Client {
            state: Arc::new(Mutex::new(ClientState::new(endpoint)?)),
            shared: Arc::default(),
            logger: Arc::default(),
        })
    }

    /// Gives the state that all uploads share in this process.
    pub(crate) fn shared(&self) -> Arc<SharedState> {
        let mut shared = self.shared.lock().unwrap_or_else(PoisonError::into_inner);
        if shared.process != process::id() {
            *shared = Arc::new(shared.of_child());
        }
        shared.clone()
    }

    pub(crate) fn logger(&self) -> Option<Logger> {
        let logger = self.logger.lock();
        logger.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Gives the options as they are now, and their session.
    pub(crate) fn state(&self) -> ClientState {
        let mut state = self.lock();
        if state.process != process::id() {
            state.enter_child();
        }
        state.clone()
    }

    fn lock(&self) -> MutexGuard<'_, ClientState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the user name that goes to the server with each file. Default: none.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for an empty name or one with control characters.
    pub fn set_user(&self, user: &str) -> Result<(), Error> {
        self.lock().change().user = Some(check_line("user", user)?);
        Ok(())
    }

    /// Sets the `User-Agent` header. Default: `resup/` and the version.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for anything but one line of ASCII.
    pub fn set_user_agent(&self, user_agent: &str) -> Result<(), Error> {
        self.lock().change().connection.user_agent = check_line("user agent", user_agent)?;
        Ok(())
    }

    /// Sets the protocol that the server speaks. Default: [`ProtocolName::Auto`]. In another one than
    /// [`ProtocolName::Form`] only the [state file](crate::Upload::set_state_file) tells another run
    /// where its upload is, and a signing secret or a digest by its name is an error.
    pub fn set_protocol(&self, protocol: ProtocolName) {
        let mut state = self.lock();
        let options = state.change();
        (options.protocol, options.dialect) = (protocol, None);
    }

    /// Sets the dialect of forms that the server speaks, in place of a protocol: the name of a preset, such
    /// as `plain` for one POST as a browser makes it, or a JSON object, as docs/DIALECTS.md describes it.
    /// Of this and [`set_protocol`](Self::set_protocol) the last call counts.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a text that is no dialect; it names the key and what it may be.
    pub fn set_dialect(&self, dialect: &str) -> Result<(), Error> {
        self.change_dialect(DialectText::read(dialect)?);
        Ok(())
    }

    pub(crate) fn change_dialect(&self, dialect: DialectText) {
        self.lock().change().dialect = Some(Arc::new(dialect));
    }

    /// Sets how the server is asked for its offset. Default: [`LocateMethod::Post`].
    pub fn set_locate_method(&self, method: LocateMethod) {
        self.lock().change().locate_method = method;
    }

    /// Sets whether the request that creates an upload may carry a whole file of up to 256 KiB: by tus, where the server
    /// has the extension creation-with-upload. So each file after the first takes one request instead of two. But if the
    /// response is lost, nothing finds that upload again: it stays at the server, and the file goes there once more.
    /// Default: `false`.
    pub fn set_creation_with_upload(&self, allowed: bool) {
        self.lock().change().creation_with_upload = allowed;
    }

    /// Sets the time limit for a name lookup, and again for connecting with the TLS handshake.
    /// Default: 30 s.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for zero, or for more than a year.
    pub fn set_connect_timeout(&self, limit: Duration) -> Result<(), Error> {
        self.lock().change().connection.limits.connect = check_duration("connect timeout", limit)?;
        Ok(())
    }

    /// Sets the time limit from the end of a request to its response. In that time the network
    /// delivers the last of the request (some MB), and the server stores it. Default: 120 s.
    ///
    /// # Errors
    /// As [`set_connect_timeout`](Self::set_connect_timeout).
    pub fn set_response_timeout(&self, limit: Duration) -> Result<(), Error> {
        self.lock().change().connection.limits.response =
            check_duration("response timeout", limit)?;
        Ok(())
    }

    /// Sets how long the network may accept no data while there is something to send. Default: 60
    /// s.
    ///
    /// # Errors
    /// As [`set_connect_timeout`](Self::set_connect_timeout).
    pub fn set_stall_timeout(&self, limit: Duration) -> Result<(), Error> {
        self.lock().change().connection.limits.stall = check_duration("stall timeout", limit)?;
        Ok(())
    }

    /// Sets the most file bytes per second that all uploads of this client send together; 0, the
    /// default, for no limit. Takes effect at once, also during runs.
    pub fn set_rate_limit(&self, bytes_per_second: u64) {
        self.shared().rate.set(bytes_per_second);
    }

    /// Sets a callback for the log lines of uploads, of `level` and more important ones. It is
    /// called from within [`Upload::run`](crate::Upload::run) and
    /// [`Upload::wait`](crate::Upload::wait), on the threads that called these, so perhaps on
    /// several at once. No line has a secret or a file's content in it. Takes effect in the next
    /// run.
    pub fn on_log(
        &self,
        level: LogLevel,
        callback: impl Fn(LogLevel, &str) -> Flow + Send + Sync + 'static,
    ) {
        let callback = Arc::new(callback);
        self.set_logger(Some(Logger { level, callback }));
    }

    pub(crate) fn set_logger(&self, logger: Option<Logger>) {
        let mut slot = self.logger.lock().unwrap_or_else(PoisonError::into_inner);
        let old = std::mem::replace(&mut *slot, logger);
        drop(slot);
        // The lock is released first: dropping the logger may call the program.
        drop(old);
    }

    /// Sets how long attempts may fail while the server gets no byte more. Zero, the default,
    /// leaves only the limit of their number. The time starts again after a pause.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for more than a year.
    pub fn set_retry_timeout(&self, limit: Duration) -> Result<(), Error> {
        self.lock().change().retry.time = match limit.is_zero() {
            true => None,
            false => Some(check_duration("retry timeout", limit)?),
        };
        Ok(())
    }

    /// Sets how many more attempts may fail in a row while the server gets no byte more. Default:
    /// 8; 0 never tries again.
    pub fn set_retry_limit(&self, limit: u32) {
        self.lock().change().retry.limit = limit;
    }

    /// Sets the wait before another attempt. It is random, between zero and a bound. The bound is
    /// `first` at first, and doubles with each attempt up to `longest`. Default: 500 ms and 30 s.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for zero, more than a year, or `first` above `longest`.
    pub fn set_retry_backoff(&self, first: Duration, longest: Duration) -> Result<(), Error> {
        let first = check_duration("first back-off", first)?;
        let longest = check_duration("longest back-off", longest)?;
        if first > longest {
            return Err(Error::InvalidArgument {
                what: "first back-off",
                why: format!(
                    "{} ms is longer than the longest, {} ms",
                    first.as_millis(),
                    longest.as_millis()
                ),
            });
        }
        let mut state = self.lock();
        let retry = &mut state.change().retry;
        (retry.base, retry.cap) = (first, longest);
        Ok(())
    }
}
