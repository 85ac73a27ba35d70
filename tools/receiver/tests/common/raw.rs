//! Requests of tus and the IETF's resumable uploads, with a plain socket.

use std::io::Write;
use std::net::TcpStream;

use base64::prelude::{Engine as _, BASE64_STANDARD};

use super::{Receiver, Reply};

/// A request with headers and a body.
#[derive(Clone)]
pub struct Raw {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Raw {
    pub fn new(method: &str, target: &str) -> Self {
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// A request of tus.
    pub fn tus(method: &str, target: &str) -> Self {
        Self::new(method, target).set("Tus-Resumable", "1.0.0")
    }

    /// A request that makes an upload by tus.
    pub fn tus_post(length: u64, metadata: &[(&str, &str)]) -> Self {
        let pairs = metadata.iter();
        let pairs = pairs.map(|(key, value)| format!("{key} {}", BASE64_STANDARD.encode(value)));
        let pairs: Vec<_> = pairs.collect();
        Self::tus("POST", "/upload")
            .set("Upload-Length", &length.to_string())
            .set("Upload-Metadata", &pairs.join(","))
    }

    /// A request that appends by tus.
    pub fn tus_patch(target: &str, offset: u64, body: &[u8]) -> Self {
        Self::tus("PATCH", target)
            .set("Upload-Offset", &offset.to_string())
            .set("Content-Type", "application/offset+octet-stream")
            .body(body)
    }

    /// A request of the newest version of the IETF's draft.
    pub fn ietf(method: &str, target: &str, complete: &str) -> Self {
        let raw = Self::new(method, target).set("Upload-Draft-Interop-Version", "9");
        match complete {
            "" => raw,
            value => raw.set("Upload-Complete", value),
        }
    }

    /// A request that appends by the IETF's draft.
    pub fn ietf_patch(target: &str, offset: u64, complete: &str, body: &[u8]) -> Self {
        Self::ietf("PATCH", target, complete)
            .set("Upload-Offset", &offset.to_string())
            .set("Content-Type", "application/partial-upload")
            .body(body)
    }

    /// Sets a header.
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self = self.without(name);
        self.add(name, value)
    }

    /// Adds a header, also one that is there already.
    pub fn add(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self
    }

    pub fn body(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self
    }

    /// Its head, for a body of any length.
    pub fn head(&self) -> String {
        let mut text = format!(
            "{} {} HTTP/1.1\r\nHost: localhost\r\n",
            self.method, self.target
        );
        for (name, value) in &self.headers {
            text += &format!("{name}: {value}\r\n");
        }
        let sized = ["Content-Length", "Transfer-Encoding"];
        if !self
            .headers
            .iter()
            .any(|(name, _)| sized.contains(&&**name))
        {
            text += &format!("Content-Length: {}\r\n", self.body.len());
        }
        text + "\r\n"
    }

    /// Sends it and reads the answer.
    pub fn send(&self, receiver: &Receiver) -> Reply {
        let mut stream = receiver.connect();
        // The receiver may answer and hang up before all is written.
        let _ = stream.write_all(&[self.head().as_bytes(), &self.body].concat());
        loop {
            let reply = self.read(&mut stream);
            if reply.status >= 200 {
                return reply;
            }
        }
    }

    /// Sends its head and so many bytes of its body.
    pub fn begin(&self, receiver: &Receiver, count: usize) -> TcpStream {
        let mut stream = receiver.connect();
        let begun = [self.head().as_bytes(), &self.body[..count]].concat();
        // A receiver that kills itself does not take it all.
        let _ = stream.write_all(&begun);
        stream
    }

    /// Reads the answer.
    pub fn read(&self, stream: &mut TcpStream) -> Reply {
        match self.method == "HEAD" {
            true => Reply::read_head(stream),
            false => Reply::read(stream),
        }
    }

    /// Sends it in chunks (RFC 9112, 7.1).
    pub fn chunked(self) -> Self {
        let mut body = Vec::new();
        for chunk in self.body.chunks(30_000) {
            body.extend(format!("{:x}\r\n", chunk.len()).bytes());
            body.extend(chunk);
            body.extend(b"\r\n");
        }
        body.extend(b"0\r\n\r\n");
        self.set("Transfer-Encoding", "chunked").body(&body)
    }
}

impl Reply {
    /// A header that has to be there.
    pub fn must(&self, name: &str) -> &str {
        self.header(name)
            .unwrap_or_else(|| panic!("no {name} in {}", self.head))
    }

    /// The path of the upload that it made; paths of uploads have no capitals.
    pub fn place(&self) -> String {
        assert_eq!(self.status, 201, "{} {}", self.head, self.json);
        self.must("location").to_owned()
    }

    pub fn upload_offset(&self) -> u64 {
        self.must("upload-offset").parse().unwrap()
    }
}

impl Receiver {
    /// Makes an upload by tus, which must succeed. Returns its path.
    pub fn tus_create(&self, length: u64, metadata: &[(&str, &str)]) -> String {
        Raw::tus_post(length, metadata).send(self).place()
    }

    /// The offset of an upload by tus.
    pub fn tus_offset(&self, place: &str) -> u64 {
        let reply = Raw::tus("HEAD", place).send(self);
        assert_eq!(reply.status, 200, "{}", reply.head);
        reply.upload_offset()
    }

    /// The file of a finished upload.
    pub fn download(&self, place: &str) -> Vec<u8> {
        let id = place.strip_prefix("/upload/").unwrap();
        let reply = self.get(&format!("/uploads/{id}/file"));
        assert_eq!(reply.status, 200, "{}", reply.head);
        reply.body
    }
}
