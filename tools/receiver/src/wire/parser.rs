//! The grammar of a multipart body (RFC 2046, 5.1), over its bytes as they arrive. Content is passed on where it lies.

use axum::http::header::CONTENT_DISPOSITION;
use bytes::{Buf, Bytes, BytesMut};
use memchr::memmem::{find, Finder};
use memchr::{memchr_iter, memrchr};

/// The largest number of header lines of a part.
const MAX_HEADERS: usize = 32;
/// The end of a line.
const LINE_END: &[u8] = b"\r\n";
/// What follows the last boundary.
const LAST: &[u8] = b"--";

/// A parser.
pub struct Parser {
    /// What ends a part's content: a line end, two hyphens and the boundary.
    delimiter: Finder<'static>,
    stage: Stage,
    /// The bytes that were pushed and are not parsed.
    rest: Bytes,
    /// How many of them have nothing in them that ends the stage.
    searched: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Before the first boundary.
    Preamble,
    /// Behind a boundary.
    Boundary,
    /// In the blanks behind a boundary that is not the last one.
    Blanks,
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
    /// A header line of a part ends with a line feed alone, so that some find fewer lines in it.
    #[error("the header of a part: a line end without a carriage return")]
    LineEnd,
    /// A part has two headers Content-Disposition, of which some use the first one.
    #[error("the header of a part: Content-Disposition comes twice")]
    Twice,
}

