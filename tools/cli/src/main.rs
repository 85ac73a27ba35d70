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
//! | [`secret`] | the sources of secrets; `prompt` asks on the terminal |
//! | [`units`], [`pairs`] | parsers of sizes, times, and names with values |
//! | [`stderr`] | lines on standard error |
//! | [`exit`](mod@exit) | exit codes and their meanings |

mod dialect;
mod exit;
mod forms;
mod help;
mod identity;
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
use clap::{CommandFactory, Parser};

use crate::exit::{Exit, Fault};
use crate::options::{Cli, Task};

fn main() -> ExitCode {
    let cli = Cli::try_parse_from(arguments()).unwrap_or_else(|error| with_tip(error).exit());
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

/// Adds how files are uploaded to the error of a command line that begins with no command.
fn with_tip(mut error: clap::Error) -> clap::Error {
    let first = std::env::args_os().nth(1);
    let has_command = first.is_some_and(|it| Cli::command().find_subcommand(it).is_some());
    if !has_command && matches!(error.kind(), InvalidSubcommand | UnknownArgument) {
        let tip = StyledStr::from(format!("to upload files, write: {}", help::USAGE));
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
            let _ = command
                .error(kind, stderr::escape_controls(&fault.text))
                .print();
        }
        _ => stderr::error(&fault.text),
    }
    fault.exit
}
