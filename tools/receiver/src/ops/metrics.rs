//! Metrics for Prometheus, served on an address of their own.

use std::sync::atomic::AtomicU64;
use std::sync::Arc;
use std::time::Duration;

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
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::http::room::free_room;
use crate::storage::uploads::Uploads;

/// The bounds of the durations that are counted together, in seconds.
const DURATIONS: [f64; 12] = [
    0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0, 300.0, 3600.0,
];
/// How long the database may take to sum the bytes.
const PATIENCE: Duration = Duration::from_secs(5);

/// The counters.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    durations: Family<Action, Histogram>,
    received: Counter,
    kept: Gauge<f64, AtomicU64>,
    free: Gauge<f64, AtomicU64>,
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

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Action {
    action: &'static str,
}

impl Metrics {
    /// Makes them. Wrong passwords and tokens are counted by `failed_logins`.
    pub fn new(failed_logins: Counter) -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("resup"),
            requests: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(DURATIONS)),
            kept: Gauge::default(),
            free: Gauge::default(),
            received: Counter::default(),
            connections: Gauge::default(),
            uploads: Gauge::default(),
            deliveries: Family::default(),
            waiting: Gauge::default(),
            oldest: Gauge::default(),
        };
        let registry = &mut metrics.registry;
        let requests = metrics.requests.clone();
        registry.register("requests", "Requests, answered", requests);
        let durations = metrics.durations.clone();
        let help = "Times from requests to the beginnings of their responses";
        registry.register_with_unit("request_duration", help, Unit::Seconds, durations);
        let version = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The program", version);
        let help = "Wrong passwords and tokens";
        registry.register("failed_logins", help, failed_logins);
        let kept = metrics.kept.clone();
        let help = "Bytes that are there of all uploads";
        registry.register_with_unit("kept", help, Unit::Bytes, kept);
        let free = metrics.free.clone();
        let help = "Bytes that are free where the uploads are";
        registry.register_with_unit("free", help, Unit::Bytes, free);
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

    /// Counts a request that was answered after `time`, and its `bytes` of a file.
    pub fn count_request(&self, action: &'static str, status: u16, bytes: u64, time: Duration) {
        let status = status.into();
        self.durations
            .get_or_create(&Action { action })
            .observe(time.as_secs_f64());
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
pub async fn serve(metrics: Arc<Metrics>, uploads: Uploads, listener: TcpListener) {
    let router = Router::new()
        .route("/metrics", get(encode_all))
        .with_state((metrics, uploads));
    if let Err(error) = axum::serve(listener, router).await {
        tracing::error!("metrics: {error}");
    }
}

async fn encode_all(State((metrics, uploads)): State<(Arc<Metrics>, Uploads)>) -> Response {
    metrics.uploads.set(uploads.claims.len());
    if let Some(free) = free_room() {
        metrics.free.set(free as f64);
    }
    match timeout(PATIENCE, uploads.store.kept()).await {
        Ok(Ok(kept)) => drop(metrics.kept.set(kept)),
        Ok(Err(error)) => tracing::warn!("metrics: the bytes that are kept: {error}"),
        Err(_) => tracing::warn!("metrics: the database does not tell the bytes that are kept"),
    }
    let mut text = String::new();
    encode(&mut text, &metrics.registry).expect("a String takes every text");
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}