impl Parser {
    /// Makes a parser for bodies with this boundary.
    pub fn new(boundary: &str) -> Self {
        let delimiter = [LINE_END, b"--", boundary.as_bytes()].concat();
        Self {
            delimiter: Finder::new(&delimiter).into_owned(),
            stage: Stage::Preamble,
            rest: Bytes::new(),
            searched: 0,
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
                    let Some(at) = search(&self.rest, &mut self.searched, first) else {
                        return Ok(Part::More);
                    };
                    self.go(at + first.len(), Stage::Boundary);
                }
                Stage::Boundary => {
                    if self.rest.len() < LAST.len() {
                        return Ok(Part::More);
                    }
                    let is_last = self.rest.starts_with(LAST);
                    self.stage = if is_last { Stage::End } else { Stage::Blanks };
                }
                Stage::Blanks => {
                    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
                    let blanks = self.rest.iter().take_while(|byte| is_blank(byte)).count();
                    self.rest.advance(blanks);
                    if self.rest.len() < LINE_END.len() {
                        return Ok(Part::More);
                    }
                    if !self.rest.starts_with(LINE_END) {
                        return Err(Malformed::Boundary);
                    }
                    self.go(LINE_END.len(), Stage::Head);
                }
                Stage::Head => {
                    let Some(end) = head_end(&self.rest, &mut self.searched) else {
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
        self.searched = 0;
    }
}

/// Finds `wanted` in a text whose first bytes were searched before. Each byte is searched once, however few come at a
/// time.
fn search(text: &[u8], searched: &mut usize, wanted: &[u8]) -> Option<usize> {
    let from = searched.saturating_sub(wanted.len() - 1);
    let found = find(&text[from..], wanted).map(|at| from + at);
    *searched = text.len();
    found
}

/// Finds the end of a part's header, behind its empty line.
fn head_end(text: &[u8], searched: &mut usize) -> Option<usize> {
    if text.starts_with(LINE_END) {
        return Some(LINE_END.len());
    }
    let end = b"\r\n\r\n";
    search(text, searched, end).map(|at| at + end.len())
}

/// Reads the Content-Disposition of a part.
fn disposition(head: &[u8]) -> Result<Vec<u8>, Malformed> {
    if memchr_iter(b'\n', head).any(|at| !head[..at].ends_with(b"\r")) {
        return Err(Malformed::LineEnd);
    }
    let mut lines = [httparse::EMPTY_HEADER; MAX_HEADERS];
    httparse::parse_headers(head, &mut lines)?;
    let is_wanted = |line: &&httparse::Header| {
        let name = line.name;
        name.eq_ignore_ascii_case(CONTENT_DISPOSITION.as_str())
    };
    let mut wanted = lines.iter().filter(is_wanted);
    let line = wanted.next();
    match wanted.next() {
        Some(_) => Err(Malformed::Twice),
        None => Ok(line.map_or(Vec::new(), |line| line.value.to_vec())),
    }
}

#[cfg(test)]
mod tests {
    use std::iter::repeat_n;
    use std::time::{Duration, Instant};

    use resup_test_support::seed;

    use super::*;

    /// A part's Content-Disposition and content.
    type Pair = (Vec<u8>, Vec<u8>);

    /// Parses a body that comes in these pieces. Lists the parts' names and contents; the last one is not whole if the
    /// body is cut.
    fn parse_pieces<'b>(
        mut pieces: impl Iterator<Item = &'b [u8]>,
    ) -> Result<Vec<Pair>, Malformed> {
        let mut parser = Parser::new("B");
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

    /// Parses a body that comes in pieces of a length.
    fn parse(body: &[u8], length: usize) -> Result<Vec<Pair>, Malformed> {
        parse_pieces(body.chunks(length))
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
            "--B \t--\r\n",
            "--B\r\nA: 1\nB: 2\r\n\r\n",
            "--B\r\nA: 1\n\nB: 2\r\n\r\n",
            "--B\r\n\nA: 1\r\n\r\n",
            "--B\r\nA: 1\n\r\n\r\n",
            "--B\r\nContent-Disposition: a\r\ncontent-disposition: b\r\n\r\n",
            &format!("--B\r\n{many}\r\n"),
        ];
        for body in bodies {
            for length in 1..=body.len() {
                assert!(parse(body.as_bytes(), length).is_err(), "{body:?}");
            }
        }
    }

    #[test]
    fn any_body_is_read_alike_however_it_is_cut_into_pieces() {
        let tokens = [
            "--B\r\nContent-Disposition: a\r\n\r\n",
            "\r\n--B\r\nX: 1\r\nContent-Disposition: b\r\n\r\n",
            "\r\n--B \r\n\r\n",
            "\r\n--B--",
            "Content-Disposition: c",
            "\r\n--B",
            "--B",
            "\r\n",
            "\r\n",
            "\r",
            "\n",
            "-",
            "--",
            "B",
            " ",
            "\t",
            "x",
            "\0",
        ];
        let mut rng = seed::rng(seed::seed());
        let (mut parts, mut errors) = (0, 0);
        for _ in 0..3000 {
            let count = rng.usize(..20);
            let body: String = (0..count).map(|_| *rng.choice(&tokens).unwrap()).collect();
            let read = |pieces: &mut dyn Iterator<Item = &[u8]>| {
                parse_pieces(pieces).map_err(|error| error.to_string())
            };
            let whole = read(&mut std::iter::once(body.as_bytes()));
            match &whole {
                Ok(found) => parts += found.len(),
                Err(_) => errors += 1,
            }
            for at in 0..=body.len() {
                let (first, second) = body.as_bytes().split_at(at);
                let halves = read(&mut [first, second].into_iter());
                assert_eq!(halves, whole, "{body:?} at {at}");
            }
            let mut rest = body.as_bytes();
            let mut pieces = std::iter::from_fn(|| {
                let (piece, behind) = rest.split_at(rng.usize(..4).min(rest.len()));
                let is_end = rest.is_empty();
                rest = behind;
                (!is_end).then_some(piece)
            });
            assert_eq!(read(&mut pieces), whole, "{body:?}");
        }
        assert!(parts > 1000 && errors > 300, "{parts} {errors}");
    }

    #[test]
    fn bytes_that_come_one_by_one_are_searched_once() {
        let begun = Instant::now();
        for text in ["a preamble", "--B", "--B\r\nX: a value"] {
            let mut parser = Parser::new("B");
            for byte in text.bytes().chain(repeat_n(b' ', 64 * 1024)) {
                parser.push(Bytes::from(vec![byte]));
                assert!(matches!(parser.part(), Ok(Part::More)));
            }
        }
        assert!(begun.elapsed() < Duration::from_secs(20));
    }
}
