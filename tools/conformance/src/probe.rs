//! What a check works with: fresh files, requests by one visitor, and a deadline.

use std::cell::RefCell;
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure, Result};
use fastrand::Rng;

use crate::answer::Answer;
use crate::file::TestFile;
use crate::form::{urlencoded, Body, Fields, Send};
use crate::link::Link;
use crate::request::head;
use crate::signer::Signer;
use crate::target::Target;
use crate::visitor::{Credentials, Visitor};

/// What all checks of a run share.
pub struct Kit {
    pub target: Target,
    pub headers: Fields,
    pub credentials: Credentials,
    pub visitor: Visitor,
    /// A second user.
    pub other: Option<Visitor>,
    pub signer: Option<Signer>,
    pub seed: u64,
    /// The most that one send may carry, as the receiver said when it was first asked.
    pub max_segment: Option<u64>,
    /// Whether the receiver keeps what arrived of a broken request, once that was found out.
    pub keeps_broken: OnceLock<bool>,
}

/// One check's access to the receiver.
pub struct Probe<'k> {
    pub kit: &'k Kit,
    visitor: Visitor,
    /// Signs what is sent, where there is a secret.
    pub signer: Option<Signer>,
    pub deadline: Instant,
    /// Repeats with the seed.
    pub choice: RefCell<Rng>,
}

/// How an upload stands.
#[derive(Debug)]
pub struct Found {
    pub id: String,
    pub offset: u64,
    pub complete: bool,
    pub prefix_md5: Option<String>,
}

/// How long a client goes on asking when the receiver says that it is busy.
const BUSY: Duration = Duration::from_secs(5);

impl<'k> Probe<'k> {
    /// A probe of the main visitor.
    pub fn new(kit: &'k Kit, number: u64, time: Duration) -> Self {
        Self {
            kit,
            visitor: kit.visitor.clone(),
            signer: kit.signer.clone(),
            deadline: Instant::now() + time,
            choice: RefCell::new(Rng::with_seed(kit.seed.wrapping_add(number))),
        }
    }

    /// The same for another visitor.
    pub fn by(&self, visitor: Visitor) -> Self {
        Self {
            kit: self.kit,
            visitor,
            signer: self.signer.clone(),
            deadline: self.deadline,
            choice: RefCell::new(self.choice.borrow_mut().fork()),
        }
    }

    /// The same, for another thread.
    pub fn by_same(&self) -> Self {
        self.by(self.visitor.clone())
    }

    /// A random place in `from..to`, by the seed.
    pub fn between(&self, from: u64, to: u64) -> u64 {
        self.choice.borrow_mut().u64(from..to.max(from + 1))
    }

    /// A file that no run has uploaded before, of so many bytes if one send may carry them.
    pub fn file(&self, size: u64) -> TestFile {
        let size = size.min(self.kit.max_segment.unwrap_or(size));
        let mut content = vec![0; size as usize];
        fastrand::fill(&mut content);
        TestFile {
            name: format!("conformance-{:016x}.bin", fastrand::u64(..)),
            dir: String::new(),
            mtime: Some(1_700_000_000_123),
            md5: None,
            extra: Fields::new(),
            content,
        }
    }

    /// The fields of a locate, unsigned.
    pub fn locate_fields(&self, file: &TestFile) -> Fields {
        let mut fields: Fields = vec![("action".into(), "locate".into())];
        fields.extend(file.fields());
        if let Some(md5) = &file.md5 {
            fields.push(("md5".into(), md5.clone()));
        }
        fields.push(("prefix".into(), "1".into()));
        fields.extend(file.extra.clone());
        fields
    }

    /// Asks by POST, once.
    pub fn locate(&self, file: &TestFile) -> Result<Answer> {
        self.post(self.locate_fields(file))
    }

    /// Asks by GET, once.
    pub fn locate_by_get(&self, file: &TestFile) -> Result<Answer> {
        self.get(self.locate_fields(file))
    }

    /// Asks as a client does: waits while the receiver is busy, and reads the answer.
    pub fn find(&self, file: &TestFile) -> Result<Found> {
        let until = Instant::now() + BUSY;
        let mut answer = self.locate(file)?;
        while matches!(answer.status, 423 | 429 | 503) && Instant::now() < until {
            sleep(Duration::from_millis(200));
            answer = self.locate(file)?;
        }
        let answer = answer.expect(200)?;
        let complete = answer.is_complete();
        let offset = match answer.state()? {
            "new" => 0,
            _ => answer.offset()?,
        };
        ensure!(
            offset <= file.size(),
            "offset {offset} of a file of {} bytes: {}",
            file.size(),
            answer.tell()
        );
        Ok(Found {
            id: answer.id()?,
            offset,
            complete,
            prefix_md5: answer.prefix_md5(),
        })
    }

