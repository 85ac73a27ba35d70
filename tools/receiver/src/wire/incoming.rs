//! The body of a request as it arrives.

use std::sync::Arc;
use std::time::Duration;

use axum::body::BodyDataStream;
use axum::http::StatusCode;
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::time::{timeout_at, Instant};

use crate::config::Config;
use crate::http::body::broken;
use crate::http::reply::Reply;
use crate::storage::claims::Slot;

/// A body that is being received.
pub struct Incoming<'b> {
    body: &'b mut BodyDataStream,
    /// What messages call it.
    what: &'static str,
    idle: Duration,
    rate: RateCheck,
    slot: Option<Arc<Slot>>,
}

impl<'b> Incoming<'b> {
    /// Reads from `body`. It fails when the client is silent or slow for too long.
    pub fn new(body: &'b mut BodyDataStream, what: &'static str, config: &Config) -> Self {
        Self {
            body,
            what,
            idle: config.body_idle_timeout,
            rate: RateCheck {
                min_rate: config.min_rate,
                window: config.min_rate_window,
                bytes: 0,
                waited: Duration::ZERO,
            },
            slot: None,
        }
    }

    /// Makes the body fail when the claim of `slot` is taken away.
    pub fn set_slot(&mut self, slot: Arc<Slot>) {
        self.slot = Some(slot);
    }

    /// The time until which a client may be silent that has just sent something.
    pub fn deadline(&self) -> Instant {
        Instant::now() + self.idle
    }

    /// Waits for the next bytes, which have to come before `deadline`; `None` at the end.
    pub async fn next(&mut self, deadline: Instant) -> Result<Option<Bytes>, Reply> {
        self.rate.check()?;
        let start = Instant::now();
        let work = timeout_at(deadline, self.body.next());
        let chunk = match &self.slot {
            Some(slot) => slot.wait_for_client(work).await?,
            None => work.await,
        };
        let chunk = chunk.map_err(|_| self.idle_timeout())?;
        self.rate.waited += start.elapsed();
        let chunk = chunk.transpose();
        let chunk = chunk.map_err(|error| broken(self.what, &error))?;
        self.rate.bytes += chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
        Ok(chunk)
    }

    /// The refusal of a body of which nothing more arrives.
    fn idle_timeout(&self) -> Reply {
        let message = format!(
            "the {} got no further for {} s",
            self.what,
            self.idle.as_secs_f64()
        );
        Reply::refusal(StatusCode::REQUEST_TIMEOUT, message)
    }
}

/// A check that the client is not too slow, while the receiver waits for it.
struct RateCheck {
    /// The least number of bytes per second, on average over the window.
    min_rate: u64,
    window: Duration,
    /// How many bytes have arrived since the window began.
    bytes: u64,
    waited: Duration,
}

impl RateCheck {
    fn check(&mut self) -> Result<(), Reply> {
        if self.waited < self.window {
            return Ok(());
        }
        let bytes = std::mem::take(&mut self.bytes);
        let waited = std::mem::take(&mut self.waited).as_secs_f64();
        if bytes as f64 >= self.min_rate as f64 * waited {
            return Ok(());
        }
        Err(Reply::refusal(
            StatusCode::REQUEST_TIMEOUT,
            format!(
                "{bytes} bytes in {waited:.1} s are too slow: the least is {} bytes in a second",
                self.min_rate
            ),
        ))
    }
}
