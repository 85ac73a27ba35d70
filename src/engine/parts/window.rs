//! Measures of a rate.

use std::time::{Duration, Instant};

/// The rate of the second half by which a connection still becomes faster, as a share of the first half's.
const GROWTH: f64 = 1.2;

/// Further connections have to bring this share of what as many others bring.
const WORTH: f64 = 0.2;

/// A measure of so many connections: their bytes per second together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measure {
    pub slots: usize,
    pub rate: f64,
}

impl Measure {
    /// Whether these connections bring enough beside the fewer ones of another measure.
    pub(super) fn is_worth(self, fewer: Measure) -> bool {
        let share = fewer.rate / fewer.slots as f64;
        let more = (self.slots - fewer.slots) as f64;
        self.rate - fewer.rate >= WORTH * share * more
    }
}

/// A measure of the rate from one time on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    since: Instant,
    /// The number of bytes that were sent before.
    sent: u64,
    /// The same in the middle.
    middle: Option<(Instant, u64)>,
}

impl Window {
    pub(super) fn new(since: Instant, sent: u64) -> Self {
        Window {
            since,
            sent,
            middle: None,
        }
    }

    /// Gives the time since its beginning. The middle is noted when half of `length` is over.
    pub(super) fn time(&mut self, now: Instant, sent: u64, length: Duration) -> Duration {
        let time = now.saturating_duration_since(self.since);
        if time >= length / 2 {
            self.middle.get_or_insert((now, sent));
        }
        time
    }

    /// Gives the bytes per second.
    pub(super) fn rate(self, now: Instant, sent: u64) -> f64 {
        let seconds = now.saturating_duration_since(self.since).as_secs_f64();
        sent.saturating_sub(self.sent) as f64 / seconds.max(1e-6)
    }

    /// Gives the second half, if it is faster than the first, and has at least so many bytes per second.
    pub(super) fn growth(self, now: Instant, sent: u64, least: f64) -> Option<Self> {
        let (since, before) = self.middle?;
        let second = Window::new(since, before);
        let rate = second.rate(now, sent);
        (rate >= least && rate > GROWTH * self.rate(since, before)).then_some(second)
    }
}
