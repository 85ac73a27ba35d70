//! Finding out which protocol a server speaks, at no cost where that is the form protocol.

#[cfg(all(test, feature = "tus", feature = "ietf"))]
mod tests;

use std::cell::RefCell;
use std::sync::OnceLock;

use super::form::Form;
use super::learned::LearnedProtocol;
use super::others::other;
use super::{Abilities, Answer, Job, Outcome, Protocol, Segment, Store};
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
}

impl<'a> Auto<'a> {
    pub(super) fn new(form: Form, learned: &'a LearnedProtocol) -> Self {
        Auto {
            form,
            learned,
            other: OnceLock::new(),
        }
    }

    fn current(&self) -> &dyn Protocol {
        match self.other.get() {
            Some(other) => &**other,
            None => &self.form,
        }
    }

    /// Finds the protocol of a server that gave this response to the form protocol's first request.
    fn find(&self, exchange: &dyn Exchange, response: &Response) -> Option<Spoken> {
        let found = spoken(response).or_else(|| self.ask(exchange, response.status));
        let has_made = response.status == 201;
        if has_made || found.is_some() && (200..300).contains(&response.status) {
            self.take_back(exchange, response);
        }
        found
    }

    /// Asks for the server's protocol, if the status of its response to a form makes that useful.
    fn ask(&self, exchange: &dyn Exchange, status: u16) -> Option<Spoken> {
        if !matches!(status, 200..=299 | 400 | 404..=406 | 409 | 411 | 412 | 415 | 422 | 501) {
            return None;
        }
        exchange.renew();
        let url = self.form.endpoint.uri().to_string();
        let response = exchange.exchange(request("OPTIONS", url)).ok()?;
        spoken(&response)
    }

    /// Removes the upload that a server has made of the first request.
    fn take_back(&self, exchange: &dyn Exchange, response: &Response) {
        let endpoint = &self.form.endpoint;
        let is_below = |made: &Endpoint| {
            made.origin() == endpoint.origin() && made.uri().path() != endpoint.uri().path()
        };
        let made = response
            .location()
            .and_then(|location| endpoint.resolve(&location))
            .filter(is_below);
        if let Some(made) = made {
            // Where this fails, an empty upload stays there until it expires.
            let _ = exchange.exchange(request("DELETE", made.uri().to_string()));
        }
    }
}

/// Makes a request that is about the server, and not about a file.
fn request(method: &'static str, url: String) -> Request<'static> {
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

    fn locate(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        key: Option<&str>,
    ) -> Result<Answer, Error> {
        if let Some(other) = self.other.get() {
            return other.locate(exchange, job, key);
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
        let found = match watched.last.take() {
            Some(response) => self.find(exchange, &response),
            None => None,
        };
        let name = match found {
            Some(Spoken::Tus) => ProtocolName::Tus,
            Some(Spoken::Ietf) => ProtocolName::Ietf,
            _ => return Err(error),
        };
        let Some(other) = other(name, &self.form.endpoint, self.learned) else {
            return Err(error);
        };
        let _ = self.learned.found.set(name);
        // The answer to a form may have ended the connection.
        exchange.renew();
        self.other.get_or_init(|| other).locate(exchange, job, None)
    }

    fn send(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        segment: Segment<'_>,
    ) -> Result<Outcome, Error> {
        self.current().send(exchange, job, segment)
    }

    fn store(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        store: Store<'_>,
    ) -> Result<Option<Answer>, Error> {
        self.current().store(exchange, job, store)
    }
}

/// An exchange whose last response is kept.
struct Watched<'a> {
    inner: &'a dyn Exchange,
    last: RefCell<Option<Response>>,
}

impl Exchange for Watched<'_> {
    fn exchange(&self, request: Request<'_>) -> Result<Response, Error> {
        self.last.take();
        let response = self.inner.exchange(request)?;
        self.last.replace(Some(response.clone()));
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
