//! The number of runs of random tests.

use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};

/// The environment variable with the number of runs of a longer test.
pub const VARIABLE: &str = "RESUP_TEST_RUNS";

/// Returns the number of runs: from `RESUP_TEST_RUNS`, else `usual`.
///
/// # Panics
///
/// When the variable is set to something that is no such number.
pub fn count<T: FromStr>(usual: T) -> T {
    let Ok(text) = std::env::var(VARIABLE) else {
        return usual;
    };
    let number = text.trim().parse();
    number.unwrap_or_else(|_| panic!("{VARIABLE}={text:?} is not a decimal number"))
}

/// Does `work` for each number below `count`, on so many threads.
pub fn on_threads(threads: usize, count: u64, work: impl Fn(u64) + Sync) {
    let next = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= count {
                    break;
                }
                work(number);
            });
        }
    });
}
