//! A `multipart/form-data` body as one `Read`: fields, the file, a digest after it.
//!
//! Written as browsers write it (WHATWG HTML, "multipart/form-data encoding algorithm"): names
//! are UTF-8, and only `"`, CR and LF in them are escaped, as `%22`, `%0D` and `%0A`.
#![forbid(unsafe_code)]

use std::borrow::Cow;
use std::io::{self, Read};

use crate::error::Error;
use crate::protocol::FileBytes;

/// Length of an MD5 in hex, known before the digest is.
const DIGEST_LENGTH: usize = 32;

/// The file of a form.
pub(crate) struct FilePart<'a> {
    pub field: &'a str,
    pub file_name: &'a str,
    pub content_type: &'a str,
    /// How many bytes `bytes` gives.
    pub length: u64,
    pub bytes: &'a mut dyn FileBytes,
}

/// The body of one send.
pub(crate) struct Multipart<'a> {
    boundary: String,
    /// Header text that is due now: the part before the file, later that after it.
    text: Vec<u8>,
    text_read: usize,
    file: &'a mut dyn FileBytes,
    file_left: u64,
    digest_field: &'static str,
    tail_due: bool,
    length: u64,
}

impl<'a> Multipart<'a> {
    /// A body of `fields`, then `file`, then its digest so far in `digest_field`.
    pub(crate) fn new(
        fields: &[(Cow<'_, str>, String)],
        file: FilePart<'a>,
        digest_field: &'static str,
    ) -> Result<Self, Error> {
        Ok(Self::with_boundary(
            random_boundary()?,
            fields,
            file,
            digest_field,
        ))
    }

    fn with_boundary(
        boundary: String,
        fields: &[(Cow<'_, str>, String)],
        file: FilePart<'a>,
        digest_field: &'static str,
    ) -> Self {
        let mut text = String::new();
        for (name, value) in fields {
            let name = escaped(name);
            text += &format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            );
        }
        text += &format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"; filename=\"{}\"\r\n\
             Content-Type: {}\r\n\r\n",
            escaped(file.field),
            escaped(file.file_name),
            file.content_type,
        );
        let known = file.bytes.has_digest().then(|| "0".repeat(DIGEST_LENGTH));
        let tail = tail(&boundary, digest_field, known.as_deref());
        Multipart {
            length: text.len() as u64 + file.length + tail.len() as u64,
            text: text.into_bytes(),
            text_read: 0,
            file: file.bytes,
            file_left: file.length,
            digest_field,
            tail_due: true,
            boundary,
        }
    }

    /// Bytes in the whole body.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// The request's `Content-Type`.
    pub(crate) fn content_type(&self) -> String {
        format!("multipart/form-data; boundary={}", self.boundary)
    }
}

impl Read for Multipart<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let before = self.file_left;
        let mut n = self.piece(buf)?;
        // The texts go along with the file's bytes beside them: of a small file one packet.
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
            self.text = tail(&self.boundary, self.digest_field, digest.as_deref());
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
        let most = usize::try_from(self.file_left).unwrap_or(usize::MAX);
        let most = most.min(buf.len());
        let n = self.file.read(&mut buf[..most])?;
        if n == 0 {
            // Never an early end: what follows would be taken for the file's bytes.
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.file_left -= n as u64;
        Ok(n)
    }
}

fn tail(boundary: &str, digest_field: &str, digest: Option<&str>) -> Vec<u8> {
    let mut text = "\r\n".to_owned();
    if let Some(digest) = digest {
        debug_assert_eq!(digest.len(), DIGEST_LENGTH);
        text += &format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{digest_field}\"\r\n\r\n\
             {digest}\r\n"
        );
    }
    text += &format!("--{boundary}--\r\n");
    text.into_bytes()
}

/// 128 random bits: no file contains it but by a chance that no disk has ever lost against.
fn random_boundary() -> Result<String, Error> {
    let random = crate::random::u128()?;
    Ok(format!("----resupFormBoundary{random:032x}"))
}

/// A field's or file's name inside quotes.
fn escaped(name: &str) -> Cow<'_, str> {
    if !name.contains(['"', '\r', '\n']) {
        return Cow::Borrowed(name);
    }
    let name = name.replace('"', "%22");
    Cow::Owned(name.replace('\r', "%0D").replace('\n', "%0A"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    struct Bytes<'a>(&'a [u8], bool);

    impl Read for Bytes<'_> {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            self.0.read(buf)
        }
    }

    impl FileBytes for Bytes<'_> {
        fn has_digest(&self) -> bool {
            self.1
        }

        fn finish(&mut self) -> io::Result<Option<String>> {
            Ok(self.1.then(|| format!("{:032x}", self.0.len())))
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
        }
    }

    #[test]
    fn the_body_is_what_a_browser_writes() {
        let mut bytes = Bytes(b"hello", true);
        let body = Multipart::with_boundary(
            "XX".into(),
            &[("a".into(), "1".into())],
            part("x.txt", 5, &mut bytes),
            "md5",
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
    fn a_source_that_ends_early_is_an_error_and_not_an_end() {
        let mut bytes = Bytes(b"four", true);
        let body = Multipart::new(&[], part("x", 5, &mut bytes), "md5").unwrap();
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
        fn the_length_announced_is_the_length_read(
            name in "\\PC{0,40}|[\"\r\n]{0,5}",
            value in "\\PC{0,40}|[\r\n]{0,5}",
            content in prop::collection::vec(any::<u8>(), 0..300),
            step in 1usize..400,
            hashing: bool,
        ) {
            let mut bytes = Bytes(&content, hashing);
            let file = part(&name, content.len() as u64, &mut bytes);
            let body = Multipart::new(&[("f".into(), value)], file, "prefix_md5").unwrap();
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
                Multipart::with_boundary("XX".into(), &[], part(&name, 0, &mut bytes), "md5");
            let text = String::from_utf8(read_all(body, 64).unwrap()).unwrap();
            let header = text.split("\r\n\r\n").next().unwrap();
            prop_assert_eq!(header.lines().count(), 3);
            prop_assert_eq!(header.matches('"').count(), 4);
        }
    }
}
