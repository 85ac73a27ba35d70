//! The threads on which files are read and written. A thread that may block does all that its work needs there: another
//! thread for each step costs more than the step.

use std::cell::Cell;
use std::future::Future;
use std::io;

use tokio::runtime::Handle;
use tokio::task::{spawn_blocking, JoinHandle};

use crate::storage::error::StorageError;

thread_local! {
    /// Whether this thread does the work of one request, and may block.
    static MAY_BLOCK: Cell<bool> = const { Cell::new(false) };
}

/// Does work that blocks: here if this thread may block, else on one that may.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, StorageError> {
    match MAY_BLOCK.get() {
        true => Ok(work()?),
        false => Ok(spawn_blocking(work).await??),
    }
}

/// Starts work on a thread that may block.
pub(super) fn start<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    spawn_blocking(|| {
        let _guard = Guard::new();
        work()
    })
}

/// Runs a future on a thread that may block.
pub async fn run<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, StorageError> {
    let runtime = Handle::current();
    Ok(start(move || runtime.block_on(work)).await?)
}

/// A guard that ends the permission, also after a panic: the thread gets other work then.
struct Guard;

impl Guard {
    fn new() -> Self {
        MAY_BLOCK.set(true);
        Self
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        MAY_BLOCK.set(false);
    }
}

#[cfg(test)]
mod tests {
    use std::thread::{self, ThreadId};

    use super::*;

    async fn worker() -> ThreadId {
        let id = blocking(|| Ok(thread::current().id())).await;
        id.ok().unwrap()
    }

    #[tokio::test]
    async fn only_a_thread_that_may_block_does_so() {
        let here = thread::current().id();
        assert!(worker().await != here);
        let both = run(async { (thread::current().id(), worker().await) }).await;
        let (own, worker_there) = both.ok().unwrap();
        assert!(own != here && worker_there == own);
        let panicked = run(async { panic!("expected") }).await;
        assert!(panicked.is_err());
        for _ in 0..10 {
            let may = spawn_blocking(|| MAY_BLOCK.get()).await.unwrap();
            assert!(!may);
        }
    }
}
