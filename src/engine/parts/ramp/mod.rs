//! The number of connections that parts are sent on.

#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use super::window::{Measure, Window};

/// The least time over which a rate is measured.
const WINDOW: Duration = Duration::from_millis(1000);
/// The time after which further connections are given up that have brought too little. What waits in
/// buffers on the way makes a short measure wrong.
const PATIENCE: Duration = Duration::from_millis(3000);
/// The longest time over which a rate is measured: it may change.
const LONGEST_WINDOW: Duration = Duration::from_secs(8);
/// The time before connections are measured: at first they fill buffers.
const WARM_UP: Duration = Duration::from_millis(400);
/// An upload that ends sooner gets no further connection.
const SHORT: Duration = Duration::from_secs(2);
/// One connection carries no part, but the bytes of this time and more, if no other one is tried
/// meanwhile.
const LONG: Duration = Duration::from_secs(3);
/// A connection that carries so many bytes per second is not held up by losses. Another one, which begins by filling the
/// buffers on the way, would cost more than it brings.
const FAST: f64 = 8e6;
/// One that carries so many, and still becomes faster, may be a fast one: TCP begins slowly.
const MAY_BE_FAST: f64 = FAST / 16.0;
/// The time without a try after one that failed; it doubles with each one.
const FIRST_WAIT: Duration = Duration::from_secs(3);
const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// The number of connections, by what more of them bring.
///
/// It begins with one. If the upload takes longer than a moment, it tries three times as many, and keeps
/// them if they bring enough. If not, it goes back, and waits longer each time before it tries again. But if
/// those that are left bring much less than the try did, they were fast only at first, as a new connection is
/// on a link with losses: then it takes up the try again.
#[derive(Debug)]
pub(super) struct Ramp {
    slots: usize,
    most: usize,
    /// When the connections are warm.
    warm_at: Option<Instant>,
    window: Option<Window>,
    /// The connections before a try with more.
    trial: Option<Measure>,
    /// The try that was given up last.
    given_up: Option<Measure>,
    /// No try before this time.
    next_try: Option<Instant>,
    wait: Duration,
    /// Whether more connections may be the reason of the last loss.
    is_blamed: bool,
    /// The bytes per second of each connection, by the last measure.
    each: f64,
}

impl Default for Ramp {
    fn default() -> Self {
        Ramp {
            slots: 1,
            most: 1,
            warm_at: None,
            window: None,
            trial: None,
            given_up: None,
            next_try: None,
            wait: FIRST_WAIT,
            is_blamed: false,
            each: 0.0,
        }
    }
}

impl Ramp {
    /// Gives the number of connections.
    pub(super) fn slots(&self) -> usize {
        self.slots
    }

    /// Gives the limit of their number.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// Sets the limit of their number.
    pub(super) fn limit(&mut self, most: usize) {
        self.most = most.max(1);
        if self.slots > self.most {
            self.settle(self.most);
        }
    }

    /// Begins again with one connection.
    pub(super) fn begin(&mut self) {
        self.settle(1);
    }

    /// Goes on with so many connections, and measures them anew.
    fn settle(&mut self, slots: usize) {
        self.slots = slots;
        self.trial = None;
        self.measure_anew();
    }

    /// Measures the connections anew.
    pub(super) fn measure_anew(&mut self) {
        (self.window, self.warm_at) = (None, None);
    }

    /// Notes that one of several connections was lost or refused. The others go on.
    pub(super) fn lost(&mut self, now: Instant) {
        // Those that are lost together are one failure.
        if self.trial.is_some() || self.may_try(now) {
            self.is_blamed = self.trial.is_some();
            self.wait_longer(now);
        }
        let known = self.trial.map_or(usize::MAX, |trial| trial.slots);
        self.settle(known.min(self.slots - 1).max(1));
    }

    /// Notes that all connections were lost: their number is not the reason, unless there were more
    /// than before.
    pub(super) fn lost_all(&mut self) {
        if !self.is_blamed {
            (self.next_try, self.wait) = (None, FIRST_WAIT);
        }
    }

    fn may_try(&self, now: Instant) -> bool {
        self.next_try.is_none_or(|at| now >= at)
    }

    fn wait_longer(&mut self, now: Instant) {
        self.next_try = Some(now + self.wait);
        self.wait = (self.wait * 2).min(LONGEST_WAIT);
    }

    /// Takes a measure: `sent` bytes went to the network so far, and `left` are to go.
    pub(super) fn observe(&mut self, now: Instant, sent: u64, left: u64) {
        let warm_at = *self.warm_at.get_or_insert(now + WARM_UP);
        if now < warm_at {
            return;
        }
        let window = self.window.get_or_insert(Window::new(now, sent));
        let time = window.time(now, sent, WINDOW);
        if time < WINDOW {
            return;
        }
        let rate = window.rate(now, sent);
        let growth = window.growth(now, sent, MAY_BE_FAST);
        self.each = rate / self.slots as f64;
        let slots = self.slots;
        let measure = Measure { slots, rate };
        if let Some(trial) = self.trial {
            if !measure.is_worth(trial) {
                if time >= PATIENCE {
                    self.wait_longer(now);
                    self.settle(trial.slots);
                    self.given_up = Some(measure);
                }
                return;
            }
            self.trial = None;
            self.wait = FIRST_WAIT;
        }
        let given_up = self.given_up.take();
        if let Some(more) = given_up.filter(|more| more.slots > slots && more.is_worth(measure)) {
            (self.next_try, self.wait) = (None, FIRST_WAIT);
            self.settle(more.slots.min(self.most));
            return;
        }
        if self.slots == 1 && growth.is_some() {
            self.window = growth;
            return;
        }
        if time >= LONGEST_WINDOW {
            self.window = None;
        }
        let may_try = self.may_try(now) && !self.is_fast() && !self.is_short(left);
        if self.slots < self.most && may_try {
            self.trial = Some(measure);
            self.slots = (slots * 3).min(self.most);
            (self.window, self.warm_at) = (None, Some(now + WARM_UP));
        }
    }

    /// Notes that one connection by itself has sent a part at this rate.
    pub(super) fn note_part(&mut self, rate: f64) {
        self.each = self.each.max(rate);
    }

    fn is_fast(&self) -> bool {
        self.each >= FAST
    }

    /// Whether `left` bytes take one moment only.
    fn is_short(&self, left: u64) -> bool {
        left as f64 <= self.each * self.slots as f64 * SHORT.as_secs_f64()
    }

    /// Gives how many of `left` bytes one connection may carry in order, because no other one is
    /// tried meanwhile; `None` if the next ones are to be parts.
    pub(super) fn alone(&self, now: Instant, left: u64) -> Option<u64> {
        if self.slots > 1 {
            return None;
        }
        if self.most == 1 || self.is_fast() || self.is_short(left) {
            return Some(left);
        }
        let time = self.next_try?.saturating_duration_since(now);
        (time >= LONG).then(|| left.min((self.each * time.as_secs_f64()) as u64))
    }
}
