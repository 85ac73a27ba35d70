//! The commands that manage users and tokens; also while a receiver is running.

use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use anyhow::{bail, Context};
use clap::Subcommand;
use console::Term;

use crate::accounts::{names, passwords, Accounts};

/// The longest password file, or line of standard input, that is read.
const MAX_PASSWORD: u64 = 4096;

/// What to do instead of receiving.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Manage the users
    #[command(subcommand)]
    User(UserCommand),
    /// Manage the tokens by which programs log in
    #[command(subcommand)]
    Token(TokenCommand),
}

/// What to do with users.
#[derive(Debug, Clone, Subcommand)]
pub enum UserCommand {
    /// Add a user
    Add {
        /// The name; it becomes a directory's name too
        name: String,
        /// File with the password [default: asked for, or a line of standard input]
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
    /// Change a user's password, and end all logins with the old one
    Passwd {
        /// The user
        name: String,
        /// File with the password [default: asked for, or a line of standard input]
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
    },
    /// List the users
    List,
    /// Remove a user with all tokens and logins; what was uploaded stays
    Remove {
        /// The user
        name: String,
    },
}

/// What to do with tokens.
#[derive(Debug, Clone, Subcommand)]
pub enum TokenCommand {
    /// Make a token and print it; it is shown this once only
    Add {
        /// Whose uploads it is for
        user: String,
        /// What it is to be called in lists
        #[arg(long, value_name = "TEXT", default_value = "")]
        label: String,
    },
    /// List the tokens
    List {
        /// Only this user's
        user: Option<String>,
    },
    /// Make a token worthless
    Revoke {
        /// Its id, as the list shows it
        id: String,
    },
}

/// Does it.
pub async fn run(accounts: &Accounts, command: Command) -> anyhow::Result<()> {
    let done = match command {
        Command::User(command) => users(accounts, command).await?,
        Command::Token(command) => tokens(accounts, command).await?,
    };
    io::stdout().write_all(done.as_bytes())?;
    Ok(())
}

async fn users(accounts: &Accounts, command: UserCommand) -> anyhow::Result<String> {
    match command {
        UserCommand::Add {
            name,
            password_file,
        } => {
            if let Err(why) = names::check(&name) {
                bail!("'{}' cannot be a user's name: {why}", name.escape_debug());
            }
            let hash = new_password(&name, password_file.as_deref())?;
            if !accounts.add_user(&name, &hash).await? {
                bail!("there is a user '{name}' already, or one that differs in case only");
            }
            Ok(format!("added the user {name}\n"))
        }
        UserCommand::Passwd {
            name,
            password_file,
        } => {
            // Said before anybody has to type.
            if accounts.password(&name).await?.is_none() {
                return Err(no_user(&name));
            }
            let hash = new_password(&name, password_file.as_deref())?;
            if !accounts.set_password(&name, &hash).await? {
                return Err(no_user(&name));
            }
            Ok(format!(
                "changed the password of {name}; logins with the old one are over\n"
            ))
        }
        UserCommand::List => {
            let mut list = String::new();
            for user in accounts.users().await? {
                let (since, tokens) = (date(user.created), user.tokens);
                list += &format!("{}\t{tokens} tokens\tsince {since}\n", user.name);
            }
            Ok(list)
        }
        UserCommand::Remove { name } => {
            if !accounts.remove_user(&name).await? {
                return Err(no_user(&name));
            }
            let mut done = format!(
                "removed the user {name}; the uploads stay, and are those of the next user of that name\n"
            );
            if !accounts.any_user().await? {
                done +=
                    "that was the last one: a receiver on 127.0.0.1 takes uploads from anyone on \
                         this machine now\n";
            }
            Ok(done)
        }
    }
}

async fn tokens(accounts: &Accounts, command: TokenCommand) -> anyhow::Result<String> {
    match command {
        TokenCommand::Add { user, label } => {
            if label.len() > 100 || label.contains(char::is_control) {
                bail!("a label has 100 bytes at most, and no control characters");
            }
            let token = accounts.add_token(&user, &label).await?;
            let token = token.ok_or_else(|| no_user(&user))?;
            eprintln!("a token for {user}, shown this once only:");
            Ok(format!("{token}\n"))
        }
        TokenCommand::List { user } => {
            let mut list = String::new();
            for token in accounts.tokens(user.as_deref()).await? {
                let (since, label) = (date(token.created), token.label);
                list += &format!("{}\t{}\tsince {since}\t{label}\n", token.id, token.owner);
            }
            Ok(list)
        }
        TokenCommand::Revoke { id } => {
            if !accounts.revoke(&id).await? {
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

/// Reads a new password, never from an argument, which every process could see; returns its hash.
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
    passwords::hash(&password)
}

/// Asks on the terminal, which does not show the answer.
fn ask(user: &str) -> anyhow::Result<String> {
    let term = Term::stderr();
    let answer = |question: &str| {
        term.write_str(question)?;
        term.read_secure_line()
    };
    let password = answer(&format!("password for {user}: "))?;
    if answer("again: ")? != password {
        bail!("that was another one");
    }
    Ok(password)
}

fn first_line(from: impl Read) -> io::Result<String> {
    let mut line = String::new();
    BufReader::new(from.take(MAX_PASSWORD)).read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn date(milliseconds: i64) -> String {
    let since = Duration::from_millis(milliseconds.max(0).unsigned_abs());
    httpdate::fmt_http_date(UNIX_EPOCH + since)
}
