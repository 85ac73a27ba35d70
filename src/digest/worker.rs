//! The digest on a thread of its own, so that hashing costs no time beside sending.
#![forbid(unsafe_code)]

use std::sync::mpsc::{sync_channel, Receiver, SyncSender};
use std::thread;

use super::rolling::Digest;
use crate::error::Error;

/// Blocks on their way to the digest: with the transport's 64 KiB reads, at most 1 MiB.
const BLOCKS: usize = 16;
/// Shorter pieces are not worth a thread.
const WORTH_A_THREAD: u64 = 1024 * 1024;

/// Where bytes go to be digested.
pub(crate) enum Feed<'a> {
    /// At once, on this thread.
    Here(&'a mut Digest),
    /// By another thread, in order, a little later.
    There {
        work: SyncSender<Work>,
        /// Blocks that have been digested, to be filled again.
        spare: Receiver<Vec<u8>>,
    },
}

pub(crate) enum Work {
    Bytes(Vec<u8>),
    Report(SyncSender<[u8; 16]>),
}

impl Feed<'_> {
    /// Whether there is a digest at all.
    pub(crate) fn is_hashing(&self) -> bool {
        match self {
            Feed::Here(digest) => digest.is_hashing(),
            Feed::There { .. } => true,
        }
    }

    /// Takes the next bytes.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Feed::Here(digest) => digest.update(bytes),
            Feed::There { work, spare } => {
                let mut block = spare.try_recv().unwrap_or_default();
                block.clear();
                block.extend_from_slice(bytes);
                // The thread takes work until this end is dropped.
                work.send(Work::Bytes(block)).expect("the hasher lives");
            }
        }
    }

    /// The digest of everything so far, if there is one.
    pub(crate) fn md5(&self) -> Option<[u8; 16]> {
        Some(match self {
            Feed::Here(digest) if !digest.is_hashing() => return None,
            Feed::Here(digest) => digest.md5(),
            Feed::There { work, .. } => {
                let (tell, told) = sync_channel(1);
                work.send(Work::Report(tell)).expect("the hasher lives");
                told.recv().expect("the hasher answers")
            }
        })
    }
}

/// Runs `body` with a feed into `digest` for about `length` bytes. When it returns, the digest
/// has taken all that was fed.
pub(crate) fn alongside<T>(
    digest: &mut Digest,
    length: u64,
    body: impl FnOnce(&mut Feed<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    if length < WORTH_A_THREAD || !digest.is_hashing() {
        return body(&mut Feed::Here(digest));
    }
    thread::scope(|scope| {
        let (work, due) = sync_channel(BLOCKS);
        let (done, spare) = sync_channel(BLOCKS);
        let hash = move || {
            for work in due {
                match work {
                    Work::Bytes(block) => {
                        digest.update(&block);
                        // Full or gone: then the block is let go.
                        let _ = done.try_send(block);
                    }
                    Work::Report(tell) => {
                        let _ = tell.send(digest.md5());
                    }
                }
            }
        };
        let builder = thread::Builder::new().name("resup-md5".to_owned());
        let spawned = builder.spawn_scoped(scope, hash);
        spawned.map_err(|e| Error::System {
            why: format!("no thread for the digest: {e}"),
        })?;
        body(&mut Feed::There { work, spare })
    })
}
