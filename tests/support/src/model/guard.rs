//! Access: logins and signatures.

use std::collections::HashSet;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::prelude::{Engine, BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};

use super::{Flaw, Options};
use crate::files::hex;
use crate::head::RequestHead;
use crate::uploads::{get, Fields, Response};

/// How far a `ts` may differ from the time of the receiver, in seconds.
const MAX_SKEW: u64 = 300;

/// A user of a model receiver: all three ways to log in work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// For HTTP Basic and the form at `/login`, whose fields are `user` and `password`.
    pub user: String,
    /// The password.
    pub password: String,
    /// The bearer token.
    pub token: String,
}

/// A signing secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    /// Its bytes.
    pub text: String,
    /// HMAC-MD5 instead of HMAC-SHA-256.
    pub md5: bool,
}

/// The sessions and nonces so far.
#[derive(Default)]
pub(crate) struct Guard {
    sessions: Vec<(String, String)>,
    nonces: HashSet<String>,
}

impl Guard {
    /// Checks a login form; returns the cookie of the new session.
    pub(crate) fn log_in(&mut self, fields: &Fields, options: &Options) -> Option<String> {
        let (user, password) = (get(fields, "user")?, get(fields, "password")?);
        let account = find(options, user, password)?;
        let session = format!("{:032x}", fastrand::u128(..));
        if options.has(Flaw::OneSession) {
            self.sessions.clear();
        }
        self.sessions.push((session.clone(), account.user.clone()));
        Some(format!("session={session}"))
    }

    /// Forgets all sessions.
    pub(crate) fn end_sessions(&mut self) {
        self.sessions.clear();
    }

    /// Finds the owner of a request; `Some("")` if there are no accounts.
    pub(crate) fn owner(&self, head: &RequestHead, options: &Options) -> Option<String> {
        if options.accounts.is_empty() {
            return Some(String::new());
        }
        let shown = head.header("authorization").unwrap_or_default();
        let account = if let Some(token) = shown.strip_prefix("Bearer ") {
            let mut accounts = options.accounts.iter();
            accounts.find(|account| account.token == token)
        } else if let Some(pair) = shown.strip_prefix("Basic ") {
            let pair = from_base64(pair)?;
            let (user, password) = pair.split_once(':')?;
            find(options, user, password)
        } else {
            None
        };
        if let Some(account) = account {
            return Some(account.user.clone());
        }
        let cookies = head.header("cookie").unwrap_or_default();
        let session = self.sessions.iter().find(|(session, _)| {
            let mut cookies = cookies.split("; ");
            cookies.any(|cookie| cookie.strip_prefix("session=") == Some(session))
        });
        match session {
            Some((_, user)) => Some(user.clone()),
            None if options.has(Flaw::LetsAllIn) => Some(String::new()),
            None => None,
        }
    }

    /// Checks the signature of the fields before a file, or of all there are.
    pub(crate) fn check(&mut self, fields: &Fields, options: &Options) -> Result<(), Response> {
        let Some(secret) = &options.secret else {
            return Ok(());
        };
        let (Some(sign), Some(ts), Some(nonce)) =
            (get(fields, "sign"), get(fields, "ts"), get(fields, "nonce"))
        else {
            return match options.has(Flaw::Unsigned) {
                true => Ok(()),
                false => Err(forbidden()),
            };
        };
        let known = |name: &str| !options.has(Flaw::ExtraUnsigned) || KNOWN.contains(&name);
        let mut fields = fields.clone();
        fields.retain(|(name, _)| name != "sign" && known(name));
        if options.has(Flaw::NamesDecoded) {
            for (name, _) in &mut fields {
                *name = name.replace("%22", "\"");
            }
        }
        let right = secret.sign(fields.iter()) == sign || options.has(Flaw::AnySecret);
        let ts: u64 = ts.parse().map_err(|_| forbidden())?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let off = now.unwrap_or_default().as_secs().abs_diff(ts);
        let timely = off <= MAX_SKEW || options.has(Flaw::AnyTime);
        if !right || !timely {
            return Err(forbidden());
        }
        match self.nonces.insert(nonce.to_owned()) || options.has(Flaw::AnyNonce) {
            true => Ok(()),
            false => Err(forbidden()),
        }
    }

    /// Checks the signature of the fields after a file.
    pub(crate) fn check_tail(
        tail: &Fields,
        fields: &Fields,
        options: &Options,
    ) -> Result<(), Response> {
        let Some(secret) = &options.secret else {
            return Ok(());
        };
        let sign = fields.iter().filter(|(name, _)| name == "sign");
        let signed = tail.iter().filter(|(name, _)| name != "sign_tail");
        let due = secret.sign(signed.chain(sign));
        let right = get(tail, "sign_tail") == Some(&due);
        match right || options.has(Flaw::TailUnsigned) || options.has(Flaw::AnySecret) {
            true => Ok(()),
            false => Err(forbidden()),
        }
    }
}

/// The fields that every locate and send may have.
const KNOWN: [&str; 20] = [
    "action", "name", "size", "mtime", "dir", "user", "md5", "sha256", "blake3", "digests",
    "digest", "prefix", "id", "offset", "length", "part", "restart", "discard", "ts", "nonce",
];

impl Secret {
    fn sign<'f>(&self, fields: impl Iterator<Item = &'f (String, String)>) -> String {
        let line = |(name, value): &(String, String)| format!("{}={}", encode(name), encode(value));
        let mut lines: Vec<_> = fields.map(line).collect();
        lines.sort();
        let text = lines.join("\n");
        match self.md5 {
            true => hmac::<Hmac<md5::Md5>>(&self.text, &text),
            false => hmac::<Hmac<sha2::Sha256>>(&self.text, &text),
        }
    }
}

fn hmac<M: Mac + KeyInit>(secret: &str, text: &str) -> String {
    let mut mac = <M as KeyInit>::new_from_slice(secret.as_bytes()).expect("a key of any length");
    mac.update(text.as_bytes());
    hex(&mac.finalize().into_bytes())
}

fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

fn find<'o>(options: &'o Options, user: &str, password: &str) -> Option<&'o Account> {
    options.accounts.iter().find(|account| {
        account.user == user && (account.password == password || options.has(Flaw::AnyPassword))
    })
}

/// Makes the response to all wrong signatures, which gives no reason.
fn forbidden() -> Response {
    Response::error(403, "not allowed")
}

fn from_base64(text: &str) -> Option<String> {
    String::from_utf8(BASE64_STANDARD.decode(text).ok()?).ok()
}
