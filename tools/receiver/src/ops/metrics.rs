//! Counters for Prometheus, served on an address of their own.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::Router;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;

use crate::storage::claims::Claims;

/// The counters.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    received: Counter,
    /// Open connections.
    pub connections: Gauge,
    uploads: Gauge,
    deliveries: Family<Delivery, Counter>,
    waiting: Gauge,
    oldest: Gauge,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Delivery {
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    action: &'static str,
    status: u32,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("resup"),
            requests: Family::default(),
            received: Counter::default(),
            connections: Gauge::default(),
            uploads: Gauge::default(),
            deliveries: Family::default(),
            waiting: Gauge::default(),
            oldest: Gauge::default(),
        };
        let registry = &mut metrics.registry;
        let requests = metrics.requests.clone();
        registry.register("requests", "Requests to the endpoint, answered", requests);
        let received = metrics.received.clone();
        registry.register("received_bytes", "File bytes that came in", received);
        let connections = metrics.connections.clone();
        registry.register("connections", "Open connections", connections);
        let uploads = metrics.uploads.clone();
        registry.register("active_uploads", "Uploads being worked on", uploads);
        let deliveries = metrics.deliveries.clone();
        let help = "Attempts to tell the hook of a finished file";
        registry.register("hook_deliveries", help, deliveries);
        let waiting = metrics.waiting.clone();
        let help = "Finished files that the hook is still to be told of";
        registry.register("hook_queue", help, waiting);
        let oldest = metrics.oldest.clone();
        let help = "When the oldest of these was finished, in seconds since 1970; 0 for none";
        registry.register("hook_queue_oldest_timestamp_seconds", help, oldest);
        metrics
    }
}

impl Metrics {
    /// Counts a request that was answered, and its `bytes` of a file.
    pub fn count_request(&self, action: &'static str, status: u16, bytes: u64) {
        let status = status.into();
        self.requests
            .get_or_create(&Request { action, status })
            .inc();
        self.received.inc_by(bytes);
    }
}

impl Metrics {
    /// Counts an attempt to tell the hook.
    pub fn count_delivery(&self, is_taken: bool) {
        let result = if is_taken { "taken" } else { "failed" };
        self.deliveries.get_or_create(&Delivery { result }).inc();
    }

    /// Sets how much the hook is still to be told, and since when the oldest waits, in milliseconds since 1970.
    pub fn set_backlog(&self, count: u64, oldest: Option<i64>) {
        self.waiting.set(count as i64);
        self.oldest.set(oldest.unwrap_or(0) / 1000);
    }
}

/// Serves `/metrics` as long as the receiver runs.
pub async fn serve(metrics: Arc<Metrics>, claims: Arc<Claims>, listener: TcpListener) {
    let router = Router::new()
        .route("/metrics", get(encode_all))
        .with_state((metrics, claims));
    if let Err(error) = axum::serve(listener, router).await {
        tracing::error!("metrics: {error}");
    }
}

async fn encode_all(State((metrics, claims)): State<(Arc<Metrics>, Arc<Claims>)>) -> Response {
    metrics.uploads.set(claims.len());
    let mut text = String::new();
    encode(&mut text, &metrics.registry).expect("a String takes every text");
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}
