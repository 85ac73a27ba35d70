//! What one run's engine and its host share: wishes downwards, events and numbers upwards.
//!
//! The engine's thread never calls the host. It leaves states and the outcome here, and the host
//! fetches them with [`Control::next`] on a thread of its own.
#![forbid(unsafe_code)]

mod asks;
pub(crate) mod flow;
pub(crate) mod log;
pub(crate) mod meter;
mod numbers;
pub(crate) mod rate;
pub(crate) mod snapshot;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock};
use std::time::{Duration, Instant};

use crate::control::log::LogLevel;
use crate::control::meter::Meter;
use crate::control::snapshot::{Texts, UploadState};
use crate::error::Error;
use crate::source::stream::Ask;
use crate::transport::Cutter;

/// What a host gets told, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// A question to the host's reader, with its number.
    Ask(u64, Ask),
    State(UploadState),
    Progress,
    Log(LogLevel, String),
    Finished(Result<(), Error>),
}

/// Progress is told this often at most.
const PROGRESS_EVERY: Duration = Duration::from_millis(100);
/// How long a cancelled run waits for its engine before it leaves it to itself.
const FAREWELL: Duration = Duration::from_millis(50);
/// States and log lines that the host has not fetched yet; past that, the oldest are dropped.
const MOST_STATES: usize = 64;
const MOST_LINES: usize = 1000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Wish {
    #[default]
    Run,
    Pause,
    Cancel,
}

#[derive(Debug, Default)]
struct Mail {
    wish: Wish,
    cancelled_at: Option<Instant>,
    cutter: Option<Cutter>,
    state: Option<UploadState>,
    /// What the engine does, while the host is told that it is paused: it may not know yet.
    doing: Option<UploadState>,
    states: VecDeque<UploadState>,
    lines: VecDeque<(LogLevel, String)>,
    outcome: Option<Result<(), Error>>,
    retry_at: Option<Instant>,
    texts: Texts,
    asks: asks::Asks,
    told: Option<(Instant, u64)>,
}

/// One run, seen from both sides.
#[derive(Debug, Default)]
pub(crate) struct Control {
    /// The host wants the engine to stop what it is doing.
    interrupted: AtomicBool,
    /// It did so since the last checkpoint, whatever it wants now.
    was_interrupted: AtomicBool,
    /// The outcome is told: what the engine still does goes nowhere.
    over: AtomicBool,
    mail: Mutex<Mail>,
    changed: Condvar,
    size: AtomicU64,
    confirmed: AtomicU64,
    position: AtomicU64,
    sent: AtomicU64,
    skipped: AtomicU64,
    attempts: AtomicU32,
    http_status: AtomicU32,
    log_level: OnceLock<LogLevel>,
    meter: Mutex<Meter>,
}

/// No code panics while it holds one of these locks; if it did, the values are still whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|e| e.into_inner())
}

/// The engine's side.
impl Control {
    /// Fails when the host wants the engine to stop what it is doing.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match self.interrupted.load(Relaxed) {
            true => Err(Error::Cancelled),
            false => Ok(()),
        }
    }

    /// Whether the last error may have come from the host's own wish.
    pub(crate) fn was_interrupted(&self) -> bool {
        self.was_interrupted.load(Relaxed)
    }

    /// Waits here while the host wants a pause; fails when it wants an end. Tells whether it wanted
    /// one of them since the last checkpoint.
    pub(crate) fn checkpoint(&self) -> Result<bool, Error> {
        let mut mail = lock(&self.mail);
        mail.cutter = None;
        while mail.wish == Wish::Pause {
            mail.doing = None;
            self.post(&mut mail, UploadState::Paused);
            mail = self.changed.wait(mail).unwrap_or_else(|e| e.into_inner());
        }
        match mail.wish {
            Wish::Cancel => Err(Error::Cancelled),
            _ => Ok(self.was_interrupted.swap(false, Relaxed)),
        }
    }

    /// Gives the host's wishes a way to interrupt what blocks on a link.
    pub(crate) fn arm(&self, cutter: Cutter) -> Result<(), Error> {
        let mut mail = lock(&self.mail);
        self.check()?;
        mail.cutter = Some(cutter);
        Ok(())
    }

    /// Takes the way to interrupt back; whether it was still there, so that the link is whole.
    pub(crate) fn disarm(&self) -> bool {
        lock(&self.mail).cutter.take().is_some()
    }

    /// Waits before the next attempt, as long as the host has no other wish.
    pub(crate) fn wait(&self, pause: Duration) {
        let until = Instant::now() + pause;
        let mut mail = lock(&self.mail);
        mail.cutter = None;
        mail.retry_at = Some(until);
        self.show(&mut mail, UploadState::Waiting);
        while mail.wish == Wish::Run {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            (mail, _) = self
                .changed
                .wait_timeout(mail, left)
                .unwrap_or_else(|e| e.into_inner());
        }
        mail.retry_at = None;
    }

    /// The engine is in `state` now, unless the host has paused or ended it.
    pub(crate) fn enter(&self, state: UploadState) {
        self.show(&mut lock(&self.mail), state);
    }

    fn show(&self, mail: &mut Mail, state: UploadState) {
        mail.doing = Some(state);
        if mail.wish == Wish::Run {
            self.post(mail, state);
        }
    }

    fn post(&self, mail: &mut Mail, state: UploadState) {
        if mail.state == Some(state) || mail.outcome.is_some() {
            return;
        }
        mail.state = Some(state);
        if mail.states.len() == MOST_STATES {
            mail.states.pop_front();
        }
        mail.states.push_back(state);
        self.changed.notify_all();
    }

    /// The run is over.
    pub(crate) fn finish(&self, outcome: Result<(), Error>) {
        let mut mail = lock(&self.mail);
        mail.cutter = None;
        self.conclude(&mut mail, outcome);
    }

    fn conclude(&self, mail: &mut Mail, outcome: Result<(), Error>) {
        if mail.outcome.is_some() {
            return;
        }
        let state = match &outcome {
            Ok(()) => UploadState::Complete,
            Err(Error::Cancelled) => UploadState::Cancelled,
            Err(_) => UploadState::Failed,
        };
        self.post(mail, state);
        mail.outcome = Some(outcome);
        self.over.store(true, Relaxed);
        self.changed.notify_all();
    }

    /// Leaves a line for the host's log, if it wants lines of this level.
    pub(crate) fn log(&self, level: LogLevel, line: impl FnOnce() -> String) {
        if self.log_level.get().is_none_or(|wanted| level > *wanted) {
            return;
        }
        // Servers' texts and files' names may have several.
        let line = line().replace(char::is_control, " ");
        let mut mail = lock(&self.mail);
        if mail.outcome.is_some() {
            return;
        }
        if mail.lines.len() == MOST_LINES {
            mail.lines.pop_front();
        }
        mail.lines.push_back((level, line));
        self.changed.notify_all();
    }

    /// Waits for at most `time`; fails as [`check`](Self::check) does.
    pub(crate) fn nap(&self, time: Duration) -> Result<(), Error> {
        let mail = lock(&self.mail);
        if mail.wish == Wish::Run {
            let _ = self.changed.wait_timeout(mail, time);
        }
        self.check()
    }

    pub(crate) fn edit_texts(&self, edit: impl FnOnce(&mut Texts)) {
        let mut mail = lock(&self.mail);
        if mail.outcome.is_none() {
            edit(&mut mail.texts);
        }
    }
}

