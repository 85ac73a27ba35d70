//! Early responses: a server may respond, and close, before the end of the request's body.
//!
//! ureq only writes while it sends a body. If the server closes, ureq gets a broken pipe and never
//! reads the response in the receive buffer. Two layers change that. [`Bottom`], next to the
//! socket, drops the bytes that the socket no longer accepts, so that TLS above it goes on to read.
//! [`Top`] looks for a response while a body is sent. Once there is one, it drops the rest of the
//! body, and ureq goes on to read the response. It also hides a head from ureq until the head is
//! whole and tidy.

use std::io;
use std::sync::atomic::Ordering;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ureq::unversioned::transport::time::Duration as NetDuration;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};
use ureq::{Error, Timeout};

use super::head::tidy;
use super::state::{ConnectionState, Layers, Phase};
use crate::error::Error as OwnError;

/// The time between two looks for a response while a body is being sent.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);
/// How long a look waits while the socket keeps bytes of the body. Else it does not wait.
const LOOK_TIME: Duration = Duration::from_millis(1);
/// How long the last look waits, after the socket was closed.
const LAST_LOOK_TIME: Duration = Duration::from_secs(2);
/// The most bytes of a response after its head, with all that chunks add to the body. (The body
/// itself has a far lower limit, or is taken as it comes; without this one, trailers could go on for ever.)
const LONGEST_REST: usize = 1024 * 1024;

/// The connector of the layer next to the socket.
#[derive(Debug)]
pub(super) struct Bottom(pub Layers);

impl<In: Transport> Connector<In> for Bottom {
    type Out = BottomTransport<In>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let state = self.0.state(details);
        if let Some(state) = &state {
            state.is_broken.store(false, Ordering::Relaxed);
            state.is_aborted.store(false, Ordering::Relaxed);
            state.is_unwanted.store(false, Ordering::Relaxed);
            state.request().is_fresh = true;
        }
        Ok(chained.map(|inner| BottomTransport {
            inner,
            state,
            is_broken: false,
        }))
    }
}

#[derive(Debug)]
pub(super) struct BottomTransport<In> {
    inner: In,
    /// `None` on a connection to a proxy, where this layer does nothing.
    state: Option<Arc<ConnectionState>>,
    is_broken: bool,
}

impl<In: Transport> Transport for BottomTransport<In> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let Some(state) = &self.state else {
            return self.inner.transmit_output(amount, timeout);
        };
        if self.is_broken {
            return Ok(());
        }
        state.writes.fetch_add(1, Ordering::Relaxed);
        let result = self.inner.transmit_output(amount, timeout);
        state.writes.fetch_add(1, Ordering::Relaxed);
        // After a failed write the stream has a gap, and nothing may follow it.
        self.is_broken = result.is_err();
        state.is_broken.store(self.is_broken, Ordering::Relaxed);
        match result {
            Err(Error::Io(e)) if is_broken_pipe(&e) => Ok(()),
            other => other,
        }
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.inner.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        !self.is_broken && self.inner.is_open()
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

/// The connector of the layer above TLS.
#[derive(Debug)]
pub(super) struct Top(pub Layers);

impl<In: Transport> Connector<In> for Top {
    type Out = TopTransport<In>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let state = self.0.state(details);
        Ok(chained.map(|inner| TopTransport {
            inner,
            is_tunnel: state.is_none(),
            state: state.unwrap_or_default(),
            last_look: Instant::now(),
            head: Vec::new(),
            is_spent: false,
        }))
    }
}

#[derive(Debug)]
pub(super) struct TopTransport<In> {
    inner: In,
    /// Whether the connection is one to a proxy, where a tunnel comes after the head.
    is_tunnel: bool,
    state: Arc<ConnectionState>,
    /// The time of the last look for a response.
    last_look: Instant,
    /// The head of a request that goes out together with its body.
    head: Vec<u8>,
    /// Whether the request was not sent whole, so that no other may follow on this connection.
    is_spent: bool,
}

impl<In: Transport> TopTransport<In> {
    /// Puts the head, if it is to go out yet, before the first bytes of a short body. Gives the number of all.
    fn add_head(&mut self, amount: usize) -> usize {
        let length = self.head.len();
        if length > 0 {
            let output = self.inner.buffers().output();
            output.copy_within(..amount, length);
            output[..length].copy_from_slice(&self.head);
            self.head.clear();
        }
        length + amount
    }

