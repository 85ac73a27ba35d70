//! Claims: one request at a time works on an upload. A second one waits a little, and takes over from a
//! client that has become silent.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{timeout_at, Instant};

/// How long a request waits for the one before it.
const CLAIM_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a client may send nothing while another request waits. Then it is taken for dead.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(1);

/// A reason why a request may not work on an upload, or no longer.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    /// Another request works on it, and its client is alive.
    #[error("another client is writing this upload")]
    Held,
    /// A newer request has the claim now.
    #[error("a newer request has taken this upload over")]
    TakenOver,
    /// As many uploads are being sent as the receiver allows.
    #[error("the receiver is busy with other uploads")]
    Full,
    /// The owner sends this many uploads, the most that one may send.
    #[error("{0} uploads are being sent: one user may not send more at once")]
    OwnerFull(usize),
    /// The receiver ends.
    #[error("the receiver is shutting down")]
    ShutDown,
}

/// All uploads that requests work on.
#[derive(Debug)]
pub struct Claims {
    table: Mutex<Table>,
    max_sends: usize,
    max_sends_per_owner: Option<usize>,
}

#[derive(Debug, Default)]
struct Table {
    slots: HashMap<String, Arc<Slot>>,
    /// How many uploads each owner sends.
    sends: HashMap<String, usize>,
    closed: bool,
}

/// The right to work on an upload, until it is dropped.
#[derive(Debug)]
pub struct Claim {
    claims: Arc<Claims>,
    id: String,
    slot: Arc<Slot>,
    /// What counts the upload as one that is being sent.
    sending: Option<Sending>,
}

/// One of the uploads that an owner sends, until it is dropped.
#[derive(Debug)]
pub struct Sending {
    claims: Arc<Claims>,
    owner: String,
}

/// The part of a claim that other requests see: they can end it.
#[derive(Debug)]
pub struct Slot {
    /// Since when the request waits for its client.
    waiting_since: Mutex<Option<Instant>>,
    status: watch::Sender<Status>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Running,
    TakenOver,
    ShutDown,
    Released,
}

impl Claims {
    /// Allows so many uploads to be sent at once, by all owners and by one. Without a number for one owner it is half
    /// of the other, so that nobody shuts all others out; where there are no users, it is no limit.
    pub fn new(max_sends: usize, max_sends_per_owner: Option<usize>) -> Self {
        Self {
            table: Mutex::default(),
            max_sends,
            max_sends_per_owner,
        }
    }

    /// Claims an upload. Waits a short time for another request that has the claim.
    pub async fn claim(self: &Arc<Self>, id: &str) -> Result<Claim, ClaimError> {
        let deadline = Instant::now() + CLAIM_TIMEOUT;
        loop {
            let holder = match self.try_claim(id)? {
                Ok(claim) => return Ok(claim),
                Err(holder) => holder,
            };
            let now = Instant::now();
            if now >= deadline {
                return Err(ClaimError::Held);
            }
            let silence = holder.silence(now);
            let wake = if silence >= SILENCE_TIMEOUT {
                holder.stop(Status::TakenOver);
                deadline
            } else {
                deadline.min(now + SILENCE_TIMEOUT - silence)
            };
            let _ = timeout_at(wake, holder.reach(|status| status == Status::Released)).await;
        }
    }

    /// Claims an upload if no other request has the claim.
    pub fn claim_idle(self: &Arc<Self>, id: &str) -> Option<Claim> {
        self.try_claim(id).ok()?.ok()
    }

    fn try_claim(self: &Arc<Self>, id: &str) -> Result<Result<Claim, Arc<Slot>>, ClaimError> {
        let mut table = lock(&self.table);
        if table.closed {
            return Err(ClaimError::ShutDown);
        }
        if let Some(holder) = table.slots.get(id) {
            return Ok(Err(holder.clone()));
        }
        let slot = Arc::new(Slot {
            waiting_since: Mutex::new(None),
            status: watch::Sender::new(Status::Running),
        });
        table.slots.insert(id.to_owned(), slot.clone());
        Ok(Ok(Claim {
            claims: self.clone(),
            id: id.to_owned(),
            slot,
            sending: None,
        }))
    }

