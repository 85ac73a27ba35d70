//! Credentials: the headers and cookies of every request, the login form, and the signing secret.
//!
//! All of them are bound to the endpoint's origin, and are never sent to another one: redirects to
//! another origin are not followed, and login forms of another origin are refused.

use super::challenge::SUPPORTED;
use super::check::check_line;
use super::endpoint::{Endpoint, Origin};
use super::secret::{basic, Secret};
use crate::error::Error;

/// The algorithm of signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SigningAlgorithm {
    /// HMAC-SHA-256 (RFC 2104, FIPS 180-4). The default.
    #[default]
    HmacSha256,
    /// HMAC-MD5 (RFC 2104), for old servers that support no other.
    HmacMd5,
}

/// The credentials of a client.
#[derive(Debug, Clone, Default)]
pub(crate) struct Credentials {
    /// The value of the `Authorization` header.
    pub authorization: Option<Secret>,
    /// Further headers, names in lower case.
    pub headers: Vec<(String, Secret)>,
    /// The program's own cookies.
    pub cookies: Vec<(String, Secret)>,
    /// The login form.
    pub login: Option<Login>,
    pub signing: Option<Secret>,
    pub algorithm: SigningAlgorithm,
}

/// A login form.
#[derive(Debug, Clone)]
pub(crate) struct Login {
    pub endpoint: Endpoint,
    pub fields: Vec<(String, Secret)>,
}

impl Login {
    /// Writes the form for the `POST`.
    pub(crate) fn form(&self) -> Secret {
        let pairs = self
            .fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.text()));
        // The string never grows, so no copy of a secret stays behind in freed memory.
        let longest = pairs
            .clone()
            .map(|(name, value)| 3 * (name.len() + value.len()) + 2);
        let form = form_urlencoded::Serializer::new(String::with_capacity(longest.sum()))
            .extend_pairs(pairs)
            .finish();
        Secret::new(form)
    }
}

/// The headers that the library sets itself, or that would change the meaning of a request.
const OWN_HEADERS: [&str; 14] = [
    "accept",
    "accept-encoding",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];

impl Credentials {
    /// Gives the scheme of the authorization: one of [`SUPPORTED`], or `""` for another one.
    pub(crate) fn scheme(&self) -> Option<&'static str> {
        let value = self.authorization.as_ref()?.text();
        let scheme = value.split(' ').next().unwrap_or_default();
        let known = SUPPORTED.iter().find(|it| it.eq_ignore_ascii_case(scheme));
        Some(known.copied().unwrap_or_default())
    }

    pub(crate) fn set_header(&mut self, name: &str, value: &str) -> Result<(), Error> {
        let bad = |why: String| Error::InvalidArgument {
            what: "header",
            why,
        };
        let lower_case = http::HeaderName::from_bytes(name.as_bytes())
            .map_err(|_| bad(format!("\"{name}\" is not a valid header name")))?;
        let name = lower_case.as_str();
        if OWN_HEADERS.contains(&name) || name.starts_with("proxy-") {
            let way_out = match name {
                "cookie" => "set a cookie instead",
                "user-agent" => "set the user agent instead",
                name if name.starts_with("proxy-") => {
                    "write user and password into the proxy's URL"
                }
                _ => "the library sets it",
            };
            return Err(bad(format!("\"{name}\" cannot be set: {way_out}")));
        }
        if !value
            .bytes()
            .all(|byte| matches!(byte, b'\t' | 0x20..=0x7e | 0x80..))
        {
            let why = format!("\"{name}\" has a value with control characters");
            return Err(bad(why));
        }
        self.headers.retain(|(other, _)| other != name);
        if name == "authorization" {
            self.authorization = Some(Secret::new(value));
            return Ok(());
        }
        self.headers.push((name.to_owned(), Secret::new(value)));
        Ok(())
    }

    pub(crate) fn set_bearer(&mut self, token: &str) -> Result<(), Error> {
        // RFC 6750, 2.1 allows only a b64token; servers may use other printable characters.
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::InvalidArgument {
                what: "bearer token",
                why: "is empty or has characters other than printable ASCII".to_owned(),
            });
        }
        self.authorization = Some(Secret::new(format!("Bearer {token}")));
        Ok(())
    }

    pub(crate) fn set_basic(&mut self, user: &str, password: &str) -> Result<(), Error> {
        let user = check_line("user", user)?;
        let why = if user.contains(':') {
            "contains a colon, and Basic authorization cannot have one there"
        } else if password.chars().any(char::is_control) {
            "has a password with control characters"
        } else {
            let password = Secret::new(password);
            self.authorization = Some(basic(&user, &password));
            return Ok(());
        };
        Err(Error::InvalidArgument {
            what: "user",
            why: why.to_owned(),
        })
    }

    pub(crate) fn set_cookie(&mut self, name: &str, value: &str) -> Result<(), Error> {
        // RFC 6265, 4.1.1: a token, and octets without separators.
        let token = |byte: u8| byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?={}".contains(&byte);
        let octet = |byte: u8| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte);
        let wrong = if name.is_empty() || !name.bytes().all(token) {
            format!("\"{name}\" is not a valid cookie name")
        } else if !value.bytes().all(octet) {
            format!("\"{name}\" has a value with blanks, quotes, commas, semicolons or non-ASCII; encode it")
        } else {
            self.cookies.retain(|(other, _)| other != name);
            self.cookies.push((name.to_owned(), Secret::new(value)));
            return Ok(());
        };
        Err(Error::InvalidArgument {
            what: "cookie",
            why: wrong,
        })
    }

    pub(crate) fn set_login(&mut self, url: &str, origin: &Origin) -> Result<(), Error> {
        let endpoint = Endpoint::parse(url)?;
        if endpoint.origin() != *origin {
            return Err(Error::InvalidUrl {
                url: url.to_owned(),
                why: format!(
                    "a login form must have the endpoint's scheme, host and port, which are {origin}"
                ),
            });
        }
        let fields = match self.login.take() {
            Some(login) => login.fields,
            None => Vec::new(),
        };
        self.login = Some(Login { endpoint, fields });
        Ok(())
    }

    pub(crate) fn set_login_field(&mut self, name: &str, value: &str) -> Result<(), Error> {
        let bad = |why: &str| Error::InvalidArgument {
            what: "login field",
            why: why.to_owned(),
        };
        if name.is_empty() {
            return Err(bad("has an empty name"));
        }
        let Some(login) = &mut self.login else {
            return Err(bad("has no login form yet: set the login form first"));
        };
        login.fields.retain(|(other, _)| other != name);
        login.fields.push((name.to_owned(), Secret::new(value)));
        Ok(())
    }
}
