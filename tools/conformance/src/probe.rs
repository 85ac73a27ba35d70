//! A check's access to the receiver: new files, requests of one user, and a deadline.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure, Error, Result};
use fastrand::Rng;

use crate::connection::Connection;
use crate::file::TestFile;
use crate::form::{urlencoded, Fields};
use crate::offer::Offer;
use crate::request::{describe, head};
use crate::response::Response;
use crate::send::{Body, SendRequest};
use crate::signer::Signer;
use crate::target::Target;
use crate::visitor::{Credentials, Visitor};

/// The receiver, the users and the findings that all checks of a run share.
pub struct Shared {
    pub target: Target,
    pub headers: Fields,
    pub credentials: Credentials,
    pub visitor: Visitor,
    /// A second user.
    pub other: Option<Visitor>,
    pub signer: Option<Signer>,
    pub seed: u64,
    /// The receiver's max_segment, from its first response.
    pub max_segment: Option<u64>,
    /// Whether the receiver keeps the bytes of a request that is cut off. The first check that
    /// needs it finds it out.
    pub keeps_broken: OnceLock<bool>,
    /// What the receiver has of version 1.1. The first check that needs it finds it out.
    pub offer: OnceLock<Offer>,
}

/// One check's access to the receiver.
pub struct Probe<'k> {
    pub shared: &'k Shared,
    visitor: Visitor,
    /// Signs the forms, if there is a secret.
    pub signer: Option<Signer>,
    pub deadline: Instant,
    /// The time for which a request is repeated while the receiver is busy (429, 503).
    pub patience: Duration,
    /// The last request, for people.
    last: Arc<Mutex<String>>,
    /// The source of random numbers. It depends on the seed.
    random: RefCell<Rng>,
}

/// The state of an upload.
#[derive(Debug)]
pub struct UploadState {
    pub id: String,
    pub offset: u64,
    pub complete: bool,
    /// The digest of the receiver's bytes, of the kind that the file is sent with.
    pub prefix: Option<String>,
}

/// The time for which a client repeats a request while the receiver is busy.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

impl<'k> Probe<'k> {
    /// Makes a probe for the first user.
    pub fn new(shared: &'k Shared, number: u64, time: Duration) -> Self {
        Self {
            shared,
            visitor: shared.visitor.clone(),
            signer: shared.signer.clone(),
            deadline: Instant::now() + time,
            patience: BUSY_TIMEOUT,
            last: Arc::default(),
            random: RefCell::new(Rng::with_seed(shared.seed.wrapping_add(number))),
        }
    }

    /// Makes a probe for another user.
    pub fn with_visitor(&self, visitor: Visitor) -> Self {
        Self {
            shared: self.shared,
            visitor,
            signer: self.signer.clone(),
            deadline: self.deadline,
            patience: self.patience,
            last: self.last.clone(),
            random: RefCell::new(self.random.borrow_mut().fork()),
        }
    }

    /// Makes a probe for another thread.
    pub fn for_thread(&self) -> Self {
        self.with_visitor(self.visitor.clone())
    }

    /// Chooses a random number in `from..to`.
    pub fn random(&self, from: u64, to: u64) -> u64 {
        self.random.borrow_mut().u64(from..to.max(from + 1))
    }

    /// Makes a new file of `size` bytes, or of max_segment bytes if that is less.
    pub fn file(&self, size: u64) -> TestFile {
        let size = size.min(self.shared.max_segment.unwrap_or(size));
        let mut content = vec![0; size as usize];
        fastrand::fill(&mut content);
        TestFile {
            name: format!("conformance-{:016x}.bin", fastrand::u64(..)),
            dir: String::new(),
            mtime: Some(1_700_000_000_123),
            known: None,
            agreed: None,
            extra: Fields::new(),
            content,
        }
    }

    /// Makes the fields of a locate, without signature.
    pub fn locate_fields(&self, file: &TestFile) -> Fields {
        let mut fields: Fields = vec![("action".into(), "locate".into())];
        fields.extend(file.fields());
        if let Some(known) = &file.known {
            fields.push((file.digest().into(), known.clone()));
        }
        if let Some(digest) = file.agreed {
            fields.push(("digests".into(), digest.into()));
        }
        fields.push(("prefix".into(), "1".into()));
        fields.extend(file.extra.clone());
        fields
    }

