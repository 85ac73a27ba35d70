//! `resup`: uploads files and directories, and resumes uploads that were interrupted.
//!
//! It uses only the library's public Rust API. Each worker thread waits for one upload of the
//! library, and checks signals and progress ten times a second.
//!
//! | module | what is in it |
//! | --- | --- |
//! | [`put`] | the uploads: a few at a time, until all are done or the program has to end |
//! | [`setup`] | the library's objects, with the settings of the command line |
//! | [`report`] | reports about the uploads: bars, lines or JSON |
//! | [`verify`] | the check of a receipt and a file |
//! | [`words`] | results and states in words, for people |
//! | [`results`] | the results of uploads, and their sums |
//! | [`state`] | the files with the URLs of unfinished uploads |
//! | [`stop`] | the signals that end the program |
//! | [`tree`] | the files to upload |
//! | [`pages`] | the manual page and the scripts for completion |
//! | [`options`] | the command line, with [`network`] (proxies, TLS) and [`identity`] (logins) |
//! | [`place`] | the place that files go to: a URL, or presigned parts, whose options are in [`parts`] |
//! | [`dialect`] | the dialect of forms that a server speaks: chosen, listed, and checked against a server |
//! | [`forms`] | how forms are written |
//! | [`protocol`] | the protocols that a server may speak |
//! | [`help`] | texts of the help and the manual page |
//! | [`messages`] | the texts in the user's language |
//! | [`secret`] | the sources of secrets; `prompt` asks on the terminal |
//! | [`units`], [`pairs`] | parsers of sizes, times, and names with values |
//! | [`stderr`] | lines on standard error |
//! | [`exit`](mod@exit) | exit codes and their meanings |

mod dialect;
mod exit;
mod forms;
mod help;
mod identity;
mod messages;
mod network;
mod options;
mod pages;
mod pairs;
mod parts;
mod place;
#[cfg_attr(windows, path = "prompt_windows.rs")]
mod prompt;
mod protocol;
mod put;
mod report;
mod results;
mod secret;
mod setup;
mod state;
mod stderr;
mod stdin;
mod stop;
mod tree;
mod units;
mod verify;
mod words;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::builder::StyledStr;
use clap::error::ErrorKind::{InvalidSubcommand, UnknownArgument};
use clap::error::{ContextKind, ContextValue};
use clap::{Command, CommandFactory, FromArgMatches};

use crate::exit::{Exit, Fault};
use crate::messages::command::{exit, localized};
use crate::messages::tr;
use crate::options::{Cli, Task};

fn main() -> ExitCode {
    let definition = localized(Cli::command());
    let cli = parse(definition.clone());
    let cli = cli.unwrap_or_else(|error| exit(&definition, &with_tip(error)));
    let (command, outcome) = match cli.task {
        Task::Put(options) => (&["put"][..], put::put(&options)),
        Task::Dialect(task) => (task.command(), dialect::run(&task)),
        Task::Verify(options) => (&["verify"][..], verify::verify(&options)),
        Task::Completions { shell } => (&["completions"][..], pages::completions(shell)),
        Task::Man => (&["man"][..], pages::man()),
    };
    outcome.unwrap_or_else(|fault| fail(command, &fault)).into()
}

/// Returns the arguments. The shells of Windows leave it to programs to find the files of `*.zip`.
fn arguments() -> impl Iterator<Item = OsString> {
    #[cfg(windows)]
    return wild::args_os();
    #[cfg(not(windows))]
    std::env::args_os()
}

/// Reads the command line.
fn parse(mut definition: Command) -> Result<Cli, clap::Error> {
    let matches = definition.try_get_matches_from_mut(arguments())?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut definition))
}

/// Adds how files are uploaded to the error of a command line that begins with no command.
fn with_tip(mut error: clap::Error) -> clap::Error {
    let first = std::env::args_os().nth(1);
    let has_command = first.is_some_and(|it| Cli::command().find_subcommand(it).is_some());
    if !has_command && matches!(error.kind(), InvalidSubcommand | UnknownArgument) {
        let tip = StyledStr::from(tr!("to upload files, write: {usage}", usage = help::USAGE));
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip]));
    }
    error
}

/// Writes the reason why a command did nothing. Returns the exit code for it.
fn fail(command: &[&str], fault: &Fault) -> Exit {
    match fault.exit {
        Exit::Usage => {
            let mut cli = Cli::command();
            cli.build();
            let command = command.iter().fold(&mut cli, |parent, name| {
                parent.find_subcommand_mut(name).expect("a command")
            });
            let kind = clap::error::ErrorKind::ValueValidation;
            let error = command.error(kind, stderr::escape_controls(&fault.text));
            exit(command, &error);
        }
        _ => stderr::error(&fault.text),
    }
    fault.exit
}
