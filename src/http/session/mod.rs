//! A session with the server: logs in where a login form is set, and adds credentials and cookies
//! to every request.
//!
//! [`SessionExchange`] does that for one connection, between it and the protocol. All uploads with
//! the same settings share a [`SessionState`].

mod cookie;
mod jar;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::{header, Uri};

use super::clock::clock_hint;
use super::credentials::{Credentials, Login};
use super::endpoint::Endpoint;
use super::exchange::{Exchange, Link};
use super::message::{Body, Needs, Request, Response};
use super::refusal::refusal;
use crate::error::Error;
use jar::Jar;

/// The cookies and the login that all uploads with the same settings share. (Other settings may
/// belong to another user.)
#[derive(Debug, Default)]
pub(crate) struct SessionState {
    current: Mutex<Current>,
    /// Held while logging in, so that one upload does it for all.
    logging_in: Mutex<()>,
}

#[derive(Debug, Default, Clone)]
struct Current {
    jar: Jar,
    login: LoginState,
    /// The number of logins so far. A response to a request of an earlier generation says nothing
    /// about the current session, and its cookies do not belong to it.
    generation: u64,
}

impl SessionState {
    /// Makes the session for a child of the process (`fork()`): a copy, for a thread of the parent
    /// may have held a lock. If it held the one on the cookies, the child logs in by itself.
    pub(crate) fn of_child(&self) -> Self {
        let current = self.current.try_lock();
        SessionState {
            current: Mutex::new(current.map(|current| current.clone()).unwrap_or_default()),
            logging_in: Mutex::default(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum LoginState {
    #[default]
    Out,
    /// Logged in, and no request accepted since.
    Fresh,
    In,
}

/// The history of one upload with the login, on all its connections. It tells an ended session from
/// a forbidden upload.
#[derive(Debug, Default)]
pub(crate) struct AuthHistory {
    /// The last generation in which a request was accepted.
    accepted: AtomicU64,
    /// The generation in which a send was rejected, if none was accepted since; else 0.
    rejected: AtomicU64,
}

impl AuthHistory {
    /// Notes that a send was rejected. That of a session before the last accepted one says nothing.
    fn reject(&self, generation: u64) {
        if generation >= self.accepted.load(Relaxed) {
            self.rejected.store(generation, Relaxed);
        }
    }

    /// Whether a send was rejected in an earlier session, and none accepted since. (Several sends at a
    /// time may find that one session has ended.)
    fn is_in_doubt(&self, generation: u64) -> bool {
        let rejected = self.rejected.load(Relaxed);
        rejected != 0 && rejected != generation
    }
}

/// An exchange with credentials.
pub(crate) struct SessionExchange<'a> {
    pub inner: Box<dyn Exchange + 'a>,
    pub credentials: &'a Credentials,
    /// Credentials go to the origin of this endpoint only.
    pub endpoint: &'a Endpoint,
    pub state: &'a SessionState,
    pub history: &'a AuthHistory,
}

impl Exchange for SessionExchange<'_> {
    fn exchange(&self, mut request: Request<'_>) -> Result<Response, Error> {
        let Some(login) = &self.credentials.login else {
            return self.send(&mut request, 0);
        };
        let is_send = !request.is_repeatable();
        let mut again = false;
        loop {
            let generation = self.log_in(login)?;
            let response = self.send(&mut request, generation)?;
            let mut current = self.current();
            let ours = current.generation == generation;
            let fresh = ours && current.login == LoginState::Fresh;
            if !is_rejected(&response) {
                if fresh {
                    current.login = LoginState::In;
                }
                self.history.accepted.fetch_max(generation, Relaxed);
                if is_send && response.is_settled() {
                    self.history.rejected.store(0, Relaxed);
                }
                return Ok(response);
            }
            // The upload is forbidden, and the session goes on, in two cases. Another login did not
            // help. Or a send was rejected before and none accepted since, and now this session
            // rejects a send, or the upload's first request.
            let in_doubt = self.history.is_in_doubt(generation);
            let never_accepted = self.history.accepted.load(Relaxed) != generation;
            let is_forbidden = again || in_doubt && (is_send || never_accepted);
            if fresh || ours && !is_forbidden {
                current.login = LoginState::Out;
            }
            drop(current);
            if fresh || is_forbidden {
                return Err(clock_hint(refusal(&response), &response).after_login());
            }
            if is_send {
                self.history.reject(generation);
                return Err(Error::SessionExpired {
                    host: self.endpoint.authority().to_owned(),
                });
            }
            again = true;
        }
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

/// Whether a response says, in one of the usual ways, that nobody is logged in.
fn is_rejected(response: &Response) -> bool {
    matches!(response.status, 401 | 403 | 301 | 302 | 303)
}

impl SessionExchange<'_> {
    /// Makes a request with credentials and cookies, as part of `generation`.
    fn send(&self, request: &mut Request<'_>, generation: u64) -> Result<Response, Error> {
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
        let cookies = self.current().jar.header(&self.credentials.cookies, &uri);
        headers.extend(cookies.map(|value| ("cookie".to_owned(), value)));
        let mut request = request.again();
        request.headers.extend(headers);
        let mut response = self.inner.exchange(request)?;
        response.scheme = self.credentials.scheme();
        let mut current = self.current();
        if current.generation == generation {
            let cookies = response.values(header::SET_COOKIE.as_str());
            let cookies: Vec<_> = cookies.map(Cow::into_owned).collect();
            current.jar.store(&uri, &cookies);
        }
        drop(current);
        Ok(response)
    }

    /// Logs in, unless the session is logged in. Gives the generation.
    fn log_in(&self, login: &Login) -> Result<u64, Error> {
        let one_at_a_time = &self.state.logging_in;
        let _guard = one_at_a_time.lock().unwrap_or_else(PoisonError::into_inner);
        let mut current = self.current();
        if current.login != LoginState::Out {
            return Ok(current.generation);
        }
        current.generation += 1;
        let generation = current.generation;
        drop(current);
        let form = login.form();
        let mut request = Request {
            method: "POST",
            url: login.endpoint.uri().to_string(),
            content_type: Some("application/x-www-form-urlencoded".to_owned()),
            headers: Vec::new(),
            body: Some(Body::Text(form.bytes())),
            needs: Needs::Head,
        };
        let response = self.send(&mut request, generation)?;
        // A login succeeds with any status, most often with a redirect. Where a wrong password gets
        // a 200, the next request shows it.
        if response.status >= 400 {
            let url = login.endpoint.uri().to_string();
            return Err(clock_hint(refusal(&response), &response).at_login(&url));
        }
        self.current().login = LoginState::Fresh;
        Ok(generation)
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        let current = self.state.current.lock();
        current.unwrap_or_else(PoisonError::into_inner)
    }
}
