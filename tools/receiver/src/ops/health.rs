//! `/healthz`, for load balancers and supervisors. A probe writes to the database and to the disk, while no request
//! waits: the answer is the result of the last probe.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{timeout, Instant};

use crate::http::reply::{STORE_UNREACHABLE, UNREACHABLE};
use crate::http::room::room;
use crate::storage::database;
use crate::storage::uploads::Uploads;

/// The time from the begin of a probe to that of the next one.
const INTERVAL: Duration = Duration::from_secs(1);
/// How long a probe may take.
const LIMIT: Duration = Duration::from_secs(5);
/// The age from which on a result is old. Who would be told an old one waits a little for a new one.
const OLD: Duration = Duration::from_secs(5);
/// How long a request waits at most.
const PATIENCE: Duration = Duration::from_millis(50);

/// What is wrong, in words for everybody; nothing when records and bytes can be written.
type Verdict = Result<(), &'static str>;

/// A probe that runs on a thread of its own, and when it began.
type Probe = (Instant, JoinHandle<()>);

/// The probes, of which one runs at a time, and what the last one found.
#[derive(Clone)]
pub struct Health {
    limit: Duration,
    /// The last probe that began, and when.
    probe: Arc<Mutex<Option<Probe>>>,
    /// The last verdict, and when it was found.
    verdict: watch::Sender<(Verdict, Instant)>,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            limit: LIMIT,
            probe: Arc::default(),
            // A receiver that has started has just written.
            verdict: watch::Sender::new((Ok(()), Instant::now())),
        }
    }
}

impl Health {
    /// Returns the last verdict, and begins a probe when it is time for one.
    async fn check<P>(&self, probe: impl FnOnce() -> P) -> Verdict
    where
        P: Future<Output = Verdict> + Send + 'static,
    {
        let mut verdict = self.verdict.subscribe();
        self.begin(probe);
        if verdict.borrow().1.elapsed() >= OLD {
            let _ = timeout(PATIENCE, verdict.changed()).await;
        }
        let last = verdict.borrow().0;
        last
    }

    fn begin<P>(&self, probe: impl FnOnce() -> P)
    where
        P: Future<Output = Verdict> + Send + 'static,
    {
        let mut last = self.probe.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = last
            .as_ref()
            .is_none_or(|(begun, task)| task.is_finished() && begun.elapsed() >= INTERVAL);
        if is_due {
            let task = tokio::spawn(self.clone().run(probe()));
            *last = Some((Instant::now(), task));
        }
    }

    /// Waits for a probe, and tells what it found. One that takes too long is told before.
    async fn run(self, probe: impl Future<Output = Verdict>) {
        let mut probe = pin!(probe);
        let verdict = match timeout(self.limit, &mut probe).await {
            Ok(verdict) => verdict,
            Err(_) => {
                let seconds = self.limit.as_secs();
                tracing::error!("not healthy: no answer from database and disk for {seconds} s");
                self.tell(Err("the database or the disk does not answer"));
                probe.await
            }
        };
        self.tell(verdict);
    }

    fn tell(&self, verdict: Verdict) {
        let _ = self.verdict.send_replace((verdict, Instant::now()));
    }
}

/// Answers 200 when records and bytes can be written.
pub async fn health(
    State(uploads): State<Uploads>,
    State(health): State<Health>,
) -> (StatusCode, String) {
    match health.check(|| probe(uploads)).await {
        Ok(()) => (StatusCode::OK, "ok\n".to_owned()),
        Err(why) => (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("failing: {why}; the log says more\n"),
        ),
    }
}

/// Writes to the database and to the disk.
async fn probe(uploads: Uploads) -> Verdict {
    if let Err(error) = uploads.store.probe().await {
        if error.is_unreachable() || error.is_refusal() {
            tracing::error!(
                "not healthy: the database {} cannot be reached: {error}",
                database::name()
            );
            return Err(UNREACHABLE);
        }
        tracing::error!("not healthy: {error}; {}", room());
        return Err("the database cannot be written");
    }
    if let Some(objects) = &uploads.objects {
        if let Err(error) = objects.probe().await {
            tracing::error!("not healthy: {error}");
            return Err(STORE_UNREACHABLE);
        }
    } else if let Err(error) = uploads.files.probe().await {
        tracing::error!("not healthy: files: {error}; {}", room());
        return Err("files cannot be written");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    use super::*;

    fn quick() -> Health {
        Health {
            limit: Duration::from_millis(50),
            ..Health::default()
        }
    }

    async fn wait_for(health: &Health, wanted: Verdict) {
        let mut verdict = health.verdict.subscribe();
        let found = verdict.wait_for(|(verdict, _)| *verdict == wanted);
        let found = timeout(Duration::from_secs(30), found).await;
        assert!(found.is_ok_and(|found| found.is_ok()), "{wanted:?}");
    }

    #[tokio::test]
    async fn many_requests_at_once_cost_one_probe() {
        let (health, count) = (Health::default(), Arc::new(AtomicUsize::new(0)));
        let mut requests = tokio::task::JoinSet::new();
        for _ in 0..1000 {
            let (health, count) = (health.clone(), count.clone());
            requests.spawn(async move {
                let probe = || async move {
                    count.fetch_add(1, SeqCst);
                    pending().await
                };
                health.check(probe).await
            });
        }
        assert_eq!(requests.join_all().await, [Ok(()); 1000]);
        assert_eq!(count.load(SeqCst), 1);
    }

    #[tokio::test]
    async fn a_probe_that_hangs_is_a_failure_until_it_ends() {
        let health = quick();
        let (end, ended) = tokio::sync::oneshot::channel();
        let probe = || async { ended.await.unwrap_or(Ok(())) };
        assert_eq!(health.check(probe).await, Ok(()));
        let hangs = Err("the database or the disk does not answer");
        wait_for(&health, hangs).await;
        tokio::time::sleep(INTERVAL).await;
        // There is never a second one beside it.
        let mut begins = false;
        let other = || {
            begins = true;
            ready(Ok(()))
        };
        assert_eq!(health.check(other).await, hangs);
        assert!(!begins);
        end.send(Ok(())).unwrap();
        wait_for(&health, Ok(())).await;
    }

    #[tokio::test]
    async fn a_failure_is_told_until_a_probe_is_right() {
        let health = quick();
        let fails = Err("files cannot be written");
        assert_eq!(health.check(|| ready(fails)).await, Ok(()));
        wait_for(&health, fails).await;
        // It is too early for another one.
        assert_eq!(health.check(|| ready(Ok(()))).await, fails);
        tokio::time::sleep(INTERVAL).await;
        health.check(|| ready(Ok(()))).await.ok();
        wait_for(&health, Ok(())).await;
    }

    #[tokio::test]
    async fn who_would_be_told_an_old_verdict_waits_for_a_new_one() {
        let health = Health::default();
        let old = Instant::now() - 2 * OLD;
        let _ = health.verdict.send_replace((Ok(()), old));
        let fails = Err("files cannot be written");
        assert_eq!(health.check(|| ready(fails)).await, fails);
    }
}
