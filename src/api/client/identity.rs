//! A client's settings of credentials.
//!
//! All of them are bound to the endpoint's scheme, host and port: they are never sent anywhere
//! else.

use super::Client;
use crate::error::Error;
use crate::http::credentials::SigningAlgorithm;
use crate::http::secret::Secret;

impl Client {
    /// Logs in before the first request, and again when the server rejects a later one, by a `POST`
    /// of the [login fields](Self::set_login_field) to this URL; cookies are kept. Any response
    /// with a status below 400 counts as a login until the next request shows otherwise.
    ///
    /// # Errors
    /// [`Error::InvalidUrl`] for anything but a URL of the endpoint's scheme, host and port.
    pub fn set_login_form(&self, url: &str) -> Result<(), Error> {
        let mut state = self.lock();
        let options = state.change();
        let origin = options.connection.endpoint.origin();
        options.credentials.set_login(url, &origin)
    }

    /// Sets a field of the login form, such as the user name or the password. Setting a name again
    /// replaces its value.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for an empty name, or before
    /// [`set_login_form`](Self::set_login_form).
    pub fn set_login_field(&self, name: &str, value: &str) -> Result<(), Error> {
        self.lock()
            .change()
            .credentials
            .set_login_field(name, value)
    }

    /// Sets Basic authorization (RFC 7617) for every request, in place of another authorization.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for control characters, an empty user, or one with a colon.
    pub fn set_basic_auth(&self, user: &str, password: &str) -> Result<(), Error> {
        self.lock().change().credentials.set_basic(user, password)
    }

    /// Sets a bearer token (RFC 6750) for every request, in place of another authorization.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for an empty token, or other characters than printable ASCII.
    pub fn set_bearer_token(&self, token: &str) -> Result<(), Error> {
        self.lock().change().credentials.set_bearer(token)
    }

    /// Sets a header for every request. Setting a name again replaces its value. The value is
    /// treated as a secret.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for an invalid header, or one that the library sets itself.
    pub fn set_header(&self, name: &str, value: &str) -> Result<(), Error> {
        self.lock().change().credentials.set_header(name, value)
    }

    /// Sets a cookie for every request, beside those that the server sets. Setting a name again
    /// replaces its value.
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for a name or value that no cookie can have (RFC 6265, 4.1.1).
    pub fn set_cookie(&self, name: &str, value: &str) -> Result<(), Error> {
        self.lock().change().credentials.set_cookie(name, value)
    }

    /// Signs every form with this secret (docs/PROTOCOL.md, "Signing").
    ///
    /// # Errors
    /// [`Error::InvalidArgument`] for an empty secret.
    pub fn set_signing_secret(&self, secret: &[u8]) -> Result<(), Error> {
        if secret.is_empty() {
            return Err(Error::InvalidArgument {
                what: "signing secret",
                why: "must not be empty".to_owned(),
            });
        }
        self.lock().change().credentials.signing = Some(Secret::new(secret));
        Ok(())
    }

    /// Sets the algorithm of signatures, for forms that are signed.
    pub fn set_signing_algorithm(&self, algorithm: SigningAlgorithm) {
        self.lock().change().credentials.algorithm = algorithm;
    }
}
