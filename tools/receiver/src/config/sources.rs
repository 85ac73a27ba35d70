//! The sources of the settings. A flag goes before the environment, that goes before the file.

use std::path::Path;

use anyhow::{anyhow, bail, Context};
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory, FromArgMatches};
use toml::{Table, Value};

use crate::config::{pages, Config};

impl Config {
    /// Reads all settings. Ends the program when the command line is wrong, or asks for help or another page about itself.
    pub fn load() -> anyhow::Result<Self> {
        let mut command = Self::command().mut_args(with_environment);
        if let Some(file) = file(&command) {
            command = with_file(command, Path::new(&file))?;
        }
        let matches = command.clone().get_matches();
        if pages::print(&matches, Self::command()).context("standard output")? {
            std::process::exit(0);
        }
        if !matches.contains_id("data") {
            let message = "--data <DIR> has to say where the files are";
            command
                .error(ErrorKind::MissingRequiredArgument, message)
                .exit();
        }
        Ok(Self::from_arg_matches(&matches)
            .unwrap_or_else(|error| error.format(&mut command).exit()))
    }
}

/// Reads an option from the environment too: `--max-segment` from `RESUP_RECEIVER_MAX_SEGMENT`.
fn with_environment(arg: Arg) -> Arg {
    let Some(name) = arg.get_long() else {
        return arg;
    };
    let variable = name.replace('-', "_").to_ascii_uppercase();
    arg.env(format!("RESUP_RECEIVER_{variable}")).hide_env(true)
}

/// Finds the name of the settings file. Other mistakes are reported when all settings are read.
fn file(command: &Command) -> Option<std::path::PathBuf> {
    let first: ArgMatches = command.clone().ignore_errors(true).try_get_matches().ok()?;
    first.get_one("config").cloned()
}

/// Reads the file and makes its values the defaults.
fn with_file(mut command: Command, file: &Path) -> anyhow::Result<Command> {
    let name = file.display();
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {name}"))?;
    let table: Table = text
        .parse()
        .map_err(|error: toml::de::Error| anyhow!("{name}: {error}"))?;
    for (key, value) in &table {
        let known = command
            .get_arguments()
            .find(|arg| arg.get_long() == Some(key) && key != "config");
        let Some(arg) = known.cloned() else {
            bail!("{name}: there is no setting '{key}'; --help lists them all");
        };
        let values =
            values(&arg, value).map_err(|why| anyhow!("{name}: {key} = {value}: {why}"))?;
        command = command.mut_arg(arg.get_id().clone(), |arg| {
            arg.default_values(values).required(false)
        });
    }
    Ok(command)
}

/// Converts a value to what the command line would have, and checks it.
fn values(arg: &Arg, value: &Value) -> Result<Vec<String>, String> {
    let several = matches!(arg.get_action(), ArgAction::Append);
    let values: Vec<String> = match value {
        Value::Array(values) if several => values.iter().map(text).collect::<Result<_, _>>()?,
        value => vec![text(value)?],
    };
    // Each value is checked alone, so that the message can name the file.
    let alone = Arg::new("value")
        .long("value")
        .action(arg.get_action().clone())
        .value_parser(arg.get_value_parser().clone());
    let check = Command::new("check").no_binary_name(true).arg(alone);
    for value in &values {
        let flag = match arg.get_action() {
            ArgAction::SetTrue if matches!(value.as_str(), "true" | "false") => continue,
            _ => format!("--value={value}"),
        };
        if let Err(error) = check.clone().try_get_matches_from([flag]) {
            let source = std::error::Error::source(&error).map(ToString::to_string);
            return Err(source.unwrap_or_else(|| possible_values(arg)));
        }
    }
    Ok(values)
}

fn text(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Integer(number) => Ok(number.to_string()),
        Value::Float(number) => Ok(number.to_string()),
        Value::Boolean(truth) => Ok(truth.to_string()),
        other => Err(format!(
            "a setting cannot be of the type {}",
            other.type_str()
        )),
    }
}

fn possible_values(arg: &Arg) -> String {
    let values = arg.get_possible_values();
    let names: Vec<_> = values.iter().map(|value| value.get_name()).collect();
    format!("it can be: {}", names.join(", "))
}
