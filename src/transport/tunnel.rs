//! The answer of an HTTP proxy to CONNECT.
//!
//! ureq takes the status 200 only, and drops what the proxy says with another one. So [`Answer`],
//! a layer of the connection to the proxy, reads the answer first. It passes every 2xx on as a 200
//! (RFC 9110, 9.3.6), and makes an error of any other answer.

use std::io;
use std::time::{Duration, Instant};

use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};
use ureq::{Error, Timeout};

use super::head::{head_length, replace, Head};
use super::names::time_left;
use super::race;
use super::state::Layers;
use crate::error::Error as OwnError;
use crate::http::{excerpt, schemes, status_and_words};

/// How long the page of a refusal is waited for.
const PAGE_TIME: Duration = Duration::from_secs(1);
/// How much of the page is read.
const LONGEST_PAGE: usize = 16 * 1024;

/// An answer that makes no tunnel.
#[derive(Debug)]
pub(super) struct NoTunnel {
    /// The status; `None` if the answer cannot be used.
    pub status: Option<u16>,
    /// Its schemes of authentication.
    pub schemes: Vec<String>,
    /// The proxy's words.
    pub words: String,
}

impl NoTunnel {
    /// Makes the error for what is no answer.
    fn unusable(error: &OwnError) -> Self {
        let words = match error {
            // The rest of its text is about the server.
            OwnError::BadResponse { why, .. } => why.clone(),
            other => other.to_string(),
        };
        NoTunnel {
            status: None,
            schemes: Vec::new(),
            words,
        }
    }
}

impl std::fmt::Display for NoTunnel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.words)
    }
}

impl std::error::Error for NoTunnel {}

/// The connector of the layer.
#[derive(Debug)]
pub(super) struct Answer(pub Layers);

impl<In: Transport> Connector<In> for Answer {
    type Out = AnswerTransport<In>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let is_due = self.0.state(details).is_none();
        let left = (*time_left(details).after).min(race::NO_LIMIT);
        let due = is_due.then(|| Instant::now() + left);
        Ok(chained.map(|inner| AnswerTransport { inner, due }))
    }
}

#[derive(Debug)]
pub(super) struct AnswerTransport<In> {
    inner: In,
    /// The end of the time for connecting, if an answer to CONNECT comes next.
    due: Option<Instant>,
}

impl<In: Transport> AnswerTransport<In> {
    /// Judges the answer at the start of the buffer. Gives the refusal, if it is one.
    fn judge(&mut self) -> Option<NoTunnel> {
        let buffers = self.inner.buffers();
        let length = head_length(buffers.input())?;
        let head = Head::parse(&buffers.input()[..length])?;
        if (200..300).contains(&head.status) {
            // Such an answer has no body, whatever its fields say.
            let text = b"HTTP/1.1 200 \r\n\r\n".to_vec();
            let result = replace(buffers, length, text);
            return result.err().map(|error| NoTunnel::unusable(&error));
        }
        let page = self.page(length, &head);
        let status = format!("{} {}", head.status, excerpt(&head.reason));
        Some(NoTunnel {
            status: Some(head.status),
            schemes: schemes(head.values("proxy-authenticate")),
            words: status_and_words(&status, &page),
        })
    }

    /// Reads the body of a refusal, or the start of it.
    fn page(&mut self, head_length: usize, head: &Head) -> Vec<u8> {
        let until = Instant::now() + PAGE_TIME;
        let announced = head.values("content-length").next();
        let announced = announced.and_then(|length| length.trim().parse().ok());
        let wanted = announced.unwrap_or(LONGEST_PAGE).min(LONGEST_PAGE);
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let page = &self.inner.buffers().input()[head_length..];
            if page.len() >= wanted || left.is_zero() {
                return page[..page.len().min(wanted)].to_vec();
            }
            let timeout = NextTimeout {
                after: left.into(),
                reason: Timeout::PerRead,
                ..NextTimeout::default()
            };
            if !matches!(self.inner.await_input(timeout), Ok(true)) {
                return self.inner.buffers().input()[head_length..].to_vec();
            }
        }
    }
}

impl<In: Transport> Transport for AnswerTransport<In> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.inner.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.inner.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, mut timeout: NextTimeout) -> Result<bool, Error> {
        let Some(due) = self.due.take() else {
            return self.inner.await_input(timeout);
        };
        // ureq would give it the whole time once more.
        timeout.after = due.saturating_duration_since(Instant::now()).into();
        match self.inner.await_input(timeout) {
            Ok(true) => match self.judge() {
                None => Ok(true),
                Some(refusal) => Err(Error::Io(io::Error::other(refusal))),
            },
            Err(Error::Io(e)) => match e.get_ref().and_then(|own| own.downcast_ref::<OwnError>()) {
                // What came is no HTTP: the fault is the proxy's, not the server's.
                Some(own) => Err(Error::Io(io::Error::other(NoTunnel::unusable(own)))),
                None => Err(Error::Io(e)),
            },
            other => other,
        }
    }

    fn is_open(&mut self) -> bool {
        self.inner.is_open()
    }

    fn is_tls(&self) -> bool {
        self.inner.is_tls()
    }
}
