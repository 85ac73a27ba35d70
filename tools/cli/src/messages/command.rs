//! The texts of the command line's definition, and those of clap.

use clap::builder::StyledStr;
use clap::error::ErrorKind;
use clap::{Arg, Command};

use super::{is_translated, sentence, text, translation, wrap};

/// The widest that help is.
const WIDEST: usize = 100;

/// Texts that clap writes by itself, in the order in which they are replaced.
pub const CLAP: [&str; 12] = [
    "Print help (see more with '--help')",
    "Print help (see a summary with '-h')",
    "Print help",
    "Print version",
    "Print this message or the help of the given subcommand(s)",
    "Usage: ",
    "Commands:",
    "Arguments:",
    "Options:",
    "Possible values:",
    "[possible values: ",
    "[default: ",
];

/// Translates the definition of the command line.
pub fn localized(mut command: Command) -> Command {
    if !is_translated() {
        return command;
    }
    // Whole lines come out, to be wrapped by their width.
    command = command.term_width(0);
    if let Some(about) = command.get_about().map(paragraphs) {
        command = command.about(about);
    }
    if let Some(about) = command.get_long_about().map(paragraphs) {
        command = command.long_about(about);
    }
    if let Some(after) = command.get_after_help().map(lines) {
        command = command.after_help(after);
    }
    if let Some(after) = command.get_after_long_help().map(lines) {
        command = command.after_long_help(after);
    }
    command.mut_args(argument).mut_subcommands(localized)
}

fn argument(mut argument: Arg) -> Arg {
    if let Some(help) = argument.get_help().map(paragraphs) {
        argument = argument.help(help);
    }
    if let Some(help) = argument.get_long_help().map(paragraphs) {
        argument = argument.long_help(help);
    }
    match argument.get_help_heading().and_then(translation) {
        Some(heading) => argument.help_heading(heading),
        None => argument,
    }
}

/// Translates a text, paragraph by paragraph.
fn paragraphs(help: &StyledStr) -> String {
    let help = help.to_string();
    let translated = help.split("\n\n").map(|paragraph| {
        // clap takes the full stop away in a short help, and not in a long one.
        match paragraph.strip_suffix('.').and_then(translation) {
            Some(short) => format!("{short}。"),
            None => text(paragraph).to_owned(),
        }
    });
    translated.collect::<Vec<_>>().join("\n\n")
}

/// Translates a text, line by line; what stands before a line's text stays.
fn lines(help: &StyledStr) -> String {
    let help = help.to_string();
    let translated = help.split('\n').map(|line| {
        let (before, line) = line.split_at(beginning(line));
        format!("{before}{}", text(line))
    });
    translated.collect::<Vec<_>>().join("\n")
}

/// The place in a line where its text begins: behind blanks, and behind the number of an exit code.
pub fn beginning(line: &str) -> usize {
    let is_before = |c: char| c == ' ' || c.is_ascii_digit();
    line.find(|c| !is_before(c)).unwrap_or(0)
}

/// Translates what clap has written of its own, and of the values of options, in a text. `escaped` writes as that text does.
pub fn rendered(command: &Command, written: &str, escaped: fn(&str) -> String) -> String {
    if !is_translated() {
        return written.to_owned();
    }
    let mut known: Vec<String> = value_helps(command);
    // A shorter one may be a part of a longer one.
    known.sort_by_key(|help| std::cmp::Reverse(help.len()));
    let known = known.iter().map(String::as_str).chain(CLAP);
    let written = known.fold(written.to_owned(), |written, help| {
        written.replace(&escaped(help), &escaped(text(help)))
    });
    let lines = written
        .split('\n')
        .map(|line| match line.strip_suffix(':') {
            // A heading of ours, to which clap has added a colon.
            Some(heading) if !heading.is_ascii() && !line.starts_with(' ') => {
                format!("{heading}：")
            }
            _ => line.to_owned(),
        });
    lines.collect::<Vec<_>>().join("\n")
}

/// Gives the help of all values of options, here and in commands below.
pub fn value_helps(command: &Command) -> Vec<String> {
    let values = command.get_arguments().flat_map(Arg::get_possible_values);
    let values = values.filter(|value| !value.is_hide_set());
    let helps = values.filter_map(|value| value.get_help().map(ToString::to_string));
    let below = command.get_subcommands().flat_map(value_helps);
    helps.chain(below).collect()
}

/// Writes clap's error, or the help that was asked for, and ends the program.
pub fn exit(command: &Command, error: &clap::Error) -> ! {
    if is_translated() {
        let written = match error.kind() {
            ErrorKind::DisplayVersion => error.to_string(),
            ErrorKind::DisplayHelp | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
                let width = console::Term::stdout().size_checked();
                let width = width.map_or(WIDEST, |(_, columns)| usize::from(columns).min(WIDEST));
                wrap::wrap(&rendered(command, &error.to_string(), str::to_owned), width)
            }
            _ => rendered(command, &sentences(&error.to_string()), str::to_owned),
        };
        // As clap does: nothing can be done where nobody reads it.
        let _ = match error.use_stderr() {
            true => write(std::io::stderr(), &written),
            false => write(std::io::stdout(), &written),
        };
        std::process::exit(error.exit_code());
    }
    error.exit()
}

fn write(mut to: impl std::io::Write, text: &str) -> std::io::Result<()> {
    to.write_all(text.as_bytes())
}

/// Translates the lines of clap's error.
pub fn sentences(error: &str) -> String {
    let lines = error.split('\n').map(|line| {
        let (before, line) = line.split_at(line.len() - line.trim_start().len());
        format!("{before}{}", sentence(line))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Gives the texts of a definition that a translation needs, paragraph by paragraph and line by line.
#[cfg(test)]
pub fn texts(command: &Command) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    let mut add_paragraphs = |help: Option<&StyledStr>| {
        let help = help.map(ToString::to_string).unwrap_or_default();
        texts.extend(help.split("\n\n").map(str::to_owned));
    };
    for argument in command.get_arguments() {
        add_paragraphs(argument.get_help());
        add_paragraphs(argument.get_long_help());
    }
    add_paragraphs(command.get_about());
    add_paragraphs(command.get_long_about());
    let headings = command.get_arguments().filter_map(Arg::get_help_heading);
    texts.extend(headings.map(str::to_owned));
    for help in [command.get_after_help(), command.get_after_long_help()] {
        let help = help.map(ToString::to_string).unwrap_or_default();
        texts.extend(
            help.split('\n')
                .map(|line| line[beginning(line)..].to_owned()),
        );
    }
    texts.extend(command.get_subcommands().flat_map(self::texts));
    texts.retain(|text| !text.trim().is_empty());
    texts
}
