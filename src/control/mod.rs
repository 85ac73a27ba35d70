//! The state that a run and its program share: commands for the run, events and numbers for the
//! program.
//!
//! The run's threads never call the program. They queue states, log lines, requests to the
//! program's stream and the outcome here, and the program fetches them with [`Control::next`] on
//! its own thread.

pub(crate) mod abort;
mod commands;
mod counters;
mod events;
mod exchanges;
pub(crate) mod flow;
pub(crate) mod log;
mod meter;
mod process;
pub(crate) mod rate;
pub(crate) mod reads;
pub(crate) mod snapshot;
pub(crate) mod stop;
#[cfg(test)]
mod tests;

pub(crate) use events::Event;

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::options::SIZE_UNKNOWN;
pub(crate) use commands::AbortKey;
use commands::{Command, Commands, Signals};
use counters::Counters;
use events::{Events, PROGRESS_INTERVAL};
use log::LogLevel;
use reads::{ReadReply, ReadRequest, ReadRequests};
use snapshot::{ServerInfo, Snapshot, UploadState};
use stop::Interrupted;

/// The time between two checks whether a cancelled run has ended.
const CANCEL_INTERVAL: Duration = Duration::from_millis(10);

/// The shared state of one run, with a side for the run and one for the program.
#[derive(Debug, Default)]
pub(crate) struct Control {
    shared: Mutex<Shared>,
    /// Signals a change in `shared`.
    changed: Condvar,
    signals: Signals,
    counters: Counters,
    /// Whether new states need not wake the program: it looks at none.
    ignores_states: AtomicBool,
    log_level: OnceLock<LogLevel>,
    /// The process in which the run is; 0 before it begins.
    process: AtomicU32,
}

/// The part behind the lock.
#[derive(Debug, Default)]
struct Shared {
    commands: Commands,
    events: Events,
    reads: ReadRequests,
    server: ServerInfo,
}

impl Control {
    /// Locks the shared part. No code panics while it holds this lock; after a panic the values
    /// would still be consistent.
    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_for_change<'a>(
        &self,
        shared: MutexGuard<'a, Shared>,
        limit: Duration,
    ) -> MutexGuard<'a, Shared> {
        self.changed
            .wait_timeout(shared, limit)
            .unwrap_or_else(PoisonError::into_inner)
            .0
    }

    fn push_state(&self, shared: &mut Shared, state: UploadState) {
        if shared.events.push_state(state) && !self.ignores_states.load(Relaxed) {
            self.changed.notify_all();
        }
    }

    fn conclude(&self, shared: &mut Shared, outcome: Result<(), Error>) {
        if shared.events.conclude(outcome) {
            self.counters.freeze();
        }
    }
}

/// The run's side.
impl Control {
    /// Fails while the program wants the run to pause or to end.
    pub(crate) fn check(&self) -> Result<(), Interrupted> {
        match self.signals.is_interrupted() {
            true => Err(Interrupted),
            false => Ok(()),
        }
    }

    /// Whether a command of the program may be the cause of a failure since the last
    /// [`checkpoint`](Self::checkpoint).
    pub(crate) fn was_interrupted(&self) -> bool {
        self.signals.was_interrupted()
    }

