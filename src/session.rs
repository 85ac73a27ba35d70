//! A host's standing with its server: logs in where that is wanted, and lets credentials and
//! cookies go along with every request. [`Session`] does it for a link, between it and the
//! protocol.
#![forbid(unsafe_code)]

mod jar;
#[cfg(test)]
mod tests;

use std::sync::{Mutex, MutexGuard, PoisonError};

use http::Uri;

use crate::credentials::{Credentials, Login};
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::protocol::refusal;
use crate::secret::Secret;
use crate::transport::{Body, Request, Response, Wire};
use jar::Jar;

/// What all uploads with the same settings share of it. Other settings may be another user's.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    now: Mutex<Now>,
    /// Held while logging in, so that one upload does it for all.
    logging_in: Mutex<()>,
}

#[derive(Debug, Default)]
struct Now {
    jar: Jar,
    login: LoginState,
    /// Counts the logins.
    round: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum LoginState {
    #[default]
    Out,
    /// Logged in, and no request was let in since.
    Fresh,
    In,
}

/// A link with credentials.
pub(crate) struct Session<'a> {
    pub wire: Box<dyn Wire + 'a>,
    pub credentials: &'a Credentials,
    /// The only origin that credentials go to is this one's.
    pub endpoint: &'a Endpoint,
    pub standing: &'a Standing,
}

impl Wire for Session<'_> {
    fn exchange(&self, mut request: Request<'_>) -> Result<Response, Error> {
        let Some(login) = &self.credentials.login else {
            return self.ask(&mut request);
        };
        let mut tries = 0;
        loop {
            tries += 1;
            let round = self.log_in(login)?;
            let response = self.ask(&mut request)?;
            let mut now = self.now();
            let ours = now.round == round;
            if !turned_away(&response) {
                if ours && now.login == LoginState::Fresh {
                    now.login = LoginState::In;
                }
                return Ok(response);
            }
            let again = !ours || now.login == LoginState::In;
            if ours {
                now.login = LoginState::Out;
            }
            drop(now);
            if !again || tries == MOST_LOGINS {
                // Just logged in, and still not let in.
                return Err(refusal(&response).not_let_in());
            }
            if !request.is_repeatable() {
                return Err(Error::SessionOver {
                    host: self.endpoint.authority().to_owned(),
                });
            }
        }
    }
}

/// For one request. More than one is needed only where others log in meanwhile.
const MOST_LOGINS: u32 = 3;

/// Whether an answer says, in one of the usual ways, that nobody is logged in.
fn turned_away(response: &Response) -> bool {
    matches!(response.status, 401 | 403 | 301 | 302 | 303)
}

impl Session<'_> {
    /// Makes a request with all that goes along.
    fn ask(&self, request: &mut Request<'_>) -> Result<Response, Error> {
        let uri: Uri = request.url.parse().map_err(|e| Error::Internal {
            why: format!("a request to no URL: {e}"),
        })?;
        if Endpoint::origin_of(&uri) != self.endpoint.origin() {
            return Err(Error::Internal {
                why: "a request to another origin than the endpoint's".to_owned(),
            });
        }
        let mut headers = self.credentials.headers.clone();
        if let Some(value) = &self.credentials.authorization {
            headers.push(("authorization".to_owned(), value.clone()));
        }
        let cookies = self.now().jar.header(&self.credentials.cookies, &uri);
        headers.extend(cookies.map(|value| ("cookie".to_owned(), value)));
        request.headers = headers;
        let response = self.wire.exchange(request.again())?;
        self.now().jar.learn(&uri, &response.cookies);
        Ok(response)
    }

    /// Logs in if nobody is logged in; tells how often that has been done.
    fn log_in(&self, login: &Login) -> Result<u64, Error> {
        let one_at_a_time = &self.standing.logging_in;
        let _guard = one_at_a_time.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.now();
        if now.login != LoginState::Out {
            return Ok(now.round);
        }
        drop(now);
        let fields = login.fields.iter();
        let fields = fields.map(|(name, value)| (name.as_str(), value.text()));
        let form = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let form = Secret::new(form);
        let response = self.ask(&mut Request {
            method: "POST",
            url: login.endpoint.uri().to_string(),
            content_type: Some("application/x-www-form-urlencoded".to_owned()),
            headers: Vec::new(),
            body: Some(Body::Text(form.bytes())),
        })?;
        // Success looks like anything, most often like a redirect. A wrong password that is
        // answered with 200 shows in the next request.
        if response.status >= 400 {
            return Err(refusal(&response));
        }
        let mut now = self.now();
        now.login = LoginState::Fresh;
        now.round += 1;
        Ok(now.round)
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        let now = self.standing.now.lock();
        now.unwrap_or_else(PoisonError::into_inner)
    }
}
