//! A reader of the file bytes of one send: counts them, limits their rate, and reads steps that
//! suit the network.

use std::io::{self, Read};
use std::time::Instant;

use resup_digests::{Algorithm, Digest};

use super::proof::Proof;
use crate::control::rate::{Limiter, Permit};
use crate::control::stop::Stop;
use crate::control::Control;
use crate::digest::HashSink;
use crate::protocol::FileBytes;
use crate::source::Source;

/// A step takes about a tenth of a second. On a slow network, progress is smooth then, and the
/// stall limit can tell slow from dead. On a fast network, the buffer's length is the limit.
const STEPS_PER_SECOND: f64 = 10.0;
/// The smallest step, in bytes.
const MIN_STEP: usize = 4 * 1024;

/// A reader of the file bytes of one send, no faster than its limits allow.
pub(super) struct ThrottledReader<'a, 'f> {
    source: &'a mut dyn Source,
    sink: &'a mut HashSink<'f>,
    control: &'a Control,
    rates: [&'a Limiter; 2],
    /// Where these bytes end the source.
    end: Option<FileEnd<'a>>,
    step: usize,
    last: Option<(Instant, usize)>,
}

/// What is checked at the end of the source: after that the server has all of it.
pub(super) struct FileEnd<'a> {
    /// The digests of the whole source that the locate announced.
    pub announced: &'a [Digest],
    pub proof: &'a mut Proof,
    /// The number of bytes in the source.
    pub size: u64,
}

impl<'a, 'f> ThrottledReader<'a, 'f> {
    pub(super) fn new(
        source: &'a mut dyn Source,
        sink: &'a mut HashSink<'f>,
        control: &'a Control,
        rates: [&'a Limiter; 2],
        end: Option<FileEnd<'a>>,
    ) -> Self {
        ThrottledReader {
            source,
            sink,
            control,
            rates,
            end,
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
            let step = self.step as f64;
            // At most halved or doubled, so that one slow moment changes little.
            self.step = (ideal.clamp(step / 2.0, step * 2.0) as usize).clamp(MIN_STEP, 1 << 20);
        }
    }
}

impl Read for ThrottledReader<'_, '_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.control.check().map_err(Stop::from)?;
        let now = Instant::now();
        self.adapt(now);
        let most = self.acquire(buf.len().min(self.step))?;
        let n = self.source.read(&mut buf[..most])?;
        self.sink.update(&buf[..n]);
        self.last = Some((now, n));
        self.control.count_sent(n as u64);
        Ok(n)
    }
}

impl FileBytes for ThrottledReader<'_, '_> {
    fn algorithm(&self) -> Option<Algorithm> {
        self.sink.algorithm()
    }

    fn finish(&mut self) -> io::Result<Option<Digest>> {
        let digest = self.sink.digest();
        let Some(end) = &mut self.end else {
            self.source.verify()?;
            return Ok(digest);
        };
        // This comes before the server can complete a mixture of two versions.
        let source = &mut *self.source;
        end.proof.check(source, self.control, end.size, digest)?;
        let announced = |is: &Digest| {
            let mut others = end.announced.iter();
            others.find(|was| was.algorithm() == is.algorithm())
        };
        let both = digest.and_then(|is| Some((announced(&is)?, is)));
        if let Some((was, is)) = both.filter(|(was, is)| *was != is) {
            let why = format!(
                "its {} was {} and is {}",
                is.algorithm().label(),
                was.hex(),
                is.hex()
            );
            return Err(io::Error::other(self.source.changed(why)));
        }
        Ok(digest)
    }
}
