//! Finding out which protocol a server speaks, at no cost where that is the form protocol.

#[cfg(all(test, feature = "dav", feature = "ietf", feature = "tus"))]
mod tests;

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::OnceLock;

use super::form::Form;
use super::learned::LearnedProtocol;
use super::others::other;
use super::{Abilities, Answer, Job, Note, Outcome, Protocol, Segment, Store};
use crate::control::log::LogLevel;
use crate::error::Error;
use crate::http::endpoint::Endpoint;
use crate::http::secret::Secret;
use crate::http::{spoken, Exchange, Link, Needs, Request, Response, Spoken};
use crate::options::ProtocolName;

/// The form protocol, until the first response shows another one.
pub(super) struct Auto<'a> {
    form: Form,
    learned: &'a LearnedProtocol,
    other: OnceLock<Box<dyn Protocol + 'a>>,
    /// The protocol of the state file, until a response shows that the server no longer speaks it.
    saved: Option<Box<dyn Protocol + 'a>>,
    uses_saved: AtomicBool,
    /// Whether the log is to say that.
    has_dropped: AtomicBool,
}

impl<'a> Auto<'a> {
    /// Makes the protocol; `found` is another one than form resume, if one is known, and `saved` that of the state file.
    pub(super) fn new(
        form: Form,
        learned: &'a LearnedProtocol,
        found: Option<ProtocolName>,
        saved: Option<ProtocolName>,
    ) -> Self {
        let make = |name: Option<ProtocolName>| other(name?, &form.endpoint, learned);
        let (found, saved) = (make(found), make(saved));
        Auto {
            learned,
            uses_saved: (found.is_none() && saved.is_some()).into(),
            other: found.map(OnceLock::from).unwrap_or_default(),
            saved,
            has_dropped: AtomicBool::new(false),
            form,
        }
    }

    /// Gives the protocol of the state file, while that is spoken.
    fn saved(&self) -> Option<&dyn Protocol> {
        let saved = self.saved.as_deref();
        saved.filter(|_| self.uses_saved.load(Relaxed))
    }

    /// Locates by the protocol of the state file. Gives `None` if the server does not speak it.
    fn locate_by_saved(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        key: Option<&str>,
    ) -> Option<Result<Answer, Error>> {
        let saved = self.saved()?;
        let watched = Watched {
            inner: exchange,
            last: RefCell::default(),
        };
        let located = self.locate_by(saved, &watched, job, key);
        let Some((_, response)) = watched.last.take() else {
            // Where no response came, nothing shows that the upload has gone.
            return Some(located);
        };
        let is_spoken = spoken(&response).is_some() || !may_speak_another(response.status);
        if located.is_ok() || is_spoken {
            return Some(located);
        }
        exchange.renew();
        self.uses_saved.store(false, Relaxed);
        self.has_dropped.store(true, Relaxed);
        None
    }

    fn current(&self) -> &dyn Protocol {
        match (self.saved(), self.other.get()) {
            (Some(saved), _) => saved,
            (None, Some(other)) => &**other,
            (None, None) => &self.form,
        }
    }

    /// Finds the protocol of a server that gave this response to the form protocol's first request.
    fn find(&self, exchange: &dyn Exchange, response: &Response) -> Option<ProtocolName> {
        match spoken(response).or_else(|| self.ask(exchange, response.status))? {
            Spoken::Tus => Some(ProtocolName::Tus),
            Spoken::Ietf => Some(ProtocolName::Ietf),
            // Without the slash it may be a collection's URL by mistake.
            Spoken::WebDav if self.form.endpoint.uri().path().ends_with('/') => {
                Some(ProtocolName::Dav)
            }
            Spoken::WebDav | Spoken::S3 => None,
        }
    }

    /// Asks for the server's protocol, if the status of its response to a form makes that useful.
    fn ask(&self, exchange: &dyn Exchange, status: u16) -> Option<Spoken> {
        if !may_speak_another(status) {
            return None;
        }
        exchange.renew();
        let url = self.form.endpoint.uri().to_string();
        let response = exchange.exchange(request("OPTIONS", url)).ok()?;
        spoken(&response)
    }

    /// Finds the protocol of a server whose response to a form was this error. Gives that response, too, with
    /// the URL that it is from; or the error, if the server speaks no other protocol.
    fn find_other(
        &self,
        watched: &Watched<'_>,
        error: Error,
    ) -> Result<(&dyn Protocol, String, Response), Error> {
        // Something else may answer in the server's place for a while.
        let is_known = self.learned.found.get() == Some(&ProtocolName::Form);
        // Only a server of forms answers that.
        let is_form = matches!(
            error,
            Error::DigestUnavailable { .. } | Error::BadOffset { .. } | Error::NotDiscarded { .. }
        );
        let last = watched.last.take().filter(|_| !is_known && !is_form);
        let Some((url, response)) = last else {
            return Err(error);
        };
        let make = |name| other(name, &self.form.endpoint, self.learned);
        let Some(other) = self.find(watched.inner, &response).and_then(make) else {
            return Err(error);
        };
        // The answer to a form may have ended the connection.
        watched.inner.renew();
        Ok((&**self.other.get_or_init(|| other), url, response))
    }

    /// Locates by another protocol. A server that answers by it speaks it.
    fn locate_by(
        &self,
        other: &dyn Protocol,
        exchange: &dyn Exchange,
        job: &Job,
        key: Option<&str>,
    ) -> Result<Answer, Error> {
        check_settings(self.form.signer.is_some(), job, other.name())?;
        let answer = other.locate(exchange, job, key)?;
        if let Some(name) = ProtocolName::of_name(other.name()) {
            let _ = self.learned.found.set(name);
        }
        Ok(answer)
    }

