//! One request as the log tells it.

use std::time::Instant;

use axum::http::Method;

use crate::http::answer::Answer;
use crate::ops::metrics::Metrics;

/// What is known of a request so far.
pub struct Visit {
    method: Method,
    begun: Instant,
    /// `locate`, `send` or not known.
    pub action: &'static str,
    /// Whose upload it is.
    pub owner: String,
    /// The upload.
    pub id: String,
    /// The offset at the beginning.
    pub from: Option<u64>,
    /// The offset at the end.
    pub to: Option<u64>,
    /// File bytes that came.
    pub bytes: u64,
}

impl Visit {
    /// A request that has just come.
    pub fn new(method: Method) -> Self {
        Self {
            method,
            begun: Instant::now(),
            action: "-",
            owner: String::new(),
            id: String::new(),
            from: None,
            to: None,
            bytes: 0,
        }
    }

    /// Counts the request and writes its one line.
    pub fn end(&self, answer: &Answer, metrics: &Metrics) {
        let status = answer.status().as_u16();
        metrics.answered(self.action, status, self.bytes);
        let known = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        tracing::info!(
            method = %self.method,
            action = self.action,
            owner = known(&self.owner),
            id = known(&self.id),
            from = self.from,
            to = self.to,
            bytes = self.bytes,
            status,
            ms = self.begun.elapsed().as_millis() as u64,
            reason = known(answer.message()),
            "request"
        );
    }
}
