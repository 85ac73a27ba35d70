//! The manual page and the scripts for completion, made from the definition of the command line.

use std::io::{self, Write};

use clap::{ArgMatches, Command};
use clap_complete::Shell;
use clap_mangen::roff::{bold, roman, Roff};
use clap_mangen::Man;

const NAME: &str = "resup-receiver";

/// The signals that the receiver takes.
const SIGNALS: [(&str, &str); 2] = [
    (
        "SIGTERM, SIGINT",
        "end it: uploads keep what has arrived, and downloads have --end-timeout to end. A second one ends it at once, and \
         the exit status is 1 then.",
    ),
    (
        "SIGHUP",
        "reads the files of --tls-cert and --tls-key again. If they cannot be used, the old certificate stays.",
    ),
];

/// The environment variables.
const ENVIRONMENT: [(&str, &str); 4] = [
    (
        "RESUP_RECEIVER_…",
        "any option: --max-segment is RESUP_RECEIVER_MAX_SEGMENT.",
    ),
    (
        "RUST_LOG",
        "what is in the log: resup_receiver=debug for more, such as lists.",
    ),
    (
        "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AZURE_STORAGE_ACCOUNT_KEY, GOOGLE_SERVICE_ACCOUNT, …",
        "the credentials for --store.",
    ),
    (
        "PGPASSWORD, PGPASSFILE, …",
        "as in all programs of PostgreSQL, for --database.",
    ),
];

/// The files, and what is in them.
const FILES: [(&str, &str); 5] = [
    ("DIR/files", "finished files"),
    ("DIR/partial", "the bytes of unfinished uploads"),
    (
        "DIR/partial.unknown",
        "bytes that the database does not know",
    ),
    (
        "DIR/receiver.sqlite",
        "the database, where --database names no other one",
    ),
    (
        "/etc/resup-receiver/config.toml",
        "the settings of the system's service, which gives this file by --config",
    ),
];

/// Examples: what a command does, and the command.
const EXAMPLES: [(&str, &str); 4] = [
    (
        "Receive uploads from this machine",
        "resup-receiver --data /tmp/uploads",
    ),
    (
        "Look whether the system's service would start with its settings",
        "runuser -u _resup -- resup-receiver --config /etc/resup-receiver/config.toml check",
    ),
    (
        "Add a user of the system's service, and ask for a password",
        "runuser -u _resup -- resup-receiver --config /etc/resup-receiver/config.toml user add joe",
    ),
    (
        "Make a token for a program of that user",
        "runuser -u _resup -- resup-receiver --config /etc/resup-receiver/config.toml token add joe --label backup",
    ),
];

/// Prints the manual page or a script for completion, if that is what the command line asks for. Returns whether it does.
pub fn print(matches: &ArgMatches, command: Command) -> io::Result<bool> {
    let mut page = Vec::new();
    match matches.subcommand() {
        Some(("man", _)) => write_manual(command, &mut page)?,
        Some(("completions", matches)) => {
            let shell = *matches.get_one::<Shell>("shell").expect("it is required");
            clap_complete::generate(shell, &mut command.clone(), NAME, &mut page);
        }
        _ => return Ok(false),
    }
    match io::stdout().write_all(&page) {
        // Its reader may have read enough.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(true),
    }
}

/// Writes the manual page.
fn write_manual(mut command: Command, out: &mut dyn Write) -> io::Result<()> {
    command.build();
    let named = command
        .clone()
        .about("receive resumable form uploads, and keep the files in a directory");
    let man = Man::new(named)
        .title(NAME)
        .date(" ")
        .manual("User Commands");
    man.render_title(out)?;
    man.render_name_section(out)?;
    let mut synopsis = Roff::default();
    synopsis.control("SH", ["SYNOPSIS"]);
    for rest in [" --data DIR [OPTIONS]", " --data DIR COMMAND"] {
        synopsis.text([bold(NAME), roman(rest)]);
        synopsis.control("br", []);
    }
    synopsis.to_writer(out)?;
    man.render_description_section(out)?;
    man.render_options_section(out)?;
    let mut end = Roff::default();
    end.control("SH", ["COMMANDS"]);
    end.text([roman(
        "They run in place of the receiver, with its data directory and database.",
    )]);
    write_commands(&command, "", &mut end);
    end.control("SH", ["UNITS"]);
    let units = format!("{} {}", resup_units::SIZES, resup_units::TIMES);
    end.text([roman(units)]);
    list(&mut end, "SIGNALS", &SIGNALS);
    list(&mut end, "ENVIRONMENT", &ENVIRONMENT);
    list(&mut end, "FILES", &FILES);
    end.control("SH", ["EXIT STATUS"]);
    end.text([roman(
        "0 after an end by a signal, and of a command that has done its work; 1 for a failure, whose reason is on standard \
         error; 2 for a command line that is wrong.",
    )]);
    end.control("SH", ["EXAMPLES"]);
    for (what, example) in EXAMPLES {
        end.control("TP", []);
        end.text([roman(format!("{what}:"))]);
        end.text([bold(example)]);
    }
    end.control("SH", ["SEE ALSO"]);
    end.text([bold("resup"), roman("(1)")]);
    end.to_writer(out)
}

/// Writes a section of terms and their meanings.
fn list(page: &mut Roff, title: &str, items: &[(&str, &str)]) {
    page.control("SH", [title]);
    for (term, meaning) in items {
        page.control("TP", []);
        page.text([bold(*term)]).text([roman(*meaning)]);
    }
}

/// Writes the commands below `command`, whose own name is `above`, with the arguments and options that only they have.
fn write_commands(command: &Command, above: &str, page: &mut Roff) {
    for below in command.get_subcommands() {
        let name = format!("{above}{}", below.get_name());
        if name.ends_with("help") {
            continue;
        }
        if below.has_subcommands() {
            write_commands(below, &format!("{name} "), page);
            continue;
        }
        let own = || {
            let is_own = |arg: &&clap::Arg| !arg.is_global_set() && arg.get_id() != "help";
            below.get_arguments().filter(is_own)
        };
        let mut usage = String::new();
        for arg in own() {
            let word = match (arg.is_positional(), arg.is_required_set()) {
                (true, true) => arg.get_id().as_str().to_uppercase(),
                (true, false) => format!("[{}]", arg.get_id().as_str().to_uppercase()),
                (false, _) => format!("[{arg}]"),
            };
            usage.push(' ');
            usage.push_str(&word);
        }
        page.control("TP", []);
        page.text([bold(name), roman(usage)]);
        let text = |text: Option<&clap::builder::StyledStr>| {
            text.map(ToString::to_string).unwrap_or_default()
        };
        page.text([roman(sentence(&text(below.get_about())))]);
        for arg in own() {
            let term = match arg.is_positional() {
                true => arg.get_id().as_str().to_uppercase(),
                false => arg.to_string(),
            };
            page.control("br", []);
            let help = text(arg.get_help());
            page.text([bold(term), roman(format!(": {}", sentence(&help)))]);
        }
    }
}

fn sentence(text: &str) -> String {
    match text.ends_with(['.', ']']) {
        true => text.to_owned(),
        false => format!("{text}."),
    }
}
