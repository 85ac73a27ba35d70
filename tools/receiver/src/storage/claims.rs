//! One writer per upload: who comes second waits a little, and takes over from the dead.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use tokio::sync::watch;
use tokio::time::{timeout_at, Instant};

use crate::config::Config;
use crate::http::answer::Answer;

/// How long a newcomer waits for the one before it.
const PATIENCE: Duration = Duration::from_secs(2);
/// A client that has sent nothing for so long, while another one knocks, is taken for dead.
const SILENCE: Duration = Duration::from_secs(1);

/// The uploads that are being worked on.
#[derive(Debug, Default)]
pub struct Active {
    house: Mutex<House>,
}

#[derive(Debug, Default)]
struct House {
    slots: HashMap<String, Arc<Slot>>,
    /// How many uploads each owner is sending.
    sending: HashMap<String, usize>,
    closed: bool,
}

/// The right to work on one upload, as long as it lives.
#[derive(Debug)]
pub struct Claim {
    active: Arc<Active>,
    id: String,
    slot: Arc<Slot>,
    /// The owner, once the upload is being sent.
    sender: Option<String>,
}

/// What others can see of a claim, and do to it.
#[derive(Debug)]
pub struct Slot {
    listening_since: Mutex<Option<Instant>>,
    status: watch::Sender<Status>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Running,
    Superseded,
    ShutDown,
    Released,
}

impl Active {
    /// Waits until nobody else works on the upload; not for long.
    pub async fn claim(self: &Arc<Self>, id: &str) -> Result<Claim, Answer> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let holder = match self.try_claim(id)? {
                Ok(claim) => return Ok(claim),
                Err(holder) => holder,
            };
            let now = Instant::now();
            if now >= deadline {
                return Err(Answer::refusal(
                    StatusCode::LOCKED,
                    "another client is writing this upload",
                ));
            }
            let silence = holder.silence(now);
            let wake = if silence >= SILENCE {
                holder.stop(Status::Superseded);
                deadline
            } else {
                deadline.min(now + SILENCE - silence)
            };
            let _ = timeout_at(wake, holder.reaches(|status| status == Status::Released)).await;
        }
    }

    /// The claim, if nobody works on the upload.
    pub fn claim_idle(self: &Arc<Self>, id: &str) -> Option<Claim> {
        self.try_claim(id).ok()?.ok()
    }

    fn try_claim(self: &Arc<Self>, id: &str) -> Result<Result<Claim, Arc<Slot>>, Answer> {
        let mut house = lock(&self.house);
        if house.closed {
            return Err(shut_down());
        }
        if let Some(holder) = house.slots.get(id) {
            return Ok(Err(holder.clone()));
        }
        let slot = Arc::new(Slot {
            listening_since: Mutex::new(None),
            status: watch::Sender::new(Status::Running),
        });
        house.slots.insert(id.to_owned(), slot.clone());
        Ok(Ok(Claim {
            active: self.clone(),
            id: id.to_owned(),
            slot,
            sender: None,
        }))
    }

    /// How many uploads are being worked on.
    pub fn len(&self) -> i64 {
        lock(&self.house).slots.len() as i64
    }

    /// Whether somebody works on the upload.
    pub fn has(&self, id: &str) -> bool {
        lock(&self.house).slots.contains_key(id)
    }

    /// Stops all work in good order and returns when it has ended; no claim is given any more.
    pub async fn shut_down(&self) {
        let slots: Vec<_> = {
            let mut house = lock(&self.house);
            house.closed = true;
            house.slots.values().cloned().collect()
        };
        for slot in &slots {
            slot.stop(Status::ShutDown);
        }
        for slot in &slots {
            slot.reaches(|status| status == Status::Released).await;
        }
    }
}

impl Claim {
    /// The upload's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Counts the upload among those that are being sent, if there are not too many.
    pub fn send(&mut self, owner: &str, config: &Config) -> Result<(), Answer> {
        let mut house = lock(&self.active.house);
        if house.sending.values().sum::<usize>() >= config.max_uploads.get() {
            return Err(Answer::refusal(
                StatusCode::SERVICE_UNAVAILABLE,
                "the receiver is busy with other uploads",
            ));
        }
        let own = house.sending.get(owner).copied().unwrap_or(0);
        match config.max_uploads_per_user {
            Some(most) if own >= most.get() => {
                return Err(Answer::refusal(
                    StatusCode::TOO_MANY_REQUESTS,
                    format!("{own} uploads are on their way: one user has no more at once"),
                ))
            }
            _ => {}
        }
        house.sending.insert(owner.to_owned(), own + 1);
        self.sender = Some(owner.to_owned());
        Ok(())
    }

    /// What others see of this claim.
    pub fn slot(&self) -> Arc<Slot> {
        self.slot.clone()
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let mut house = lock(&self.active.house);
        house.slots.remove(&self.id);
        if let Some(owner) = &self.sender {
            match house.sending.get_mut(owner) {
                Some(count) if *count > 1 => *count -= 1,
                _ => drop(house.sending.remove(owner)),
            }
        }
        drop(house);
        self.slot.status.send_replace(Status::Released);
    }
}

impl Slot {
    /// Runs `work` that waits for the client; ends it early when the claim is taken away.
    pub async fn listen<T>(&self, work: impl Future<Output = T>) -> Result<T, Answer> {
        *lock(&self.listening_since) = Some(Instant::now());
        let stopped = |status| matches!(status, Status::Superseded | Status::ShutDown);
        let heard = tokio::select! {
            // What has already arrived counts, even when the claim is lost.
            biased;
            heard = work => Ok(heard),
            status = self.reaches(stopped) => Err(match status {
                Status::ShutDown => shut_down(),
                _ => Answer::refusal(
                    StatusCode::LOCKED,
                    "a newer request has taken this upload over",
                ),
            }),
        };
        *lock(&self.listening_since) = None;
        heard
    }

    fn silence(&self, now: Instant) -> Duration {
        lock(&self.listening_since).map_or(Duration::ZERO, |since| now - since)
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

    async fn reaches(&self, wanted: impl Fn(Status) -> bool) -> Status {
        let mut status = self.status.subscribe();
        let reached = status.wait_for(|status| wanted(*status)).await;
        reached
            .map(|status| *status)
            .expect("the slot itself holds the sender")
    }
}

fn shut_down() -> Answer {
    Answer::refusal(
        StatusCode::SERVICE_UNAVAILABLE,
        "the receiver is shutting down",
    )
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
