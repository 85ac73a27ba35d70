//! A client: a server's address, and what all uploads to it share.
#![forbid(unsafe_code)]

mod identity;
mod network;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::control::flow::Flow;
use crate::control::log::{LogLevel, Logger};
use crate::control::rate::Limiter;
use crate::engine::segments::Learnt;
use crate::error::Error;
use crate::options::{check_duration, check_line, LocateMethod, Settings};
use crate::transport::IdleLinks;

/// A server and what all uploads to it share.
///
/// Cheap to clone: clones share their settings. A setting that is changed while an upload runs
/// counts from that upload's next run on.
#[derive(Debug, Clone)]
pub struct Client {
    settings: Arc<Mutex<Settings>>,
    live: Arc<Live>,
    /// Apart from the rest: the engine's threads must never be the last to hold it.
    logger: Arc<Mutex<Option<Logger>>>,
}

/// What changes while uploads run.
#[derive(Debug, Default)]
pub(crate) struct Live {
    pub rate: Limiter,
    pub segment: Learnt,
    pub links: IdleLinks,
}

impl Client {
    /// A client for the server at `endpoint`, an `http` or `https` URL.
    ///
    /// # Errors
    /// [`Error::InvalidUrl`].
    pub fn new(endpoint: &str) -> Result<Self, Error> {
        let settings = Arc::new(Mutex::new(Settings::new(endpoint)?));
        Ok(Client {
            settings,
            live: Arc::default(),
            logger: Arc::default(),
        })
    }

    pub(crate) fn live(&self) -> Arc<Live> {
        self.live.clone()
    }

    pub(crate) fn logger(&self) -> Option<Logger> {
        let logger = self.logger.lock();
        logger.unwrap_or_else(|e| e.into_inner()).clone()
    }

    /// The settings as they are now.
    pub(crate) fn settings(&self) -> Settings {
        self.lock().clone()
    }

    /// The settings, to be changed: links and logins made with the old ones are not used again.
    fn change(&self) -> std::sync::MutexGuard<'_, Settings> {
        let mut settings = self.lock();
        settings.version += 1;
        settings.standing = Arc::default();
        settings
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Settings> {
        self.settings.lock().unwrap_or_else(|e| e.into_inner())
    }

    /// The user name that the server is told with each file. Default: none.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for an empty name or one with control characters.
    pub fn set_user(&self, user: &str) -> Result<(), Error> {
        self.change().user = Some(check_line("user", user)?);
        Ok(())
    }

    /// The `User-Agent` header. Default: `resup/` and the version.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for anything but one line of ASCII.
    pub fn set_user_agent(&self, user_agent: &str) -> Result<(), Error> {
        self.change().user_agent = check_line("user agent", user_agent)?;
        Ok(())
    }

    /// How the server is asked for its offset. Default: [`LocateMethod::Post`].
    pub fn set_locate_method(&self, method: LocateMethod) {
        self.change().locate_method = method;
    }

    /// The most time that a name lookup, and then connecting with the TLS handshake, may take,
    /// each. Default: 30 s.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for zero or more than a year; so for all time limits.
    pub fn set_connect_timeout(&self, limit: Duration) -> Result<(), Error> {
        self.change().limits.connect = check_duration("connect timeout", limit)?;
        Ok(())
    }

    /// The most time from the end of a request to its answer. It must allow for what the
    /// network still holds of the request (some MB) and for the server's storing it.
    /// Default: 120 s.
    ///
    /// # Errors
    /// As [`set_connect_timeout`](Self::set_connect_timeout).
    pub fn set_response_timeout(&self, limit: Duration) -> Result<(), Error> {
        self.change().limits.response = check_duration("response timeout", limit)?;
        Ok(())
    }

    /// The most time for which the network may take nothing while there is something to send.
    /// Default: 60 s.
    ///
    /// # Errors
    /// As [`set_connect_timeout`](Self::set_connect_timeout).
    pub fn set_stall_timeout(&self, limit: Duration) -> Result<(), Error> {
        self.change().limits.stall = check_duration("stall timeout", limit)?;
        Ok(())
    }

    /// The most file bytes per second that all uploads of this client send together; 0, the
    /// default, for no limit. Counts at once, for running uploads too.
    pub fn set_rate_limit(&self, bytes_per_second: u64) {
        self.live.rate.set(bytes_per_second);
    }

    /// Calls `callback` with what uploads have to tell, of `level` and more important. It is
    /// called from within [`Upload::run`](crate::Upload::run) and
    /// [`Upload::wait`](crate::Upload::wait), on the threads that called these, so perhaps on
    /// several at once. Secrets and file contents are never told. Counts from the next run on.
    pub fn on_log(
        &self,
        level: LogLevel,
        callback: impl Fn(LogLevel, &str) -> Flow + Send + Sync + 'static,
    ) {
        let callback = Arc::new(callback);
        self.set_logger(Some(Logger { level, callback }));
    }

    pub(crate) fn set_logger(&self, logger: Option<Logger>) {
        let mut slot = self.logger.lock().unwrap_or_else(|e| e.into_inner());
        let old = std::mem::replace(&mut *slot, logger);
        drop(slot);
        // With no lock held: it may be the host's last hold on something of its own.
        drop(old);
    }

    /// The most time that attempts may go on, and fail, without the server having got a byte
    /// more; zero, the default, for no limit but that of their number. It begins anew after a pause.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for more than a year.
    pub fn set_retry_timeout(&self, limit: Duration) -> Result<(), Error> {
        self.change().retry.time = match limit.is_zero() {
            true => None,
            false => Some(check_duration("retry time", limit)?),
        };
        Ok(())
    }

    /// How many attempts in a row may fail after the first without the server having got a
    /// byte more. Default: 8; 0 never tries again.
    pub fn set_retry_limit(&self, limit: u32) {
        self.change().retry.limit = limit;
    }

    /// The wait before another attempt is random, between zero and `first`, doubled with each
    /// attempt up to `longest`. Default: 500 ms and 30 s.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for zero, more than a year, or `first` above `longest`.
    pub fn set_retry_backoff(&self, first: Duration, longest: Duration) -> Result<(), Error> {
        let first = check_duration("first back-off", first)?;
        let longest = check_duration("longest back-off", longest)?;
        if first > longest {
            return Err(Error::InvalidArgument {
                what: "first back-off",
                why: format!("{first:?} is longer than the longest, {longest:?}"),
            });
        }
        let mut settings = self.change();
        settings.retry.base = first;
        settings.retry.cap = longest;
        Ok(())
    }
}
