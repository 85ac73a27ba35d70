//! `resup`: uploads files and directories, and goes on where it broke.
#![forbid(unsafe_code)]

mod exit;
#[cfg(unix)]
mod hidden;
mod identity;
mod network;
mod options;
mod pages;
mod put;
mod report;
mod secret;
mod setup;
mod stop;
mod tree;
mod units;
mod words;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::exit::{Exit, Fault};
use crate::options::{Cli, Task};

fn main() -> ExitCode {
    let outcome = match Cli::parse().task {
        Task::Put(options) => put::put(&options),
        Task::Completions { shell } => pages::completions(shell),
        Task::Man => pages::man(),
    };
    outcome.unwrap_or_else(tell).into()
}

/// Tells why nothing was begun.
fn tell(fault: Fault) -> Exit {
    match fault.exit {
        Exit::Usage => {
            let mut cli = Cli::command();
            cli.build();
            let put = cli.find_subcommand_mut("put").expect("it is one");
            let kind = clap::error::ErrorKind::ValueValidation;
            let _ = put.error(kind, words::plain(&fault.text)).print();
        }
        _ => words::complain(&fault.text),
    }
    fault.exit
}
