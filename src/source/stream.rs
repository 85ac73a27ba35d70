//! The program's own stream: requested on the run's thread, read on the program's.
//!
//! The run leaves a [`ReadRequest`] in the [`Control`]. The program's thread, inside `run` or
//! `wait`, replies through its [`StreamPort`]. One block is requested ahead, so that the
//! program reads it while the one before is being sent.

use std::io::{self, Read, Seek, SeekFrom};

use super::port::ReadPort;
use super::traits::Source;
use crate::control::reads::{ReadData, ReadReply, ReadRequest};
use crate::control::stop::Stop;
use crate::control::Control;
use crate::error::{Error, STREAM};

/// The bytes that one request asks for.
const BLOCK: usize = 256 * 1024;

/// A stream of the program, with a size and a position that can go back.
pub(crate) trait ProgramStream: Send {
    /// Gives the size in bytes.
    fn size(&mut self) -> io::Result<u64>;
    /// Sets the position of the next read, from the start.
    fn seek(&mut self, offset: u64) -> io::Result<()>;
    /// Reads some bytes; gives 0 only at the end.
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize>;
}

impl<R: Read + Seek + Send> ProgramStream for R {
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

/// The program's side: the stream and its position.
pub(crate) struct StreamPort {
    stream: Box<dyn ProgramStream>,
    /// `None` where it is unknown.
    position: Option<u64>,
}

impl StreamPort {
    pub(crate) fn new(stream: Box<dyn ProgramStream>) -> Self {
        StreamPort {
            stream,
            position: None,
        }
    }

    fn size(&mut self) -> ReadReply {
        self.position = None;
        match self.stream.size() {
            Ok(size) => Ok(ReadData::Size(size)),
            Err(e) => Err(format!("asking for its size failed: {e}")),
        }
    }

    fn read(&mut self, offset: u64) -> ReadReply {
        // The position stays unknown unless all goes well.
        if self.position.take() != Some(offset) {
            let seek = self.stream.seek(offset);
            seek.map_err(|e| format!("seeking to byte {offset} failed: {e}"))?;
        }
        let mut block = vec![0; BLOCK];
        let read = self.stream.read(&mut block);
        let n = read.map_err(|e| format!("at byte {offset}: {e}"))?;
        if n > block.len() {
            let most = block.len();
            return Err(format!("it reports {n} bytes read into a buffer of {most}"));
        }
        block.truncate(n);
        self.position = Some(offset + n as u64);
        Ok(ReadData::Bytes(block))
    }
}

impl ReadPort for StreamPort {
    fn reply(&mut self, request: &ReadRequest) -> ReadReply {
        match *request {
            ReadRequest::Size => self.size(),
            ReadRequest::Bytes(offset) => self.read(offset),
            ReadRequest::Next(_) => Err("it is not read without offsets".to_owned()),
        }
    }
}

/// The run's side.
pub(super) struct StreamSource<'a> {
    control: &'a Control,
    size: u64,
    /// The position of the next read.
    position: u64,
    block: Vec<u8>,
    /// Where `block` begins in the source.
    block_start: u64,
    /// The offset of the block that was requested ahead.
    ahead: Option<u64>,
}

impl<'a> StreamSource<'a> {
    pub(super) fn open(control: &'a Control) -> Result<Self, Stop> {
        let mut source = StreamSource {
            control,
            size: 0,
            position: 0,
            block: Vec::new(),
            block_start: 0,
            ahead: None,
        };
        source.size = source.request_size()?;
        if source.size == 0 {
            source.look_past_end()?;
        }
        Ok(source)
    }

    fn request_size(&mut self) -> Result<u64, Stop> {
        self.ahead = None;
        self.control.request_read(ReadRequest::Size);
        match self.wait()? {
            ReadData::Size(size) => Ok(size),
            _ => unreachable!("a size was requested"),
        }
    }

    fn wait(&self) -> Result<ReadData, Stop> {
        let reply = self.control.wait_for_read()?;
        Ok(reply.map_err(Error::stream_failed)?)
    }

    fn fetch(&mut self) -> Result<(), Stop> {
        if self.ahead.take() != Some(self.position) {
            self.control.request_read(ReadRequest::Bytes(self.position));
        }
        match self.wait()? {
            ReadData::Bytes(block) => self.block = block,
            _ => unreachable!("bytes were requested"),
        }
        self.block_start = self.position;
        let next = self.block_start + self.block.len() as u64;
        // At the end, too, where nothing must come.
        if !self.block.is_empty() && next <= self.size {
            self.control.request_read(ReadRequest::Bytes(next));
            self.ahead = Some(next);
        }
        Ok(())
    }

    /// Checks that the stream ends at its size.
    fn look_past_end(&mut self) -> Result<(), Stop> {
        let end = self.block_start + self.block.len() as u64;
        if end <= self.size {
            self.fetch()?;
            if self.block.is_empty() {
                return Ok(());
            }
        }
        // A stream that grows gives another size by now.
        self.verify()?;
        let size = self.size;
        let why = format!("it has more than its size, {size} bytes; give the right size");
        let path = STREAM.to_owned();
        Err(Error::SourceSize { path, why }.into())
    }
}

impl Source for StreamSource<'_> {
    fn name(&self) -> String {
        STREAM.to_owned()
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
        self.position = offset;
        Ok(())
    }

    fn read(&mut self, buf: &mut [u8]) -> Result<usize, Stop> {
        let end = self.block_start + self.block.len() as u64;
        if self.position < self.block_start || self.position >= end {
            self.fetch()?;
        }
        let rest = &self.block[(self.position - self.block_start) as usize..];
        if rest.is_empty() {
            let (at, size) = (self.position, self.size);
            return Err(self
                .changed(format!("it ended at byte {at} of {size}"))
                .into());
        }
        let n = rest.len().min(buf.len());
        buf[..n].copy_from_slice(&rest[..n]);
        self.position += n as u64;
        if self.position == self.size {
            self.look_past_end()?;
        }
        Ok(n)
    }

    fn verify(&mut self) -> Result<Option<i128>, Stop> {
        let (was, is) = (self.size, self.request_size()?);
        if is == was {
            return Ok(None);
        }
        Err(self
            .changed(format!("its size was {was} bytes and is {is}"))
            .into())
    }
}