    /// Removes the upload that a server has made of the first request, which was to `url`.
    fn take_back(&self, exchange: &dyn Exchange, url: &str, response: &Response) {
        let Ok(at) = Endpoint::parse(url) else {
            return;
        };
        let is_other = |made: &Endpoint| {
            let paths = [&at, &self.form.endpoint].map(|it| it.uri().path());
            made.origin() == at.origin() && !paths.contains(&made.uri().path())
        };
        let made = response
            .location()
            .and_then(|location| at.resolve(&location))
            .filter(is_other);
        if let Some(made) = made {
            // Where this fails, an empty upload stays there until it expires.
            let _ = exchange.exchange(request("DELETE", made.uri().to_string()));
        }
    }
}

/// Whether a server with this response may speak another protocol than was asked for.
pub(super) fn may_speak_another(status: u16) -> bool {
    matches!(status, 200..=299 | 400 | 404..=406 | 409 | 411 | 412 | 415 | 422 | 501)
}

/// Checks that no setting asks for what another protocol than form resume does not have.
pub(super) fn check_settings(is_signed: bool, job: &Job, name: &str) -> Result<(), Error> {
    if is_signed {
        return Err(Error::bad_response(format!(
            "it speaks {name}, in which nothing is signed, and a signing secret is set"
        )));
    }
    match job.offer {
        [only] => Err(Error::DigestUnavailable {
            wanted: only.label(),
        }),
        _ => Ok(()),
    }
}

/// Makes a request that is about the server, and not about a file.
pub(super) fn request(method: &'static str, url: String) -> Request<'static> {
    Request {
        method,
        url,
        content_type: None,
        headers: vec![("tus-resumable".to_owned(), Secret::new("1.0.0"))],
        body: None,
        needs: Needs::Head,
    }
}

impl Protocol for Auto<'_> {
    fn name(&self) -> &'static str {
        self.current().name()
    }

    fn abilities(&self) -> Abilities {
        self.current().abilities()
    }

    fn creates_with_file(&self) -> bool {
        self.current().creates_with_file()
    }

    fn locate(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        key: Option<&str>,
    ) -> Result<Answer, Error> {
        if let Some(other) = self.other.get() {
            return self.locate_by(&**other, exchange, job, key);
        }
        let mut key = key;
        if self.saved().is_some() {
            if let Some(located) = self.locate_by_saved(exchange, job, key) {
                return located;
            }
            key = None;
        }
        let watched = Watched {
            inner: exchange,
            last: RefCell::default(),
        };
        let error = match self.form.locate(&watched, job, key) {
            Ok(answer) => {
                let _ = self.learned.found.set(ProtocolName::Form);
                return Ok(answer);
            }
            Err(error) => error,
        };
        let (other, url, response) = self.find_other(&watched, error)?;
        let answer = self.locate_by(other, exchange, job, None)?;
        // Only now it is certain that it was an upload which the server made of the form.
        if response.status == 201 {
            self.take_back(exchange, &url, &response);
        }
        Ok(answer)
    }

    fn send(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        segment: Segment<'_>,
    ) -> Result<Outcome, Error> {
        self.current().send(exchange, job, segment)
    }

    fn notes(&self) -> Vec<Note> {
        let mut notes = self.current().notes();
        if self.has_dropped.swap(false, Relaxed) {
            let saved = self.saved.as_ref().map_or("", |saved| saved.name());
            let line = format!(
                "nothing shows that the server still speaks {saved}, by which the upload was begun; it begins anew"
            );
            notes.push((LogLevel::Warn, line));
        }
        notes
    }

    fn ask_section(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        key: Option<&str>,
        offset: u64,
    ) -> Result<Answer, Error> {
        self.current().ask_section(exchange, job, key, offset)
    }

    fn store(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        store: Store<'_>,
    ) -> Result<Option<Answer>, Error> {
        self.current().store(exchange, job, store)
    }

    fn discard(&self, exchange: &dyn Exchange, job: &Job, key: Option<&str>) -> Result<(), Error> {
        if self.saved().is_some() || self.other.get().is_some() {
            return self.current().discard(exchange, job, key);
        }
        let watched = Watched {
            inner: exchange,
            last: RefCell::default(),
        };
        let result = self.form.discard(&watched, job, key);
        let error = match result {
            Err(error) if !self.form.takes_discards() => error,
            result => {
                let _ = self.learned.found.set(ProtocolName::Form);
                return result;
            }
        };
        let (other, url, response) = self.find_other(&watched, error)?;
        if response.status == 201 {
            self.take_back(exchange, &url, &response);
        }
        other.discard(exchange, job, None)
    }
}

/// An exchange whose last response is kept, with the URL that it is from.
struct Watched<'a> {
    inner: &'a dyn Exchange,
    last: RefCell<Option<(String, Response)>>,
}

impl Exchange for Watched<'_> {
    fn exchange(&self, request: Request<'_>) -> Result<Response, Error> {
        self.last.take();
        let url = request.url.clone();
        let response = self.inner.exchange(request)?;
        self.last.replace(Some((url, response.clone())));
        Ok(response)
    }

    fn link(&self) -> Link {
        self.inner.link()
    }

    fn notes(&self) -> Vec<String> {
        self.inner.notes()
    }

    fn renew(&self) {
        self.inner.renew();
    }
}
