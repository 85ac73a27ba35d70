//! A `multipart/form-data` body as one `Read`: the fields, the file, and the fields after it.
//!
//! Its format is that of browsers (WHATWG HTML, "multipart/form-data encoding algorithm"): names
//! are in the page's charset, and only `"`, CR and LF in them are escaped, as `%22`, `%0D` and `%0A`.

use std::borrow::Cow;
use std::io::{self, Read};

use percent_encoding::{utf8_percent_encode, AsciiSet, NON_ALPHANUMERIC};
use resup_digests::Digest;

use crate::error::Error;
use crate::options::FilenameStyle;
use crate::protocol::charset::Charset;
use crate::protocol::FileBytes;

/// The characters that RFC 8187 (3.2.1, attr-char) encodes in a parameter's value.
const NO_ATTR_CHAR: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// A field of a form: name and value.
pub(crate) type Field<'a> = (Cow<'a, str>, String);

/// A function that gives the fields after the file. Its argument is the file's digest so far, where
/// one is computed.
type Tail<'a> = Box<dyn Fn(Option<Digest>) -> Vec<Field<'static>> + 'a>;

/// The file of a form.
pub(crate) struct FilePart<'a> {
    pub field: &'a str,
    pub file_name: &'a str,
    pub content_type: &'a str,
    /// The number of bytes that `bytes` gives.
    pub length: u64,
    pub bytes: &'a mut dyn FileBytes,
    pub style: FilenameStyle,
    /// The charset of the fields and of the file's name; those after the file are ASCII.
    pub charset: Charset,
}

/// The body of one send.
pub(crate) struct Multipart<'a> {
    boundary: String,
    /// The text to send now: first the part before the file, then the part after it.
    text: Vec<u8>,
    text_read: usize,
    file: &'a mut dyn FileBytes,
    file_left: u64,
    tail: Tail<'a>,
    tail_due: bool,
    length: u64,
}

impl<'a> Multipart<'a> {
    /// Makes a body of `fields`, then `file`, then the fields that `tail` makes from its digest.
    /// The names of the fields are [`escaped`]. The tail's length must not depend on the digest.
    pub(crate) fn new(
        fields: &[Field<'_>],
        file: FilePart<'a>,
        tail: impl Fn(Option<Digest>) -> Vec<Field<'static>> + 'a,
    ) -> Result<Self, Error> {
        let boundary = random_boundary()?;
        Ok(Self::with_boundary(boundary, fields, file, Box::new(tail)))
    }

    fn with_boundary(
        boundary: String,
        fields: &[Field<'_>],
        file: FilePart<'a>,
        tail: Tail<'a>,
    ) -> Self {
        let mut text = parts(&boundary, fields);
        let extended = match file.style {
            FilenameStyle::Whatwg => String::new(),
            FilenameStyle::Rfc8187 => {
                let name = utf8_percent_encode(file.file_name, NO_ATTR_CHAR);
                format!("; filename*=UTF-8''{name}")
            }
        };
        text += &format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"; filename=\"{}\"\
             {extended}\r\nContent-Type: {}\r\n\r\n",
            escaped(file.field),
            escaped(file.file_name),
            file.content_type,
        );
        let text = file.charset.encode(&text).into_owned();
        // Its length is known before the digest itself.
        let other = file.bytes.algorithm().map(|it| Digest::of(it, b""));
        let end = ending(&boundary, &tail(other));
        Multipart {
            length: text.len() as u64 + file.length + end.len() as u64,
            text,
            text_read: 0,
            file: file.bytes,
            file_left: file.length,
            tail,
            tail_due: true,
            boundary,
        }
    }

    /// Gives the length of the whole body in bytes.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Gives the request's `Content-Type`.
    pub(crate) fn content_type(&self) -> String {
        format!("multipart/form-data; boundary={}", self.boundary)
    }
}

impl Read for Multipart<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let before = self.file_left;
        let mut n = self.piece(buf)?;
        // The texts go out together with the file's bytes next to them: a small file is one packet.
        while n > 0 && (self.file_left == before || self.file_left == 0) {
            match self.piece(&mut buf[n..])? {
                0 => break,
                more => n += more,
            }
        }
        Ok(n)
    }
}

impl Multipart<'_> {
    fn piece(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if buf.is_empty() {
            return Ok(0);
        }
        if self.text_read == self.text.len() && self.file_left == 0 && self.tail_due {
            self.tail_due = false;
            let digest = self.file.finish()?;
            self.text = ending(&self.boundary, &(self.tail)(digest));
            self.text_read = 0;
        }
        if self.text_read < self.text.len() {
            let n = (&self.text[self.text_read..]).read(buf)?;
            self.text_read += n;
            return Ok(n);
        }
        if self.file_left == 0 {
            return Ok(0);
        }
        let most = self.file_left.min(buf.len() as u64) as usize;
        let n = self.file.read(&mut buf[..most])?;
        if n == 0 {
            // An early end must fail: the bytes after it would be taken for the file's.
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.file_left -= n as u64;
        Ok(n)
    }
}

/// Writes the text that follows the file's last byte.
fn ending(boundary: &str, fields: &[Field<'_>]) -> Vec<u8> {
    format!("\r\n{}--{boundary}--\r\n", parts(boundary, fields)).into_bytes()
}

/// Writes the parts of `fields`, whose names are [`escaped`].
fn parts(boundary: &str, fields: &[Field<'_>]) -> String {
    let part = |(name, value): &Field<'_>| {
        format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        )
    };
    fields.iter().map(part).collect()
}

/// Makes a boundary with 128 random bits. The chance that a file contains it is below that of a
/// disk error.
fn random_boundary() -> Result<String, Error> {
    let random = crate::random::u128()?;
    Ok(format!("----resupFormBoundary{random:032x}"))
}

