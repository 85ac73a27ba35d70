//! A host's standing with its server: logs in where that is wanted, and lets credentials and
//! cookies go along with every request. [`Session`] does it for a link, between it and the
//! protocol.
#![forbid(unsafe_code)]

mod jar;
#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::Uri;

use crate::error::Error;
use crate::http::credentials::{Credentials, Login};
use crate::http::endpoint::Endpoint;
use crate::http::{Body, Needs, Request, Response, Wire};
use crate::protocol::refusal;
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
    /// Counts the logins that were begun. What was asked in an earlier round says nothing of this
    /// one's session, nor do its cookies belong to it.
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

/// How one upload has fared with it: tells a session that has ended from an upload that is
/// forbidden.
#[derive(Debug, Default)]
pub(crate) struct Fared {
    /// The last round in which a request was let in.
    let_in: Cell<u64>,
    /// A send was turned away, and none was taken since.
    send_in_doubt: Cell<bool>,
}

/// A link with credentials.
pub(crate) struct Session<'a> {
    pub wire: Box<dyn Wire + 'a>,
    pub credentials: &'a Credentials,
    /// The only origin that credentials go to is this one's.
    pub endpoint: &'a Endpoint,
    pub standing: &'a Standing,
    pub fared: &'a Fared,
}

impl Wire for Session<'_> {
    fn exchange(&self, mut request: Request<'_>) -> Result<Response, Error> {
        let Some(login) = &self.credentials.login else {
            return self.ask(&mut request, 0);
        };
        let is_send = !request.is_repeatable();
        let mut again = false;
        loop {
            let round = self.log_in(login)?;
            let response = self.ask(&mut request, round)?;
            let mut now = self.now();
            let ours = now.round == round;
            let fresh = ours && now.login == LoginState::Fresh;
            if !turned_away(&response) {
                if fresh {
                    now.login = LoginState::In;
                }
                self.fared.let_in.set(round);
                if is_send && response.status == 200 {
                    self.fared.send_in_doubt.set(false);
                }
                return Ok(response);
            }
            // Another login has been of no use. A session that has let this upload in may have
            // ended since; but where sends are forbidden, locates may well be let in.
            let in_doubt = self.fared.send_in_doubt.get();
            let of_no_use = again || in_doubt && (is_send || self.fared.let_in.get() != round);
            if fresh || ours && !of_no_use {
                now.login = LoginState::Out;
            }
            drop(now);
            if fresh || of_no_use {
                return Err(refusal(&response).not_let_in());
            }
            if is_send {
                self.fared.send_in_doubt.set(true);
                return Err(Error::SessionExpired {
                    host: self.endpoint.authority().to_owned(),
                });
            }
            again = true;
        }
    }
}

/// Whether an answer says, in one of the usual ways, that nobody is logged in.
fn turned_away(response: &Response) -> bool {
    matches!(response.status, 401 | 403 | 301 | 302 | 303)
}

impl Session<'_> {
    /// Makes a request with all that goes along, in this round.
    fn ask(&self, request: &mut Request<'_>, round: u64) -> Result<Response, Error> {
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
        let mut now = self.now();
        if now.round == round {
            now.jar.learn(&uri, &response.cookies);
        }
        drop(now);
        Ok(response)
    }

    /// Logs in if nobody is logged in; tells the round.
    fn log_in(&self, login: &Login) -> Result<u64, Error> {
        let one_at_a_time = &self.standing.logging_in;
        let _guard = one_at_a_time.lock().unwrap_or_else(PoisonError::into_inner);
        let mut now = self.now();
        if now.login != LoginState::Out {
            return Ok(now.round);
        }
        now.round += 1;
        let round = now.round;
        drop(now);
        let form = login.form();
        let mut request = Request {
            method: "POST",
            url: login.endpoint.uri().to_string(),
            content_type: Some("application/x-www-form-urlencoded".to_owned()),
            headers: Vec::new(),
            body: Some(Body::Text(form.bytes())),
            needs: Needs::Head,
        };
        let response = self.ask(&mut request, round)?;
        // Success looks like anything, most often like a redirect. A wrong password that is
        // answered with 200 shows in the next request.
        if response.status >= 400 {
            return Err(refusal(&response));
        }
        self.now().login = LoginState::Fresh;
        Ok(round)
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        let now = self.standing.now.lock();
        now.unwrap_or_else(PoisonError::into_inner)
    }
}
