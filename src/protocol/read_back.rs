//! Reading a finished file back from its URL. A break costs nothing: the next request is for the rest.

use std::cell::RefCell;
use std::io::{self, Read};

use resup_digests::{Algorithm, Digest, State};

use crate::control::stop::Stop;
use crate::error::Error;
use crate::http::endpoint::Endpoint;
use crate::http::secret::Secret;
use crate::http::{
    challenge, limited, refusal_of, Exchange, Needs, Request, Response, MAX_REDIRECTS,
};

/// The most bytes that are read at a time.
const STEP: usize = 128 * 1024;

/// A reader of the next bytes of a response, at the pace that the program wants.
pub(crate) type Receive<'r> = &'r mut dyn FnMut(&mut dyn Read, &mut [u8]) -> io::Result<usize>;

/// What was read of a finished file. After a break the next request goes on from there.
pub(crate) struct ReadBack {
    url: String,
    state: State,
    at: u64,
    /// The strong entity tag of the file that these bytes are of.
    tag: Option<String>,
}

impl ReadBack {
    /// Begins with nothing read of the file at this URL.
    pub(crate) fn new(url: String, algorithm: Algorithm) -> Self {
        ReadBack {
            url,
            state: State::new(algorithm),
            at: 0,
            tag: None,
        }
    }

    /// Forgets what was read, so that the next request is for all of it.
    fn restart(&mut self, tag: Option<String>) {
        *self = ReadBack {
            tag,
            ..ReadBack::new(self.url.clone(), self.state.digest().algorithm())
        };
    }

    /// Gives the URL of the file.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Gives the offset up to which the file was read.
    pub(crate) fn at(&self) -> u64 {
        self.at
    }

    /// Gives the digest of what was read.
    pub(crate) fn digest(&self) -> Digest {
        self.state.digest()
    }

    /// Reads the rest of the file; `receive` reads the next bytes of a response. Gives whether the file has its size.
    pub(crate) fn read(
        &mut self,
        exchange: &dyn Exchange,
        size: u64,
        receive: Receive<'_>,
    ) -> Result<bool, Error> {
        if self.at >= size {
            // It ended between the last byte and the end of the response, and no request is for the rest.
            self.restart(None);
        }
        let headers = self.headers();
        let mut url = Endpoint::parse(&self.url)?;
        let taker = RefCell::new((&mut *self, receive));
        let take = |response: &Response, body: &mut dyn Read| {
            let (this, receive) = &mut *taker.borrow_mut();
            this.begin(response, size).map_err(Stop::Failed)?;
            this.take(body, size, receive)
        };
        let mut redirects = 0;
        let response = loop {
            let response = exchange.exchange(Request {
                method: "GET",
                url: url.uri().to_string(),
                content_type: None,
                headers: headers.clone(),
                body: None,
                needs: Needs::Stream(&take),
            })?;
            match (response.status, moved(&url, &response)) {
                // An upload that has moved is there, too.
                (307 | 308, Some(place)) if redirects < MAX_REDIRECTS => url = place,
                _ => break response,
            }
            redirects += 1;
        };
        match response.status {
            200 | 206 => {
                if self.at > size {
                    // The rest is not read.
                    exchange.renew();
                }
                Ok(self.at == size)
            }
            412 | 416 => {
                self.restart(None);
                Err(changed())
            }
            401 => Err(refusal_of(&response, challenge(&response))),
            _ => {
                let hint = "the server has the whole file, and does not give it to be compared";
                Err(refusal_of(&response, Some(hint.to_owned())))
            }
        }
    }

    fn headers(&self) -> Vec<(String, Secret)> {
        let mut fields = vec![
            ("accept", "*/*".to_owned()),
            // What something in between has kept tells nothing about the server.
            ("cache-control", "no-cache".to_owned()),
        ];
        if self.at > 0 {
            fields.push(("range", format!("bytes={}-", self.at)));
            fields.extend(self.tag.clone().map(|tag| ("if-range", tag)));
        }
        let fields = fields.into_iter();
        fields
            .map(|(name, value)| (name.to_owned(), Secret::new(value)))
            .collect()
    }

    /// Takes the head of a response: it has the rest of the file, or all of it.
    fn begin(&mut self, response: &Response, size: u64) -> Result<(), Error> {
        let value = |name: &str| response.values(name).next().map(|value| value.into_owned());
        if let Some(coding) = value("content-encoding").filter(|it| it != "identity") {
            return Err(Error::bad_response(format!(
                "it has Content-Encoding \"{}\", so its bytes are not the file's",
                limited(&coding)
            )));
        }
        let tag = response.strong_tag();
        if response.status == 206 {
            let wanted = format!("bytes {}-{}/{size}", self.at, size.saturating_sub(1));
            let is_same = self.tag.is_none() || self.tag == tag;
            if is_same && value("content-range").as_deref() == Some(wanted.as_str()) {
                return Ok(());
            }
            self.restart(None);
            return Err(changed());
        }
        self.restart(tag);
        Ok(())
    }

    /// Takes the body of a response, up to its end or that of the file's size.
    fn take(&mut self, body: &mut dyn Read, size: u64, receive: Receive<'_>) -> io::Result<()> {
        let mut buf = vec![0; STEP];
        loop {
            let n = receive(body, &mut buf)?;
            self.at += n as u64;
            if n == 0 || self.at > size {
                return Ok(());
            }
            self.state.update(&buf[..n]);
        }
    }
}

/// Gives the place that a response redirects to, if that has the same origin.
fn moved(at: &Endpoint, response: &Response) -> Option<Endpoint> {
    let place = at.resolve(&response.location()?)?;
    (place.origin() == at.origin()).then_some(place)
}

/// Makes the error for a file that is another one than a moment ago.
fn changed() -> Error {
    Error::bad_response("the file has changed there while it was read back")
}
