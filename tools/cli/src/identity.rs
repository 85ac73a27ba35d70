//! The options about the user: logins, headers, signatures.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum, ValueHint};
use resup::{Client, SigningAlgorithm};

use crate::exit::Fault;
use crate::pairs::{header, pair, Pair};
use crate::secret::{self, Sources};

/// The options about the user.
///
/// Other users of the machine can see a command line, so each secret can come from another source too.
#[derive(Debug, Args)]
#[command(next_help_heading = "Who you are to the server")]
pub struct Identity {
    /// Log in with HTTP Basic authorization
    ///
    /// Without a password here, it comes from --password-file or RESUP_PASSWORD, or is asked
    /// for.
    #[arg(long, value_name = "USER[:PASSWORD]", conflicts_with_all = ["token", "token_file"])]
    basic: Option<String>,

    /// Log in with this bearer token, also from --token-file or RESUP_TOKEN
    #[arg(long, value_name = "TOKEN", conflicts_with = "token_file")]
    token: Option<String>,

    /// Read the bearer token from a file; "-" is standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    token_file: Option<PathBuf>,

    /// Log in by posting a form to this URL of the same server; cookies are kept
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url, requires = "login_fields")]
    login: Option<String>,

    /// Field of the login form; may be given several times
    ///
    /// The value of a field without one is the password, from --password-file or RESUP_PASSWORD, or it
    /// is asked for.
    #[arg(long = "login-field", value_name = "NAME[=VALUE]", requires = "login")]
    login_fields: Vec<String>,

    /// Read the password of --basic or --login from a file; "-" is standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    password_file: Option<PathBuf>,

    /// Header to send with every request, or @FILE with one a line; may be given several times
    #[arg(long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,

    /// Cookie to send with every request, or @FILE with one a line; may be given several times
    #[arg(long = "cookie", value_name = "NAME=VALUE")]
    cookies: Vec<String>,

    /// Sign each form with the secret in a file, or in RESUP_SIGN_SECRET; "-" is standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    sign_secret_file: Option<PathBuf>,

    /// How forms are signed
    #[arg(long, value_name = "HOW", value_enum, default_value = "hmac-sha256")]
    sign_algorithm: Algorithm,
}

impl Identity {
    /// Applies all options. Asks for a password that is missing.
    pub fn set(&self, client: &Client) -> Result<(), Fault> {
        self.set_authorization(client)?;
        self.set_login(client)?;
        for (name, value) in entries("header", &self.headers, header)? {
            client.set_header(&name, &value).map_err(Fault::usage)?;
        }
        for (name, value) in entries("cookie", &self.cookies, pair)? {
            client.set_cookie(&name, &value).map_err(Fault::usage)?;
        }
        let secret = Sources {
            what: "signing secret",
            given: None,
            file: self.sign_secret_file.as_deref(),
            variable: "RESUP_SIGN_SECRET",
        };
        if let Some(secret) = secret.find()? {
            let set = client.set_signing_secret(secret.as_bytes());
            set.map_err(Fault::usage)?;
            client.set_signing_algorithm(self.sign_algorithm.into());
        }
        Ok(())
    }

    fn set_authorization(&self, client: &Client) -> Result<(), Fault> {
        if let Some(basic) = &self.basic {
            let set = match basic.split_once(':') {
                Some((user, password)) => client.set_basic_auth(user, password),
                None => {
                    let password = self.password(&format!("password of {basic}"))?;
                    client.set_basic_auth(basic, &password)
                }
            };
            return set.map_err(Fault::usage);
        }
        let token = Sources {
            what: "token",
            given: self.token.as_deref(),
            file: self.token_file.as_deref(),
            variable: "RESUP_TOKEN",
        };
        match token.find()? {
            Some(token) => client.set_bearer_token(&token).map_err(Fault::usage),
            None => Ok(()),
        }
    }

    fn set_login(&self, client: &Client) -> Result<(), Fault> {
        let Some(url) = &self.login else {
            return Ok(());
        };
        client.set_login_form(url).map_err(Fault::usage)?;
        for field in &self.login_fields {
            let set = match field.split_once('=') {
                Some((name, value)) => client.set_login_field(name, value),
                None => client.set_login_field(field, &self.password("password")?),
            };
            set.map_err(Fault::usage)?;
        }
        Ok(())
    }

    fn password(&self, what: &str) -> Result<String, Fault> {
        let password = Sources {
            what,
            given: None,
            file: self.password_file.as_deref(),
            variable: "RESUP_PASSWORD",
        };
        password.find_or_ask("--password-file")
    }
}

/// Parses options and the lines of their files, in their order. Messages do not show a value, which may be a secret.
fn entries(
    what: &str,
    entries: &[String],
    parse: fn(&str) -> Result<Pair, String>,
) -> Result<Vec<Pair>, Fault> {
    let mut pairs = Vec::new();
    for entry in entries {
        match entry.strip_prefix('@') {
            Some(file) => pairs.extend(lines(what, Path::new(file), parse)?),
            None => pairs
                .push(parse(entry).map_err(|why| Fault::usage(format!("in a --{what} {why}")))?),
        }
    }
    Ok(pairs)
}

fn lines(
    what: &str,
    file: &Path,
    parse: fn(&str) -> Result<Pair, String>,
) -> Result<Vec<Pair>, Fault> {
    let text = secret::read(what, file)?;
    let lines = text.lines().enumerate();
    let filled = lines.filter(|(_, line)| !line.trim().is_empty());
    let pairs = filled.map(|(number, line)| {
        parse(line).map_err(|_| {
            Fault::usage(format!(
                "line {} of \"{}\" is no {what}",
                number + 1,
                file.display()
            ))
        })
    });
    pairs.collect()
}

/// A signing algorithm, as the option names it.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Algorithm {
    /// HMAC-SHA-256
    HmacSha256,
    /// HMAC-MD5, for old servers
    HmacMd5,
}

impl From<Algorithm> for SigningAlgorithm {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::HmacSha256 => SigningAlgorithm::HmacSha256,
            Algorithm::HmacMd5 => SigningAlgorithm::HmacMd5,
        }
    }
}
