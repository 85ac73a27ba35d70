//! Claims: one request at a time works on an upload, or several parts of one run. A second one waits a little, and takes
//! over from a client that has become silent. This is about the requests of this process; of several receivers, one has the
//! [lease](crate::storage::leases) of the upload, too.

use std::collections::HashMap;
use std::future::Future;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{timeout_at, Instant};

use crate::storage::error::ClaimError;
use crate::storage::leases::Lease;
use crate::storage::record::Record;

/// How long a request waits for the one before it.
pub(super) const CLAIM_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a client may send nothing while another request waits. Then it is taken for dead.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(1);

/// All uploads that requests work on.
pub struct Claims {
    table: Mutex<Table>,
    max_sends: usize,
    max_sends_per_owner: Option<usize>,
}

#[derive(Default)]
struct Table {
    holders: HashMap<String, Holder>,
    /// How many uploads each owner sends.
    sends: HashMap<String, usize>,
    closed: bool,
}

/// Those who work on an upload: one request, or the parts of one run.
#[derive(Default)]
struct Holder {
    run: Option<String>,
    parts: Vec<Part>,
    shared: Shared,
}

/// One request of them, and the bytes that it brings.
struct Part {
    slot: Arc<Slot>,
    bytes: Range<u64>,
}

/// The upload's record as all parts of a run see it; none until one has loaded it.
pub type Shared = Arc<tokio::sync::Mutex<Option<Record>>>;

/// The right to work on an upload, until it is dropped.
pub struct Claim {
    claims: Arc<Claims>,
    id: String,
    slot: Arc<Slot>,
    shared: Shared,
    /// What counts the upload as one that is being sent.
    sending: Option<Sending>,
    /// The right among several receivers.
    lease: Option<Lease>,
}

