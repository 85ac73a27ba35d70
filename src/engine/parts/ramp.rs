//! The number of connections that parts are sent on.

use std::time::{Duration, Instant};

use super::window::Window;

/// The least time over which a rate is measured.
const WINDOW: Duration = Duration::from_millis(1000);
/// The time after which further connections are given up that have brought too little. What waits in
/// buffers on the way makes a short measure wrong.
const PATIENCE: Duration = Duration::from_millis(3000);
/// The longest time over which a rate is measured: it may change.
const LONGEST_WINDOW: Duration = Duration::from_secs(8);
/// The time before connections are measured: at first they fill buffers.
const WARM_UP: Duration = Duration::from_millis(400);
/// Further connections have to bring this share of what as many others bring.
const WORTH: f64 = 0.2;
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

/// A try with more connections.
#[derive(Debug, Clone, Copy)]
struct Trial {
    /// The number of connections before, and their bytes per second together.
    before: usize,
    rate: f64,
}

/// The number of connections, by what more of them bring.
///
/// It begins with one. If the upload takes longer than a moment, it tries twice as many, and keeps
/// them if they bring enough. If not, it goes back, and waits longer each time before it tries again.
#[derive(Debug)]
pub(super) struct Ramp {
    slots: usize,
    most: usize,
    /// When the connections are warm.
    warm_at: Option<Instant>,
    window: Option<Window>,
    trial: Option<Trial>,
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
        let known = self.trial.map_or(usize::MAX, |trial| trial.before);
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
        if let Some(trial) = self.trial {
            let more = (self.slots - trial.before) as f64;
            let share = trial.rate / trial.before as f64;
            if rate - trial.rate < WORTH * share * more {
                if time >= PATIENCE {
                    self.wait_longer(now);
                    self.settle(trial.before);
                }
                return;
            }
            self.trial = None;
            self.wait = FIRST_WAIT;
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
            self.trial = Some(Trial {
                before: self.slots,
                rate,
            });
            self.slots = (self.slots * 2).min(self.most);
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A link on which each connection is as fast as it can be, up to the link's own rate.
    struct Link {
        each: u64,
        all: u64,
    }

    /// Sends over a link, from `from` seconds on; gives the number of connections after each second.
    fn send(
        ramp: &mut Ramp,
        start: Instant,
        link: &Link,
        seconds: std::ops::Range<u64>,
    ) -> Vec<usize> {
        let mut sent = 0;
        let mut slots = Vec::new();
        for tenth in seconds.start * 10..seconds.end * 10 {
            let now = start + Duration::from_millis(tenth * 100);
            ramp.observe(now, sent, u64::MAX);
            sent += (link.each * ramp.slots() as u64).min(link.all) / 10;
            if tenth % 10 == 9 {
                slots.push(ramp.slots());
            }
        }
        slots
    }

    fn ramp(most: usize) -> Ramp {
        let mut ramp = Ramp::default();
        ramp.limit(most);
        ramp
    }

    const LOSSY: Link = Link {
        each: 160_000,
        all: u64::MAX,
    };

    #[test]
    fn a_lossy_link_gets_all_connections_within_five_seconds() {
        let slots = send(&mut ramp(6), Instant::now(), &LOSSY, 0..6);
        assert_eq!(slots, [1, 2, 4, 4, 6, 6]);
    }

    #[test]
    fn there_are_no_more_than_the_limit() {
        for most in 1..=6 {
            let mut ramp = ramp(most);
            let slots = send(&mut ramp, Instant::now(), &LOSSY, 0..20);
            assert_eq!(slots.into_iter().max(), Some(most));
            ramp.limit(1);
            assert_eq!(ramp.slots(), 1);
        }
    }

    #[test]
    fn a_full_link_goes_back_to_one_and_tries_seldom() {
        let full = Link {
            each: 5_000_000,
            all: 5_000_000,
        };
        let slots = send(&mut ramp(6), Instant::now(), &full, 0..200);
        let tries = slots.windows(2).filter(|pair| pair[0] < pair[1]).count();
        assert!((5..=7).contains(&tries), "{slots:?}");
        let with_one = slots.iter().filter(|slots| **slots == 1).count();
        assert!(with_one > 160, "{slots:?}");
    }

    #[test]
    fn a_fast_connection_stays_alone() {
        let fast = Link {
            each: 10_000_000,
            all: 80_000_000,
        };
        let mut ramp = ramp(6);
        let start = Instant::now();
        assert_eq!(send(&mut ramp, start, &fast, 0..60), [1; 60]);
        assert_eq!(ramp.alone(start, u64::MAX), Some(u64::MAX));
    }

    #[test]
    fn a_connection_that_still_becomes_faster_gets_no_other() {
        let mut ramp = ramp(6);
        let start = Instant::now();
        let (mut sent, mut rate) = (0, 50_000.0_f64);
        for tenth in 0..50 {
            ramp.observe(start + Duration::from_millis(tenth * 100), sent, u64::MAX);
            assert_eq!(ramp.slots(), 1, "{tenth}");
            sent += (rate / 10.0) as u64;
            // TCP doubles what it has on the way with each round trip.
            rate = (rate * 1.3).min(12.5e6);
        }
        assert_eq!(ramp.alone(start, u64::MAX), Some(u64::MAX));
    }

    #[test]
    fn what_a_link_carries_decides() {
        // Three connections fill it, so four are kept and six are not.
        let link = Link {
            each: 1_000_000,
            all: 3_000_000,
        };
        let slots = send(&mut ramp(6), Instant::now(), &link, 0..15);
        assert_eq!(slots[2..4], [4, 4]);
        assert_eq!(slots[14], 4);
    }

    #[test]
    fn an_upload_that_ends_soon_gets_no_other() {
        let mut ramp = ramp(6);
        let start = Instant::now();
        for tenth in 0..20 {
            let now = start + Duration::from_millis(tenth * 100);
            ramp.observe(now, tenth * 100_000, 1_900_000);
        }
        assert_eq!(ramp.slots(), 1);
        assert_eq!(ramp.alone(start, 2_000_000), Some(2_000_000));
        assert_eq!(ramp.alone(start, 2_100_000), None);
        ramp.note_part(5e6);
        assert_eq!(ramp.alone(start, 2_100_000), Some(2_100_000));
    }

    #[test]
    fn connections_that_are_lost_together_are_one_failure() {
        let mut ramp = ramp(6);
        let start = Instant::now();
        send(&mut ramp, start, &LOSSY, 0..8);
        let at = |seconds| start + Duration::from_secs(seconds);
        for slots in [5, 4, 3, 2, 1] {
            ramp.lost(at(8));
            assert_eq!(ramp.slots(), slots);
        }
        let slots = send(&mut ramp, start, &LOSSY, 8..14);
        assert_eq!(slots[..3], [1; 3], "no new try for a while");
        assert!(slots[5] > 1, "{slots:?}");

        // Without any connection left, their number was not the reason.
        send(&mut ramp, start, &LOSSY, 14..40);
        ramp.lost(at(40));
        ramp.lost_all();
        ramp.begin();
        assert_eq!(send(&mut ramp, start, &LOSSY, 40..42), [1, 2]);
    }

    #[test]
    fn a_second_connection_that_is_always_lost_is_tried_less_and_less() {
        let mut ramp = ramp(6);
        let start = Instant::now();
        let mut tries = Vec::new();
        for second in 0..200 {
            send(&mut ramp, start, &LOSSY, second..second + 1);
            if ramp.slots() > 1 {
                tries.push(second);
                ramp.lost(start + Duration::from_secs(second + 1));
            }
        }
        let waits: Vec<_> = tries.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!((6..=8).contains(&tries.len()), "{tries:?}");
        assert!(
            waits.windows(2).all(|pair| pair[1] > pair[0] + 1),
            "{tries:?}"
        );
    }

    #[test]
    fn one_connection_goes_on_alone_while_no_other_is_tried() {
        let mut ramp = ramp(6);
        let now = Instant::now();
        ramp.note_part(1e6);
        assert_eq!(ramp.alone(now, u64::MAX), None);
        ramp.lost(now);
        assert_eq!(ramp.alone(now, u64::MAX), Some(3_000_000));
        assert_eq!(ramp.alone(now, 2_500_000), Some(2_500_000));
        let later = now + Duration::from_secs(1);
        assert_eq!(ramp.alone(later, u64::MAX), None, "soon there is a try");
        ramp.limit(1);
        assert_eq!(ramp.alone(later, u64::MAX), Some(u64::MAX));
    }
}
