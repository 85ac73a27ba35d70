//! `Expect: 100-continue` (RFC 9110, 10.1.1): a server may refuse a large body before it is sent.
//!
//! ureq waits for the 100 by itself, but after a final answer it waits for more input than the
//! server may ever send, and it takes a 100 or 103 with header fields for a final answer. So the
//! waiting is done here: [`Gate`], the layer next to ureq, takes interim answers out of its
//! sight and shows it a final one at once.
#![forbid(unsafe_code)]

use std::sync::atomic::Ordering;
use std::sync::Arc;
use std::time::Instant;

use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};
use ureq::{Error, Timeout};

use super::head::first_head;
use super::{Flags, Layers};

/// Smaller bodies are sent faster than a server says that it wants them.
pub(super) const WORTH_ASKING: u64 = 1024 * 1024;

/// Makes the layer that waits for leave to send.
#[derive(Debug)]
pub(super) struct Gate(pub Layers);

impl<In: Transport> Connector<In> for Gate {
    type Out = GateTransport<In>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let flags = self.0.flags(details).unwrap_or_default();
        Ok(chained.map(|inner| GateTransport { inner, flags }))
    }
}

#[derive(Debug)]
pub(super) struct GateTransport<In> {
    inner: In,
    flags: Arc<Flags>,
}

impl<In: Transport> GateTransport<In> {
    /// Waits for a 100 or a final answer, however many other answers come.
    fn await_leave(&mut self, mut timeout: NextTimeout) -> Result<bool, Error> {
        let (began, limit) = (Instant::now(), *timeout.after);
        loop {
            match first_head(self.inner.buffers().input()) {
                Some((length, 100)) => {
                    self.inner.buffers().input_consume(length);
                    // What ureq understands as leave to send, without its reading the head.
                    return self.end(Err(Error::Timeout(Timeout::Await100)));
                }
                Some((length, 102..200)) => self.inner.buffers().input_consume(length),
                Some(_) => {
                    self.flags.answer_waits.store(true, Ordering::Relaxed);
                    return self.end(Ok(true));
                }
                None => match self.inner.await_input(timeout) {
                    Ok(true) if began.elapsed() < limit => {
                        timeout.after = limit.saturating_sub(began.elapsed()).into();
                    }
                    Ok(true) | Err(Error::Timeout(Timeout::Await100)) => {
                        self.flags.unanswered.store(true, Ordering::Relaxed);
                        return self.end(Err(Error::Timeout(Timeout::Await100)));
                    }
                    other => return self.end(other),
                },
            }
        }
    }

    fn end(&self, result: Result<bool, Error>) -> Result<bool, Error> {
        self.flags.expecting.store(false, Ordering::Relaxed);
        result
    }
}

impl<In: Transport> Transport for GateTransport<In> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.inner.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        if self.flags.expecting.load(Ordering::Relaxed) {
            return self.await_leave(timeout);
        }
        // The buffer's own memory of progress does not know of it. (ureq holds its transport in a
        // box, and that never calls a `maybe_await_input` of ours.)
        let waits = self.flags.answer_waits.swap(false, Ordering::Relaxed);
        // ureq may have taken the head without asking here; what it waits for then is the body.
        if waits && !self.inner.buffers().input().is_empty() {
            return Ok(true);
        }
        self.inner.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}
