//! Standard input as the source of an upload. A thread reads it, so that a signal ends the command while a
//! read blocks.

use std::io::{self, Read};
use std::sync::mpsc::{sync_channel, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::stop::Stop;

/// The most bytes of one read.
const BLOCK: usize = 64 * 1024;
/// The time between two looks for a signal.
const TICK: Duration = Duration::from_millis(50);

/// The blocks that the thread has read, or its error. An empty one is the end.
struct Blocks {
    blocks: Receiver<io::Result<Vec<u8>>>,
    /// What is left of the last block.
    rest: io::Cursor<Vec<u8>>,
    stop: Stop,
}

/// Begins to read standard input.
pub fn reader(stop: &Stop) -> impl Read + Send {
    let (to, blocks) = sync_channel(1);
    thread::spawn(move || {
        let mut stdin = io::stdin().lock();
        loop {
            let mut block = vec![0; BLOCK];
            let block = match stdin.read(&mut block) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read.map(|n| {
                    block.truncate(n);
                    block
                }),
            };
            let is_end = block.as_ref().is_ok_and(Vec::is_empty);
            if to.send(block).is_err() || is_end {
                return;
            }
        }
    });
    Blocks {
        blocks,
        rest: io::Cursor::default(),
        stop: stop.clone(),
    }
}

impl Read for Blocks {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            let n = self.rest.read(buf)?;
            if n > 0 {
                return Ok(n);
            }
            match self.blocks.recv_timeout(TICK) {
                Ok(Ok(block)) if block.is_empty() => return Ok(0),
                Ok(block) => self.rest = io::Cursor::new(block?),
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(io::Error::other("nothing reads it any more"))
                }
                Err(RecvTimeoutError::Timeout) if self.stop.exit().is_some() => {
                    return Err(io::Error::other("a signal has ended the command"))
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}
