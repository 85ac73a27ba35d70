//! The run: a few checks at a time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{mpsc, Arc};
use std::thread;
use std::time::Duration;

use anyhow::anyhow;

use crate::checks::check::Check;
use crate::probe::{Probe, Shared};
use crate::verdict::Outcome;

/// The number of checks that run at once.
const THREADS: usize = 4;

/// Runs checks, each for `time` at most. Passes the outcomes to `report` in the order of `checks`.
pub fn run(
    shared: Shared,
    checks: &[&'static Check],
    time: Duration,
    mut report: impl FnMut(&'static Check, Outcome),
) {
    let work = Arc::new((shared, checks.to_vec(), AtomicUsize::new(0)));
    let (sender, outcomes) = mpsc::channel();
    for _ in 0..THREADS {
        let (work, sender) = (work.clone(), sender.clone());
        thread::spawn(move || {
            let (shared, checks, next) = &*work;
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(check) = checks.get(index) else {
                    return;
                };
                let probe = Probe::new(shared, index as u64, time);
                let outcome = (check.run)(&probe).map_err(|error| probe.with_last_request(&error));
                if sender.send((index, outcome)).is_err() {
                    return;
                }
            }
        });
    }
    drop(sender);
    let mut pending: Vec<Option<Outcome>> = checks.iter().map(|_| None).collect();
    let mut next = 0;
    for (index, outcome) in outcomes {
        pending[index] = Some(outcome);
        while let Some(outcome) = pending.get_mut(next).and_then(Option::take) {
            report(checks[next], outcome);
            next += 1;
        }
    }
    for (check, outcome) in checks.iter().zip(pending).skip(next) {
        let panicked = || {
            Err(anyhow!(
                "the kit itself failed here: a check's thread panicked"
            ))
        };
        report(check, outcome.unwrap_or_else(panicked));
    }
}
