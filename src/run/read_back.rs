//! Reading the finished file back from the server, where the program wants its bytes compared.

use std::cell::RefCell;
use std::io::{self, Read};

use resup_digests::{Algorithm, State};

use super::driver::Driver;
use super::pace::Pace;
use super::reading::STEP;
use crate::control::log::LogLevel;
use crate::control::snapshot::UploadState;
use crate::control::stop::Stop;
use crate::engine::{Event, FoundBack};
use crate::error::Error;
use crate::http::endpoint::Endpoint;
use crate::http::secret::Secret;
use crate::http::{challenge, limited, refusal_of, Exchange, Needs, Request, Response};

/// The most redirects in a row that are followed.
const MAX_REDIRECTS: u32 = 5;

/// What was read of a finished file. After a break the next request goes on from there.
pub(super) struct ReadBack {
    url: String,
    state: State,
    at: u64,
    /// The strong entity tag of the file that these bytes are of.
    tag: Option<String>,
}

impl Driver<'_> {
    /// Reads the file back, and says what came of it.
    pub(super) fn read_back(&mut self, location: Option<String>) -> Event {
        let mut read = (0, 0);
        let result = self.compare_back(location, &mut read);
        Event::ReadBack {
            read: read.0,
            at: read.1,
            // The source may have been digested for so long that the connection was closed meanwhile.
            result: result.map_err(|stop| self.unsent(stop)),
        }
    }

    /// Reads the file back, and compares it. Counts the bytes that it reads, and says where they end.
    fn compare_back(
        &mut self,
        location: Option<String>,
        (read, at): &mut (u64, u64),
    ) -> Result<FoundBack, Stop> {
        let size = self.job.size;
        if self.source.source.window().is_none() {
            self.source.hash_up_to(size)?;
        }
        let (url, digest) = match (self.readable(location), self.whole_digest()?) {
            (Some(url), Some(digest)) => (url, digest),
            (None, _) => return Err(Stop::Failed(Error::InvalidArgument {
                what: "read back",
                why:
                    "(set_read_back) was set, and the server has neither a digest nor a URL of the \
                          file; it is there, and nothing has compared it"
                        .to_owned(),
            })),
            (_, None) => {
                let why = "a file is read back that has no digest".to_owned();
                return Err(Error::Internal { why }.into());
            }
        };
        self.control.confirm(size);
        self.control.enter(UploadState::Verifying);
        if self.exchange.is_none() {
            self.exchange = Some(self.connector.connect()?);
        }
        let kept = self.read_back.take().filter(|kept| kept.url == url);
        let mut back = kept.unwrap_or_else(|| ReadBack::new(url, digest.algorithm()));
        self.log(LogLevel::Info, || {
            format!(
                "reading the file back from {}, from {} on",
                back.url, back.at
            )
        });
        let pace = Pace::new(self.control, self.rates);
        let result = back.read(Self::connection(&self.exchange), size, (pace, read));
        *at = back.at;
        let has_its_size = match result {
            Ok(has_its_size) => has_its_size,
            Err(error) => {
                self.read_back = Some(back);
                return Err(error.into());
            }
        };
        let found = back.state.digest();
        self.log(LogLevel::Info, || {
            format!(
                "read back: {} bytes, the digest is {}",
                back.at,
                found.hex()
            )
        });
        if has_its_size && found == digest {
            return Ok(FoundBack::Equal);
        }
        self.log(LogLevel::Warn, || match has_its_size {
            true => format!(
                "the file that was read back is another one: its digest is {}, and that of this file {}",
                found.hex(),
                digest.hex()
            ),
            false => format!("the file that was read back is another one: it has not {size} bytes"),
        });
        Ok(match self.protocol.abilities().needs_key {
            true => {
                // An upload that is complete takes no other bytes.
                self.answers.id = None;
                FoundBack::Dropped
            }
            false => FoundBack::Other(found),
        })
    }

    /// Gives the URL at which the finished file can be read, if the protocol tells it.
    fn readable(&self, location: Option<String>) -> Option<String> {
        let tells = !self.protocol.abilities().proves_prefix;
        location.filter(|url| tells && Endpoint::parse(url).is_ok())
    }
}

impl ReadBack {
    fn new(url: String, algorithm: Algorithm) -> Self {
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

    /// Reads the rest of the file, and counts the bytes. Gives whether the file has its size.
    fn read(
        &mut self,
        exchange: &dyn Exchange,
        size: u64,
        (pace, count): (Pace<'_>, &mut u64),
    ) -> Result<bool, Error> {
        if self.at >= size {
            // It ended between the last byte and the end of the response, and no request is for the rest.
            self.restart(None);
        }
        let headers = self.headers();
        let mut url = Endpoint::parse(&self.url)?;
        let taker = RefCell::new((&mut *self, pace, count));
        let take = |response: &Response, body: &mut dyn Read| {
            let (this, pace, count) = &mut *taker.borrow_mut();
            this.begin(response, size).map_err(Stop::Failed)?;
            this.take(body, size, (pace, count))
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
    fn take(
        &mut self,
        body: &mut dyn Read,
        size: u64,
        (pace, count): (&mut Pace<'_>, &mut u64),
    ) -> io::Result<()> {
        let mut buf = vec![0; STEP];
        loop {
            let n = pace.receive(body, &mut buf)?;
            self.at += n as u64;
            *count += n as u64;
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
