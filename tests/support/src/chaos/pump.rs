//! One direction of a link.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::link::{Fate, Link};
use super::Cut;

const PIECE: usize = 256 * 1024;
/// Buffers begin with this size, which makes short connections cheap.
const FIRST_PIECE: usize = 16 * 1024;

/// What forwards the bytes of one direction.
#[derive(Clone)]
pub(super) struct Pump<'a> {
    pub link: &'a Link,
    pub from: &'a TcpStream,
    pub to: &'a TcpStream,
    pub total: &'a AtomicU64,
    pub cut_after: Option<u64>,
    pub how: Cut,
    /// Index of a byte and the bits to flip in it.
    pub corrupt: Option<(u64, u8)>,
    pub delay: Duration,
    pub rate: Option<u64>,
    pub discard: bool,
}

/// Why a piece was not forwarded.
enum Stop {
    Cut,
    PeerGone,
}

impl Pump<'_> {
    /// Forwards until the source ends or the connection is cut.
    pub(super) fn run(self) {
        let mut buffer = vec![0; FIRST_PIECE];
        let mut forwarded = 0;
        let mut due = Instant::now();
        loop {
            let n = match self.read(&mut buffer) {
                Some(n) => n,
                None => return,
            };
            if !self.link.is_live() {
                continue;
            }
            let left = self.cut_after.map_or(u64::MAX, |limit| limit - forwarded);
            let piece = &mut buffer[..left.min(n as u64) as usize];
            if let Some((at, bits)) = self.corrupt {
                let index = at
                    .checked_sub(forwarded)
                    .and_then(|i| usize::try_from(i).ok());
                if let Some(byte) = index.and_then(|i| piece.get_mut(i)) {
                    *byte ^= bits;
                }
            }
            if !self.link.pause(self.delay) {
                continue;
            }
            if !self.discard {
                match self.forward(piece, &mut due) {
                    Ok(()) => {}
                    Err(Stop::Cut) => continue,
                    Err(Stop::PeerGone) => return self.link.set_peer_gone(),
                }
            }
            forwarded += piece.len() as u64;
            if self.cut_after == Some(forwarded) {
                self.link.cut(self.how);
            }
            if n == buffer.len() && n < PIECE {
                buffer = vec![0; PIECE];
            }
        }
    }

    /// Reads the next bytes; `None` when this direction has ended.
    fn read(&self, buffer: &mut [u8]) -> Option<usize> {
        loop {
            match self.link.fate() {
                Fate::Stalled => return None,
                Fate::Reset if !self.link.is_live() => return None,
                Fate::Finishing(until) if Instant::now() >= until => return None,
                _ => {}
            }
            match { self.from }.read(buffer) {
                Ok(0) => {
                    // Only an orderly end is passed on.
                    if self.link.fate() == Fate::Live {
                        let _ = self.to.shutdown(Shutdown::Write);
                    }
                    return None;
                }
                Ok(n) => return Some(n),
                Err(error) if is_passing(&error) => {}
                Err(_) => {
                    self.link.cut(Cut::Rst);
                    return None;
                }
            }
        }
    }

    fn forward(&self, bytes: &[u8], due: &mut Instant) -> Result<(), Stop> {
        let step = match self.rate {
            Some(rate) => (rate / 50).clamp(1, PIECE as u64) as usize,
            None => PIECE,
        };
        for piece in bytes.chunks(step) {
            if let Some(rate) = self.rate {
                let now = Instant::now();
                if !self.link.pause(due.saturating_duration_since(now)) {
                    return Err(Stop::Cut);
                }
                *due = now.max(*due) + Duration::from_secs_f64(piece.len() as f64 / rate as f64);
            }
            self.write(piece)?;
        }
        Ok(())
    }

    fn write(&self, mut bytes: &[u8]) -> Result<(), Stop> {
        while !bytes.is_empty() {
            match { self.to }.write(bytes) {
                Ok(n) => {
                    self.total.fetch_add(n as u64, Ordering::Relaxed);
                    bytes = &bytes[n..];
                }
                Err(error) if is_passing(&error) && self.link.is_live() => {}
                _ if !self.link.is_live() => return Err(Stop::Cut),
                Err(_) => return Err(Stop::PeerGone),
            }
        }
        Ok(())
    }
}

/// Answers the client's first bytes, ends the connection, and discards what still comes for a moment.
pub(super) fn answer(link: &Link, reply: &[u8]) {
    let mut answered = false;
    let mut piece = vec![0; FIRST_PIECE];
    loop {
        match link.fate() {
            Fate::Stalled | Fate::Reset => return,
            Fate::Finishing(until) if Instant::now() >= until => return,
            _ => {}
        }
        match link.client().read(&mut piece) {
            Ok(0) => return link.cut(Cut::Rst),
            Ok(_) if answered => {}
            Ok(_) => {
                answered = true;
                match link.client().write_all(reply) {
                    Ok(()) => link.cut(Cut::Fin),
                    Err(_) => return link.cut(Cut::Rst),
                }
            }
            Err(error) if is_passing(&error) => {}
            Err(_) => return link.cut(Cut::Rst),
        }
    }
}

/// Whether an error ends only this call, and not the connection.
fn is_passing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted
    )
}
