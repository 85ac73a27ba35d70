//! What a run has to tell its program, in the order in which the program gets it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::log::LogLevel;
use super::reads::ReadRequest;
use super::snapshot::UploadState;
use crate::error::Error;

/// One thing that the program is told.
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

/// The least time between two events of progress.
pub(super) const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);
/// How many states and log lines wait for the program; past that, the oldest are dropped.
pub(super) const MAX_STATES: usize = 64;
const MAX_LINES: usize = 1000;

/// The events that the program has not fetched yet, and the state that they lead to.
#[derive(Debug, Default)]
pub(super) struct Events {
    state: Option<UploadState>,
    /// What the run does. It differs from `state` while the program has paused the run and the
    /// run has not noticed it yet.
    activity: Option<UploadState>,
    states: VecDeque<UploadState>,
    lines: VecDeque<(LogLevel, String)>,
    /// When the program was told of progress, and which position.
    progress: Option<(Instant, u64)>,
    retry_at: Option<Instant>,
    outcome: Option<Result<(), Error>>,
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

    /// Whether the outcome is known. What the run does after that is told to nobody.
    pub(super) fn has_ended(&self) -> bool {
        self.outcome.is_some()
    }

    /// Queues a new state; whether it is one.
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

    /// Ends the run with `outcome`, unless it has ended; whether it had not.
    pub(super) fn conclude(&mut self, outcome: Result<(), Error>) -> bool {
        if self.has_ended() {
            return false;
        }
        self.push_state(match &outcome {
            Ok(()) => UploadState::Complete,
            Err(Error::Cancelled) => UploadState::Cancelled,
            Err(_) => UploadState::Failed,
        });
        self.outcome = Some(outcome);
        true
    }

    /// Takes the next event, when the upload is at `position`.
    pub(super) fn pop(&mut self, now: Instant, position: u64) -> Option<Event> {
        if self.is_progress_due(now, position) {
            self.progress = Some((now, position));
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

    /// The last progress comes before the final state.
    fn is_progress_due(&self, now: Instant, position: u64) -> bool {
        match self.progress {
            None => position > 0 || self.has_ended(),
            Some((_, told)) if told == position => false,
            Some((at, _)) => self.has_ended() || now >= at + PROGRESS_INTERVAL,
        }
    }

    /// Counts the time until the next progress from now on.
    pub(super) fn delay_progress(&mut self) {
        if let Some((at, _)) = &mut self.progress {
            *at = Instant::now();
        }
    }
}