    /// Receives more of the response.
    fn receive(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let before = self.inner.buffers().input().len();
        let has_input = self.inner.await_input(timeout)?;
        if !has_input {
            return Ok(false);
        }
        let is_body = self.state.request().response.head_is_ready;
        if is_body {
            let new = self.inner.buffers().input().len().saturating_sub(before);
            let response = &mut self.state.request().response;
            response.body_bytes = response.body_bytes.saturating_add(new);
            if response.body_bytes > LONGEST_REST && !self.is_tunnel {
                let error = OwnError::bad_response("its chunks or trailers have no end");
                return Err(Error::Io(io::Error::other(error)));
            }
            return Ok(true);
        }
        let tidied = tidy(self.inner.buffers());
        let response = &mut self.state.request().response;
        response.has_begun = true;
        let tidied = tidied.map_err(|error| Error::Io(io::Error::other(error)))?;
        response.head_is_ready = tidied.is_ready;
        response.notes.extend(tidied.notes);
        if tidied.had_100 {
            response.had_100 = true;
            response.no_100_yet = false;
        }
        Ok(true)
    }

    /// Looks for a final response, for up to `time`; takes what is there, if that is 0.
    fn look(&mut self, time: Duration) -> Result<bool, Error> {
        let until = Instant::now() + time;
        while !self.state.request().response.head_is_ready {
            let left = until.saturating_duration_since(Instant::now());
            let timeout = NextTimeout {
                after: NetDuration::Exact(left.max(time.min(LOOK_TIME))),
                reason: Timeout::PerRead,
                ..NextTimeout::default()
            };
            match self.receive(timeout) {
                Ok(true) | Err(Error::Timeout(_)) if Instant::now() < until => {}
                Ok(true) => return Ok(self.state.request().response.head_is_ready),
                Err(Error::Timeout(_)) => return Ok(false),
                // The server closed, or the connection was lost, without a response.
                Ok(false) => return Err(Error::Io(io::ErrorKind::ConnectionReset.into())),
                Err(e) => return Err(e),
            }
        }
        Ok(true)
    }
}

impl<In: Transport> Transport for TopTransport<In> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        if self.state.request().begin_writing() {
            // No response comes before the request.
            self.last_look = Instant::now();
            self.head.clear();
            let output = self.inner.buffers().output();
            if self.state.request().is_short && amount <= output.len() / 2 {
                self.head.extend_from_slice(&output[..amount]);
                return Ok(());
            }
        }
        if self.is_spent {
            return Ok(());
        }
        let amount = self.add_head(amount);
        self.inner.transmit_output(amount, timeout)?;
        // What the socket has kept goes out, or a response comes, before more is written.
        while self.state.request().phase() == Phase::Sending {
            let is_broken = self.state.is_broken.load(Ordering::Relaxed);
            let has_pending = self.state.has_pending.load(Ordering::Relaxed);
            if !is_broken && !has_pending && self.last_look.elapsed() < LOOK_INTERVAL {
                break;
            }
            let found = self.look(match (is_broken, has_pending) {
                (true, _) => LAST_LOOK_TIME,
                (false, true) => LOOK_TIME,
                (false, false) => Duration::ZERO,
            })?;
            self.last_look = Instant::now();
            if found {
                self.is_spent = true;
                self.state.request().cut_short();
            } else if is_broken {
                return Err(Error::Io(io::ErrorKind::BrokenPipe.into()));
            }
        }
        Ok(())
    }

    /// Waits for a whole final head, or for more of the body after it. A request that expects a
    /// 100 Continue also waits for that.
    fn await_input(&mut self, mut timeout: NextTimeout) -> Result<bool, Error> {
        let (began, limit) = (Instant::now(), *timeout.after);
        if !self.head.is_empty() {
            // There was no body.
            let amount = self.add_head(0);
            self.inner.transmit_output(amount, timeout)?;
        }
        loop {
            if !self.receive(timeout)? {
                if !self.state.request().response.head_is_ready {
                    // ureq takes a part of a head for an error of the server.
                    let part = self.inner.buffers().input().len();
                    self.inner.buffers().input_consume(part);
                }
                return Ok(false);
            }
            let request = self.state.request();
            let may_go_on = request.phase() == Phase::Expecting && request.response.had_100;
            if request.response.head_is_ready || may_go_on {
                return Ok(true);
            }
            drop(request);
            let left = limit.saturating_sub(began.elapsed());
            if left.is_zero() {
                return Err(Error::Timeout(timeout.reason));
            }
            timeout.after = left.into();
        }
    }

    fn is_open(&mut self) -> bool {
        let is_unwanted = self.state.is_unwanted.load(Ordering::Relaxed);
        !self.is_spent && !is_unwanted && self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}
