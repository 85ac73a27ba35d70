//! The log line of a request, and its count.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;

use crate::accounts::peer::Peer;
use crate::connections::Client;
use crate::http::reply::Reply;
use crate::ops::metrics::Metrics;

/// The facts about a request that are known so far.
pub struct RequestLog {
    method: Method,
    client: IpAddr,
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
    pub fn new(head: &Parts) -> Self {
        Self {
            method: head.method.clone(),
            client: Peer::of(head).address,
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
        let time = self.start.elapsed();
        metrics.count_request(self.action, status, self.bytes, time);
        let unless_empty = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        tracing::info!(
            method = %self.method,
            action = self.action,
            client = %self.client,
            owner = unless_empty(&self.owner),
            id = unless_empty(&self.id),
            from = self.from,
            to = self.to,
            bytes = self.bytes,
            status,
            ms = time.as_millis() as u64,
            reason = unless_empty(reply.message()),
            "request"
        );
    }
}

/// Counts a request for something else than an upload's bytes, and writes its line. That of a list, of which a page asks for
/// one every few seconds, is for those who look for mistakes.
pub async fn log_other(
    State(metrics): State<Arc<Metrics>>,
    request: Request,
    next: Next,
) -> Response {
    let Some(action) = action(request.method(), request.uri().path()) else {
        return next.run(request).await;
    };
    let (start, method) = (Instant::now(), request.method().clone());
    let path = request.uri().path().to_owned();
    let client = request.extensions().get::<Client>().cloned();
    let peer = request.extensions().get::<Peer>().copied();
    let response = next.run(request).await;
    let (time, status) = (start.elapsed(), response.status().as_u16());
    metrics.count_request(action, status, 0, time);
    let address = peer.map(|peer| tracing::field::display(peer.address));
    let owner = client.and_then(|client| client.user());
    let ms = time.as_millis() as u64;
    match action {
        "list" | "details" | "page" => {
            tracing::debug!(%method, action, client = address, owner, path, status, ms, "request");
        }
        _ => tracing::info!(%method, action, client = address, owner, path, status, ms, "request"),
    }
    response
}

/// Names what a request wants; `None` for those at the address for uploads, and for what nobody asks about.
fn action(method: &Method, path: &str) -> Option<&'static str> {
    let parts: Vec<_> = path.split('/').skip(1).collect();
    match (method.as_str(), &parts[..]) {
        ("GET" | "HEAD", ["uploads"]) => Some("list"),
        ("GET" | "HEAD", ["uploads", _]) => Some("details"),
        ("GET" | "HEAD", ["uploads", _, "file"]) => Some("download"),
        ("DELETE", ["uploads", _]) => Some("delete"),
        ("GET" | "HEAD", ["login"]) => Some("page"),
        ("POST", ["login"]) => Some("login"),
        ("POST", ["logout"]) => Some("logout"),
        _ => None,
    }
}
