//! The options about the user: logins, headers, signatures.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum, ValueHint};
use resup::{Client, SigningAlgorithm};

use crate::exit::Fault;
use crate::messages::{text, tr};
use crate::pairs::{header, pair, Pair};
use crate::secret::{self, Sources};

/// The options about the user.
///
/// Other users of the machine can see a command line, so each secret can come from another source
/// too.
#[derive(Debug, Args)]
#[command(next_help_heading = "Logins, headers and signatures")]
pub struct Identity {
    /// Log in with HTTP Basic authorization
    ///
    /// Without a password here, it is read from --password-file, RESUP_PASSWORD or the terminal.
    #[arg(long, value_name = "USER[:PASSWORD]", conflicts_with_all = ["token", "token_file"])]
    basic: Option<String>,

    /// Log in with this bearer token, or that of --token-file or RESUP_TOKEN
    #[arg(long, value_name = "TOKEN", conflicts_with = "token_file")]
    token: Option<String>,

    /// Read the bearer token from a file; "-" is standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    token_file: Option<PathBuf>,

    /// Log in by sending a form to this URL of the same server, and keep its cookies
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url, requires = "login_fields")]
    login: Option<String>,

    /// Field of the login form; may be given several times
    ///
    /// A NAME without a VALUE is the password's field. The password is read from --password-file,
    /// RESUP_PASSWORD or the terminal.
    #[arg(long = "login-field", value_name = "NAME[=VALUE]", requires = "login")]
    login_fields: Vec<String>,

    /// Read the password of --basic or --login from a file; "-" is standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    password_file: Option<PathBuf>,

    /// Header to send with every request, or @FILE with one per line; may be given several times
    #[arg(long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,

    /// Cookie to send with every request, or @FILE with one per line; may be given several times
    #[arg(long = "cookie", value_name = "NAME=VALUE")]
    cookies: Vec<String>,

    /// Sign each form with the secret in a file, or in RESUP_SIGN_SECRET; "-" is standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    sign_secret_file: Option<PathBuf>,

    /// How to sign forms
    #[arg(long, value_name = "HOW", value_enum, default_value = "hmac-sha256")]
    sign_algorithm: Algorithm,
}

impl Identity {
    /// Whether a secret is read from standard input.
    pub fn reads_stdin(&self) -> bool {
        let files = [
            &self.token_file,
            &self.password_file,
            &self.sign_secret_file,
        ];
        let mut named = files.into_iter().flatten();
        let mut entries = self.headers.iter().chain(&self.cookies);
        named.any(|file| file.as_os_str() == "-") || entries.any(|entry| entry == "@-")
    }

    /// Applies all options. Asks for the password if it is missing. `unchecked` is the option that chooses
    /// a way without signatures.
    pub fn set(&self, client: &Client, unchecked: Option<String>) -> Result<(), Fault> {
        self.set_authorization(client)?;
        self.set_login(client)?;
        for (name, value) in entries("header", &self.headers, header)? {
            client.set_header(&name, &value).map_err(Fault::usage)?;
        }
        for (name, value) in entries("cookie", &self.cookies, pair)? {
            client.set_cookie(&name, &value).map_err(Fault::usage)?;
        }
        let secret = Sources {
            what: text("signing secret"),
            argument: None,
            file: self.sign_secret_file.as_deref(),
            variable: "RESUP_SIGN_SECRET",
        };
        if let Some(secret) = secret.find()? {
            if let Some(option) = unchecked {
                return Err(Fault::usage(tr!(
                    "--sign-secret-file or RESUP_SIGN_SECRET signs forms, and {option} has \
                     no signatures: leave out one of them",
                    option
                )));
            }
            client
                .set_signing_secret(secret.as_bytes())
                .map_err(Fault::usage)?;
            client.set_signing_algorithm(self.sign_algorithm.into());
        }
        Ok(())
    }

    fn set_authorization(&self, client: &Client) -> Result<(), Fault> {
        if let Some(basic) = &self.basic {
            let set = match basic.split_once(':') {
                Some((user, password)) => client.set_basic_auth(user, password),
                None => {
                    let password = self.password(&tr!("password of {user}", user = basic))?;
                    client.set_basic_auth(basic, &password)
                }
            };
            return set.map_err(Fault::usage);
        }
        let token = Sources {
            what: text("token"),
            argument: self.token.as_deref(),
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
                None => client.set_login_field(field, &self.password(text("password"))?),
            };
            set.map_err(Fault::usage)?;
        }
        Ok(())
    }

    fn password(&self, what: &str) -> Result<String, Fault> {
        let password = Sources {
            what,
            argument: None,
            file: self.password_file.as_deref(),
            variable: "RESUP_PASSWORD",
        };
        password.find_or_ask("--password-file")
    }
}

/// Parses an option's values, and the lines of the files among them, in this order. Messages do not
/// show values, which may be secrets.
fn entries(
    what: &str,
    entries: &[String],
    parse: fn(&str) -> Result<Pair, String>,
) -> Result<Vec<Pair>, Fault> {
    let mut pairs = Vec::new();
    for entry in entries {
        match entry.strip_prefix('@') {
            Some(file) => pairs.extend(lines(what, Path::new(file), parse)?),
            None => pairs.push(
                parse(entry).map_err(|why| Fault::usage(tr!("in a --{what} {why}", what, why)))?,
            ),
        }
    }
    Ok(pairs)
}

fn lines(
    what: &str,
    file: &Path,
    parse: fn(&str) -> Result<Pair, String>,
) -> Result<Vec<Pair>, Fault> {
    let mut pairs = Vec::new();
    for (index, line) in secret::read(text(what), file)?.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let pair = parse(line).map_err(|why| {
            let (number, path) = (index + 1, file.display());
            Fault::usage(tr!(
                "in line {number} of \"{path}\" {why}",
                number,
                path,
                why
            ))
        })?;
        pairs.push(pair);
    }
    Ok(pairs)
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
