//! The digest on a thread of its own, so that hashing costs no time beside sending.

use std::sync::mpsc::{sync_channel, Receiver, SyncSender};
use std::thread;

use resup_digests::{Algorithm, Digest};

use super::rolling::RollingDigest;
use crate::error::Error;

/// How many blocks may wait for the thread. The transport reads 64 KiB at a time, so that is 1 MiB.
const QUEUE: usize = 16;
/// Shorter pieces are not worth a thread.
const MIN_FOR_THREAD: u64 = 1024 * 1024;

/// The place where bytes are digested.
pub(crate) enum HashSink<'a> {
    /// This thread, at once.
    Inline(&'a mut RollingDigest),
    /// Another thread, in order, a little later.
    Threaded {
        algorithm: Algorithm,
        work: SyncSender<Work>,
        /// Digested blocks, to be filled again.
        spare: Receiver<Vec<u8>>,
    },
}

/// A piece of work for the thread.
pub(crate) enum Work {
    Update(Vec<u8>),
    Report(SyncSender<Digest>),
}

impl HashSink<'_> {
    /// Gives the algorithm, if a digest is computed at all.
    pub(crate) fn algorithm(&self) -> Option<Algorithm> {
        match self {
            HashSink::Inline(digest) => digest.algorithm(),
            HashSink::Threaded { algorithm, .. } => Some(*algorithm),
        }
    }

    /// Digests the next bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            HashSink::Inline(digest) => digest.update(bytes),
            HashSink::Threaded { work, spare, .. } => {
                let mut block = spare.try_recv().unwrap_or_default();
                block.clear();
                block.extend_from_slice(bytes);
                // The thread takes work until this end is dropped.
                work.send(Work::Update(block)).expect("the thread runs");
            }
        }
    }

    /// Gives the digest of everything so far, if one is computed.
    pub(crate) fn digest(&self) -> Option<Digest> {
        match self {
            HashSink::Inline(digest) => digest.algorithm().map(|_| digest.digest()),
            HashSink::Threaded { work, .. } => {
                let (reply, report) = sync_channel(1);
                work.send(Work::Report(reply)).expect("the thread runs");
                Some(report.recv().expect("the thread replies"))
            }
        }
    }
}

/// Runs `body` with a sink into `digest` for about `length` bytes. When it returns, all bytes of
/// the sink are digested.
pub(crate) fn in_background<T, E: From<Error>>(
    digest: &mut RollingDigest,
    length: u64,
    body: impl FnOnce(&mut HashSink<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let Some(algorithm) = digest.algorithm().filter(|_| length >= MIN_FOR_THREAD) else {
        return body(&mut HashSink::Inline(digest));
    };
    thread::scope(|scope| {
        let (work, queue) = sync_channel(QUEUE);
        let (done, spare) = sync_channel(QUEUE);
        let hash = move || {
            for work in queue {
                match work {
                    Work::Update(block) => {
                        digest.update(&block);
                        // If the queue is full or closed, the block is dropped.
                        let _ = done.try_send(block);
                    }
                    Work::Report(reply) => {
                        let _ = reply.send(digest.digest());
                    }
                }
            }
        };
        let builder = thread::Builder::new().name("resup-digest".to_owned());
        let spawned = builder.spawn_scoped(scope, hash);
        spawned.map_err(|e| Error::System {
            why: format!("no thread for the digest: {e}"),
        })?;
        body(&mut HashSink::Threaded {
            algorithm,
            work,
            spare,
        })
    })
}