    /// A file that the receiver holds the first `length` bytes of, and its id.
    pub fn begun(&self, file: &TestFile, length: u64) -> Result<String> {
        let id = self.find(file)?.id;
        if length > 0 {
            let first = Send::of(file, &id, 0, length);
            self.send(&first)?.expect_partial(length)?;
        }
        Ok(id)
    }

    /// Uploads all of a new file; its id.
    pub fn upload(&self, file: &TestFile) -> Result<String> {
        let id = self.find(file)?.id;
        let whole = Send::of(file, &id, 0, file.size());
        self.send(&whole)?.expect_complete(file.size())?;
        Ok(id)
    }

    /// Brings a file to its end as a client does, whatever state it is in; its id.
    pub fn finish(&self, file: &TestFile) -> Result<String> {
        let mut last = String::new();
        for _ in 0..6 {
            let found = self.find(file)?;
            if found.complete {
                return Ok(found.id);
            }
            let rest = Send::of(file, &found.id, found.offset, file.size());
            let answer = self.send(&rest)?;
            if answer.is_complete() {
                return Ok(found.id);
            }
            if !matches!(answer.status, 200 | 409 | 422) {
                bail!("the rest was refused: {}", answer.tell());
            }
            last = answer.tell();
        }
        bail!("the upload does not come to its end; the last answer was {last}")
    }

    /// Sends an urlencoded form.
    pub fn post(&self, fields: Fields) -> Result<Answer> {
        self.post_text(&urlencoded(&self.signed(fields)))
    }

    /// Sends an urlencoded body as it is.
    pub fn post_text(&self, body: &str) -> Result<Answer> {
        let kind = "application/x-www-form-urlencoded";
        let head = self.head(
            "POST",
            &self.kit.target.path,
            Some((kind, body.len() as u64)),
        );
        self.exchange(&[&head, body.as_bytes()].concat())
    }

    /// Sends a form in the query.
    pub fn get(&self, fields: Fields) -> Result<Answer> {
        let query = urlencoded(&self.signed(fields));
        self.exchange(&self.head("GET", &self.kit.target.path_with(&query), None))
    }

    /// Sends a send.
    pub fn send(&self, send: &Send) -> Result<Answer> {
        self.exchange(&self.request(&self.body(send)))
    }

    /// A send's body, signed where there is a secret.
    pub fn body(&self, send: &Send) -> Body {
        let boundary = format!("----resupConformance{:016x}", fastrand::u64(..));
        let Some(signer) = &self.signer else {
            return send.body(&boundary);
        };
        let mut send = send.clone();
        signer.head(&mut send.fields, fastrand::u128(..));
        let sign = send.fields.last().expect("it is signed").1.clone();
        signer.tail(&mut send.tail, &sign);
        send.body(&boundary)
    }

    /// A whole multipart request.
    pub fn request(&self, body: &Body) -> Vec<u8> {
        [self.post_head(body), body.whole()].concat()
    }

    /// The head of a multipart request.
    pub fn post_head(&self, body: &Body) -> Vec<u8> {
        let length = Some((&*body.kind, body.length()));
        self.head("POST", &self.kit.target.path, length)
    }

    /// A request's head by this visitor.
    pub fn head(&self, method: &str, path: &str, body: Option<(&str, u64)>) -> Vec<u8> {
        head(&self.kit.target, method, path, &self.visitor.headers, body)
    }

    /// A new connection.
    pub fn link(&self) -> Result<Link> {
        Link::open(&self.kit.target, self.deadline)
    }

    /// One request on a connection of its own.
    pub fn exchange(&self, request: &[u8]) -> Result<Answer> {
        let mut link = self.link()?;
        let written = link.write(request);
        match (link.read_answer(), written) {
            // It may be answered before all is written.
            (Ok(answer), _) => Ok(answer),
            (Err(_), Err(error)) => bail!("the request could not be sent: {error}"),
            (Err(error), Ok(())) => Err(error),
        }
    }

    /// Begins a send and stops after `count` of the file's bytes.
    pub fn begin(&self, send: &Send, count: u64) -> Result<Link> {
        let body = self.body(send);
        let bytes = &body.bytes[..count as usize];
        let mut link = self.link()?;
        link.write(&[&*self.post_head(&body), &*body.opening, bytes].concat())?;
        Ok(link)
    }

    /// Signs fields, where there is a secret.
    pub fn signed(&self, mut fields: Fields) -> Fields {
        if let Some(signer) = &self.signer {
            signer.head(&mut fields, fastrand::u128(..));
        }
        fields
    }
}

/// Ends a connection from this side, and waits until the receiver has noticed.
pub fn cut(mut link: Link) {
    link.finish_writing();
    while link.hears(Duration::from_secs(1)).is_ok_and(|heard| heard) {
        if link.read_answer().is_err() {
            return;
        }
    }
}
