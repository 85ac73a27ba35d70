//! A reader of `multipart/form-data` as a stream.
//!
//! A body that is cut short is `UnexpectedEof`, a malformed one `InvalidData`.

use std::io::{self, BufRead};

/// The reader.
pub(crate) struct Multipart<R> {
    input: R,
    /// `--boundary`
    delimiter: Vec<u8>,
    ended: bool,
}

impl<R: BufRead> Multipart<R> {
    /// Reads up to the first part.
    pub(crate) fn new(input: R, boundary: &str) -> io::Result<Self> {
        let delimiter = format!("--{boundary}").into_bytes();
        let mut this = Self {
            input,
            delimiter,
            ended: false,
        };
        let line = this.line()?;
        match this.delimits(&line) {
            Some(ended) => this.ended = ended,
            None => return Err(wrong("the body does not begin with its boundary")),
        }
        Ok(this)
    }

    /// Reads the name of the next part; `None` after the last one.
    pub(crate) fn next_name(&mut self) -> io::Result<Option<String>> {
        if self.ended {
            return Ok(None);
        }
        let mut name = None;
        loop {
            let line = self.line()?;
            if line == b"\r\n" {
                return match name {
                    Some(name) => Ok(Some(name)),
                    None => Err(wrong("a part without a name")),
                };
            }
            let line = String::from_utf8_lossy(&line);
            if line
                .to_ascii_lowercase()
                .starts_with("content-disposition:")
            {
                let value = line.split_once(" name=\"").map(|(_, rest)| rest);
                name = value
                    .and_then(|rest| rest.split_once('"'))
                    .map(|(name, _)| name.to_owned());
            }
        }
    }

    /// Reads the value of a part up to the next boundary.
    pub(crate) fn value(&mut self) -> io::Result<String> {
        let mut value = Vec::new();
        loop {
            let line = self.line()?;
            if value.ends_with(b"\r\n") || value.is_empty() {
                if let Some(ended) = self.delimits(&line) {
                    self.ended = ended;
                    value.truncate(value.len().saturating_sub(2));
                    return Ok(String::from_utf8_lossy(&value).into_owned());
                }
            }
            value.extend_from_slice(&line);
            if value.len() > 1 << 20 {
                return Err(wrong("a field of more than 1 MiB"));
            }
        }
    }

    /// Hands exactly `length` bytes of a part to `sink`, piece by piece as they come, and then
    /// expects the boundary.
    pub(crate) fn bytes(
        &mut self,
        length: u64,
        mut sink: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut left = length;
        while left > 0 {
            let bytes = self.input.fill_buf()?;
            if bytes.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let n = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            sink(&bytes[..n])?;
            self.input.consume(n);
            left -= n as u64;
        }
        let end = self.line()?;
        let line = self.line()?;
        match self.delimits(&line) {
            Some(ended) if end == b"\r\n" => self.ended = ended,
            _ => return Err(wrong("the file part is not as long as `length` says")),
        }
        Ok(())
    }

    fn line(&mut self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        self.input.read_until(b'\n', &mut line)?;
        if line.ends_with(b"\n") {
            return Ok(line);
        }
        // The last line of a body may lack its line end.
        match self.delimits(&line) {
            Some(true) => Ok(line),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    /// Whether a line is the boundary, and whether it is the last one.
    fn delimits(&self, line: &[u8]) -> Option<bool> {
        match line.strip_prefix(self.delimiter.as_slice())? {
            b"\r\n" => Some(false),
            b"--" | b"--\r\n" => Some(true),
            _ => None,
        }
    }
}

fn wrong(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}
