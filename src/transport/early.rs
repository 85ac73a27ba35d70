//! Early answers: a server may answer, and close, while the request body is still on its way.
//!
//! ureq only writes while it sends a body, so it meets a broken pipe and never reads the answer
//! that lies in the receive buffer. Two layers cure that. [`Bottom`], next to the socket,
//! swallows what the socket no longer takes, so that TLS above it gets to read. [`Top`] looks
//! for an answer while a body is under way; once there is one, it swallows the rest of the body
//! and ureq goes on to read the answer.
#![forbid(unsafe_code)]

use std::io;
use std::sync::atomic::Ordering;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ureq::unversioned::transport::time::Duration as NetDuration;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};
use ureq::{Error, Timeout};

use super::head::{first_head, has_final_head};
use super::{Flags, Layers};

/// How often an answer is looked for while a body is being sent.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long one look waits, and how long one does after the socket broke.
const GLANCE: Duration = Duration::from_millis(1);
const LAST_LOOK: Duration = Duration::from_secs(2);
/// A head that is longer than this is left to ureq to refuse.
const LONGEST_HEAD: usize = 64 * 1024;

/// Makes the layer next to the socket.
#[derive(Debug)]
pub(super) struct Bottom(pub Layers);

impl<In: Transport> Connector<In> for Bottom {
    type Out = BottomTransport<In>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let flags = self.0.flags(details);
        if let Some(flags) = &flags {
            flags.broken.store(false, Ordering::Relaxed);
            flags.fresh.store(true, Ordering::Relaxed);
        }
        Ok(chained.map(|inner| BottomTransport {
            inner,
            flags,
            broken: false,
        }))
    }
}

#[derive(Debug)]
pub(super) struct BottomTransport<In> {
    inner: In,
    /// `None`: this layer does nothing.
    flags: Option<Arc<Flags>>,
    broken: bool,
}

impl<In: Transport> Transport for BottomTransport<In> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let Some(flags) = &self.flags else {
            return self.inner.transmit_output(amount, timeout);
        };
        if self.broken {
            return Ok(());
        }
        flags.writes.fetch_add(1, Ordering::Relaxed);
        let result = self.inner.transmit_output(amount, timeout);
        flags.writes.fetch_add(1, Ordering::Relaxed);
        // After any failed write the stream has a gap: nothing may follow it.
        self.broken = result.is_err();
        match result {
            Err(Error::Io(e)) if is_broken_pipe(&e) => {
                flags.broken.store(true, Ordering::Relaxed);
                Ok(())
            }
            other => other,
        }
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.inner.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        !self.broken && self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}

fn is_broken_pipe(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::BrokenPipe
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::NotConnected
    )
}

/// Makes the layer next to ureq.
#[derive(Debug)]
pub(super) struct Top(pub Layers);

impl<In: Transport> Connector<In> for Top {
    type Out = TopTransport<In>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let flags = self.0.flags(details).unwrap_or_default();
        Ok(chained.map(|inner| TopTransport {
            inner,
            flags,
            looked: Instant::now(),
            spent: false,
        }))
    }
}

#[derive(Debug)]
pub(super) struct TopTransport<In> {
    inner: In,
    flags: Arc<Flags>,
    /// When an answer was last looked for.
    looked: Instant,
    /// The request was not sent whole: this connection takes no other.
    spent: bool,
}

impl<In: Transport> TopTransport<In> {
    /// Receives more of the answer.
    fn receive(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let came = self.inner.await_input(timeout)?;
        if came {
            self.flags.heard.store(true, Ordering::Relaxed);
            // ureq takes a late 100 without a word.
            let unanswered = self.flags.unanswered.load(Ordering::Relaxed);
            if unanswered && matches!(first_head(self.inner.buffers().input()), Some((_, 100))) {
                self.flags.unanswered.store(false, Ordering::Relaxed);
            }
        }
        Ok(came)
    }

    /// Looks for a final answer, waiting up to `patience` for it.
    fn look(&mut self, patience: Duration) -> Result<bool, Error> {
        let until = Instant::now() + patience;
        loop {
            let input = self.inner.buffers().input();
            if has_final_head(input) || input.len() >= LONGEST_HEAD {
                return Ok(true);
            }
            let left = until.saturating_duration_since(Instant::now());
            let timeout = NextTimeout {
                after: NetDuration::Exact(left.max(GLANCE)),
                reason: Timeout::PerRead,
                ..NextTimeout::default()
            };
            match self.receive(timeout) {
                Ok(true) => {}
                Err(Error::Timeout(_)) if !left.is_zero() && patience > GLANCE => {}
                Err(Error::Timeout(_)) => return Ok(false),
                // The server closed, or the connection broke, without an answer.
                Ok(false) => return Err(Error::Io(io::ErrorKind::ConnectionReset.into())),
                Err(e) => return Err(e),
            }
        }
    }
}

impl<In: Transport> Transport for TopTransport<In> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        if !self.flags.talking.swap(true, Ordering::Relaxed) {
            // No answer comes before the request; a look for one costs a millisecond.
            self.looked = Instant::now();
        }
        if self.spent {
            return Ok(());
        }
        self.inner.transmit_output(amount, timeout)?;
        // While leave to send is awaited, the answer is not looked for from here.
        let expecting = self.flags.expecting.load(Ordering::Relaxed);
        if expecting || !self.flags.sending.load(Ordering::Relaxed) {
            return Ok(());
        }
        let broken = self.flags.broken.load(Ordering::Relaxed);
        if !broken && self.looked.elapsed() < LOOK_EVERY {
            return Ok(());
        }
        let found = self.look(if broken { LAST_LOOK } else { GLANCE })?;
        self.looked = Instant::now();
        if found {
            self.flags.answer_waits.store(true, Ordering::Relaxed);
            self.spent = true;
            self.flags.early.store(true, Ordering::Relaxed);
        } else if broken {
            return Err(Error::Io(io::ErrorKind::BrokenPipe.into()));
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.receive(timeout)
    }

    fn is_open(&mut self) -> bool {
        !self.spent && self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}