/// The host's side.
impl Control {
    /// Asks for log lines of `level` and more important ones.
    pub(crate) fn want_log(&self, level: LogLevel) {
        let _ = self.log_level.set(level);
    }

    pub(crate) fn cancel(&self) {
        self.wish(Wish::Cancel);
    }

    pub(crate) fn pause(&self) {
        self.wish(Wish::Pause);
    }

    pub(crate) fn resume(&self) {
        self.wish(Wish::Run);
    }

    fn wish(&self, wish: Wish) {
        let mut mail = lock(&self.mail);
        if mail.outcome.is_some() || mail.wish == Wish::Cancel {
            return;
        }
        mail.wish = wish;
        self.interrupted.store(wish != Wish::Run, Relaxed);
        if wish != Wish::Run {
            self.was_interrupted.store(true, Relaxed);
        }
        if wish == Wish::Pause && mail.state.is_some() {
            self.post(&mut mail, UploadState::Paused);
        }
        if let (Wish::Run, Some(state)) = (wish, mail.doing) {
            self.post(&mut mail, state);
        }
        if wish == Wish::Cancel {
            mail.cancelled_at = Some(Instant::now());
        }
        let cutter = match wish {
            Wish::Run => None,
            Wish::Pause | Wish::Cancel => mail.cutter.take(),
        };
        self.changed.notify_all();
        drop(mail);
        if let Some(cutter) = cutter {
            cutter.cut();
        }
    }

    /// The next event; `None` when there is none by `deadline`.
    pub(crate) fn next(&self, deadline: Option<Instant>) -> Option<Event> {
        let mut mail = lock(&self.mail);
        loop {
            let now = Instant::now();
            if let Some(event) = self.due(&mut mail, now) {
                return Some(event);
            }
            let left = deadline.map(|at| at.saturating_duration_since(now));
            if left == Some(Duration::ZERO) {
                return None;
            }
            let nap = left.unwrap_or(PROGRESS_EVERY).min(match mail.cancelled_at {
                Some(_) => Duration::from_millis(10),
                None => PROGRESS_EVERY,
            });
            (mail, _) = self
                .changed
                .wait_timeout(mail, nap)
                .unwrap_or_else(|e| e.into_inner());
        }
    }

    fn due(&self, mail: &mut Mail, now: Instant) -> Option<Event> {
        if mail.cancelled_at.is_some_and(|at| now >= at + FAREWELL) {
            // The engine hangs where nothing reaches it (name lookup, connect). Whatever it
            // does later goes nowhere.
            self.conclude(mail, Err(Error::Cancelled));
        }
        let ended = mail.outcome.is_some();
        if let Some((number, ask)) = mail.asks.due().filter(|_| !ended) {
            return Some(Event::Ask(number, ask));
        }
        let position = self.position.load(Relaxed);
        let news = mail.told.is_none_or(|(_, told)| told != position);
        let due = ended || mail.told.is_none_or(|(at, _)| now >= at + PROGRESS_EVERY);
        // The last progress comes before the final state.
        if news && due && (mail.told.is_some() || position > 0 || ended) {
            mail.told = Some((now, position));
            return Some(Event::Progress);
        }
        if let Some((level, line)) = mail.lines.pop_front() {
            return Some(Event::Log(level, line));
        }
        if let Some(state) = mail.states.pop_front() {
            return Some(Event::State(state));
        }
        mail.outcome.clone().map(Event::Finished)
    }

    /// The host has taken note of the progress: the next one is due a while from now.
    pub(crate) fn progress_told(&self) {
        if let Some((at, _)) = &mut lock(&self.mail).told {
            *at = Instant::now();
        }
    }

    pub(crate) fn texts(&self) -> Texts {
        lock(&self.mail).texts.clone()
    }
}
