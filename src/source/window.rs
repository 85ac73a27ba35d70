//! The window of a stream that is read once: its bytes that the server has not confirmed.

use std::io::Read;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use resup_digests::{Algorithm, Digest, State};

use crate::control::reads::{ReadData, ReadReply, ReadRequest};
use crate::control::stop::Stop;
use crate::control::Control;
use crate::error::Error;
use crate::options::SIZE_UNKNOWN;

use super::port::ReadPort;

/// The most bytes of a window, and so of one send.
const MOST: usize = 8 << 20;
/// The most bytes of one read.
const BLOCK: usize = 256 * 1024;

/// The bytes of a stream that were read and that the server has not confirmed, and the digest of those
/// before them. All runs of an upload share it. The program's side adds to it, so that no byte is lost
/// when a run ends during a read.
#[derive(Default)]
pub(crate) struct Window(Mutex<Bytes>);

impl std::fmt::Debug for Window {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Window")
    }
}

#[derive(Default)]
struct Bytes {
    /// The offset of the first byte in `bytes`.
    start: u64,
    bytes: Vec<u8>,
    /// Whether the stream has ended after `bytes`.
    is_ended: bool,
    /// The digest of the bytes before `start`, where one is computed.
    digest: Option<State>,
}

impl Bytes {
    fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    /// Gives how many bytes there are from `offset` on.
    fn held(&self, offset: u64) -> usize {
        self.end().saturating_sub(offset) as usize
    }
}

impl Window {
    fn lock(&self) -> MutexGuard<'_, Bytes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the size of the stream, or [`SIZE_UNKNOWN`] until its end was read.
    pub(super) fn size(&self) -> u64 {
        let window = self.lock();
        match window.is_ended {
            true => window.end(),
            false => SIZE_UNKNOWN,
        }
    }

    /// Whether bytes were dropped, so that the stream cannot be sent from its start again.
    pub(crate) fn is_passed(&self) -> bool {
        self.lock().start > 0
    }

    /// Has the digest computed of the bytes that are dropped. Once some were dropped it stays as it is.
    pub(crate) fn digest_by(&self, algorithm: Option<Algorithm>) {
        let mut window = self.lock();
        if window.start == 0 {
            window.digest = algorithm.map(State::new);
        }
    }

    /// Gives the digest of the bytes that were dropped, if one is computed.
    pub(crate) fn digest(&self) -> Option<Digest> {
        self.lock().digest.as_ref().map(State::digest)
    }

    /// Drops the bytes before `offset`: the server has confirmed them.
    ///
    /// # Errors
    /// Where the server goes on from an offset that is before the window or behind it.
    pub(crate) fn release(&self, offset: u64) -> Result<(), Error> {
        let mut window = self.lock();
        let (start, end) = (window.start, window.end());
        if offset < start {
            return Err(Error::stream_failed(format!(
                "the server goes on from byte {offset}, and the bytes before {start} were passed: they \
                 cannot be read again; make a new upload of a new stream"
            )));
        }
        if offset > end {
            return Err(Error::BadOffset {
                why: format!("{offset}, but only {end} bytes of the stream were read"),
            });
        }
        let window = &mut *window;
        let count = (offset - start) as usize;
        if let Some(digest) = &mut window.digest {
            digest.update(&window.bytes[..count]);
        }
        window.bytes.drain(..count);
        window.start = offset;
        if window.is_ended && window.bytes.is_empty() {
            window.bytes = Vec::new();
        }
        Ok(())
    }

    /// Reads the stream until there are `most` bytes from `offset` on, or as many as a window has, or until its
    /// end. Gives how many there are, and the stream's size where its end was reached.
    pub(crate) fn fill(
        &self,
        control: &Control,
        offset: u64,
        most: u64,
    ) -> Result<(u64, Option<u64>), Stop> {
        let most = most.min(MOST as u64) as usize;
        loop {
            let (held, is_ended, end) = {
                let window = self.lock();
                (window.held(offset), window.is_ended, window.end())
            };
            if is_ended || held >= most {
                return Ok((held.min(most) as u64, is_ended.then_some(end)));
            }
            control.check()?;
            let room = (most - held).min(BLOCK);
            control.request_read(ReadRequest::Next(room));
            control.wait_for_read()?.map_err(Error::stream_failed)?;
        }
    }

    /// Copies the bytes from `offset` on; gives how many.
    pub(super) fn copy(&self, offset: u64, buf: &mut [u8]) -> usize {
        let window = self.lock();
        let n = window.held(offset).min(buf.len());
        let from = window.bytes.len() - window.held(offset);
        buf[..n].copy_from_slice(&window.bytes[from..from + n]);
        n
    }

    /// Adds the bytes that were read; none at the end.
    fn add(&self, bytes: &[u8]) {
        let mut window = self.lock();
        window.is_ended = bytes.is_empty();
        window.bytes.extend_from_slice(bytes);
    }
}

/// The program's side of a stream that is read once.
pub(crate) struct WindowPort {
    stream: Box<dyn Read + Send>,
    window: Arc<Window>,
    block: Vec<u8>,
}

impl WindowPort {
    pub(crate) fn new(stream: Box<dyn Read + Send>, window: Arc<Window>) -> Self {
        WindowPort {
            stream,
            window,
            block: Vec::new(),
        }
    }

    /// Reads at most so many bytes into the window.
    fn read(&mut self, most: usize) -> ReadReply {
        // An earlier read may have reached the end after its run was interrupted.
        if self.window.size() != SIZE_UNKNOWN {
            return Ok(ReadData::InWindow);
        }
        self.block.resize(most, 0);
        let n = loop {
            match self.stream.read(&mut self.block) {
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                result => break result,
            }
        };
        let at = self.window.lock().end();
        let n = n.map_err(|e| format!("at byte {at}: {e}"))?;
        let bytes = self.block.get(..n);
        let bytes =
            bytes.ok_or_else(|| format!("it reports {n} bytes read into a buffer of {most}"))?;
        self.window.add(bytes);
        Ok(ReadData::InWindow)
    }
}

impl ReadPort for WindowPort {
    fn reply(&mut self, request: &ReadRequest) -> ReadReply {
        match *request {
            ReadRequest::Next(most) => self.read(most),
            ReadRequest::Size | ReadRequest::Bytes(_) => {
                Err("it has no size and no seek".to_owned())
            }
        }
    }
}
