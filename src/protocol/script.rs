//! An exchange of a test: its responses are written down before.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{self, Read};

use http::{HeaderName, HeaderValue};
use resup_digests::{Algorithm, Digest};

use super::{FileBytes, Job, Segment};
use crate::error::Error;
use crate::http::{Body, Exchange, Link, Request, Response};

/// A response: status and header fields. With status 0 the connection is lost instead.
pub(super) type Reply<'a> = (u16, &'a [(&'static str, &'static str)]);

/// An exchange that gives these responses, one after the other, and keeps the requests.
pub(super) struct Script {
    replies: RefCell<VecDeque<Response>>,
    seen: RefCell<Vec<Seen>>,
    pub link: Cell<Link>,
}

/// A request.
#[derive(Debug)]
pub(super) struct Seen {
    /// Method and URL.
    pub line: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Seen {
    /// Gives the value of a header field.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut fields = self.headers.iter().filter(|(other, _)| other == name);
        fields.next().map(|(_, value)| value.as_str())
    }
}

impl Script {
    pub fn new(replies: &[Reply<'_>]) -> Self {
        let replies = replies.iter().map(|(status, headers)| Response {
            status: *status,
            headers: headers
                .iter()
                .map(|(name, value)| {
                    let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
                    (name, HeaderValue::from_static(value))
                })
                .collect(),
            ..Response::default()
        });
        Script {
            replies: RefCell::new(replies.collect()),
            seen: RefCell::default(),
            link: Cell::new(Link::New),
        }
    }

    /// Sets the body of the first response.
    pub fn with_body(self, body: &str) -> Self {
        self.replies.borrow_mut()[0].body = body.as_bytes().to_vec();
        self
    }

    /// Sets the body of the last response.
    pub fn with_last_body(self, body: &str) -> Self {
        if let Some(last) = self.replies.borrow_mut().back_mut() {
            last.body = body.as_bytes().to_vec();
        }
        self
    }

    /// Sets the bodies of the responses.
    pub fn with_bodies(self, bodies: &[&str]) -> Self {
        for (reply, body) in self.replies.borrow_mut().iter_mut().zip(bodies) {
            reply.body = body.as_bytes().to_vec();
        }
        self
    }

    /// Adds a header field to one of the responses.
    pub fn with_field(self, number: usize, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_str(value).unwrap();
        self.replies.borrow_mut()[number]
            .headers
            .insert(name, value);
        self
    }

    /// Gives the requests, when all responses were used.
    pub fn seen(&self) -> Vec<Seen> {
        assert_eq!(self.replies.borrow().len(), 0, "responses are left");
        self.seen.take()
    }

    /// Gives the methods and URLs of the requests, when all responses were used.
    pub fn lines(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.line).collect()
    }
}

impl Exchange for Script {
    fn exchange(&self, mut request: Request<'_>) -> Result<Response, Error> {
        let mut form = String::new();
        let written = request.written(&mut form)?;
        let mut body = String::new();
        match written.body {
            None => {}
            Some(Body::Text(text)) => body = String::from_utf8(text.to_vec()).unwrap(),
            Some(Body::Stream { length, bytes }) => {
                bytes.read_to_string(&mut body).unwrap();
                assert_eq!(body.len() as u64, length, "Content-Length is right");
            }
            Some(Body::Form(_)) => unreachable!("it was written"),
        }
        let headers = written.headers.into_iter();
        self.seen.borrow_mut().push(Seen {
            line: format!("{} {}", written.method, written.url),
            headers: headers
                .map(|(name, value)| (name, value.text().to_owned()))
                .collect(),
            body,
        });
        let reply = self.replies.borrow_mut().pop_front();
        match reply.expect("no response is left") {
            Response { status: 0, .. } => Err(Error::ConnectionLost {
                host: "host:80".to_owned(),
                why: "as the script says".to_owned(),
            }),
            reply => Ok(reply),
        }
    }

    fn link(&self) -> Link {
        self.link.get()
    }

    fn renew(&self) {
        self.link.set(Link::New);
    }
}

/// Bytes of a file.
pub(super) struct Bytes(pub &'static [u8]);

impl Read for Bytes {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
}

impl FileBytes for Bytes {
    fn algorithm(&self) -> Option<Algorithm> {
        None
    }

    fn finish(&mut self) -> io::Result<Option<Digest>> {
        Ok(None)
    }
}

/// Describes a file of ten bytes.
pub(super) fn job() -> Job {
    Job {
        name: "a b.txt".to_owned(),
        size: 10,
        is_passed: false,
        mtime: Some(7),
        offer: &[],
        digests: Vec::new(),
        dir: String::new(),
        user: None,
        content_type: "text/plain".to_owned(),
        fields: Vec::new(),
        connections: 0,
    }
}

/// Makes a segment of the upload `id`.
pub(super) fn segment<'a>(id: &'a str, offset: u64, bytes: &'a mut Bytes) -> Segment<'a> {
    Segment {
        id: Some(id),
        offset,
        length: bytes.0.len() as u64,
        restart: None,
        part: None,
        checksum: None,
        bytes,
    }
}
