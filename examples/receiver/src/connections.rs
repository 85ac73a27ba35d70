//! How many connections there are: when there are too many, the one goes that has been open longest without
//! asking anything now.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::Notify;

/// All open connections.
pub struct Connections {
    most: usize,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    /// By their age.
    connections: BTreeMap<u64, Arc<State>>,
    count: u64,
}

#[derive(Default)]
struct State {
    /// Requests whose answers are not out yet.
    requests: AtomicUsize,
    end: Notify,
}

/// One of them, for as long as it lives.
pub struct Connection {
    all: Arc<Connections>,
    number: u64,
    state: Arc<State>,
}

/// A request under way.
pub struct Busy(Arc<State>);

impl Connections {
    /// At most so many.
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            most,
            open: Mutex::default(),
        })
    }

    /// Takes one more; `None` when there are as many as can be, and all are being served.
    pub fn admit(self: &Arc<Self>) -> Option<Connection> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.connections.len() >= self.most {
            let waiting =
                |(_, state): &(&u64, &Arc<State>)| state.requests.load(Ordering::Acquire) == 0;
            let (&number, _) = open.connections.iter().find(waiting)?;
            let oldest = open.connections.remove(&number)?;
            oldest.end.notify_one();
        }
        open.count += 1;
        let (number, state) = (open.count, Arc::<State>::default());
        open.connections.insert(number, state.clone());
        Some(Connection {
            all: self.clone(),
            number,
            state,
        })
    }
}

impl Connection {
    /// Returns when the connection has to go.
    pub async fn ended(&self) {
        self.state.end.notified().await;
    }

    /// A request has come.
    pub fn busy(&self) -> Busy {
        self.state.requests.fetch_add(1, Ordering::AcqRel);
        Busy(self.state.clone())
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let open = &self.all.open;
        let mut open = open.lock().unwrap_or_else(PoisonError::into_inner);
        open.connections.remove(&self.number);
    }
}

impl Busy {
    /// The request is under way until its answer is out.
    pub fn until_sent(self, response: Response) -> Response {
        response.map(|body| Body::new(Outgoing { body, _busy: self }))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.requests.fetch_sub(1, Ordering::AcqRel);
    }
}

struct Outgoing {
    body: Body,
    _busy: Busy,
}

impl HttpBody for Outgoing {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
