//! The bytes between a request and the thread that writes them. They are collected in one block while the thread works
//! on another one, so that neither wakes the other for every chunk of the network.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::Notify;

/// The memory for the blocks of all uploads, each of which has two.
const MEMORY: usize = 64 * 1024 * 1024;
/// The largest block, which one upload alone has.
const LARGEST: usize = 1024 * 1024;
/// The smallest one. Not less than a chunk of the network.
const SMALLEST: usize = 32 * 1024;

/// The blocks of all uploads that are being written.
#[derive(Clone)]
pub struct Blocks {
    uploads: Arc<AtomicUsize>,
    processors: usize,
}

/// The end that bytes are put into. When it is dropped, the other one gets `None` as the end.
pub struct Filler<T>(Arc<Shared<T>>);

/// The end that blocks are taken from.
pub struct Taker<T> {
    shared: Arc<Shared<T>>,
    blocks: Blocks,
    /// The largest number of bytes that wait.
    most: usize,
    /// The block that was taken last.
    taken: Vec<u8>,
}

/// What the thread gets.
pub struct Taken<'t, T> {
    /// The bytes that have come, in their order.
    pub bytes: &'t [u8],
    /// What came behind the last byte; `Some(None)` when the other end was dropped without it.
    pub end: Option<Option<T>>,
}

struct Shared<T> {
    state: Mutex<State<T>>,
    /// Wakes the thread.
    filled: Condvar,
    /// Wakes the request.
    taken: Notify,
    /// Wakes the request when the thread has ended.
    closed: Notify,
}

struct State<T> {
    /// The block that is being filled.
    block: Vec<u8>,
    /// How many bytes it may have.
    size: usize,
    /// Whether the request waits for room.
    is_full: bool,
    end: Option<Option<T>>,
    is_closed: bool,
}

impl Default for Blocks {
    fn default() -> Self {
        Self {
            uploads: Arc::default(),
            processors: std::thread::available_parallelism().map_or(1, Into::into),
        }
    }
}

impl Blocks {
    /// Makes both ends for an upload. `most` is the largest number of bytes that wait.
    pub fn ends<T>(&self, most: u64) -> (Filler<T>, Taker<T>) {
        self.uploads.fetch_add(1, Ordering::Relaxed);
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                block: Vec::new(),
                size: self.share().min(most),
                is_full: false,
                end: None,
                is_closed: false,
            }),
            filled: Condvar::new(),
            taken: Notify::new(),
            closed: Notify::new(),
        });
        let taker = Taker {
            shared: shared.clone(),
            blocks: self.clone(),
            most,
            taken: Vec::new(),
        };
        (Filler(shared), taker)
    }

    /// Whether there are so few uploads that each can have two processors.
    pub fn are_few(&self) -> bool {
        2 * self.uploads.load(Ordering::Relaxed) <= self.processors
    }

    /// The number of bytes in a block, of which each upload has two.
    fn share(&self) -> usize {
        let uploads = self.uploads.load(Ordering::Relaxed).max(1);
        (MEMORY / 2 / uploads).clamp(SMALLEST, LARGEST)
    }
}

impl<T> Filler<T> {
    /// Adds bytes, when there is room; `false` when nobody takes them any more.
    pub async fn push(&self, bytes: &[u8]) -> bool {
        loop {
            {
                let mut state = self.0.lock();
                if state.is_closed {
                    return false;
                }
                if state.block.is_empty() || state.block.len() + bytes.len() <= state.size {
                    state.block.extend_from_slice(bytes);
                    if state.is_worth_taking() {
                        self.0.filled.notify_one();
                    }
                    return true;
                }
                state.is_full = true;
                self.0.filled.notify_one();
            }
            self.0.taken.notified().await;
        }
    }

    /// Ends the bytes.
    pub fn end(self, end: T) {
        self.0.lock().end = Some(Some(end));
    }

    /// Waits until nobody takes bytes any more.
    pub async fn closed(&self) {
        self.0.closed.notified().await;
    }
}

