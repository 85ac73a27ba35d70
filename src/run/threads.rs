//! The threads of a client's runs. One that has ended its run waits a moment for the next: to start a
//! thread takes almost as long as to upload a small file.

use std::fmt;
use std::io;
use std::mem;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering::AcqRel, Ordering::Acquire, Ordering::Release};
use std::sync::mpsc::{sync_channel, Receiver, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How long a thread waits for the next run.
const PATIENCE: Duration = Duration::from_millis(500);

/// A run. It gives the function that tells its end, after which the program may begin the next run.
type Work = Box<dyn FnOnce() -> Box<dyn FnOnce()> + Send>;

/// The threads of a client's runs.
pub(crate) struct Threads {
    workers: Mutex<Vec<Worker>>,
    /// The process that the threads are in.
    process: u32,
}

struct Worker {
    queue: SyncSender<Work>,
    /// Whether the thread has a run, or ends.
    is_busy: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Default for Threads {
    fn default() -> Self {
        Threads {
            workers: Mutex::default(),
            process: process::id(),
        }
    }
}

impl fmt::Debug for Threads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Threads").finish_non_exhaustive()
    }
}

impl Threads {
    /// Starts a run on a thread that waits, or on a new one. `work` gives the function that tells its
    /// end.
    pub(crate) fn start<T: FnOnce() + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<()> {
        let work: Work = Box::new(|| Box::new(work()));
        let mut workers = self.lock();
        workers.retain(|worker| !worker.thread.is_finished());
        let work = match workers.iter().find(|worker| take(&worker.is_busy)) {
            Some(worker) => match worker.queue.send(work) {
                Ok(()) => return Ok(()),
                Err(unsent) => unsent.0,
            },
            None => work,
        };
        workers.push(Worker::start(work)?);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Worker>> {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Worker {
    fn start(work: Work) -> io::Result<Self> {
        let (queue, works) = sync_channel(1);
        let is_busy = Arc::new(AtomicBool::new(true));
        let busy = is_busy.clone();
        let builder = thread::Builder::new().name("resup-upload".to_owned());
        let thread = builder.spawn(move || run(work, &works, &busy))?;
        Ok(Worker {
            queue,
            is_busy,
            thread,
        })
    }
}

/// Does one work after the other, until there is none for a while.
fn run(first: Work, works: &Receiver<Work>, is_busy: &AtomicBool) {
    let mut work = first;
    loop {
        let tell_end = work();
        is_busy.store(false, Release);
        tell_end();
        work = match works.recv_timeout(PATIENCE) {
            Ok(next) => next,
            Err(_) if take(is_busy) => return,
            // It was taken just now.
            Err(_) => match works.recv() {
                Ok(next) => next,
                Err(_) => return,
            },
        };
    }
}

/// Takes a thread that waits. Gives whether nobody else has.
fn take(is_busy: &AtomicBool) -> bool {
    let taken = is_busy.compare_exchange(false, true, AcqRel, Acquire);
    taken.is_ok()
}

impl Drop for Threads {
    /// Ends the threads that wait. The others end after their runs.
    fn drop(&mut self) {
        let workers = self.workers.get_mut();
        for worker in workers.unwrap_or_else(PoisonError::into_inner).drain(..) {
            let Worker {
                queue,
                is_busy,
                thread,
            } = worker;
            if self.process != process::id() {
                // The thread is in the parent.
                mem::forget((queue, thread));
                continue;
            }
            drop(queue);
            // Not this one: it still has a run.
            if take(&is_busy) {
                let _ = thread.join();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;
    use std::thread::ThreadId;

    /// Makes a run that tells its thread, once it may end.
    fn start(threads: &Threads) -> (SyncSender<()>, Receiver<ThreadId>) {
        let (end, may_end) = sync_channel::<()>(1);
        let (tell, told) = channel();
        let work = move || {
            let _ = may_end.recv();
            move || tell.send(thread::current().id()).unwrap_or(())
        };
        threads.start(work).unwrap();
        (end, told)
    }

    fn end((end, told): (SyncSender<()>, Receiver<ThreadId>)) -> ThreadId {
        end.send(()).unwrap();
        told.recv().unwrap()
    }

    #[test]
    fn runs_one_after_the_other_have_one_thread_and_runs_at_a_time_their_own() {
        let threads = Threads::default();
        let first = end(start(&threads));
        assert_eq!(end(start(&threads)), first);
        let both = [start(&threads), start(&threads)];
        let [one, other] = both.map(end);
        assert!(one != other);
        assert_eq!(threads.lock().len(), 2);
    }

    #[test]
    fn a_thread_without_a_run_ends() {
        let threads = Threads::default();
        end(start(&threads));
        while !threads.lock()[0].thread.is_finished() {
            thread::sleep(Duration::from_millis(10));
        }
        end(start(&threads));
        assert_eq!(threads.lock().len(), 1);
    }

    #[test]
    fn the_last_thread_may_drop_the_others() {
        let threads = Arc::new(Threads::default());
        end(start(&threads));
        let (tell, told) = channel();
        let own = threads.clone();
        let work = move || {
            // The test's own is dropped first.
            while Arc::strong_count(&own) > 1 {
                thread::yield_now();
            }
            drop(own);
            move || tell.send(()).unwrap_or(())
        };
        threads.start(work).unwrap();
        drop(threads);
        told.recv().unwrap();
    }
}
