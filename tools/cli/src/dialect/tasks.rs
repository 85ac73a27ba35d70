//! The commands about dialects.

use resup::dialect::{presets, Preset};
use serde_json::json;

use super::check;
use super::options::DialectTask;
use crate::exit::{Exit, Fault};
use crate::messages::{sentence, tr};
use crate::pages::print;

/// Does what the command line says.
pub fn run(task: &DialectTask) -> Result<Exit, Fault> {
    match task {
        DialectTask::List { json } => list(*json),
        DialectTask::Show { name } => show(name),
        DialectTask::Check(options) => check::check(options),
    }
}

fn list(json: bool) -> Result<Exit, Fault> {
    let presets = presets();
    let width = presets.iter().map(|it| it.name.len()).max().unwrap_or(0);
    let line = |it: &Preset| match json {
        true => json!({"name": it.name, "purpose": it.purpose}).to_string(),
        false => format!("{:width$}  {}", it.name, sentence(it.purpose)),
    };
    print(|out| {
        let mut lines = presets.iter().map(line);
        lines.try_for_each(|line| writeln!(out, "{line}"))
    })
}

fn show(name: &str) -> Result<Exit, Fault> {
    let preset = presets().iter().find(|it| it.name == name);
    let preset = preset.ok_or_else(|| {
        let names: Vec<_> = presets().iter().map(|it| it.name).collect();
        let names = names.join(", ");
        Fault::usage(tr!(
            "\"{name}\" is no preset; give one of {names}",
            name,
            names
        ))
    })?;
    print(|out| writeln!(out, "{}", preset.text.trim_end()))
}
