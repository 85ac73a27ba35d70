//! How many connections there are: when there are too many, the one goes that has been open longest without
//! asking anything now, or without taking anything of its answer.

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
    most: usize,
    patience: Duration,
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
    /// When the client of an answer on its way out last made room for more of it.
    taken: Mutex<Option<Instant>>,
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
    /// At most so many. A client may take nothing of its answer for so long.
    pub fn new(most: usize, patience: Duration) -> Arc<Self> {
        Arc::new(Self {
            most,
            patience,
            open: Mutex::default(),
        })
    }

    /// Takes one more; `None` when there are as many as can be, and all are being served.
    pub fn admit(self: &Arc<Self>) -> Option<Connection> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.connections.len() >= self.most {
            let waiting = |(_, state): &(&u64, &Arc<State>)| state.is_waiting(self.patience);
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

impl State {
    fn is_waiting(&self, patience: Duration) -> bool {
        let taken = *self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        self.requests.load(Ordering::Acquire) == 0
            || taken.is_some_and(|taken| taken.elapsed() >= patience)
    }

    fn set_taken(&self, when: Option<Instant>) {
        *self.taken.lock().unwrap_or_else(PoisonError::into_inner) = when;
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
        self.0.set_taken(Some(Instant::now()));
        response.map(|body| Body::new(Outgoing { body, busy: self }))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.set_taken(None);
        self.0.requests.fetch_sub(1, Ordering::AcqRel);
    }
}

struct Outgoing {
    body: Body,
    busy: Busy,
}

impl HttpBody for Outgoing {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.busy.0.set_taken(Some(Instant::now()));
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