    /// Sends a locate by POST.
    pub fn locate(&self, file: &TestFile) -> Result<Response> {
        self.post(self.locate_fields(file))
    }

    /// Sends a locate by GET.
    pub fn locate_by_get(&self, file: &TestFile) -> Result<Response> {
        self.get(self.locate_fields(file))
    }

    /// Sends a locate as a client does: repeats it while another request writes the upload, and reads the state.
    pub fn find(&self, file: &TestFile) -> Result<UploadState> {
        let until = Instant::now() + BUSY_TIMEOUT;
        let mut response = self.locate(file)?;
        while response.status == 423 && Instant::now() < until {
            sleep(Duration::from_millis(200));
            response = self.locate(file)?;
        }
        let response = response.expect(200)?;
        let complete = response.is_complete();
        let offset = match response.state()? {
            "new" => 0,
            _ => response.offset()?,
        };
        ensure!(
            offset <= file.size(),
            "offset {offset} of a file of {} bytes: {}",
            file.size(),
            response.summary()
        );
        Ok(UploadState {
            id: response.id()?,
            offset,
            complete,
            prefix: response.prefix(file.digest()),
        })
    }

    /// Uploads the first `length` bytes of a file. Returns its id.
    pub fn begin_upload(&self, file: &TestFile, length: u64) -> Result<String> {
        let id = self.find(file)?.id;
        if length > 0 {
            let first = SendRequest::of(file, &id, 0, length);
            self.send(&first)?.expect_partial(length)?;
        }
        Ok(id)
    }

    /// Uploads a new file. Returns its id.
    pub fn upload(&self, file: &TestFile) -> Result<String> {
        let id = self.find(file)?.id;
        let whole = SendRequest::of(file, &id, 0, file.size());
        self.send(&whole)?.expect_complete(file.size())?;
        Ok(id)
    }

    /// Completes a file as a client does, from any state. Returns its id.
    pub fn finish(&self, file: &TestFile) -> Result<String> {
        let mut last = String::new();
        for _ in 0..6 {
            let upload = self.find(file)?;
            if upload.complete {
                return Ok(upload.id);
            }
            let rest = SendRequest::of(file, &upload.id, upload.offset, file.size());
            let response = self.send(&rest)?;
            if response.is_complete() {
                return Ok(upload.id);
            }
            match response.status {
                200 | 409 | 422 => {}
                // Another request still counts as a writer.
                423 => sleep(Duration::from_millis(200)),
                _ => bail!("the rest was refused: {}", response.summary()),
            }
            last = response.summary();
        }
        bail!("the upload does not become complete; the last response was {last}")
    }

    /// Sends an urlencoded form.
    pub fn post(&self, fields: Fields) -> Result<Response> {
        self.patiently(|| self.post_text(&urlencoded(&self.signed(fields.clone()))))
    }

    /// Sends an urlencoded body as it is.
    pub fn post_text(&self, body: &str) -> Result<Response> {
        let kind = "application/x-www-form-urlencoded";
        let head = self.head(
            "POST",
            &self.shared.target.path,
            Some((kind, body.len() as u64)),
        );
        self.exchange(&[&head, body.as_bytes()].concat())
    }

    /// Sends a form in the query.
    pub fn get(&self, fields: Fields) -> Result<Response> {
        self.patiently(|| {
            let query = urlencoded(&self.signed(fields.clone()));
            self.exchange(&self.head("GET", &self.shared.target.path_with(&query), None))
        })
    }

    /// Sends a part of a file.
    pub fn send(&self, send: &SendRequest) -> Result<Response> {
        self.patiently(|| self.exchange(&self.request(&self.body(send))))
    }