/// One of the uploads that an owner sends, until it is dropped.
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
    Replaced,
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
            match self.try_claim(id, None)? {
                Ok(claim) => return Ok(claim),
                Err(slots) => wait_for_end(&slots, deadline).await?,
            }
        }
    }

    /// Claims an upload for a part of a run, together with at most `most - 1` other parts. Parts of the run that
    /// bring some of the same bytes are ended first.
    pub async fn claim_part(
        self: &Arc<Self>,
        id: &str,
        run: &str,
        bytes: Range<u64>,
        most: usize,
    ) -> Result<Claim, ClaimError> {
        let deadline = Instant::now() + CLAIM_TIMEOUT;
        let part = NewPart { run, bytes, most };
        loop {
            match self.try_claim(id, Some(&part))? {
                Ok(claim) => return Ok(claim),
                Err(slots) => wait_for_end(&slots, deadline).await?,
            }
        }
    }

    /// Claims an upload if no other request has the claim.
    pub fn claim_idle(self: &Arc<Self>, id: &str) -> Option<Claim> {
        self.try_claim(id, None).ok()?.ok()
    }

    /// Claims an upload, or returns the slots of those that are in the way.
    fn try_claim(
        self: &Arc<Self>,
        id: &str,
        part: Option<&NewPart<'_>>,
    ) -> Result<Result<Claim, Vec<Arc<Slot>>>, ClaimError> {
        let mut table = lock(&self.table);
        if table.closed {
            return Err(ClaimError::ShutDown);
        }
        if let Some(holder) = table.holders.get(id) {
            let same_run = part.filter(|part| holder.run.as_deref() == Some(part.run));
            let overlaps = |other: &&Part| {
                let overlap = |new: &NewPart<'_>| {
                    new.bytes.start < other.bytes.end && other.bytes.start < new.bytes.end
                };
                same_run.is_none_or(overlap)
            };
            let in_the_way = holder.parts.iter().filter(overlaps);
            let slots: Vec<_> = in_the_way.map(|part| part.slot.clone()).collect();
            if !slots.is_empty() {
                if same_run.is_some() {
                    slots.iter().for_each(|slot| slot.stop(Status::Replaced));
                }
                return Ok(Err(slots));
            }
            if let Some(part) = same_run.filter(|part| holder.parts.len() >= part.most) {
                return Err(ClaimError::PartsFull(part.most));
            }
        }
        let slot = Arc::new(Slot {
            waiting_since: Mutex::new(None),
            status: watch::Sender::new(Status::Running),
        });
        let holder = table.holders.entry(id.to_owned()).or_default();
        holder.run = part.map(|part| part.run.to_owned());
        holder.parts.push(Part {
            slot: slot.clone(),
            bytes: part.map_or(0..0, |part| part.bytes.clone()),
        });
        Ok(Ok(Claim {
            claims: self.clone(),
            id: id.to_owned(),
            slot,
            shared: holder.shared.clone(),
            sending: None,
            lease: None,
        }))
    }

    /// Counts an upload as one that `owner` sends, unless too many are being sent.
    pub fn begin_send(self: &Arc<Self>, owner: &str) -> Result<Sending, ClaimError> {
        let mut table = lock(&self.table);
        if table.sends.values().sum::<usize>() >= self.max_sends {
            return Err(ClaimError::Full);
        }
        let own = table.sends.get(owner).copied().unwrap_or(0);
        if own >= self.most_sends(owner) {
            return Err(ClaimError::OwnerFull(own));
        }
        table.sends.insert(owner.to_owned(), own + 1);
        Ok(Sending {
            claims: self.clone(),
            owner: owner.to_owned(),
        })
    }

    /// How many uploads an owner may send at once.
    pub fn most_sends(&self, owner: &str) -> usize {
        match self.max_sends_per_owner {
            Some(most) => most.min(self.max_sends),
            None if owner.is_empty() => self.max_sends,
            None => self.max_sends.div_ceil(2),
        }
    }

    /// Counts the claims.
    pub fn len(&self) -> i64 {
        lock(&self.table).holders.len() as i64
    }

    /// Lists the uploads that requests work on.
    pub fn ids(&self) -> Vec<String> {
        lock(&self.table).holders.keys().cloned().collect()
    }

    /// Whether a request works on the upload.
    pub fn has(&self, id: &str) -> bool {
        lock(&self.table).holders.contains_key(id)
    }

    /// Ends the requests that work on an upload if all of them have become silent: somebody waits for it at another
    /// receiver. `false` when there are none.
    pub fn end_silent(&self, id: &str) -> bool {
        let table = lock(&self.table);
        let Some(holder) = table.holders.get(id) else {
            return false;
        };
        let now = Instant::now();
        let slots = || holder.parts.iter().map(|part| &part.slot);
        if slots().all(|slot| slot.silence(now) >= SILENCE_TIMEOUT) {
            slots().for_each(|slot| slot.stop(Status::TakenOver));
        }
        true
    }

    /// Refuses new claims, asks all requests to end, and waits until they have.
    pub async fn shut_down(&self) {
        let slots: Vec<_> = {
            let mut table = lock(&self.table);
            table.closed = true;
            let parts = table.holders.values().flat_map(|holder| &holder.parts);
            parts.map(|part| part.slot.clone()).collect()
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

    /// Adds the right among several receivers.
    pub(super) fn set_lease(&mut self, lease: Lease) {
        self.lease = Some(lease);
    }

    /// The right among several receivers.
    pub(super) fn lease_mut(&mut self) -> Option<&mut Lease> {
        self.lease.as_mut()
    }

    /// The number of that right; 0 where there are no other receivers.
    pub fn lease(&self) -> i64 {
        self.lease.as_ref().map_or(0, |lease| lease.number)
    }

    /// The record that the parts of a run share.
    pub fn shared(&self) -> Shared {
        self.shared.clone()
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
        let mut table = lock(&self.claims.table);
        if let Some(holder) = table.holders.get_mut(&self.id) {
            holder
                .parts
                .retain(|part| !Arc::ptr_eq(&part.slot, &self.slot));
            if holder.parts.is_empty() {
                table.holders.remove(&self.id);
            }
        }
        drop(table);
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
        let taken_away = |status| !matches!(status, Status::Running | Status::Released);
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

    /// Whether another part of the same run brings the bytes again.
    pub fn is_replaced(&self) -> bool {
        *self.status.borrow() == Status::Replaced
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

/// A part that asks for a claim.
struct NewPart<'p> {
    run: &'p str,
    bytes: Range<u64>,
    most: usize,
}

/// Waits until one of the requests has ended that are in the way. Ends them when all of them have become silent.
async fn wait_for_end(slots: &[Arc<Slot>], deadline: Instant) -> Result<(), ClaimError> {
    let now = Instant::now();
    if now >= deadline {
        return Err(ClaimError::Held);
    }
    let silence = slots.iter().map(|slot| slot.silence(now)).min();
    let silence = silence.unwrap_or_default();
    let wake = if silence >= SILENCE_TIMEOUT {
        slots.iter().for_each(|slot| slot.stop(Status::TakenOver));
        deadline
    } else {
        deadline.min(now + SILENCE_TIMEOUT - silence)
    };
    let first = slots[0].reach(|status| status == Status::Released);
    let _ = timeout_at(wake, first).await;
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
