//! The commands that manage users and tokens, also while a receiver is running.

use std::io::{self, BufRead, BufReader, IsTerminal, Read};
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{bail, Context};
use console::Term;

use crate::accounts::hash::hash;
use crate::accounts::users::Users;
use crate::accounts::{names, passwords};
use crate::config::command::{TokenCommand, UserCommand};

/// The largest number of bytes that are read of a password file or of standard input.
const MAX_INPUT: u64 = 4096;

/// Runs a command for users. Returns what it says.
pub async fn run_user(users: &Users, command: UserCommand) -> anyhow::Result<String> {
    match command {
        UserCommand::Add {
            name,
            password_file,
            admin,
        } => {
            if let Err(why) = names::check(&name) {
                bail!("'{}' cannot be a user's name: {why}", name.escape_debug());
            }
            let hash = new_password(&name, password_file.as_deref())?;
            if !users.add(&name, &hash, admin).await? {
                bail!("there is a user '{name}' already, or one that differs in case only");
            }
            Ok(format!("added the user {name}\n"))
        }
        UserCommand::Admin { name, revoke } => {
            if !users.set_admin(&name, !revoke).await? {
                return Err(no_user(&name));
            }
            let says = if revoke { "no longer an" } else { "an" };
            Ok(format!("{name} is {says} admin\n"))
        }
        UserCommand::Passwd {
            name,
            password_file,
        } => {
            // Before anybody has to type a password.
            if users.password(&name).await?.is_none() {
                return Err(no_user(&name));
            }
            let hash = new_password(&name, password_file.as_deref())?;
            if !users.set_password(&name, &hash).await? {
                return Err(no_user(&name));
            }
            Ok(format!(
                "changed the password of {name}; logins with the old one have ended\n"
            ))
        }
        UserCommand::List => {
            let mut list = String::new();
            for user in users.list().await? {
                let (since, tokens) = (date(user.created), user.tokens);
                let admin = if user.is_admin { "\tadmin" } else { "" };
                list += &format!("{}\t{tokens} tokens\tsince {since}{admin}\n", user.name);
            }
            Ok(list)
        }
        UserCommand::Remove { name } => {
            if !users.remove(&name).await? {
                return Err(no_user(&name));
            }
            let mut message = format!(
                "removed the user {name}; the uploads stay, and belong to the next user of that name\n"
            );
            if !users.any().await? {
                message +=
                    "that was the last one: a receiver on 127.0.0.1 now takes uploads from anyone on \
                         this machine\n";
            }
            Ok(message)
        }
    }
}

/// Runs a command for tokens. Returns what it says.
pub async fn run_token(users: &Users, command: TokenCommand) -> anyhow::Result<String> {
    match command {
        TokenCommand::Add { user, label } => {
            if label.len() > 100 || label.contains(char::is_control) {
                bail!("a label has 100 bytes at most, and no control characters");
            }
            let added = users.add_token(&user, &label).await?;
            let token = added.ok_or_else(|| no_user(&user))?;
            eprintln!("a token for {user}, shown this once only:");
            Ok(format!("{token}\n"))
        }
        TokenCommand::List { user } => {
            let mut list = String::new();
            for token in users.tokens(user.as_deref()).await? {
                let (since, label) = (date(token.created), token.label);
                list += &format!("{}\t{}\tsince {since}\t{label}\n", token.id, token.owner);
            }
            Ok(list)
        }
        TokenCommand::Revoke { id } => {
            if !users.revoke_token(&id).await? {
                bail!(
                    "there is no token '{}'; 'token list' shows them",
                    id.escape_debug()
                );
            }
            Ok(format!("revoked the token {id}\n"))
        }
    }
}

fn no_user(name: &str) -> anyhow::Error {
    let name = name.escape_debug();
    anyhow::anyhow!("there is no user '{name}'; 'user list' shows them")
}

/// Reads a new password and returns its hash. It is never an argument, since every process could see it.
fn new_password(user: &str, file: Option<&Path>) -> anyhow::Result<String> {
    let password = match file {
        Some(path) => {
            let name = path.display();
            let file = std::fs::File::open(path);
            first_line(file.with_context(|| format!("cannot open the password file {name}"))?)
                .with_context(|| format!("cannot read the password file {name}"))?
        }
        None if io::stdin().is_terminal() => ask(user)?,
        None => first_line(io::stdin()).context("cannot read the password from standard input")?,
    };
    passwords::check(&password).map_err(anyhow::Error::msg)?;
    hash(&password)
}

/// Asks on the terminal without showing what is typed.
fn ask(user: &str) -> anyhow::Result<String> {
    let term = Term::stderr();
    let answer = |question: &str| {
        term.write_str(question)?;
        term.read_secure_line()
    };
    let password = answer(&format!("password for {user}: "))?;
    if answer("again: ")? != password {
        bail!("the two passwords are not the same");
    }
    Ok(password)
}

fn first_line(from: impl Read) -> io::Result<String> {
    let mut line = String::new();
    BufReader::new(from.take(MAX_INPUT)).read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn date(milliseconds: i64) -> String {
    let since = Duration::from_millis(milliseconds.max(0).unsigned_abs());
    httpdate::fmt_http_date(UNIX_EPOCH + since)
}
