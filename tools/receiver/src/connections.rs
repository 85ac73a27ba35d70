//! A limit for open connections. When there are too many, one is closed that has no request now, or whose client does
//! not read its response, or whose sender has not logged in: of the address that has the most of these, the oldest one.
//! So strangers cannot take all connections, and neither can a user: half of them is the most that one may have.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
    /// How many requests each user has now.
    users: HashMap<String, usize>,
}

#[derive(Default)]
struct State {
    /// How many requests have not been answered to the end.
    requests: AtomicUsize,
    /// When the client last read a part of the response that is being sent.
    last_read: Mutex<Option<Instant>>,
    /// Who has sent the request.
    sender: Mutex<Sender>,
    close: Notify,
}

#[derive(Default)]
struct Sender {
    address: Option<IpAddr>,
    /// The user, from the login on.
    user: Option<String>,
}

/// An open connection.
pub struct Connection {
    all: Arc<Connections>,
    number: u64,
    state: Arc<State>,
}

/// A request that is being answered.
pub struct ActiveRequest(Client);

/// The connection of a request. The server adds it to each request as an extension.
#[derive(Clone)]
pub struct Client {
    all: Arc<Connections>,
    state: Arc<State>,
}

/// The refusal of a user that has too many requests.
#[derive(Debug, thiserror::Error)]
#[error("{0} requests of this user are being answered: one user may not have more at once")]
pub struct TooMany(usize);

impl Connections {
    /// Allows `limit` connections. A client may read nothing of its response for `read_timeout`.
    pub fn new(limit: usize, read_timeout: Duration) -> Arc<Self> {
        Arc::new(Self {
            limit,
            read_timeout,
            open: Mutex::default(),
        })
    }

