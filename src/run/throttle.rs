//! How the bytes of one send flow: counted, in steps that suit the network, stopped at once.
#![forbid(unsafe_code)]

use std::io::{self, Read};
use std::time::Instant;

use crate::control::rate::{Grant, Limiter};
use crate::control::Control;
use crate::digest::{hex, Digesting};
use crate::error::Error;
use crate::protocol::FileBytes;

/// Steps are sized so that one takes about a tenth of a second: on a slow network that keeps
/// progress smooth and lets the stall limit tell slow from dead; on a fast one the buffer rules.
const STEPS_PER_SECOND: f64 = 10.0;
const SMALLEST_STEP: usize = 4 * 1024;

/// The file bytes of one send.
pub(crate) struct Paced<'a, 'f> {
    inner: Digesting<'a, 'f>,
    control: &'a Control,
    rates: [&'a Limiter; 2],
    /// The whole source's MD5 as it was read before, where these bytes end it.
    whole: Option<&'a str>,
    step: usize,
    last: Option<(Instant, usize)>,
}

impl<'a, 'f> Paced<'a, 'f> {
    pub(crate) fn new(
        inner: Digesting<'a, 'f>,
        control: &'a Control,
        rates: [&'a Limiter; 2],
        whole: Option<&'a str>,
    ) -> Self {
        Paced {
            inner,
            control,
            rates,
            whole,
            step: 16 * SMALLEST_STEP,
            last: None,
        }
    }

    /// Waits until all limits let some of `want` bytes pass; gives how many.
    fn leave(&self, want: usize) -> Result<usize, Error> {
        let [first, second] = self.rates;
        loop {
            let wait = match first.take(Instant::now(), want) {
                Grant::After(wait) => wait,
                Grant::Now(granted) => match second.take(Instant::now(), granted) {
                    Grant::Now(bytes) => {
                        first.give_back(granted - bytes);
                        return Ok(bytes);
                    }
                    Grant::After(wait) => {
                        first.give_back(granted);
                        wait
                    }
                },
            };
            self.control.nap(wait)?;
        }
    }

    /// The next step from the time that the last one took.
    fn adapt(&mut self, now: Instant) {
        if let Some((then, bytes)) = self.last {
            let seconds = now.duration_since(then).as_secs_f64().max(1e-6);
            let ideal = bytes as f64 / seconds / STEPS_PER_SECOND;
            // Halved or doubled at most, so that one hiccup does not count for much.
            let ideal = ideal.clamp(self.step as f64 / 2.0, self.step as f64 * 2.0);
            self.step = (ideal as usize).clamp(SMALLEST_STEP, 1 << 20);
        }
    }
}

impl Read for Paced<'_, '_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if let Err(interrupted) = self.control.check() {
            return Err(io::Error::other(interrupted));
        }
        let now = Instant::now();
        self.adapt(now);
        let most = self
            .leave(buf.len().min(self.step))
            .map_err(io::Error::other)?;
        let n = self
            .inner
            .read(&mut buf[..most])
            .map_err(io::Error::other)?;
        self.last = Some((now, n));
        self.control.handed_over(n as u64);
        Ok(n)
    }
}

impl FileBytes for Paced<'_, '_> {
    fn has_digest(&self) -> bool {
        self.inner.feed.is_hashing()
    }

    fn finish(&mut self) -> io::Result<Option<String>> {
        // Before the server can complete a mixture of two versions.
        self.inner.source.verify().map_err(io::Error::other)?;
        let md5 = self.inner.feed.md5().map(hex);
        if let Some((was, is)) = self.whole.zip(md5.as_deref()).filter(|(was, is)| was != is) {
            let why = format!("its MD5 was {was} and is {is}");
            return Err(io::Error::other(self.inner.source.changed(why)));
        }
        Ok(md5)
    }
}
