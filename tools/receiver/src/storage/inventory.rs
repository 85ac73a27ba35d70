//! The commands that list and remove bytes that the database does not know, also while a receiver is running.

use anyhow::{bail, Context};

use crate::config::command::UnknownCommand;
use crate::storage::files::Files;
use crate::storage::unknown::KEPT;

/// Runs a command. Returns what it says.
pub fn run(files: &Files, command: UnknownCommand) -> anyhow::Result<String> {
    let list = files
        .unknown()
        .context("cannot read 'partial.unknown' in the data directory")?;
    let mut text = String::new();
    let (ids, way) = match command {
        UnknownCommand::List => {
            for found in list {
                let [since, until] = [found.since, found.since + KEPT].map(httpdate::fmt_http_date);
                let (id, bytes) = (found.name, found.bytes);
                text += &format!("{id}\t{bytes} bytes\tsince {since}\tuntil {until}\n");
            }
            return Ok(text);
        }
        UnknownCommand::Remove { all: true, .. } => {
            let names = list.into_iter().map(|found| found.name);
            (names.collect(), "")
        }
        UnknownCommand::Remove { ids, .. } => (ids, "; 'unknown list' shows them"),
    };
    for id in ids {
        let removed = files.remove_unknown(&id);
        let name = id.escape_debug();
        if !removed.with_context(|| format!("cannot remove the bytes of '{name}'"))? {
            bail!("there are no bytes of an upload '{name}' in 'partial.unknown'{way}");
        }
        text += &format!("removed the bytes of {name}\n");
    }
    Ok(text)
}
