//! The stall limit: a network that accepts no data for too long counts as dead.
//!
//! ureq's limit for sending a body is for the body as a whole. A limit for each write comes late
//! and can corrupt a TLS record. So a second thread watches the writes.

use std::sync::atomic::Ordering;
use std::sync::{Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::state::ConnectionState;
use crate::control::abort::AbortHandle;
use crate::error::Error;

/// Runs `exchange`; aborts it when the system takes nothing of a write for longer than `limit`.
pub(super) fn watch<T>(
    state: &ConnectionState,
    limit: Duration,
    abort: AbortHandle,
    exchange: impl FnOnce() -> Result<T, ureq::Error>,
) -> Result<T, ureq::Error> {
    let over = (Mutex::new(false), Condvar::new());
    thread::scope(|scope| {
        let watcher = || watch_writes(state, limit, abort, &over);
        thread::Builder::new()
            .name("resup-stall".to_owned())
            .spawn_scoped(scope, watcher)
            .map_err(|e| {
                let why = format!("no thread to watch the upload: {e}");
                std::io::Error::other(Error::System { why })
            })?;
        // The guard also ends the watcher if `exchange` panics: the scope would wait for it for
        // ever.
        let _guard = Finish(&over);
        exchange()
    })
}

/// A guard that ends the watcher when it is dropped.
struct Finish<'a>(&'a (Mutex<bool>, Condvar));

impl Drop for Finish<'_> {
    fn drop(&mut self) {
        *self.0 .0.lock().unwrap_or_else(|e| e.into_inner()) = true;
        self.0 .1.notify_all();
    }
}

/// Aborts the exchange when nothing of a write is taken for longer than `limit`, be it blocked or
/// kept by the socket. Returns when the exchange is over.
fn watch_writes(
    state: &ConnectionState,
    limit: Duration,
    abort: AbortHandle,
    over: &(Mutex<bool>, Condvar),
) {
    let mut seen = state.writes.load(Ordering::Relaxed);
    let mut since = Instant::now();
    let mut is_over = over.0.lock().unwrap_or_else(|e| e.into_inner());
    while !*is_over {
        (is_over, _) = over
            .1
            .wait_timeout(is_over, limit / 8)
            .unwrap_or_else(|e| e.into_inner());
        let now = state.writes.load(Ordering::Relaxed);
        let blocked = now % 2 == 1 || state.has_pending.load(Ordering::Relaxed);
        if now != seen || !blocked {
            seen = now;
            since = Instant::now();
        } else if since.elapsed() >= limit {
            state.has_stalled.store(true, Ordering::Relaxed);
            return abort.abort();
        }
    }
}
