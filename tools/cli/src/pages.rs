//! The manual page and the scripts for completion, made from the definition of the command line.

use std::io::{self, Write};

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::roff::{bold, roman, Roff};
use clap_mangen::Man;

use crate::exit::{Exit, Fault};
use crate::help::{units, DIALECT_MANUAL, ENVIRONMENT, EXAMPLES, SEVERAL, VERIFY_MANUAL};
use crate::messages::command::{localized, rendered};
use crate::messages::wrap::pieces;
use crate::messages::{is_translated, sentence, text, tr, translation};
use crate::options::Cli;

/// Prints the manual page.
pub fn man() -> Result<Exit, Fault> {
    let put = put();
    let mut page = Vec::new();
    write_manual(put.clone(), &mut page)
        .map_err(|e| Fault::other(tr!("standard output: {why}", why = sentence(e))))?;
    let page = rendered(&put, &String::from_utf8_lossy(&page), escaped);
    print(|out| out.write_all(finished(&page).as_bytes()))
}

/// Prints a completion script.
pub fn completions(shell: Shell) -> Result<Exit, Fault> {
    print(|out| {
        clap_complete::generate(shell, &mut localized(Cli::command()), "resup", out);
        Ok(())
    })
}

/// Makes the command that the manual page describes: `put`, with the name `resup`.
fn put() -> Command {
    let mut cli = localized(Cli::command());
    cli.build();
    let put = cli
        .find_subcommand("put")
        .expect("put is a command")
        .clone();
    put.name("resup")
        .display_name("resup")
        .about(tr!(
            "upload files by web form, and resume interrupted uploads"
        ))
        .version(env!("CARGO_PKG_VERSION"))
}

/// Writes the manual page of the command `put`.
fn write_manual(put: Command, out: &mut dyn Write) -> io::Result<()> {
    let man = Man::new(put)
        .title("resup")
        .date(" ")
        .manual(text("User Commands"));
    man.render_title(out)?;
    man.render_name_section(out)?;
    let mut synopsis = Roff::default();
    synopsis.control("SH", ["SYNOPSIS"]);
    for (bold_part, rest) in [
        ("resup put", " [OPTIONS] FILE... URL"),
        ("resup dialect list", ""),
        ("resup dialect show", " NAME"),
        ("resup dialect check", " [OPTIONS] FILE|NAME URL"),
        ("resup verify", " --key FILE RECEIPT FILE"),
        ("resup completions", " SHELL"),
        ("resup man", ""),
    ] {
        synopsis.text([bold(bold_part), roman(rest)]);
        synopsis.control("br", []);
    }
    synopsis.to_writer(out)?;
    man.render_description_section(out)?;
    let mut dialects = Roff::default();
    dialects.control("SH", ["DIALECTS"]);
    for (command, what) in DIALECT_MANUAL {
        dialects.control("TP", []);
        dialects.text([bold(command)]).text([roman(text(what))]);
    }
    dialects.to_writer(out)?;
    let mut receipts = Roff::default();
    receipts.control("SH", ["RECEIPTS"]);
    receipts.control("TP", []);
    let command = "resup verify --key FILE RECEIPT FILE";
    receipts.text([bold(command)]);
    receipts.text([roman(text(VERIFY_MANUAL))]);
    receipts.to_writer(out)?;
    man.render_options_section(out)?;
    let mut end = Roff::default();
    end.control("SH", ["UNITS"]).text([roman(units())]);
    end.control("SH", ["EXIT STATUS"]);
    for (exit, meaning) in Exit::ALL {
        end.control("TP", ["6"]);
        end.text([bold(exit.code().to_string())]);
        end.text([roman(text(meaning))]);
    }
    end.control("PP", []).text([roman(text(SEVERAL))]);
    end.control("SH", ["ENVIRONMENT"]);
    for (name, meaning) in ENVIRONMENT {
        end.control("TP", []);
        end.text([bold(name)]).text([roman(text(meaning))]);
    }
    end.control("SH", ["EXAMPLES"]);
    for (what, command) in EXAMPLES {
        end.control("TP", []);
        end.text([roman(format!("{}:", text(what)))]);
        end.text([bold(command.replace(" \\\n      ", " "))]);
    }
    end.to_writer(out)
}

/// Writes a text as a manual page has it.
fn escaped(text: &str) -> String {
    let page = Roff::default().text([roman(text)]).render();
    page.lines().last().unwrap_or_default().to_owned()
}

/// Translates the headings of a manual page, and lets lines of Chinese be broken and be of different lengths.
fn finished(page: &str) -> String {
    if !is_translated() {
        return page.to_owned();
    }
    let lines = page.split_inclusive('\n').map(|line| {
        let heading = line.strip_prefix(".SH ").map(str::trim_end);
        match heading.and_then(|it| translation(it.trim_matches('"'))) {
            Some(heading) => format!(".SH \"{heading}\"\n"),
            None if line.starts_with(".TH ") => format!("{line}.ad l\n"),
            None if line.starts_with('.') => line.to_owned(),
            None => pieces(line).join("\\:"),
        }
    });
    lines.collect()
}

/// Prints what `write` writes. A pipe that its reader has closed is no error.
pub fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<Exit, Fault> {
    let mut page = Vec::new();
    let written = write(&mut page).and_then(|()| io::stdout().write_all(&page));
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Fault::other(tr!(
            "standard output: {why}",
            why = sentence(error)
        ))),
        _ => Ok(Exit::Done),
    }
}
