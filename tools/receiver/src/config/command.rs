//! The commands that manage users, tokens, bytes without a record and databases, or print what is kept, as the command line has them.

use std::path::PathBuf;

use clap::{ArgGroup, Subcommand};
use clap_complete::Shell;

use crate::config::times;

/// A command to run instead of the receiver.
#[derive(Debug, Clone, Subcommand)]
pub enum Command {
    /// Look whether a start would succeed: directories, database, users, certificates. Changes nothing, also while
    /// a receiver runs; the exit code is 1 if something is wrong
    Check,
    /// Manage the users
    #[command(subcommand)]
    User(UserCommand),
    /// Manage the tokens by which programs log in
    #[command(subcommand)]
    Token(TokenCommand),
    /// Print what happened to uploads, in JSON, an event a line; also while a receiver runs
    Audit {
        /// Only what happened at this day or time or later, such as 2026-05-31 or 2026-05-31T12:00:00Z
        #[arg(long, value_name = "TIME", value_parser = times::parse)]
        since: Option<i64>,
        /// Only what happened before this day or time
        #[arg(long, value_name = "TIME", value_parser = times::parse)]
        until: Option<i64>,
    },
    /// Print the public key of --receipt-key in PEM, by which receipts are verified
    ReceiptKey,
    /// Manage the bytes of unfinished uploads that the database does not know, in DIR/partial.unknown
    #[command(subcommand)]
    Unknown(UnknownCommand),
    /// Move all records from one database to another one, while no receiver runs
    #[command(group(ArgGroup::new("databases").required(true).multiple(true).args(["from", "to"])))]
    MoveRecords {
        /// The database that has them, which stays as it is [default: sqlite file in the data directory]
        #[arg(long, value_name = "URL")]
        from: Option<String>,
        /// The database that gets them, an empty one [default: sqlite file in the data directory]
        #[arg(long, value_name = "URL")]
        to: Option<String>,
    },
    /// Print the manual page
    Man,
    /// Print a script that makes your shell complete the options
    Completions {
        /// Your shell
        shell: Shell,
    },
}

/// A command for users.
#[derive(Debug, Clone, Subcommand)]
pub enum UserCommand {
    /// Add a user
    Add {
        /// The name; it becomes a directory's name too
        name: String,
        /// File with the password [default: asked for, or a line of standard input]
        #[arg(long, value_name = "FILE")]
        password_file: Option<PathBuf>,
        /// Let the user see all users and what they upload, at /admin
        #[arg(long)]
        admin: bool,
    },
    /// Let a user see all users and what they upload, at /admin, or no longer
    Admin {
        /// The user
        name: String,
        /// No longer
        #[arg(long)]
        revoke: bool,
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

/// A command for tokens.
#[derive(Debug, Clone, Subcommand)]
pub enum TokenCommand {
    /// Make a token and print it; it is shown only once
    Add {
        /// The user whose uploads it is for
        user: String,
        /// Text that lists show with it
        #[arg(long, value_name = "TEXT", default_value = "")]
        label: String,
    },
    /// List the tokens
    List {
        /// Only this user's
        user: Option<String>,
    },
    /// Revoke a token: programs cannot log in with it any more
    Revoke {
        /// Its id, as the list shows it
        id: String,
    },
}

/// A command for bytes that the database does not know.
#[derive(Debug, Clone, Subcommand)]
pub enum UnknownCommand {
    /// List them, each with the time when the receiver deletes it
    List,
    /// Remove them now
    #[command(group(ArgGroup::new("which").required(true).args(["ids", "all"])))]
    Remove {
        /// Ids of uploads, as the list shows them
        ids: Vec<String>,
        /// All that are there
        #[arg(long)]
        all: bool,
    },
}
