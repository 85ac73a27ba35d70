//! Secrets: from the command line, a file, the environment, or asked for.
#![forbid(unsafe_code)]

use std::fs;
use std::io::{self, IsTerminal, Read};
use std::path::Path;

use console::Term;

use crate::exit::{Exit, Fault};

/// Where a secret may come from. The command line counts before the environment.
pub struct Sources<'a> {
    /// What it is, for the question and for faults.
    pub what: &'a str,
    pub given: Option<&'a str>,
    pub file: Option<&'a Path>,
    /// The environment variable.
    pub variable: &'a str,
}

impl Sources<'_> {
    /// The secret, where there is one.
    pub fn find(&self) -> Result<Option<String>, Fault> {
        if let Some(given) = self.given {
            return Ok(Some(given.to_owned()));
        }
        if let Some(file) = self.file {
            return read(self.what, file).map(Some);
        }
        match std::env::var(self.variable) {
            Ok(secret) if !secret.is_empty() => Ok(Some(secret)),
            Err(std::env::VarError::NotUnicode(_)) => {
                Err(Fault::usage(format!("{} is not UTF-8", self.variable)))
            }
            _ => Ok(None),
        }
    }

    /// The secret, asked for on the terminal when it comes from nowhere else.
    pub fn find_or_ask(&self, option: &str) -> Result<String, Fault> {
        if let Some(secret) = self.find()? {
            return Ok(secret);
        }
        match Term::stderr().is_term() {
            true => ask(self.what),
            false => Err(Fault::usage(format!(
                "there is no {}, and no terminal to ask for it; set {} or give {option}",
                self.what, self.variable
            ))),
        }
    }
}

/// A file's content without the end of its last line; "-" is standard input.
pub fn read(what: &str, file: &Path) -> Result<String, Fault> {
    if file != Path::new("-") {
        let text = fs::read_to_string(file).map_err(|error| {
            Fault::local(format!(
                "the {what} cannot be read from \"{}\": {error}",
                file.display()
            ))
        })?;
        return Ok(without_line_end(text));
    }
    if io::stdin().is_terminal() {
        return ask(what);
    }
    let mut text = String::new();
    let read = io::stdin().read_to_string(&mut text);
    read.map_err(|error| {
        Fault::local(format!(
            "the {what} cannot be read from standard input: {error}"
        ))
    })?;
    Ok(without_line_end(text))
}

/// Asks on the terminal, which does not show the answer.
fn ask(what: &str) -> Result<String, Fault> {
    answer(&format!("{what}: ")).map_err(|error| match error.kind() {
        io::ErrorKind::Interrupted => Fault {
            exit: Exit::Interrupted,
            text: "interrupted; nothing was sent".to_owned(),
        },
        _ => Fault::other(format!("no {what} from the terminal: {error}")),
    })
}

#[cfg(unix)]
use crate::hidden::answer;

#[cfg(not(unix))]
fn answer(question: &str) -> io::Result<String> {
    let term = Term::stderr();
    term.write_str(question)?;
    term.read_secure_line()
}

fn without_line_end(mut text: String) -> String {
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    text
}
