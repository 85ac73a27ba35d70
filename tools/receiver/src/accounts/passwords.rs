//! The check of passwords: a limit for checks at once, and a cache so that not every request needs one.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::{header, StatusCode};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tokio::sync::{OnceCell, Semaphore};
use tokio::time::timeout;

use crate::accounts::common_throttle::{self, CommonThrottle};
use crate::accounts::hash::{hash, matches};
use crate::accounts::peer::Peer;
use crate::accounts::secret;
use crate::accounts::throttle::{self, Throttle};
use crate::http::reply::Reply;
use crate::storage::pool::Pool;

/// The fewest characters of a new password.
const MIN_CHARACTERS: usize = 8;
/// The largest number of bytes of a password.
const MAX_BYTES: usize = 1024;
/// How many passwords are hashed at once: each needs 19 MiB and a core.
const MAX_PARALLEL: usize = 2;
/// How many more requests wait for that.
const MAX_WAITING: usize = 200;
/// The longest wait before a password is hashed.
const QUEUE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a right password stays in the cache after its last use.
const CACHE_TIME: Duration = Duration::from_secs(300);
/// The largest number of passwords in the cache.
const MAX_CACHE: usize = 1024;

/// The checking of passwords.
pub struct Passwords {
    limit: Limit,
    /// For those that wait for a hash, or have one.
    places: Semaphore,
    permits: Semaphore,
    /// The key of the cache's hashes, which only this process has.
    key: [u8; 32],
    cache: Mutex<HashMap<CacheKey, CacheEntry>>,
    /// A hash for users that do not exist, so that their check takes as long.
    dummy: String,
}

/// The limit for wrong passwords.
enum Limit {
    /// That of this receiver.
    Own(Throttle),
    /// That of several receivers.
    Common(CommonThrottle),
}

/// An attempt that is counted.
enum Attempt {
    Own(throttle::Attempt),
    Common(common_throttle::Attempt),
}

impl Limit {
    /// Counts an attempt as a failure, until it is taken back.
    async fn begin(&self, user: &str, address: Option<IpAddr>) -> Result<Attempt, Reply> {
        let counted = match self {
            Self::Own(limit) => limit.begin(user, address, Instant::now()).map(Attempt::Own),
            Self::Common(limit) => limit.begin(user, address).await?.map(Attempt::Common),
        };
        counted.map_err(too_many_failures)
    }

    /// Takes it back, because the password was `right` or was not checked.
    async fn take_back(&self, attempt: Attempt, right: bool) {
        match (self, attempt) {
            (Self::Own(limit), Attempt::Own(attempt)) => limit.take_back(attempt, right),
            (Self::Common(limit), Attempt::Common(attempt)) => {
                if let Err(error) = limit.take_back(attempt, right).await {
                    tracing::warn!("an attempt to log in counts as a wrong password: {error}");
                }
            }
            _ => unreachable!("each limit has attempts of its own"),
        }
    }
}

/// A keyed hash of user, password and stored hash. It changes when the user gets another password.
type CacheKey = [u8; 32];

struct CacheEntry {
    /// Set when the password was found right. Requests that come at once share one check.
    right: Arc<OnceCell<bool>>,
    last_used: Instant,
}

/// Checks a new password. The error says why it is not allowed.
pub fn check(password: &str) -> Result<(), String> {
    if password.chars().count() < MIN_CHARACTERS {
        Err(format!(
            "a password needs {MIN_CHARACTERS} characters or more"
        ))
    } else if password.len() > MAX_BYTES {
        Err(format!("a password has {MAX_BYTES} bytes at most"))
    } else if password.contains(char::is_control) {
        Err("a password is one line without control characters".to_owned())
    } else {
        Ok(())
    }
}

