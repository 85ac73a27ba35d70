//! Secrets from the command line, a file, the environment, or the terminal.

use std::fs;
use std::io::{self, IsTerminal, Read};
use std::path::Path;

use console::Term;

use crate::exit::{Exit, Fault};
use crate::messages::{sentence, tr};
use crate::prompt;

/// The sources of a secret. The command line goes before the environment.
pub struct Sources<'a> {
    /// The name of the secret, for the question and for messages.
    pub what: &'a str,
    /// The option's value.
    pub argument: Option<&'a str>,
    /// The file that another option names; "-" is standard input.
    pub file: Option<&'a Path>,
    /// The environment variable.
    pub variable: &'a str,
}

impl Sources<'_> {
    /// Finds the secret, if there is one.
    pub fn find(&self) -> Result<Option<String>, Fault> {
        if let Some(argument) = self.argument {
            return Ok(Some(argument.to_owned()));
        }
        if let Some(file) = self.file {
            return read(self.what, file).map(Some);
        }
        match std::env::var(self.variable) {
            Ok(secret) if !secret.is_empty() => Ok(Some(secret)),
            Err(std::env::VarError::NotUnicode(_)) => Err(Fault::usage(tr!(
                "{name} is not UTF-8",
                name = self.variable
            ))),
            _ => Ok(None),
        }
    }

    /// Finds the secret, or asks for it on the terminal.
    pub fn find_or_ask(&self, option: &str) -> Result<String, Fault> {
        if let Some(secret) = self.find()? {
            return Ok(secret);
        }
        match Term::stderr().is_term() {
            true => ask(self.what),
            false => Err(Fault::usage(tr!(
                "there is no {what}, and no terminal to ask for it; set {variable} or give {option}",
                what = self.what,
                variable = self.variable,
                option
            ))),
        }
    }
}

/// Reads a file, and removes one line end from its end; "-" is standard input.
pub fn read(what: &str, file: &Path) -> Result<String, Fault> {
    if file != Path::new("-") {
        let text = fs::read_to_string(file).map_err(|error| {
            Fault::local(tr!(
                "the {what} cannot be read from \"{path}\": {why}",
                what,
                path = file.display(),
                why = sentence(error)
            ))
        })?;
        return Ok(without_line_end(text));
    }
    if io::stdin().is_terminal() {
        return ask(what);
    }
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).map_err(|error| {
        Fault::local(tr!(
            "the {what} cannot be read from standard input: {why}",
            what,
            why = sentence(error)
        ))
    })?;
    Ok(without_line_end(text))
}

/// Asks on the terminal without showing the answer.
fn ask(what: &str) -> Result<String, Fault> {
    prompt::ask(&tr!("{what}: ", what)).map_err(|error| match error.kind() {
        io::ErrorKind::Interrupted => Fault {
            exit: Exit::Interrupted,
            text: tr!("interrupted; nothing was sent"),
        },
        _ => Fault::other(tr!(
            "no {what} from the terminal: {why}",
            what,
            why = sentence(error)
        )),
    })
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