    /// Counts an upload as one that `owner` sends, unless too many are being sent.
    pub fn begin_send(self: &Arc<Self>, owner: &str) -> Result<Sending, ClaimError> {
        let mut table = lock(&self.table);
        if table.sends.values().sum::<usize>() >= self.max_sends {
            return Err(ClaimError::Full);
        }
        let own = table.sends.get(owner).copied().unwrap_or(0);
        let most = match self.max_sends_per_owner {
            Some(most) => most,
            None if owner.is_empty() => usize::MAX,
            None => self.max_sends.div_ceil(2),
        };
        if own >= most {
            return Err(ClaimError::OwnerFull(own));
        }
        table.sends.insert(owner.to_owned(), own + 1);
        Ok(Sending {
            claims: self.clone(),
            owner: owner.to_owned(),
        })
    }

    /// Counts the claims.
    pub fn len(&self) -> i64 {
        lock(&self.table).slots.len() as i64
    }

    /// Whether a request works on the upload.
    pub fn has(&self, id: &str) -> bool {
        lock(&self.table).slots.contains_key(id)
    }

    /// Refuses new claims, asks all requests to end, and waits until they have.
    pub async fn shut_down(&self) {
        let slots: Vec<_> = {
            let mut table = lock(&self.table);
            table.closed = true;
            table.slots.values().cloned().collect()
        };
        for slot in &slots {
            slot.stop(Status::ShutDown);
        }
        for slot in &slots {
            slot.reach(|status| status == Status::Released).await;
        }
    }
}

impl Claim {
    /// The upload's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Counts the upload as one that `owner` sends, unless too many are being sent.
    pub fn begin_send(&mut self, owner: &str) -> Result<(), ClaimError> {
        self.sending = Some(self.claims.begin_send(owner)?);
        Ok(())
    }

    /// The part that other requests see.
    pub fn slot(&self) -> Arc<Slot> {
        self.slot.clone()
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Whoever waits for the claim may begin to send then.
        self.sending = None;
        lock(&self.claims.table).slots.remove(&self.id);
        self.slot.status.send_replace(Status::Released);
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        let mut table = lock(&self.claims.table);
        match table.sends.get_mut(&self.owner) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(table.sends.remove(&self.owner)),
        }
    }
}

impl Slot {
    /// Runs `work`, which waits for the client. Ends early when the claim is taken away.
    pub async fn wait_for_client<T>(&self, work: impl Future<Output = T>) -> Result<T, ClaimError> {
        *lock(&self.waiting_since) = Some(Instant::now());
        let taken_away = |status| matches!(status, Status::TakenOver | Status::ShutDown);
        let result = tokio::select! {
            // Bytes that have arrived count, even when the claim is lost.
            biased;
            result = work => Ok(result),
            status = self.reach(taken_away) => Err(match status {
                Status::ShutDown => ClaimError::ShutDown,
                _ => ClaimError::TakenOver,
            }),
        };
        *lock(&self.waiting_since) = None;
        result
    }

    fn silence(&self, now: Instant) -> Duration {
        lock(&self.waiting_since).map_or(Duration::ZERO, |since| now - since)
    }

    fn stop(&self, why: Status) {
        self.status.send_if_modified(|status| {
            let running = *status == Status::Running;
            if running {
                *status = why;
            }
            running
        });
    }

    async fn reach(&self, is_wanted: impl Fn(Status) -> bool) -> Status {
        let mut status = self.status.subscribe();
        let reached = status.wait_for(|status| is_wanted(*status)).await;
        reached
            .map(|status| *status)
            .expect("the slot itself has the sender")
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
