//! `Expect: 100-continue` (RFC 9110, 10.1.1): a server may refuse a large body before it is sent.
//!
//! ureq waits for the 100 by itself, with a fault: after a final response it waits for input that
//! may never come. So [`Gate`], the layer next to ureq, waits instead, and passes a final response
//! on at once. (Interim responses end at the layer below.)

use std::sync::Arc;

use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};
use ureq::{Error, Timeout};

use super::state::{ConnectionState, Layers, Phase};

/// The smallest body with `Expect`. Sending a smaller one takes less time than the server's 100.
pub(super) const MIN_BODY: u64 = 1024 * 1024;

/// The connector of the layer that waits for a 100 Continue.
#[derive(Debug)]
pub(super) struct Gate(pub Layers);

impl<In: Transport> Connector<In> for Gate {
    type Out = GateTransport<In>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let state = self.0.state(details).unwrap_or_default();
        Ok(chained.map(|inner| GateTransport { inner, state }))
    }
}

#[derive(Debug)]
pub(super) struct GateTransport<In> {
    inner: In,
    state: Arc<ConnectionState>,
}

impl<In: Transport> GateTransport<In> {
    /// Waits for a 100 or a final response.
    fn await_continue(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let result = self.inner.await_input(timeout);
        let response = &mut self.state.request().response;
        response.no_100_yet = matches!(result, Err(Error::Timeout(Timeout::Await100)));
        response.head_is_due = response.head_is_ready;
        if result? && response.had_100 {
            // After this error ureq sends the body, and does not read the head.
            return Err(Error::Timeout(Timeout::Await100));
        }
        Ok(response.head_is_ready)
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
        if self.state.request().phase() == Phase::Expecting {
            let result = self.await_continue(timeout);
            self.state.request().end_expecting();
            return result;
        }
        // The buffer does not know that ureq has not seen the head in it. (ureq holds its transport
        // in a box, and the box never calls our `maybe_await_input`.)
        let is_due = std::mem::take(&mut self.state.request().response.head_is_due);
        // ureq may have taken the head without a call here. Then it waits for the body.
        if is_due && !self.inner.buffers().input().is_empty() {
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
