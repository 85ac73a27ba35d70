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
