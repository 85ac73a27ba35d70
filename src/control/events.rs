//! The events of a run, in the order in which the program gets them.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::log::LogLevel;
use super::reads::ReadRequest;
use super::snapshot::UploadState;
use crate::error::Error;

/// An event for the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    /// A request to the program's stream, with its number.
    Read(u64, ReadRequest),
    /// A new state.
    State(UploadState),
    /// The numbers have changed.
    Progress,
    /// A line of the log.
    Log(LogLevel, String),
    /// The run has ended.
    Finished(Result<(), Error>),
}

/// The shortest time between two progress events.
pub(super) const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);
/// How many states wait for the program; past that, the oldest are dropped.
pub(super) const MAX_STATES: usize = 64;
/// How many log lines wait for the program; past that, the oldest are dropped.
const MAX_LINES: usize = 1000;

/// The events that the program has not fetched yet, and the state that they lead to.
#[derive(Debug, Default)]
pub(super) struct Events {
    state: Option<UploadState>,
    /// The run's own state. It differs from `state` while the program has paused the run and the
    /// run has not noticed yet.
    activity: Option<UploadState>,
    states: VecDeque<UploadState>,
    lines: VecDeque<(LogLevel, String)>,
    /// The time, and the position and the size, of the last progress event.
    progress: Option<(Instant, (u64, u64))>,
    retry_at: Option<Instant>,
    outcome: Option<Result<(), Error>>,
    /// Whether a success leaves nothing at the server, so that the upload is as before its first run.
    discards: bool,
}

impl Events {
    pub(super) fn state(&self) -> Option<UploadState> {
        self.state
    }

    pub(super) fn activity(&self) -> Option<UploadState> {
        self.activity
    }

    pub(super) fn set_activity(&mut self, activity: Option<UploadState>) {
        self.activity = activity;
    }

    pub(super) fn retry_at(&self) -> Option<Instant> {
        self.retry_at
    }

    pub(super) fn set_retry_at(&mut self, at: Option<Instant>) {
        self.retry_at = at;
    }

    /// Notes that the run takes the upload back.
    pub(super) fn set_discards(&mut self) {
        self.discards = true;
    }

    /// Whether the outcome is known. Later events are dropped.
    pub(super) fn has_ended(&self) -> bool {
        self.outcome.is_some()
    }

    /// Queues a state. Gives whether it is new.
    pub(super) fn push_state(&mut self, state: UploadState) -> bool {
        if self.state == Some(state) || self.has_ended() {
            return false;
        }
        self.state = Some(state);
        if self.states.len() == MAX_STATES {
            self.states.pop_front();
        }
        self.states.push_back(state);
        true
    }

    /// Queues a log line.
    pub(super) fn push_line(&mut self, level: LogLevel, line: String) {
        if self.has_ended() {
            return;
        }
        if self.lines.len() == MAX_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back((level, line));
    }

    /// Ends the run with `outcome`, unless it has ended. Gives whether it had not.
    pub(super) fn conclude(&mut self, outcome: Result<(), Error>) -> bool {
        if self.has_ended() {
            return false;
        }
        self.push_state(match &outcome {
            Ok(()) if self.discards => UploadState::Ready,
            Ok(()) => UploadState::Complete,
            Err(Error::Cancelled) => UploadState::Cancelled,
            Err(_) => UploadState::Failed,
        });
        self.outcome = Some(outcome);
        true
    }

    /// Takes the next event of an upload at this position, of this size.
    pub(super) fn pop(&mut self, now: Instant, numbers: (u64, u64)) -> Option<Event> {
        if self.is_progress_due(now, numbers) {
            self.progress = Some((now, numbers));
            return Some(Event::Progress);
        }
        if let Some((level, line)) = self.lines.pop_front() {
            return Some(Event::Log(level, line));
        }
        if let Some(state) = self.states.pop_front() {
            return Some(Event::State(state));
        }
        self.outcome.clone().map(Event::Finished)
    }

    /// Whether progress is due. The last progress comes before the final state.
    fn is_progress_due(&self, now: Instant, numbers: (u64, u64)) -> bool {
        match self.progress {
            None => numbers.0 > 0 || self.has_ended(),
            Some((_, last)) if last == numbers => false,
            Some((at, _)) => self.has_ended() || now >= at + PROGRESS_INTERVAL,
        }
    }

    /// Starts the interval until the next progress now.
    pub(super) fn delay_progress(&mut self) {
        if let Some((at, _)) = &mut self.progress {
            *at = Instant::now();
        }
    }
}
