//! A limit for open connections. When there are too many, the oldest one is closed of those that have no request now,
//! or whose clients do not read their responses.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::Notify;

/// All open connections.
pub struct Connections {
    limit: usize,
    read_timeout: Duration,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    /// The connections by number: the oldest one is first.
    connections: BTreeMap<u64, Arc<State>>,
    last_number: u64,
}

#[derive(Default)]
struct State {
    /// How many requests have not been answered to the end.
    requests: AtomicUsize,
    /// When the client last read a part of the response that is being sent.
    last_read: Mutex<Option<Instant>>,
    close: Notify,
}

/// An open connection.
pub struct Connection {
    all: Arc<Connections>,
    number: u64,
    state: Arc<State>,
}

/// A request that is being answered.
pub struct ActiveRequest(Arc<State>);

impl Connections {
    /// Allows `limit` connections. A client may read nothing of its response for `read_timeout`.
    pub fn new(limit: usize, read_timeout: Duration) -> Arc<Self> {
        Arc::new(Self {
            limit,
            read_timeout,
            open: Mutex::default(),
        })
    }

    /// Adds a connection; `None` when there are too many, and all are being served.
    pub fn admit(self: &Arc<Self>) -> Option<Connection> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.connections.len() >= self.limit {
            let idle = |(_, state): &(&u64, &Arc<State>)| state.is_idle(self.read_timeout);
            let (&number, _) = open.connections.iter().find(idle)?;
            let oldest = open.connections.remove(&number)?;
            oldest.close.notify_one();
        }
        open.last_number += 1;
        let (number, state) = (open.last_number, Arc::<State>::default());
        open.connections.insert(number, state.clone());
        Some(Connection {
            all: self.clone(),
            number,
            state,
        })
    }
}

impl State {
    fn is_idle(&self, read_timeout: Duration) -> bool {
        let last_read = *self
            .last_read
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.requests.load(Ordering::Acquire) == 0
            || last_read.is_some_and(|when| when.elapsed() >= read_timeout)
    }

    fn set_last_read(&self, when: Option<Instant>) {
        *self
            .last_read
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = when;
    }
}

impl Connection {
    /// Waits until the connection has to be closed.
    pub async fn must_close(&self) {
        self.state.close.notified().await;
    }

    /// Begins a request.
    pub fn begin_request(&self) -> ActiveRequest {
        self.state.requests.fetch_add(1, Ordering::AcqRel);
        ActiveRequest(self.state.clone())
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let open = self.all.open.lock();
        let mut table = open.unwrap_or_else(PoisonError::into_inner);
        table.connections.remove(&self.number);
    }
}

impl ActiveRequest {
    /// Ends the request when the response was sent.
    pub fn until_sent(self, response: Response) -> Response {
        self.0.set_last_read(Some(Instant::now()));
        response.map(|body| {
            Body::new(ResponseBody {
                body,
                request: self,
            })
        })
    }
}

impl Drop for ActiveRequest {
    fn drop(&mut self) {
        self.0.set_last_read(None);
        self.0.requests.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A response's body that notes when the client reads.
struct ResponseBody {
    body: Body,
    request: ActiveRequest,
}

impl HttpBody for ResponseBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.request.0.set_last_read(Some(Instant::now()));
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