    /// Sends the bytes `from..to` of a file as a client does: continues from the offset of a 409, since a receiver
    /// may store the bytes of a broken request late.
    pub fn send_on(&self, file: &TestFile, id: &str, from: u64, to: u64) -> Result<Response> {
        let response = self.send(&SendRequest::of(file, id, from, to))?;
        match response.offset() {
            Ok(offset) if response.status == 409 && (from + 1..=to).contains(&offset) => {
                self.send(&SendRequest::of(file, id, offset, to))
            }
            _ => Ok(response),
        }
    }

    /// Repeats a request while the receiver is busy (429, 503), as a client does.
    fn patiently(&self, request: impl Fn() -> Result<Response>) -> Result<Response> {
        let until = Instant::now() + self.patience;
        loop {
            let response = request()?;
            let wait = response.retry_after();
            let busy = matches!(response.status, 429 | 503);
            if !busy || Instant::now() + wait > until {
                return Ok(response);
            }
            sleep(wait);
        }
    }

    /// Adds the last request to the error of a check.
    pub fn with_last_request(&self, error: &Error) -> Error {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        anyhow::anyhow!("{error:#}; the last request was {last}")
    }

    fn note(&self, request: &[u8]) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = describe(request);
    }

    /// Makes a send's body, signed if there is a secret.
    pub fn body(&self, send: &SendRequest) -> Body {
        let boundary = format!("----resupConformance{:016x}", fastrand::u64(..));
        let Some(signer) = &self.signer else {
            return send.body(&boundary);
        };
        let mut send = send.clone();
        signer.head(&mut send.fields, fastrand::u128(..));
        let sign = send.fields.last().expect("a signature").1.clone();
        signer.tail(&mut send.tail, &sign);
        send.body(&boundary)
    }

    /// Makes a whole multipart request.
    pub fn request(&self, body: &Body) -> Vec<u8> {
        [self.post_head(body), body.whole()].concat()
    }

    /// Makes the head of a multipart request.
    pub fn post_head(&self, body: &Body) -> Vec<u8> {
        let length = Some((&*body.kind, body.length()));
        self.head("POST", &self.shared.target.path, length)
    }

    /// Makes the head of a request of this user.
    pub fn head(&self, method: &str, path: &str, body: Option<(&str, u64)>) -> Vec<u8> {
        head(
            &self.shared.target,
            method,
            path,
            &self.visitor.headers,
            body,
        )
    }

    /// Opens a connection.
    pub fn connect(&self) -> Result<Connection> {
        Connection::open(&self.shared.target, self.deadline)
    }

    /// Sends a request on a new connection and reads the response.
    pub fn exchange(&self, request: &[u8]) -> Result<Response> {
        self.note(request);
        let mut connection = self.connect()?;
        let written = connection.write(request);
        match (connection.read_response(), written) {
            // The response may come before all is written.
            (Ok(response), _) => Ok(response),
            (Err(_), Err(error)) => bail!("the request could not be sent: {error}"),
            (Err(error), Ok(())) => Err(error),
        }
    }

    /// Sends the beginning of a send, with the first `count` bytes of its part of the file.
    pub fn send_part(&self, send: &SendRequest, count: u64) -> Result<Connection> {
        self.begin_send(send, count)
            .map(|(connection, _)| connection)
    }

    /// Does the same, and returns the rest of the request, too.
    pub fn begin_send(&self, send: &SendRequest, count: u64) -> Result<(Connection, Vec<u8>)> {
        let body = self.body(send);
        let (bytes, others) = body.bytes.split_at(count as usize);
        let mut connection = self.connect()?;
        let begin = [&*self.post_head(&body), &*body.opening, bytes].concat();
        self.note(&begin);
        connection.write(&begin)?;
        Ok((connection, [others, &body.closing].concat()))
    }

    /// Signs fields, if there is a secret.
    pub fn signed(&self, mut fields: Fields) -> Fields {
        if let Some(signer) = &self.signer {
            signer.head(&mut fields, fastrand::u128(..));
        }
        fields
    }
}

/// Closes a connection, and waits until the receiver has noticed.
pub fn close(mut connection: Connection) {
    connection.finish_writing();
    while connection
        .receives(Duration::from_secs(1))
        .is_ok_and(|received| received)
    {
        if connection.read_response().is_err() {
            return;
        }
    }
}
