//! Checks, a few at a time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{mpsc, Arc};
use std::thread;
use std::time::Duration;

use anyhow::anyhow;

use crate::checks::Check;
use crate::probe::{Kit, Probe};
use crate::verdict::Outcome;

/// How many checks run at once.
const THREADS: usize = 4;

/// Runs checks, each for `time` at most, and hands each outcome to `tell`, in the order of the list.
pub fn run(
    kit: Kit,
    checks: &[&'static Check],
    time: Duration,
    mut tell: impl FnMut(&'static Check, Outcome),
) {
    let shared = Arc::new((kit, checks.to_vec(), AtomicUsize::new(0)));
    let (sender, outcomes) = mpsc::channel();
    for _ in 0..THREADS {
        let (shared, sender) = (shared.clone(), sender.clone());
        thread::spawn(move || {
            let (kit, checks, next) = &*shared;
            loop {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(check) = checks.get(index) else {
                    return;
                };
                let probe = Probe::new(kit, index as u64, time);
                if sender.send((index, (check.run)(&probe))).is_err() {
                    return;
                }
            }
        });
    }
    drop(sender);
    let mut waiting: Vec<Option<Outcome>> = checks.iter().map(|_| None).collect();
    let mut told = 0;
    for (index, outcome) in outcomes {
        waiting[index] = Some(outcome);
        while let Some(outcome) = waiting.get_mut(told).and_then(Option::take) {
            tell(checks[told], outcome);
            told += 1;
        }
    }
    for (check, outcome) in checks.iter().zip(waiting).skip(told) {
        let panicked = || {
            Err(anyhow!(
                "the kit itself failed here: a check's thread panicked"
            ))
        };
        tell(check, outcome.unwrap_or_else(panicked));
    }
}