impl<T> Drop for Filler<T> {
    fn drop(&mut self) {
        self.0.lock().end.get_or_insert(None);
        self.0.filled.notify_one();
    }
}

impl<T> Taker<T> {
    /// Waits for a block that is worth the work, for the end, or until `due`. Takes what is there.
    pub fn take(&mut self, due: Instant) -> Taken<'_, T> {
        self.taken.clear();
        let size = self.blocks.share().min(self.most);
        if self.taken.capacity() > 2 * size {
            self.taken = Vec::new();
        }
        let mut state = self.shared.lock();
        while !state.is_worth_taking() && state.end.is_none() {
            let left = due.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            let waited = self.shared.filled.wait_timeout(state, left);
            (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
        std::mem::swap(&mut state.block, &mut self.taken);
        state.size = size;
        state.is_full = false;
        let end = state.end.take();
        drop(state);
        self.shared.taken.notify_one();
        Taken {
            bytes: &self.taken,
            end,
        }
    }
}

impl<T> Drop for Taker<T> {
    fn drop(&mut self) {
        self.blocks.uploads.fetch_sub(1, Ordering::Relaxed);
        self.shared.lock().is_closed = true;
        self.shared.taken.notify_one();
        self.shared.closed.notify_one();
    }
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    /// Whether there are so many bytes that the thread shall be woken. The other half is filled meanwhile.
    fn is_worth_taking(&self) -> bool {
        self.is_full || (!self.block.is_empty() && self.block.len() >= self.size / 2)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(20)
    }

    fn in_an_hour() -> Instant {
        Instant::now() + Duration::from_secs(3600)
    }

    #[tokio::test]
    async fn all_bytes_come_in_their_order_and_the_end_behind_them() {
        let (filler, mut taker) = Blocks::default().ends(5000);
        let bytes: Vec<u8> = (0..300_000u32).map(|n| (n ^ (n >> 8)) as u8).collect();
        let thread = std::thread::spawn(move || {
            let mut all = Vec::new();
            loop {
                let taken = taker.take(in_an_hour());
                all.extend_from_slice(taken.bytes);
                if let Some(end) = taken.end {
                    return (all, end);
                }
                assert!(!taken.bytes.is_empty());
            }
        });
        for chunk in bytes.chunks(7).take(1000).chain(bytes[7000..].chunks(9999)) {
            assert!(filler.push(chunk).await);
        }
        filler.end("end");
        let (all, end) = thread.join().unwrap();
        assert!(all == bytes);
        assert_eq!(end, Some("end"));
    }

    #[tokio::test]
    async fn few_bytes_wait_until_they_are_due() {
        let (filler, mut taker) = Blocks::default().ends::<()>(1000);
        assert!(filler.push(b"few").await);
        let begin = Instant::now();
        assert_eq!(taker.take(soon()).bytes, b"few");
        assert!(begin.elapsed() >= Duration::from_millis(10));
        drop(filler);
        assert_eq!(taker.take(in_an_hour()).end, Some(None));
    }

    #[tokio::test]
    async fn a_request_waits_while_its_block_is_full_and_ends_with_the_thread() {
        let (filler, mut taker) = Blocks::default().ends::<()>(1000);
        assert!(filler.push(&[1; 900]).await);
        let full = timeout(Duration::from_millis(20), filler.push(&[2; 900]));
        assert!(full.await.is_err());
        assert_eq!(taker.take(in_an_hour()).bytes.len(), 900);
        assert!(filler.push(&[2; 900]).await);
        drop(taker);
        filler.closed().await;
        assert!(!filler.push(b"more").await);
    }

    #[test]
    fn all_uploads_together_have_bounded_memory() {
        let blocks = Blocks::default();
        let mut ends: Vec<_> = (0..2000).map(|_| blocks.ends::<()>(u64::MAX)).collect();
        assert_eq!(blocks.share(), SMALLEST);
        for count in [1000, 500, 32] {
            ends.truncate(count);
            assert!(2 * count * blocks.share() <= MEMORY);
        }
        ends.truncate(1);
        assert_eq!(blocks.share(), LARGEST);
    }
}
