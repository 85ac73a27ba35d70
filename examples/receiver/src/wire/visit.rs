//! One request as the log tells it.

use std::time::Instant;

use axum::http::Method;

use crate::ops::metrics::Metrics;
use crate::wire::answer::Answer;

/// What is known of a request so far.
pub struct Visit {
    method: Method,
    begun: Instant,
    /// `locate`, `send` or not known.
    pub action: &'static str,
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
        let offset = |offset: Option<u64>| offset.map_or("-".to_owned(), |n| n.to_string());
        tracing::info!(
            "{} {} {} {}→{} {} bytes, {} in {} ms {}",
            self.method,
            self.action,
            if self.id.is_empty() { "-" } else { &self.id },
            offset(self.from),
            offset(self.to),
            self.bytes,
            status,
            self.begun.elapsed().as_millis(),
            answer.message().escape_debug(),
        );
    }
}
