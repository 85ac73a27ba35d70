//! The pace at which a source is read for the network: no faster than the limits allow, in steps that
//! suit the network.

use std::io::{self, Read};
use std::time::Instant;

use crate::control::rate::{Limiter, Permit};
use crate::control::stop::Stop;
use crate::control::Control;
use crate::source::Source;

/// A step takes about a tenth of a second. On a slow network, progress is smooth then, and the
/// stall limit can tell slow from dead. On a fast network, the buffer's length is the limit.
const STEPS_PER_SECOND: f64 = 10.0;
/// The smallest step, in bytes.
const MIN_STEP: usize = 4 * 1024;

/// The pace of one send.
pub(super) struct Pace<'a> {
    pub control: &'a Control,
    rates: [&'a Limiter; 2],
    step: usize,
    last: Option<(Instant, usize)>,
}

impl<'a> Pace<'a> {
    pub(super) fn new(control: &'a Control, rates: [&'a Limiter; 2]) -> Self {
        Pace {
            control,
            rates,
            step: 16 * MIN_STEP,
            last: None,
        }
    }

    /// Reads the next bytes of a source, and counts them as sent.
    pub(super) fn read(&mut self, source: &mut dyn Source, buf: &mut [u8]) -> Result<usize, Stop> {
        self.control.check()?;
        let now = Instant::now();
        self.adapt(now);
        let most = self.acquire(buf.len().min(self.step))?;
        let n = source.read(&mut buf[..most])?;
        self.last = Some((now, n));
        self.control.count_sent(n as u64);
        Ok(n)
    }

    /// Reads the next bytes of a response, within the same limits.
    pub(super) fn receive(&mut self, body: &mut dyn Read, buf: &mut [u8]) -> io::Result<usize> {
        self.control.check().map_err(Stop::from)?;
        let now = Instant::now();
        self.adapt(now);
        let most = self.acquire(buf.len().min(self.step))?;
        let n = body.read(&mut buf[..most])?;
        for rate in self.rates {
            rate.give_back(most - n);
        }
        self.last = Some((now, n));
        Ok(n)
    }

    /// Waits until all limits permit some of `want` bytes; gives how many.
    fn acquire(&self, want: usize) -> Result<usize, Stop> {
        let [first, second] = self.rates;
        loop {
            let wait = match first.take(Instant::now(), want) {
                Permit::After(wait) => wait,
                Permit::Now(permitted) => match second.take(Instant::now(), permitted) {
                    Permit::Now(bytes) => {
                        first.give_back(permitted - bytes);
                        return Ok(bytes);
                    }
                    Permit::After(wait) => {
                        first.give_back(permitted);
                        wait
                    }
                },
            };
            self.control.sleep(wait)?;
        }
    }

    /// Sets the next step by the time that the last one took.
    fn adapt(&mut self, now: Instant) {
        if let Some((then, bytes)) = self.last {
            let seconds = now.duration_since(then).as_secs_f64().max(1e-6);
            let ideal = bytes as f64 / seconds / STEPS_PER_SECOND;
            let step = self.step as f64;
            // At most halved or doubled, so that one slow moment changes little.
            self.step = (ideal.clamp(step / 2.0, step * 2.0) as usize).clamp(MIN_STEP, 1 << 20);
        }
    }
}