    /// Adds a connection; `None` when there are too many, and all are of users and being served.
    pub fn admit(self: &Arc<Self>) -> Option<Connection> {
        let mut open = lock(&self.open);
        if open.connections.len() >= self.limit {
            let number = open.least(self.read_timeout)?;
            let least = open.connections.remove(&number)?;
            least.close.notify_one();
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

impl Connections {
    /// Whether a response is being sent to a client that reads it.
    pub fn are_sending(&self) -> bool {
        let open = lock(&self.open);
        let mut states = open.connections.values();
        states.any(|state| lock(&state.last_read).is_some() && !state.is_idle(self.read_timeout))
    }
}

impl Open {
    /// Chooses the connection that gives way to a new one.
    fn least(&self, read_timeout: Duration) -> Option<u64> {
        // For each address, its oldest connection that may go, and how many of these it has.
        let mut addresses = HashMap::new();
        for (&number, state) in &self.connections {
            let sender = lock(&state.sender);
            if sender.user.is_none() || state.is_idle(read_timeout) {
                let (_, count) = addresses.entry(sender.address).or_insert((number, 0));
                *count += 1;
            }
        }
        // Of two that have as many, the one whose connection is older.
        let most = addresses
            .values()
            .max_by_key(|(oldest, count)| (*count, Reverse(*oldest)));
        most.map(|(oldest, _)| *oldest)
    }
}

impl State {
    fn is_idle(&self, read_timeout: Duration) -> bool {
        let last_read = *lock(&self.last_read);
        self.requests.load(Ordering::Acquire) == 0
            || last_read.is_some_and(|when| when.elapsed() >= read_timeout)
    }

    fn set_last_read(&self, when: Option<Instant>) {
        *lock(&self.last_read) = when;
    }
}

impl Connection {
    /// Waits until the connection has to be closed.
    pub async fn must_close(&self) {
        self.state.close.notified().await;
    }

    /// Begins a request from an address.
    pub fn begin_request(&self, address: IpAddr) -> ActiveRequest {
        self.state.requests.fetch_add(1, Ordering::AcqRel);
        lock(&self.state.sender).address = Some(address);
        ActiveRequest(Client {
            all: self.all.clone(),
            state: self.state.clone(),
        })
    }
}

impl Client {
    /// Notes which user has sent the request, unless that user has half of all connections already.
    pub fn log_in(&self, user: &str) -> Result<(), TooMany> {
        let mut open = lock(&self.all.open);
        let mut sender = lock(&self.state.sender);
        // An upload goes on when its connection has ended. Nothing would end the count of a login after that.
        let has_ended = self.state.requests.load(Ordering::Acquire) == 0;
        if has_ended || sender.user.is_some() {
            return Ok(());
        }
        let count = open.users.entry(user.to_owned()).or_default();
        // Without users there is nobody else.
        if !user.is_empty() && *count >= self.all.limit.div_ceil(2) {
            return Err(TooMany(*count));
        }
        *count += 1;
        sender.user = Some(user.to_owned());
        Ok(())
    }

    /// Names the user who has sent the request, if it is known and the response has not been sent.
    pub fn user(&self) -> Option<String> {
        let user = lock(&self.state.sender).user.clone();
        user.filter(|user| !user.is_empty())
    }

    /// Closes the connection without a response.
    pub fn close(&self) {
        self.state.close.notify_one();
    }

    fn end_request(&self) {
        let mut open = lock(&self.all.open);
        if let Some(user) = lock(&self.state.sender).user.take() {
            match open.users.get_mut(&user) {
                Some(count) if *count > 1 => *count -= 1,
                _ => drop(open.users.remove(&user)),
            }
        }
        self.state.set_last_read(None);
        self.state.requests.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        lock(&self.all.open).connections.remove(&self.number);
    }
}

impl ActiveRequest {
    /// Returns the connection, for the request's handler.
    pub fn client(&self) -> Client {
        self.0.clone()
    }

    /// Ends the request when the response was sent.
    pub fn until_sent(self, response: Response) -> Response {
        self.0.state.set_last_read(Some(Instant::now()));
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
        self.0.end_request();
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
        self.request.0.state.set_last_read(Some(Instant::now()));
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[tokio::test]
    async fn the_address_with_the_most_strangers_gives_way_first() {
        let all = Connections::new(6, LONG);
        let mut open = Vec::new();
        // The first one logs in, the second one is the only stranger of its address.
        for from in [1, 2, 3, 3, 1, 3] {
            let connection = all.admit().unwrap();
            let request = connection.begin_request(address(from));
            open.push((connection, request));
        }
        open[0].1.client().log_in("joe").unwrap();
        let mut closed = Vec::new();
        for _ in 0..3 {
            let connection = all.admit().unwrap();
            let request = connection.begin_request(address(9));
            request.client().log_in("ann").unwrap();
            open.push((connection, request));
            let is_closed =
                |n: &usize| !lock(&all.open).connections.contains_key(&open[*n].0.number);
            closed.push((0..6).filter(is_closed).collect::<Vec<_>>());
        }
        assert_eq!(closed[..2], [vec![2], vec![2, 3]]);
        // The strangers have one connection each now: one of them goes, and no user.
        assert!(
            closed[2].len() == 3 && !closed[2].contains(&0),
            "{closed:?}"
        );
        open[2].0.must_close().await;
    }

    #[test]
    fn users_stay_and_none_has_more_than_half() {
        let all = Connections::new(4, LONG);
        let begin = |user: &str| {
            let connection = all.admit()?;
            let request = connection.begin_request(address(1));
            let result = request.client().log_in(user);
            Some((connection, request, result.is_ok()))
        };
        let joes: Vec<_> = (0..3).map(|_| begin("joe").unwrap()).collect();
        assert_eq!([true, true, false], [0, 1, 2].map(|n: usize| joes[n].2));
        let anns: Vec<_> = (0..2).map(|_| begin("ann").unwrap()).collect();
        assert!(anns.iter().all(|ann| ann.2));
        // The refused request of joe has given way; now all are of users.
        assert!(begin("joe").is_none());
        drop(joes);
        assert!(begin("joe").unwrap().2);
    }

    #[test]
    fn a_login_after_the_end_of_the_request_does_not_count() {
        let all = Connections::new(2, LONG);
        let lost = all.admit().unwrap().begin_request(address(1));
        let client = lost.client();
        drop(lost);
        client.log_in("joe").unwrap();
        let connection = all.admit().unwrap();
        let request = connection.begin_request(address(1));
        request.client().log_in("joe").unwrap();
    }
}
