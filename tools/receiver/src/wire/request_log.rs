//! The log line of a request.

use std::time::Instant;

use axum::http::Method;

use crate::http::reply::Reply;
use crate::ops::metrics::Metrics;

/// The facts about a request that are known so far.
pub struct RequestLog {
    method: Method,
    start: Instant,
    /// `locate`, `send`, `store`, `discard`, or `-` while it is not known.
    pub action: &'static str,
    /// The owner of the upload.
    pub owner: String,
    /// The upload's id.
    pub id: String,
    /// The offset at the beginning.
    pub from: Option<u64>,
    /// The offset at the end; for a part that of the end of its bytes that are stored.
    pub to: Option<u64>,
    /// How many file bytes have arrived.
    pub bytes: u64,
}

impl RequestLog {
    /// Begins with a request that has just arrived.
    pub fn new(method: Method) -> Self {
        Self {
            method,
            start: Instant::now(),
            action: "-",
            owner: String::new(),
            id: String::new(),
            from: None,
            to: None,
            bytes: 0,
        }
    }

    /// Counts the request and writes its line.
    pub fn finish(&self, reply: &Reply, metrics: &Metrics) {
        let status = reply.status().as_u16();
        metrics.count_request(self.action, status, self.bytes);
        let unless_empty = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        tracing::info!(
            method = %self.method,
            action = self.action,
            owner = unless_empty(&self.owner),
            id = unless_empty(&self.id),
            from = self.from,
            to = self.to,
            bytes = self.bytes,
            status,
            ms = self.start.elapsed().as_millis() as u64,
            reason = unless_empty(reply.message()),
            "request"
        );
    }
}