    /// Whether the program wants the run to end.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.lock().commands.is_cancelled()
    }

    /// Waits while the program wants a pause.
    ///
    /// # Errors
    /// [`Error::Cancelled`] when it wants an end.
    pub(crate) fn checkpoint(&self) -> Result<(), Error> {
        let mut shared = self.lock();
        while shared.commands.current() == Command::Pause {
            shared.events.set_activity(None);
            self.push_state(&mut shared, UploadState::Paused);
            let woken = self.changed.wait(shared);
            shared = woken.unwrap_or_else(PoisonError::into_inner);
        }
        if shared.commands.is_cancelled() {
            return Err(Error::Cancelled);
        }
        self.signals.acknowledge();
        Ok(())
    }

    /// Waits before the next attempt, until `pause` has passed or the program has a command.
    pub(crate) fn wait(&self, pause: Duration) {
        let until = Instant::now() + pause;
        let mut shared = self.lock();
        shared.events.set_retry_at(Some(until));
        self.show(&mut shared, UploadState::Waiting);
        while shared.commands.current() == Command::Run {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            shared = self.wait_for_change(shared, left);
        }
        shared.events.set_retry_at(None);
    }

    /// Waits for at most `time`. Fails as [`check`](Self::check) does.
    pub(crate) fn sleep(&self, time: Duration) -> Result<(), Interrupted> {
        let shared = self.lock();
        if shared.commands.current() == Command::Run {
            drop(self.wait_for_change(shared, time));
        }
        self.check()
    }

    /// Tells the program that the run is in `state` now, unless the program has paused or ended it.
    pub(crate) fn enter(&self, state: UploadState) {
        self.show(&mut self.lock(), state);
    }

    fn show(&self, shared: &mut Shared, state: UploadState) {
        shared.events.set_activity(Some(state));
        if shared.commands.current() == Command::Run {
            self.push_state(shared, state);
        }
    }

    /// Ends the run.
    pub(crate) fn finish(&self, outcome: Result<(), Error>) {
        self.conclude(&mut self.lock(), outcome);
        // Whoever wakes needs the lock.
        self.changed.notify_all();
    }

    /// Queues a line for the program's log, if it wants lines of this level.
    pub(crate) fn log(&self, level: LogLevel, line: impl FnOnce() -> String) {
        if self.log_level.get().is_none_or(|wanted| level > *wanted) {
            return;
        }
        self.push_line(level, &line());
    }

    /// Queues a line, in one piece of machine code for all callers of [`log`](Self::log).
    #[inline(never)]
    fn push_line(&self, level: LogLevel, line: &str) {
        // A server's text or a file's name may have several lines.
        let line = line.replace(char::is_control, " ");
        self.lock().events.push_line(level, line);
        self.changed.notify_all();
    }

    /// Changes the values from the server's answers that the program can read.
    pub(crate) fn edit_server_info(&self, edit: impl FnOnce(&mut ServerInfo)) {
        let mut shared = self.lock();
        if !shared.events.has_ended() {
            edit(&mut shared.server);
        }
    }

    /// Makes a request to the program's stream; [`wait_for_read`](Self::wait_for_read) gives the
    /// reply.
    pub(crate) fn request_read(&self, request: ReadRequest) {
        self.lock().reads.request(request);
        self.changed.notify_all();
    }

    /// Waits for the reply of the program's stream.
    pub(crate) fn wait_for_read(&self) -> Result<ReadReply, Interrupted> {
        let mut shared = self.lock();
        loop {
            self.check()?;
            if let Some(reply) = shared.reads.take_reply() {
                return Ok(reply);
            }
            let woken = self.changed.wait(shared);
            shared = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(crate) fn set_size(&self, size: u64) {
        self.counters.set_size(size);
    }

    pub(crate) fn count_attempt(&self) {
        self.counters.count_attempt();
    }

    pub(crate) fn set_http_status(&self, status: u16) {
        self.counters.set_http_status(status);
    }

    pub(crate) fn set_skipped(&self, bytes: u64) {
        self.counters.set_skipped(bytes);
    }

    /// Notes that the server has `offset` bytes.
    pub(crate) fn confirm(&self, offset: u64) {
        self.counters.confirm(offset);
    }

    /// Notes that `bytes` more went to the network.
    pub(crate) fn count_sent(&self, bytes: u64) {
        if self.counters.count_sent(bytes) {
            self.enter(UploadState::Verifying);
        }
    }
}

/// The program's side.
impl Control {
    /// Asks for log lines of `level` and more important ones.
    pub(crate) fn set_log_level(&self, level: LogLevel) {
        let _ = self.log_level.set(level);
    }

    /// Notes that the run takes the upload back.
    pub(crate) fn set_discards(&self) {
        self.lock().events.set_discards();
    }

    /// Notes whether the program looks at states. Each wakes it then.
    pub(crate) fn set_wants_states(&self, wants: bool) {
        self.ignores_states.store(!wants, Relaxed);
    }

    pub(crate) fn cancel(&self) {
        self.command(Command::Cancel);
    }

    pub(crate) fn pause(&self) {
        self.command(Command::Pause);
    }

    pub(crate) fn resume(&self) {
        self.command(Command::Run);
    }

    fn command(&self, command: Command) {
        let mut shared = self.lock();
        if shared.events.has_ended() || shared.commands.is_cancelled() {
            return;
        }
        self.signals.set(command);
        let aborts = shared.commands.set(command);
        let state = match command {
            Command::Run => shared.events.activity(),
            Command::Pause => shared.events.state().map(|_| UploadState::Paused),
            Command::Cancel => None,
        };
        if let Some(state) = state {
            self.push_state(&mut shared, state);
        }
        self.changed.notify_all();
        drop(shared);
        exchanges::abort_all(aborts);
    }

    /// Takes the next event; `None` when there is none by `deadline`.
    pub(crate) fn next(&self, deadline: Option<Instant>) -> Option<Event> {
        let mut shared = self.lock();
        loop {
            let now = Instant::now();
            if let Some(event) = self.next_now(&mut shared, now) {
                return Some(event);
            }
            let left = deadline.map(|at| at.saturating_duration_since(now));
            if left == Some(Duration::ZERO) {
                return None;
            }
            let interval = match shared.commands.is_cancelled() {
                true => CANCEL_INTERVAL,
                false => PROGRESS_INTERVAL,
            };
            let limit = left.unwrap_or(interval).min(interval);
            shared = self.wait_for_change(shared, limit);
        }
    }

    fn next_now(&self, shared: &mut Shared, now: Instant) -> Option<Event> {
        if shared.commands.is_grace_over(now) {
            // The run hangs where no abort reaches it (name lookup, connect). Its later events are
            // dropped.
            self.conclude(shared, Err(Error::Cancelled));
        }
        if !shared.events.has_ended() {
            if let Some((number, request)) = shared.reads.next() {
                return Some(Event::Read(number, request));
            }
        }
        let numbers = (self.counters.position(), self.counters.size());
        shared.events.pop(now, numbers)
    }

    /// Notes that the program has seen the progress, so that the next one is due one interval
    /// later.
    pub(crate) fn acknowledge_progress(&self) {
        self.lock().events.delay_progress();
    }

    /// Passes the stream's reply to request `number` on to the run.
    pub(crate) fn reply_read(&self, number: u64, reply: ReadReply) {
        if self.lock().reads.reply(number, reply) {
            self.changed.notify_all();
        }
    }

    pub(crate) fn server_info(&self) -> ServerInfo {
        self.lock().server.clone()
    }

    /// Gives the failure of the last attempt; `None` after the run has ended.
    pub(crate) fn failure(&self) -> Option<Error> {
        let shared = self.lock();
        match shared.events.has_ended() {
            true => None,
            false => shared.server.failure.clone(),
        }
    }

    /// Gives the run's state and numbers now.
    pub(crate) fn snapshot(&self) -> Snapshot {
        let shared = self.lock();
        let counters = &self.counters;
        let rate = match shared.events.state() {
            Some(UploadState::Sending | UploadState::Verifying) => counters.rate(),
            _ => 0,
        };
        let (size, position) = (counters.size(), counters.position());
        let left = size.saturating_sub(position) as f64;
        let retry_at = shared.events.retry_at();
        Snapshot {
            state: shared.events.state().unwrap_or(UploadState::Ready),
            size,
            offset: counters.confirmed(),
            position,
            bytes_sent: counters.sent(),
            bytes_skipped: counters.skipped(),
            rate,
            time_left: match rate {
                _ if size == SIZE_UNKNOWN => None,
                0 => None,
                rate => Duration::try_from_secs_f64(left / rate as f64).ok(),
            },
            attempts: counters.attempts(),
            http_status: counters.http_status(),
            retry_in: retry_at.map(|at| at.saturating_duration_since(Instant::now())),
        }
    }
}