/// Escapes a field's or file's name for use inside quotes.
pub(in crate::protocol) fn escaped(name: &str) -> Cow<'_, str> {
    if !name.contains(['"', '\r', '\n']) {
        return Cow::Borrowed(name);
    }
    let escaped = name
        .replace('"', "%22")
        .replace('\r', "%0D")
        .replace('\n', "%0A");
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use resup_digests::Algorithm;

    /// Bytes, and whether there is a digest of them.
    struct Bytes<'a>(&'a [u8], bool);

    fn digest() -> Digest {
        Digest::new(Algorithm::Md5, &[0; 16]).unwrap()
    }

    impl Read for Bytes<'_> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            self.0.read(buf)
        }
    }

    impl FileBytes for Bytes<'_> {
        fn algorithm(&self) -> Option<Algorithm> {
            self.1.then_some(Algorithm::Md5)
        }

        fn finish(&mut self) -> io::Result<Option<Digest>> {
            Ok(self.1.then(digest))
        }
    }

    /// Reads a body with buffers of `step` bytes.
    fn read_all(mut body: Multipart<'_>, step: usize) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        let mut buf = vec![0; step];
        loop {
            match body.read(&mut buf)? {
                0 => return Ok(all),
                n => all.extend_from_slice(&buf[..n]),
            }
        }
    }

    fn part<'a>(name: &'a str, length: u64, bytes: &'a mut dyn FileBytes) -> FilePart<'a> {
        FilePart {
            field: "file",
            file_name: name,
            content_type: "text/plain",
            length,
            bytes,
            style: FilenameStyle::Whatwg,
            charset: Charset::default(),
        }
    }

    /// Makes a tail of the digest alone, in a field of this name.
    fn tail(name: &'static str) -> Tail<'static> {
        Box::new(move |digest| {
            digest
                .map(|digest| (name.into(), digest.hex()))
                .into_iter()
                .collect()
        })
    }

    #[test]
    fn the_body_is_what_a_browser_writes() {
        let mut bytes = Bytes(b"hello", true);
        let body = Multipart::with_boundary(
            "XX".into(),
            &[("a".into(), "1".into())],
            part("x.txt", 5, &mut bytes),
            tail("md5"),
        );
        assert_eq!(body.content_type(), "multipart/form-data; boundary=XX");
        let text = String::from_utf8(read_all(body, 7).unwrap()).unwrap();
        assert_eq!(
            text,
            "--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n\
             --XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x.txt\"\r\n\
             Content-Type: text/plain\r\n\r\nhello\r\n\
             --XX\r\nContent-Disposition: form-data; name=\"md5\"\r\n\r\n\
             00000000000000000000000000000000\r\n--XX--\r\n"
        );
    }

    #[test]
    fn names_cannot_break_out_of_their_header() {
        assert_eq!(escaped("报告😀.txt"), "报告😀.txt");
        assert_eq!(escaped("a\"b\r\nc%22\\"), "a%22b%0D%0Ac%22\\");
    }

    #[test]
    fn a_name_can_be_written_in_a_second_way() {
        let mut bytes = Bytes(b"", true);
        let mut file = part("报 \"1'.txt", 0, &mut bytes);
        file.style = FilenameStyle::Rfc8187;
        let body = Multipart::with_boundary("XX".into(), &[], file, tail("md5"));
        let text = String::from_utf8(read_all(body, 64).unwrap()).unwrap();
        let both = "; filename=\"报 %221'.txt\"; filename*=UTF-8''%E6%8A%A5%20%221%27.txt\r\n";
        assert!(text.contains(both), "{text}");
    }

    #[test]
    fn a_source_that_ends_early_is_an_error_and_not_an_end() {
        let mut bytes = Bytes(b"four", true);
        let body = Multipart::new(&[], part("x", 5, &mut bytes), tail("md5")).unwrap();
        let error = read_all(body, 3).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn boundaries_differ() {
        assert_ne!(random_boundary().unwrap(), random_boundary().unwrap());
        assert!(random_boundary().unwrap().len() <= 70, "RFC 2046, 5.1.1");
    }

    proptest! {
        #[test]
        fn the_announced_length_is_that_of_the_body(
            name in "\\PC{0,40}|[\"\r\n]{0,5}",
            value in "\\PC{0,40}|[\r\n]{0,5}",
            content in prop::collection::vec(any::<u8>(), 0..300),
            step in 1usize..400,
            hashing: bool,
        ) {
            let mut bytes = Bytes(&content, hashing);
            let file = part(&name, content.len() as u64, &mut bytes);
            let body = Multipart::new(&[("f".into(), value)], file, tail("prefix_md5")).unwrap();
            let announced = body.length();
            let all = read_all(body, step).unwrap();
            prop_assert_eq!(all.len() as u64, announced);
            let digest = b"name=\"prefix_md5\"\r\n\r\n00000000000000000000000000000000\r\n";
            prop_assert_eq!(all.windows(digest.len()).any(|w| w == digest), hashing);
        }

        #[test]
        fn no_name_opens_a_second_part(name in "(\\PC|[\"\r\n]|filename=|; ){0,20}") {
            let mut bytes = Bytes(b"", true);
            let body =
                Multipart::with_boundary("XX".into(), &[], part(&name, 0, &mut bytes), tail("md5"));
            let text = String::from_utf8(read_all(body, 64).unwrap()).unwrap();
            let header = text.split("\r\n\r\n").next().unwrap();
            prop_assert_eq!(header.lines().count(), 3);
            prop_assert_eq!(header.matches('"').count(), 4);
        }
    }
}
