//! The grammar of a multipart body (RFC 2046, 5.1), over its bytes as they arrive. Content is passed on where it lies.

use axum::http::header::CONTENT_DISPOSITION;
use bytes::{Buf, Bytes, BytesMut};
use memchr::memmem::{find, Finder};
use memchr::memrchr;

/// The largest number of header lines of a part.
const MAX_HEADERS: usize = 32;
/// The end of a line.
const LINE_END: &[u8] = b"\r\n";

/// A parser.
pub struct Parser {
    /// What ends a part's content: a line end, two hyphens and the boundary.
    delimiter: Finder<'static>,
    stage: Stage,
    /// The bytes that were pushed and are not parsed.
    rest: Bytes,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Before the first boundary.
    Preamble,
    /// Behind a boundary.
    Boundary,
    /// In the header lines of a part.
    Head,
    /// In the content of a part.
    Content,
    /// Behind the last boundary.
    End,
}

/// The result of the search for a part.
pub enum Part {
    /// A part begins. Its Content-Disposition; empty if it has none.
    Begin(Vec<u8>),
    /// There is no other part.
    None,
    /// More bytes are needed.
    More,
}

/// The next piece of a part's content.
pub enum Content {
    /// Some bytes.
    Bytes(Bytes),
    /// The part has ended.
    End,
    /// More bytes are needed.
    More,
}

/// A reason why a body is no form.
#[derive(Debug, thiserror::Error)]
pub enum Malformed {
    /// Something else follows a boundary than a line's end.
    #[error("no line end behind a boundary")]
    Boundary,
    /// The header lines of a part cannot be read.
    #[error("the header of a part: {0}")]
    Head(#[from] httparse::Error),
}

impl Parser {
    /// Makes a parser for bodies with this boundary.
    pub fn new(boundary: &str) -> Self {
        let delimiter = [LINE_END, b"--", boundary.as_bytes()].concat();
        Self {
            delimiter: Finder::new(&delimiter).into_owned(),
            stage: Stage::Preamble,
            rest: Bytes::new(),
        }
    }

    /// Adds the next bytes of the body.
    pub fn push(&mut self, chunk: Bytes) {
        self.rest = match self.rest.is_empty() {
            true => chunk,
            false => {
                let rest = std::mem::take(&mut self.rest);
                let mut joined = rest
                    .try_into_mut()
                    .unwrap_or_else(|rest| BytesMut::from(&*rest));
                joined.extend_from_slice(&chunk);
                joined.freeze()
            }
        };
    }

    /// Counts the bytes that were pushed and are not parsed.
    pub fn unparsed(&self) -> usize {
        self.rest.len()
    }

    /// Goes to the next part. The one before must have been read to its end.
    pub fn part(&mut self) -> Result<Part, Malformed> {
        loop {
            match self.stage {
                Stage::Preamble => {
                    // The first boundary may be at the very beginning.
                    let first = &self.delimiter.needle()[LINE_END.len()..];
                    let Some(at) = find(&self.rest, first) else {
                        return Ok(Part::More);
                    };
                    self.go(at + first.len(), Stage::Boundary);
                }
                Stage::Boundary => {
                    if self.rest.starts_with(b"--") {
                        self.stage = Stage::End;
                        continue;
                    }
                    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
                    let blanks = self.rest.iter().take_while(|byte| is_blank(byte)).count();
                    let behind = &self.rest[blanks..];
                    if behind.len() < LINE_END.len() {
                        return Ok(Part::More);
                    }
                    if !behind.starts_with(LINE_END) {
                        return Err(Malformed::Boundary);
                    }
                    self.go(blanks + LINE_END.len(), Stage::Head);
                }
                Stage::Head => {
                    let Some(end) = head_end(&self.rest) else {
                        return Ok(Part::More);
                    };
                    let disposition = disposition(&self.rest[..end])?;
                    self.go(end, Stage::Content);
                    return Ok(Part::Begin(disposition));
                }
                Stage::Content => match self.content() {
                    Content::Bytes(_) | Content::End => {}
                    Content::More => return Ok(Part::More),
                },
                Stage::End => return Ok(Part::None),
            }
        }
    }

    /// Goes on in the content of the part.
    pub fn content(&mut self) -> Content {
        if self.stage != Stage::Content {
            return Content::End;
        }
        let count = match self.delimiter.find(&self.rest) {
            Some(0) => {
                self.go(self.delimiter.needle().len(), Stage::Boundary);
                return Content::End;
            }
            Some(at) => at,
            None => self.rest.len() - self.begun(),
        };
        match count {
            0 => Content::More,
            _ => Content::Bytes(self.rest.split_to(count)),
        }
    }

