//! Passwords: hashed slowly, checked in bounded numbers, and not again for every request.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::Argon2;
use axum::http::{header, StatusCode};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio::sync::{OnceCell, Semaphore};
use tokio::time::timeout;

use crate::accounts::throttle::Throttle;
use crate::accounts::{secret, Accounts};
use crate::http::answer::Answer;

/// The fewest characters that a new password may have, and the most bytes.
const LENGTHS: [usize; 2] = [8, 1024];
/// Passwords that are hashed at once: each takes 19 MiB and a core.
const AT_ONCE: usize = 2;
/// The longest that a password waits for its turn.
const PATIENCE: Duration = Duration::from_secs(5);
/// A right password is not hashed again until it was not used for so long.
const REMEMBERED: Duration = Duration::from_secs(300);
/// The most passwords that are remembered.
const MOST: usize = 1024;

/// The checking of passwords.
pub struct Passwords {
    throttle: Throttle,
    turns: Semaphore,
    /// Of this process: nobody else can tell what `known` knows.
    key: [u8; 32],
    known: Mutex<HashMap<Mark, Known>>,
    /// What the passwords of users that do not exist are compared with.
    decoy: String,
}

/// A keyed hash of user, password and the stored hash: another password for the user, and it is void.
type Mark = [u8; 32];

struct Known {
    /// Set when the password has been found right; requests that come together share one check.
    right: Arc<OnceCell<bool>>,
    used: Instant,
}

/// Argon2id's default parameters are those that OWASP recommends: 19 MiB, two passes, one lane.
fn argon2() -> Argon2<'static> {
    Argon2::default()
}

/// Why a password cannot be a new one.
pub fn check(password: &str) -> Result<(), String> {
    let [fewest, most] = LENGTHS;
    if password.chars().count() < fewest {
        Err(format!("a password needs {fewest} characters or more"))
    } else if password.len() > most {
        Err(format!("a password has {most} bytes at most"))
    } else if password.contains(char::is_control) {
        Err("a password is one line without control characters".to_owned())
    } else {
        Ok(())
    }
}

/// What is stored of a password. Takes its time.
pub fn hash(password: &str) -> anyhow::Result<String> {
    let hash = argon2().hash_password(password.as_bytes());
    let hash = hash.map_err(|error| anyhow::anyhow!("cannot hash a password: {error}"))?;
    Ok(hash.to_string())
}

impl Passwords {
    /// Nothing is known yet.
    pub fn new() -> anyhow::Result<Self> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        Ok(Self {
            throttle: Throttle::default(),
            turns: Semaphore::new(AT_ONCE),
            key,
            known: Mutex::default(),
            decoy: hash(&secret::random()?)?,
        })
    }

    fn mark(&self, stored: &str, user: &str, password: &str) -> Mark {
        let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.key);
        let mut mac = mac.expect("an HMAC takes keys of every length");
        for text in [stored, user, password] {
            mac.update(&(text.len() as u64).to_le_bytes());
            mac.update(text.as_bytes());
        }
        mac.finalize().into_bytes().into()
    }

    /// The check of these credentials: one that was made, is under way, or is still to be made.
    fn known(&self, mark: Mark) -> Arc<OnceCell<bool>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        known.retain(|_, known| now.saturating_duration_since(known.used) < REMEMBERED);
        if !known.contains_key(&mark) && known.len() >= MOST {
            let oldest = known.iter().min_by_key(|(_, known)| known.used);
            let oldest = oldest.map(|(mark, _)| *mark);
            oldest.map(|mark| known.remove(&mark));
        }
        let entry = known.entry(mark).or_insert_with(|| Known {
            right: Arc::default(),
            used: now,
        });
        entry.used = now;
        entry.right.clone()
    }

    fn forget(&self, mark: &Mark) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.remove(mark);
    }

    /// Compares, in its turn.
    async fn compare(&self, stored: String, password: String) -> Result<bool, Answer> {
        let Ok(turn) = timeout(PATIENCE, self.turns.acquire()).await else {
            return Err(Answer::refusal(
                StatusCode::SERVICE_UNAVAILABLE,
                "too many people are logging in",
            ));
        };
        let turn = turn.map_err(Answer::internal)?;
        let right = tokio::task::spawn_blocking(move || {
            argon2().verify_password(password.as_bytes(), stored.as_str())
        });
        let right = right.await.map_err(Answer::internal)?;
        drop(turn);
        Ok(right.is_ok())
    }
}

impl Accounts {
    /// Whether this is the user's password. A user that does not exist costs the same.
    pub async fn is_password(
        &self,
        user: &str,
        password: &str,
        peer: IpAddr,
    ) -> Result<bool, Answer> {
        if password.len() > LENGTHS[1] {
            return Ok(false);
        }
        let passwords = &self.passwords;
        let stored = self.password(user).await?;
        let exists = stored.is_some();
        let stored = stored.unwrap_or_else(|| passwords.decoy.clone());
        let mark = passwords.mark(&stored, user, password);
        let check = passwords.known(mark);
        let right = check.get_or_try_init(|| async {
            let throttle = &passwords.throttle;
            let attempt = throttle.begin(user, peer, Instant::now());
            let attempt = attempt.map_err(too_often)?;
            let right = passwords.compare(stored, password.to_owned()).await;
            match &right {
                Ok(right) if *right && exists => throttle.take_back(attempt, true),
                Ok(_) => tracing::warn!("a wrong name or password came from {peer}"),
                Err(_) => throttle.take_back(attempt, false),
            }
            right.map(|right| right && exists)
        });
        let right = right.await.copied();
        if !matches!(right, Ok(true)) {
            passwords.forget(&mark);
        }
        right
    }
}

fn too_often(wait: Duration) -> Answer {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let message = format!("too many wrong passwords; try again in {seconds} s");
    Answer::refusal(StatusCode::TOO_MANY_REQUESTS, message)
        .with_header(header::RETRY_AFTER, seconds.to_string())
}
