//! The files that tests upload, and their requests.

use md5::{Digest, Md5};

pub const BOUNDARY: &str = "----resupTestBoundary7MA4YWxk";

/// A file that a test uploads.
#[derive(Clone)]
pub struct Upload {
    pub name: String,
    pub content: Vec<u8>,
    pub fields: Vec<(String, String)>,
}

impl Upload {
    pub fn new(name: &str, size: usize) -> Self {
        let mut seed = size as u32 | 1;
        let mut next = || {
            seed ^= seed << 13;
            seed ^= seed >> 17;
            seed ^= seed << 5;
            seed as u8
        };
        Self {
            name: name.to_owned(),
            content: (0..size).map(|_| next()).collect(),
            fields: vec![("mtime".to_owned(), "1700000000000".to_owned())],
        }
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn locate_form(&self) -> String {
        let mut form = format!(
            "action=locate&name={}&size={}&prefix=1",
            encode(&self.name),
            self.content.len()
        );
        for (name, value) in &self.fields {
            form += &format!("&{name}={}", encode(value));
        }
        form
    }

    /// Makes a send of everything from `offset` to the end.
    pub fn send(&self, id: &str, offset: u64) -> Send {
        let bytes = self.content[(offset as usize).min(self.content.len())..].to_vec();
        let fields = [
            ("action", "send".to_owned()),
            ("id", id.to_owned()),
            ("name", self.name.clone()),
            ("size", self.content.len().to_string()),
            ("offset", offset.to_string()),
            ("length", bytes.len().to_string()),
        ];
        Send {
            fields: fields
                .map(|(name, value)| (name.to_owned(), value))
                .to_vec(),
            bytes,
            tail: Vec::new(),
        }
    }
}

/// A send, of which a test can change any part.
#[derive(Clone)]
pub struct Send {
    pub fields: Vec<(String, String)>,
    pub bytes: Vec<u8>,
    pub tail: Vec<(String, String)>,
}

impl Send {
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(known, _)| known != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(known, _)| known != name);
        self
    }

    pub fn tail(mut self, name: &str, value: &str) -> Self {
        self.tail.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Keeps only the first `length` bytes.
    pub fn limit(mut self, length: usize) -> Self {
        self.bytes.truncate(length);
        self.set("length", &length.to_string())
    }

    /// The head of the body, up to the file's first byte.
    pub fn opening(&self) -> Vec<u8> {
        let mut body = Vec::new();
        for (name, value) in &self.fields {
            body.extend(part(name, value));
        }
        body.extend(
            format!(
                "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\r\n\
                 Content-Type: application/octet-stream\r\n\r\n"
            )
            .bytes(),
        );
        body
    }

    /// The end of the body, after the file's last byte.
    pub fn closing(&self) -> Vec<u8> {
        let mut body = b"\r\n".to_vec();
        for (name, value) in &self.tail {
            body.extend(part(name, value));
        }
        body.extend(format!("--{BOUNDARY}--\r\n").bytes());
        body
    }

    pub fn build(&self) -> Vec<u8> {
        post_multipart(&[self.opening(), self.bytes.clone(), self.closing()].concat())
    }
}

pub fn part(name: &str, value: &str) -> Vec<u8> {
    format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        .into_bytes()
}

pub fn post_multipart(body: &[u8]) -> Vec<u8> {
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    [
        head("POST", "/upload", &kind, body.len() as u64),
        body.to_vec(),
    ]
    .concat()
}

pub fn post_form(body: &str) -> Vec<u8> {
    let kind = "application/x-www-form-urlencoded";
    [
        head("POST", "/upload", kind, body.len() as u64),
        body.into(),
    ]
    .concat()
}

pub fn head(method: &str, target: &str, kind: &str, length: u64) -> Vec<u8> {
    format!(
        "{method} {target} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {kind}\r\n\
         Content-Length: {length}\r\n\r\n"
    )
    .into_bytes()
}

pub fn encode(value: &str) -> String {
    value.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

pub fn md5_hex(bytes: &[u8]) -> String {
    hex::encode(Md5::digest(bytes))
}

pub fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(sha2::Sha256::digest(bytes))
}

/// The digests that a client of version 1.1 offers.
pub const OFFER: &str = "blake3,sha256,md5";

/// The digest of some bytes, by the algorithm's name.
pub fn digest_hex(name: &str, bytes: &[u8]) -> String {
    let algorithm = resup_digests::Algorithm::of_name(name).unwrap();
    resup_digests::Digest::of(algorithm, bytes).hex()
}

impl Upload {
    /// Makes a send of everything from `offset` to the end, with the digest of this name after it.
    pub fn send_with(&self, digest: &str, id: &str, offset: u64) -> Send {
        let whole = digest_hex(digest, &self.content);
        let send = self.send(id, offset).set("digest", digest);
        send.tail(digest, &whole)
    }

    /// Makes a store with the digest of this name before the file.
    pub fn store(&self, digest: &str) -> Send {
        let fields = [
            ("action", "store".to_owned()),
            ("name", self.name.clone()),
            ("size", self.content.len().to_string()),
            ("digest", digest.to_owned()),
            (digest, digest_hex(digest, &self.content)),
        ];
        let fields = fields.map(|(name, value)| (name.to_owned(), value));
        Send {
            fields: fields.into_iter().chain(self.fields.clone()).collect(),
            bytes: self.content.clone(),
            tail: Vec::new(),
        }
    }

    /// Makes a part of a run with the bytes `from..to` and their BLAKE3.
    pub fn part(&self, id: &str, run: &str, from: usize, to: usize) -> Send {
        self.part_with("blake3", id, run, from, to)
    }

    /// Makes a part with another digest.
    pub fn part_with(&self, digest: &str, id: &str, run: &str, from: usize, to: usize) -> Send {
        let hex = digest_hex(digest, &self.content[from..to]);
        let send = self.send(id, from as u64).set("digest", digest);
        let send = send.set("part", run).limit(to - from);
        send.tail(&format!("part_{digest}"), &hex)
    }
}
