//! The file bytes of one send: counted, throttled, in steps that suit the network.

use std::io::{self, Read};
use std::time::Instant;

use crate::control::rate::{Limiter, Permit};
use crate::control::stop::Stop;
use crate::control::Control;
use crate::digest::{hex, HashingReader};
use crate::protocol::FileBytes;

/// Steps are sized so that one takes about a tenth of a second: on a slow network that keeps
/// progress smooth and lets the stall limit tell slow from dead; on a fast one the buffer rules.
const STEPS_PER_SECOND: f64 = 10.0;
const MIN_STEP: usize = 4 * 1024;

/// Reads the file bytes of one send, no faster than its limits allow.
pub(super) struct ThrottledReader<'a, 'f> {
    inner: HashingReader<'a, 'f>,
    control: &'a Control,
    rates: [&'a Limiter; 2],
    /// The whole source's MD5 that the server was told, where these bytes end the source.
    announced: Option<&'a str>,
    step: usize,
    last: Option<(Instant, usize)>,
}

impl<'a, 'f> ThrottledReader<'a, 'f> {
    pub(super) fn new(
        inner: HashingReader<'a, 'f>,
        control: &'a Control,
        rates: [&'a Limiter; 2],
        announced: Option<&'a str>,
    ) -> Self {
        ThrottledReader {
            inner,
            control,
            rates,
            announced,
            step: 16 * MIN_STEP,
            last: None,
        }
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
            // Halved or doubled at most, so that one hiccup does not count for much.
            let ideal = ideal.clamp(self.step as f64 / 2.0, self.step as f64 * 2.0);
            self.step = (ideal as usize).clamp(MIN_STEP, 1 << 20);
        }
    }
}

impl Read for ThrottledReader<'_, '_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.control.check().map_err(Stop::from)?;
        let now = Instant::now();
        self.adapt(now);
        let most = self.acquire(buf.len().min(self.step))?;
        let n = self.inner.read(&mut buf[..most])?;
        self.last = Some((now, n));
        self.control.count_sent(n as u64);
        Ok(n)
    }
}

impl FileBytes for ThrottledReader<'_, '_> {
    fn has_digest(&self) -> bool {
        self.inner.sink.is_hashing()
    }

    fn finish(&mut self) -> io::Result<Option<String>> {
        // Before the server can complete a mixture of two versions.
        self.inner.source.verify()?;
        let md5 = self.inner.sink.md5().map(hex);
        let both = self.announced.zip(md5.as_deref());
        if let Some((was, is)) = both.filter(|(was, is)| was != is) {
            let why = format!("its MD5 was {was} and is {is}");
            return Err(io::Error::other(self.inner.source.changed(why)));
        }
        Ok(md5)
    }
}
