//! The command line.

use std::path::PathBuf;

use anyhow::{ensure, Result};
use clap::{Args, Parser};

use crate::form::Fields;
use crate::signer::{Algorithm, Signer};
use crate::target::Target;
use crate::visitor::Credentials;

/// Checks a receiver against docs/PROTOCOL.md, rule by rule, and prints the results
///
/// Each check uploads files of its own with random names, so the server may be in use. The files
/// stay on the server, since the protocol has no request that deletes them: about 150 of a few
/// kilobytes each in every run. If the receiver announces a max_segment of at most 8 MiB, there is
/// also one of that size.
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

    /// Write one JSON object per line: one for each check, then one with the sums
    #[arg(long)]
    pub json: bool,

    /// List the checks and their rules, and run none
    #[arg(long)]
    pub list: bool,

    /// Time limit for each check; a check that takes longer fails
    #[arg(long, value_name = "SECONDS", default_value = "20",
          value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub time: u64,

    /// Header for every request; may be given several times (in the environment: one per line)
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = header,
          env = "RESUP_CONFORMANCE_HEADERS", hide_env_values = true, value_delimiter = '\n')]
    pub headers: Vec<(String, String)>,

    /// Trust the CA certificates in this PEM file instead of the system's
    #[arg(long, value_name = "FILE")]
    pub cacert: Option<PathBuf>,

    /// Secret that signs forms
    #[arg(
        long,
        value_name = "SECRET",
        env = "RESUP_CONFORMANCE_SECRET",
        hide_env_values = true
    )]
    pub secret: Option<String>,

    /// How to sign forms
    #[arg(long, value_name = "HOW", value_enum, default_value = "hmac-sha256")]
    pub algorithm: Algorithm,

    #[command(flatten)]
    pub user: User,

    #[command(flatten)]
    pub other: OtherUser,
}

/// The user whose uploads are checked.
#[derive(Debug, Args)]
#[command(
    next_help_heading = "The user (prefer the environment: other users of the machine can see the command line)"
)]
pub struct User {
    /// User name and password for HTTP Basic authorization
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

    /// URL to send the login form to, before the first request
    #[arg(long, value_name = "URL", env = "RESUP_CONFORMANCE_LOGIN")]
    pub login: Option<String>,

    /// Field of the login form; may be given several times (in the environment: one per line)
    #[arg(long = "login-field", value_name = "NAME=VALUE", value_parser = pair, requires = "login",
          env = "RESUP_CONFORMANCE_LOGIN_FIELDS", hide_env_values = true, value_delimiter = '\n')]
    pub login_fields: Vec<(String, String)>,
}

/// A second user.
#[derive(Debug, Args)]
#[command(next_help_heading = "A second user, who must not see the uploads of the first one")]
pub struct OtherUser {
    /// User name and password for HTTP Basic authorization
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
        if let Some(url) = non_empty(login) {
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

    /// Makes the signer of forms, if there is a secret.
    pub fn signer(&self) -> Option<Signer> {
        let algorithm = self.algorithm;
        non_empty(&self.secret).map(|secret| Signer { secret, algorithm })
    }

    /// Returns the headers for every request.
    pub fn headers(&self) -> Fields {
        self.headers.clone()
    }
}

fn credentials(basic: &Option<String>, token: &Option<String>) -> Credentials {
    match (non_empty(basic), non_empty(token)) {
        (Some(basic), _) => Credentials::Basic(basic),
        (None, Some(token)) => Credentials::Token(token),
        (None, None) => Credentials::None,
    }
}

/// Returns the value unless it is empty: an empty environment variable counts as missing.
fn non_empty(value: &Option<String>) -> Option<String> {
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
