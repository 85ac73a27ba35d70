//! What is printed about the program itself: the ends of the help, the manual page, completions.
#![forbid(unsafe_code)]

use std::fmt::Write as _;
use std::io::{self, Write};

use clap::{Command, CommandFactory};
use clap_complete::Shell;
use clap_mangen::roff::{bold, roman, Roff};
use clap_mangen::Man;

use crate::exit::{Exit, Fault};
use crate::options::Cli;

pub const USAGE: &str = "resup put [OPTIONS] FILE... URL";

pub const START: &str = "\
For a start:
  resup put video.mp4 https://example.org/upload

\"resup put --help\" tells of all options, with examples and exit codes.";

pub const COMPLETIONS: &str = "\
Examples:
  resup completions bash > ~/.local/share/bash-completion/completions/resup
  resup completions zsh > \"${fpath[1]}/_resup\"
  resup completions fish > ~/.config/fish/completions/resup.fish";

pub const MAN: &str = "\
Examples:
  resup man > ~/.local/share/man/man1/resup.1
  resup man | man -l -";

const UNITS: &str = "\
SIZE is a number of bytes, also with k, M, G or T for powers of 1000, or Ki, Mi, Gi or Ti for \
powers of 1024. SECONDS may have a fraction.";

const ENVIRONMENT: [(&str, &str); 4] = [
    ("RESUP_PASSWORD", "the password of --basic or --login"),
    ("RESUP_TOKEN", "the bearer token"),
    ("RESUP_SIGN_SECRET", "the secret that forms are signed with"),
    (
        "http_proxy, https_proxy, all_proxy, no_proxy",
        "the proxy, unless --proxy is given",
    ),
];

const EXAMPLES: [(&str, &str); 8] = [
    ("Upload a file", "resup put video.mp4 https://example.org/upload"),
    (
        "Upload two files into a directory, at most 2 MB per second",
        "resup put -d 2026/may --rate 2M a.zip b.zip https://example.org/upload",
    ),
    (
        "Upload a directory with all that is in it, four files at once",
        "resup put -r -j 4 photos https://example.org/upload",
    ),
    (
        "Go through a proxy that passes on only whole requests",
        "resup put --segment auto video.mp4 https://example.org/upload",
    ),
    (
        "Wait for a server that is away, for up to a day",
        "resup put --retries 100000 --retry-timeout 86400 video.mp4 https://example.org/upload",
    ),
    (
        "Log in as anna, who is asked for her password",
        "resup put --basic anna video.mp4 https://example.org/upload",
    ),
    (
        "Log in by a web form, with the password in a file",
        "resup put --login https://example.org/login --login-field user=anna \\\n      \
         --login-field password --password-file secret.txt video.mp4 https://example.org/upload",
    ),
    (
        "Read what happened with another program",
        "resup put --json *.zip https://example.org/upload | jq -r 'select(.event==\"failed\").file'",
    ),
];

const SEVERAL: &str = "\
When several files fail, the first of them on the command line decides. What the server has is \
kept in any case: run the same command again to go on.";

/// The end of `resup put -h`.
pub fn short_end() -> String {
    "\"resup put --help\" tells more, with units, examples and exit codes.".to_owned()
}

/// The end of `resup put --help`.
pub fn long_end() -> String {
    let mut end = format!("Units:\n  {UNITS}\n\nExit codes:\n");
    for (exit, meaning) in Exit::ALL {
        let _ = writeln!(end, "  {:>3}  {meaning}", exit.code());
    }
    let _ = write!(end, "\n  {SEVERAL}\n\nEnvironment:\n");
    for (name, meaning) in ENVIRONMENT {
        let _ = writeln!(end, "  {name}: {meaning}");
    }
    end.push_str("\nExamples:");
    for (what, command) in EXAMPLES {
        let _ = write!(end, "\n  {what}:\n    {command}\n");
    }
    end
}

/// Prints the manual page, made of the definition of the command line.
pub fn man() -> Result<Exit, Fault> {
    print(|out| manual(put(), out))
}

/// Prints a completion script.
pub fn completions(shell: Shell) -> Result<Exit, Fault> {
    print(|out| {
        clap_complete::generate(shell, &mut Cli::command(), "resup", out);
        Ok(())
    })
}

/// The command `put`, as what the page is about.
fn put() -> Command {
    let mut cli = Cli::command();
    cli.build();
    let put = cli.find_subcommand("put").expect("it is one").clone();
    put.name("resup")
        .display_name("resup")
        .about("upload files by web form, and go on where it broke")
        .version(env!("CARGO_PKG_VERSION"))
}

fn manual(put: Command, out: &mut dyn Write) -> io::Result<()> {
    let man = Man::new(put)
        .title("resup")
        .date(" ")
        .manual("User Commands");
    man.render_title(out)?;
    man.render_name_section(out)?;
    let mut synopsis = Roff::default();
    synopsis.control("SH", ["SYNOPSIS"]);
    for (bold_part, rest) in [
        ("resup put", " [OPTIONS] FILE... URL"),
        ("resup completions", " SHELL"),
        ("resup man", ""),
    ] {
        synopsis.text([bold(bold_part), roman(rest)]);
        synopsis.control("br", []);
    }
    synopsis.to_writer(out)?;
    man.render_description_section(out)?;
    man.render_options_section(out)?;
    let mut end = Roff::default();
    end.control("SH", ["UNITS"]).text([roman(UNITS)]);
    end.control("SH", ["EXIT STATUS"]);
    for (exit, meaning) in Exit::ALL {
        end.control("TP", ["6"]);
        end.text([bold(exit.code().to_string())]);
        end.text([roman(meaning)]);
    }
    end.control("PP", []).text([roman(SEVERAL)]);
    end.control("SH", ["ENVIRONMENT"]);
    for (name, meaning) in ENVIRONMENT {
        end.control("TP", []);
        end.text([bold(name)]).text([roman(meaning)]);
    }
    end.control("SH", ["EXAMPLES"]);
    for (what, command) in EXAMPLES {
        end.control("TP", []);
        end.text([roman(format!("{what}:"))]);
        end.text([bold(command.replace(" \\\n      ", " "))]);
    }
    end.to_writer(out)
}

/// Prints what `write` makes. A reader that has read enough is no fault.
fn print(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<Exit, Fault> {
    let mut page = Vec::new();
    let written = write(&mut page).and_then(|()| io::stdout().write_all(&page));
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Fault::other(format!("standard output: {error}")))
        }
        _ => Ok(Exit::Done),
    }
}