    /// Counts the last bytes that may be the beginning of a delimiter. It has one carriage return, its first byte.
    fn begun(&self) -> usize {
        let delimiter = self.delimiter.needle();
        let from = self.rest.len().saturating_sub(delimiter.len() - 1);
        let tail = &self.rest[from..];
        let begun = memrchr(b'\r', tail).map(|at| &tail[at..]);
        let begun = begun.filter(|begun| delimiter.starts_with(begun));
        begun.map_or(0, <[u8]>::len)
    }

    fn go(&mut self, count: usize, stage: Stage) {
        self.rest.advance(count);
        self.stage = stage;
    }
}

/// Finds the end of a part's header, behind its empty line.
fn head_end(text: &[u8]) -> Option<usize> {
    if text.starts_with(LINE_END) {
        return Some(LINE_END.len());
    }
    let end = b"\r\n\r\n";
    find(text, end).map(|at| at + end.len())
}

/// Reads the Content-Disposition of a part.
fn disposition(head: &[u8]) -> Result<Vec<u8>, Malformed> {
    let mut lines = [httparse::EMPTY_HEADER; MAX_HEADERS];
    httparse::parse_headers(head, &mut lines)?;
    let is_wanted = |line: &&httparse::Header| {
        let name = line.name;
        name.eq_ignore_ascii_case(CONTENT_DISPOSITION.as_str())
    };
    let line = lines.iter().rfind(is_wanted);
    Ok(line.map_or(Vec::new(), |line| line.value.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A part's Content-Disposition and content.
    type Pair = (Vec<u8>, Vec<u8>);

    /// Parses a body that comes in pieces of a length. Lists the parts' names and contents; the last one is not whole if
    /// the body is cut.
    fn parse(body: &[u8], length: usize) -> Result<Vec<Pair>, Malformed> {
        let mut parser = Parser::new("B");
        let mut pieces = body.chunks(length);
        let mut parts = Vec::new();
        let mut push = |parser: &mut Parser| match pieces.next() {
            Some(piece) => {
                parser.push(Bytes::copy_from_slice(piece));
                true
            }
            None => false,
        };
        loop {
            match parser.part()? {
                Part::Begin(disposition) => parts.push((disposition, Vec::new())),
                Part::None => return Ok(parts),
                Part::More if push(&mut parser) => continue,
                Part::More => return Ok(parts),
            }
            loop {
                match parser.content() {
                    Content::Bytes(bytes) => parts.last_mut().unwrap().1.extend(bytes),
                    Content::End => break,
                    Content::More if push(&mut parser) => {}
                    Content::More => return Ok(parts),
                }
            }
        }
    }

    fn pair(disposition: &str, content: &[u8]) -> Pair {
        (disposition.as_bytes().to_vec(), content.to_vec())
    }

    #[test]
    fn parts_are_found_however_the_body_is_cut_into_pieces() {
        let content = b"\r\r\n\r\n-\r\n--\r\n--\r\n--C --B\n--B\r--B\r\n--\r\n";
        let body = [
            b"before --B\t \r\nX: 1\r\ncontent-disposition: a\r\n\r\n".as_slice(),
            content,
            b"\r\n--B\r\n\r\n\r\n--B \r\nContent-Disposition:b\r\n\r\n\r\n--B--behind --B\r\n",
        ]
        .concat();
        let expected = [pair("a", content), pair("", b""), pair("b", b"")];
        for length in 1..=body.len() {
            assert_eq!(parse(&body, length).unwrap(), expected, "{length}");
        }
    }

    #[test]
    fn a_cut_body_gives_all_but_what_may_be_a_delimiter() {
        let body = b"--B\r\nContent-Disposition: a\r\n\r\n12345\r\n--";
        for length in 1..=body.len() {
            assert_eq!(parse(body, length).unwrap(), [pair("a", b"12345")]);
        }
    }

    #[test]
    fn malformed_bodies_are_refused() {
        let many = "X: 1\r\n".repeat(MAX_HEADERS + 1);
        let bodies = [
            "--Bx\r\n",
            "--B-\r\n",
            "--B\n\n",
            "--B\r\nno colon\r\n\r\n",
            "--B\r\nA: 1\r\n 2\r\n\r\n",
            "--B\r\nA: \x01\r\n\r\n",
            &format!("--B\r\n{many}\r\n"),
        ];
        for body in bodies {
            for length in 1..=body.len() {
                assert!(parse(body.as_bytes(), length).is_err(), "{body:?}");
            }
        }
    }
}