impl Passwords {
    /// Makes a check with an empty cache. Where several receivers count wrong passwords together, they do so in a database.
    pub fn new(common: Option<Pool>) -> anyhow::Result<Self> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        Ok(Self {
            limit: match common {
                Some(pool) => Limit::Common(CommonThrottle::new(pool)),
                None => Limit::Own(Throttle::default()),
            },
            places: Semaphore::new(MAX_PARALLEL + MAX_WAITING),
            permits: Semaphore::new(MAX_PARALLEL),
            key,
            cache: Mutex::default(),
            dummy: hash(&secret::random()?)?,
        })
    }

    fn cache_key(&self, stored: &str, user: &str, password: &str) -> CacheKey {
        let keyed = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.key);
        let mut mac = keyed.expect("an HMAC takes keys of every length");
        for text in [stored, user, password] {
            mac.update(&(text.len() as u64).to_le_bytes());
            mac.update(text.as_bytes());
        }
        mac.finalize().into_bytes().into()
    }

    /// Finds the cached check of these credentials. It may be done, running, or not begun.
    fn cached(&self, key: CacheKey) -> Arc<OnceCell<bool>> {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        cache.retain(|_, entry| now.saturating_duration_since(entry.last_used) < CACHE_TIME);
        if !cache.contains_key(&key) && cache.len() >= MAX_CACHE {
            let oldest = cache.iter().min_by_key(|(_, entry)| entry.last_used);
            if let Some(key) = oldest.map(|(key, _)| *key) {
                cache.remove(&key);
            }
        }
        let entry = cache.entry(key).or_insert_with(|| CacheEntry {
            right: Arc::default(),
            last_used: now,
        });
        entry.last_used = now;
        entry.right.clone()
    }

    fn forget(&self, key: &CacheKey) {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.remove(key);
    }

    /// Waits for a permit and compares a password with a hash.
    async fn compare(&self, stored: String, password: String) -> Result<bool, Reply> {
        self.work(move || matches(&password, &stored)).await
    }

    /// Waits for a permit and hashes a new password.
    pub async fn hash(&self, password: String) -> Result<String, Reply> {
        self.work(move || hash(&password)).await
    }

    async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> anyhow::Result<T> + Send + 'static,
    ) -> Result<T, Reply> {
        let full = || {
            let message = "too many people are logging in";
            Reply::refusal(StatusCode::SERVICE_UNAVAILABLE, message)
        };
        let _place = self.places.try_acquire().map_err(|_| full())?;
        let permit = timeout(QUEUE_TIMEOUT, self.permits.acquire()).await;
        let permit = permit.map_err(|_| full())?.map_err(Reply::internal)?;
        let task = tokio::task::spawn_blocking(work);
        let result = task.await.map_err(Reply::internal)?;
        drop(permit);
        result.map_err(Reply::internal)
    }

    /// Whether this is the user's password, of which `stored` is the hash. A user that does not exist has none,
    /// and the check takes as long.
    pub async fn check(
        self: &Arc<Self>,
        user: &str,
        password: &str,
        stored: Option<String>,
        peer: Peer,
    ) -> Result<bool, Reply> {
        if password.len() > MAX_BYTES {
            return Ok(false);
        }
        let exists = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.dummy.clone());
        let key = self.cache_key(&stored, user, password);
        let cached = self.cached(key);
        let compared = cached.get_or_try_init(|| async {
            let address = (!peer.is_shared).then_some(peer.address);
            let attempt = self.limit.begin(user, address).await?;
            // In a task of its own, which goes on when the connection ends: a hash cannot be stopped, so it keeps its
            // permit, and the attempt is not a failure because nobody waited for its end.
            let (all, password) = (self.clone(), password.to_owned());
            let task = tokio::spawn(async move {
                let is_same = all.compare(stored, password).await;
                match &is_same {
                    Ok(true) if exists => all.limit.take_back(attempt, true).await,
                    Ok(_) => tracing::warn!("a wrong name or password came from {}", peer.address),
                    Err(_) => all.limit.take_back(attempt, false).await,
                }
                is_same.map(|is_same| is_same && exists)
            });
            task.await.map_err(Reply::internal)?
        });
        let is_right = compared.await.copied();
        if !matches!(is_right, Ok(true)) {
            self.forget(&key);
        }
        is_right
    }
}

fn too_many_failures(wait: Duration) -> Reply {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let message = format!("too many wrong passwords; try again in {seconds} s");
    Reply::refusal(StatusCode::TOO_MANY_REQUESTS, message)
        .with_header(header::RETRY_AFTER, seconds.to_string())
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::task::{Context, Waker};

    use super::*;

    #[tokio::test]
    async fn a_check_whose_connection_ends_keeps_its_permit_and_is_no_failure() {
        let passwords = Arc::new(Passwords::new(None).unwrap());
        let stored = hash("correct horse").unwrap();
        let peer = Peer::of_connection(IpAddr::from([192, 0, 2, 1]), false);
        let check = || passwords.check("joe", "correct horse", Some(stored.clone()), peer);
        // More than the wrong passwords that cause no wait.
        for _ in 0..6 {
            let mut lost = Box::pin(check());
            while passwords.permits.available_permits() == MAX_PARALLEL {
                let mut context = Context::from_waker(Waker::noop());
                assert!(lost.as_mut().poll(&mut context).is_pending());
                tokio::task::yield_now().await;
            }
            drop(lost);
            assert_eq!(passwords.permits.available_permits(), MAX_PARALLEL - 1);
            while passwords.permits.available_permits() < MAX_PARALLEL {
                tokio::task::yield_now().await;
            }
        }
        assert!(check().await.unwrap());
    }
}
