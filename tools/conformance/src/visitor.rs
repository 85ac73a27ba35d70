//! Users: their credentials, and the headers of their requests.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use base64::prelude::{Engine, BASE64_STANDARD};

use crate::connection::Connection;
use crate::form::{urlencoded, Fields};
use crate::request::head;
use crate::target::Target;

const LOGIN_TIME: Duration = Duration::from_secs(20);

/// The credentials of a user.
#[derive(Clone, Default)]
pub enum Credentials {
    #[default]
    None,
    /// HTTP Basic: `user:password`.
    Basic(String),
    /// A bearer token.
    Token(String),
    /// A login form, which is sent first. After that the user has cookies.
    Form(Box<Target>, Fields),
}

/// A user who is logged in, or nobody.
#[derive(Clone, Default)]
pub struct Visitor {
    /// The headers of each request, with the credentials.
    pub headers: Fields,
}

/// The error of a login that was refused.
#[derive(Debug)]
pub struct LoginRefused(String);

impl std::fmt::Display for LoginRefused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the login was refused: {}", self.0)
    }
}

impl std::error::Error for LoginRefused {}

impl Credentials {
    /// Returns whether there are credentials.
    pub fn exist(&self) -> bool {
        !matches!(self, Self::None)
    }

    /// Logs in, if there is a login form. `headers` are sent with each request.
    pub fn log_in(&self, headers: &Fields) -> Result<Visitor> {
        let mut visitor = Visitor {
            headers: headers.clone(),
        };
        let mut add = |name: &str, value: String| visitor.headers.push((name.to_owned(), value));
        match self {
            Self::None => {}
            Self::Basic(pair) => {
                add(
                    "Authorization",
                    format!("Basic {}", BASE64_STANDARD.encode(pair)),
                );
            }
            Self::Token(token) => add("Authorization", format!("Bearer {token}")),
            Self::Form(target, fields) => {
                let cookies = log_in(target, fields, headers)?;
                add("Cookie", cookies.join("; "));
            }
        }
        Ok(visitor)
    }

    /// Returns the credentials with a wrong password.
    pub fn with_wrong_password(&self) -> Self {
        match self {
            Self::None => Self::None,
            Self::Basic(pair) => Self::Basic(format!("{pair}x")),
            Self::Token(token) => Self::Token(format!("{token}x")),
            Self::Form(target, fields) => {
                let mut fields = fields.clone();
                let password = fields
                    .iter()
                    .position(|(name, _)| name.to_lowercase().contains("pass"))
                    .unwrap_or(fields.len().saturating_sub(1));
                if let Some(field) = fields.get_mut(password) {
                    field.1.push('x');
                }
                Self::Form(target.clone(), fields)
            }
        }
    }
}

/// Sends the login form. Returns the cookies of the response, each as `name=value`.
fn log_in(target: &Target, fields: &Fields, headers: &Fields) -> Result<Vec<String>> {
    let body = urlencoded(fields);
    let kind = "application/x-www-form-urlencoded";
    let length = Some((kind, body.len() as u64));
    let mut request = head(target, "POST", &target.path, headers, length);
    request.extend(body.bytes());
    let mut connection = Connection::open(target, Instant::now() + LOGIN_TIME)?;
    connection.write(&request)?;
    let response = connection.read_response().context("logging in")?;
    if response.status >= 400 {
        return Err(LoginRefused(response.summary()).into());
    }
    let headers = response.head.headers.iter();
    Ok(headers
        .filter(|(name, _)| name == "set-cookie")
        .filter_map(|(_, value)| value.split(';').next())
        .map(|pair| pair.trim().to_owned())
        .collect())
}
