//! A host's own reader: asked from the engine's thread, read on the host's.
//!
//! The engine leaves an [`Ask`] in the [`Control`]; the host's thread, inside `run` or `wait`,
//! answers it with its [`Seat`]. One block is asked for ahead, so that the host reads while the
//! one before is being sent.
#![forbid(unsafe_code)]

use std::io::{self, Read, Seek, SeekFrom};

use super::Source;
use crate::control::Control;
use crate::error::Error;

/// What messages call it; there is no path to name.
const READER: &str = "the program's stream";
/// What the host is asked for at a time.
const BLOCK: usize = 256 * 1024;

/// Something that a host can read from, go back in and tell the size of.
pub(crate) trait HostReader: Send {
    /// Bytes in the whole.
    fn size(&mut self) -> io::Result<u64>;
    /// Sets the position of the next read, from the start.
    fn seek(&mut self, offset: u64) -> io::Result<()>;
    /// Reads some bytes; none only at the end.
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize>;
}

impl<R: Read + Seek + Send> HostReader for R {
    fn size(&mut self) -> io::Result<u64> {
        Seek::seek(self, SeekFrom::End(0))
    }

    fn seek(&mut self, offset: u64) -> io::Result<()> {
        Seek::seek(self, SeekFrom::Start(offset)).map(|_| ())
    }

    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            match Read::read(self, buf) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }
}

/// A question to the host's reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ask {
    Size,
    /// Bytes from this offset on.
    Bytes(u64),
}

/// Its answer, or why there is none.
pub(crate) type Told = Result<Found, String>;

#[derive(Debug)]
pub(crate) enum Found {
    Size(u64),
    Bytes(Vec<u8>),
}

/// A host's reader and where it stands; it stays on the host's side.
pub(crate) struct Seat {
    reader: Box<dyn HostReader>,
    /// `None` when nobody knows.
    at: Option<u64>,
}

impl Seat {
    pub(crate) fn new(reader: Box<dyn HostReader>) -> Self {
        Seat { reader, at: None }
    }

    /// Answers, on the host's thread.
    pub(crate) fn answer(&mut self, ask: &Ask) -> Told {
        match *ask {
            Ask::Size => {
                self.at = None;
                let size = self.reader.size();
                let size = size.map_err(|e| format!("its size cannot be told: {e}"))?;
                Ok(Found::Size(size))
            }
            Ask::Bytes(offset) => {
                // Known only again when all went well.
                if self.at.take() != Some(offset) {
                    let seek = self.reader.seek(offset);
                    seek.map_err(|e| format!("going to byte {offset} failed: {e}"))?;
                }
                let mut block = vec![0; BLOCK];
                let read = self.reader.read(&mut block);
                let n = read.map_err(|e| format!("at byte {offset}: {e}"))?;
                if n > block.len() {
                    let most = block.len();
                    return Err(format!(
                        "it says that it put {n} bytes into room for {most}"
                    ));
                }
                block.truncate(n);
                self.at = Some(offset + n as u64);
                Ok(Found::Bytes(block))
            }
        }
    }
}

/// The engine's end.
pub(super) struct ReaderSource<'a> {
    control: &'a Control,
    size: u64,
    /// The position of the next read.
    at: u64,
    /// A block of the source that begins at `begin`.
    block: Vec<u8>,
    begin: u64,
    /// The block that was asked for ahead begins there.
    ahead: Option<u64>,
}

impl<'a> ReaderSource<'a> {
    pub(super) fn open(control: &'a Control) -> Result<Self, Error> {
        let mut source = ReaderSource {
            control,
            size: 0,
            at: 0,
            block: Vec::new(),
            begin: 0,
            ahead: None,
        };
        source.size = source.ask_size()?;
        Ok(source)
    }

    fn ask_size(&mut self) -> Result<u64, Error> {
        self.ahead = None;
        self.control.ask(Ask::Size);
        match self.told()? {
            Found::Size(size) => Ok(size),
            Found::Bytes(_) => unreachable!("a size was asked for"),
        }
    }

    fn told(&self) -> Result<Found, Error> {
        let path = READER.to_owned();
        self.control
            .told()?
            .map_err(|why| Error::SourceIo { path, why })
    }

    fn fetch(&mut self) -> Result<(), Error> {
        if self.ahead.take() != Some(self.at) {
            self.control.ask(Ask::Bytes(self.at));
        }
        match self.told()? {
            Found::Bytes(block) => self.block = block,
            Found::Size(_) => unreachable!("bytes were asked for"),
        }
        self.begin = self.at;
        let next = self.begin + self.block.len() as u64;
        if !self.block.is_empty() && next < self.size {
            self.control.ask(Ask::Bytes(next));
            self.ahead = Some(next);
        }
        Ok(())
    }
}

impl Source for ReaderSource<'_> {
    fn name(&self) -> String {
        READER.to_owned()
    }

    fn size(&self) -> u64 {
        self.size
    }

    fn mtime(&self) -> Option<i64> {
        None
    }

    fn identity(&self) -> Option<String> {
        None
    }

    fn seek(&mut self, offset: u64) -> Result<(), Error> {
        self.at = offset;
        Ok(())
    }

    fn read(&mut self, buf: &mut [u8]) -> Result<usize, Error> {
        let end = self.begin + self.block.len() as u64;
        if self.at < self.begin || self.at >= end {
            self.fetch()?;
        }
        let rest = &self.block[(self.at - self.begin) as usize..];
        if rest.is_empty() {
            let (at, size) = (self.at, self.size);
            return Err(self.changed(format!("it ended at byte {at} of {size}")));
        }
        let n = rest.len().min(buf.len());
        buf[..n].copy_from_slice(&rest[..n]);
        self.at += n as u64;
        Ok(n)
    }

    fn verify(&mut self) -> Result<(), Error> {
        let (was, is) = (self.size, self.ask_size()?);
        if is == was {
            return Ok(());
        }
        Err(self.changed(format!("its size was {was} bytes and is {is}")))
    }
}
