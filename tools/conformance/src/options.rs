//! The command line.

use std::path::PathBuf;

use anyhow::{ensure, Result};
use clap::{Args, Parser};

use crate::form::Fields;
use crate::signer::{Algorithm, Signer};
use crate::target::Target;
use crate::visitor::Credentials;

/// Checks a receiver against docs/PROTOCOL.md, rule by rule, and prints what it found
///
/// Each check uses files of its own with random names. They and their uploads stay on the server,
/// since the protocol has no request that deletes them: about 150 of a few kilobytes each, and one of max_segment
/// bytes where the receiver announces that (up to 8 MiB). It can be run again and again against a
/// server that is in use.
///
/// Exit code: 0 when nothing failed, 1 when a check failed, 2 when nothing could be checked.
#[derive(Debug, Parser)]
#[command(name = "resup-conformance", version)]
pub struct Options {
    /// The receiver's endpoint, beginning with http:// or https://
    #[arg(required_unless_present = "list")]
    pub url: Option<String>,

    /// Run only the checks that have this word in their name or section
    #[arg(long, value_name = "WORD")]
    pub filter: Option<String>,

    /// Write one JSON object a line: one for each check, and one with the sums
    #[arg(long)]
    pub json: bool,

    /// List the checks, with what must hold, and run none
    #[arg(long)]
    pub list: bool,

    /// How long a check may take, in seconds; one that takes longer has failed
    #[arg(long, value_name = "SECONDS", default_value = "20",
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub time: u64,

    #[command(flatten)]
    pub user: User,

    /// Header for every request; may be given several times
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = header,
          env = "RESUP_CONFORMANCE_HEADERS", hide_env_values = true, value_delimiter = '\n')]
    pub headers: Vec<(String, String)>,

    /// Trust the authorities in this PEM file instead of the system's
    #[arg(long, value_name = "FILE")]
    pub cacert: Option<PathBuf>,

    /// The signing secret
    #[arg(
        long,
        value_name = "SECRET",
        env = "RESUP_CONFORMANCE_SECRET",
        hide_env_values = true
    )]
    pub secret: Option<String>,

    /// How forms are signed
    #[arg(long, value_name = "HOW", value_enum, default_value = "hmac-sha256")]
    pub algorithm: Algorithm,

    #[command(flatten)]
    pub other: OtherUser,
}

/// The user whose uploads are checked.
#[derive(Debug, Args)]
#[command(next_help_heading = "The user (better from the environment, which others cannot see)")]
pub struct User {
    /// HTTP Basic
    #[arg(long, value_name = "USER:PASSWORD", conflicts_with_all = ["token", "login"],
          env = "RESUP_CONFORMANCE_BASIC", hide_env_values = true)]
    pub basic: Option<String>,

    /// Bearer token
    #[arg(
        long,
        value_name = "TOKEN",
        conflicts_with = "login",
        env = "RESUP_CONFORMANCE_TOKEN",
        hide_env_values = true
    )]
    pub token: Option<String>,

    /// URL where the login form is sent, before the first request
    #[arg(long, value_name = "URL", env = "RESUP_CONFORMANCE_LOGIN")]
    pub login: Option<String>,

    /// A field of that form; may be given several times (in the environment: one a line)
    #[arg(long = "login-field", value_name = "NAME=VALUE", value_parser = pair, requires = "login",
          env = "RESUP_CONFORMANCE_LOGIN_FIELDS", hide_env_values = true, value_delimiter = '\n')]
    pub login_fields: Vec<(String, String)>,
}

/// A second user.
#[derive(Debug, Args)]
#[command(next_help_heading = "A second user, to whom the first one's uploads must not show")]
pub struct OtherUser {
    /// HTTP Basic
    #[arg(
        long,
        value_name = "USER:PASSWORD",
        conflicts_with = "other_token",
        env = "RESUP_CONFORMANCE_OTHER_BASIC",
        hide_env_values = true
    )]
    pub other_basic: Option<String>,

    /// Bearer token
    #[arg(
        long,
        value_name = "TOKEN",
        env = "RESUP_CONFORMANCE_OTHER_TOKEN",
        hide_env_values = true
    )]
    pub other_token: Option<String>,
}

impl Options {
    /// Reads the first user's credentials.
    pub fn credentials(&self, target: &Target) -> Result<Credentials> {
        let User {
            basic,
            token,
            login,
            login_fields,
        } = &self.user;
        if let Some(url) = given(login) {
            let login = Target::parse(&url, self.cacert.as_deref())?;
            ensure!(
                login.same_origin(target),
                "the login is at {}, the endpoint at {}: credentials go to one scheme, host and port only",
                login.authority,
                target.authority
            );
            return Ok(Credentials::Form(Box::new(login), login_fields.clone()));
        }
        Ok(credentials(basic, token))
    }

    /// Reads the second user's credentials.
    pub fn other_credentials(&self) -> Credentials {
        credentials(&self.other.other_basic, &self.other.other_token)
    }

    /// Reads what forms are signed with.
    pub fn signer(&self) -> Option<Signer> {
        let algorithm = self.algorithm;
        given(&self.secret).map(|secret| Signer { secret, algorithm })
    }

    /// The headers of every request.
    pub fn headers(&self) -> Fields {
        self.headers.clone()
    }
}

fn credentials(basic: &Option<String>, token: &Option<String>) -> Credentials {
    match (given(basic), given(token)) {
        (Some(basic), _) => Credentials::Basic(basic),
        (None, Some(token)) => Credentials::Token(token),
        (None, None) => Credentials::None,
    }
}

/// Returns a value that is not empty: an empty environment variable is none.
fn given(value: &Option<String>) -> Option<String> {
    value.clone().filter(|value| !value.is_empty())
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("write it as NAME: VALUE")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Options::command().debug_assert();
    }
}
