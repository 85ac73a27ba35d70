//! A check in words, for people.

use std::io::{self, Write};

use resup::dialect::{Field, Purpose, Step, Verdict};

use super::advice::Finding;
use super::report::{Plan, Report, Summary};
use crate::exit::Exit;
use crate::stderr::escape_controls;
use crate::units::bytes;
use crate::words::failure;

/// The most characters of a value, and of a body, that are shown.
const LONGEST_VALUE: usize = 80;
const LONGEST_BODY: usize = 200;
/// The most characters of a reason, which may have a server's text in it.
pub const LONGEST_WHY: usize = 600;

/// A report in words on standard output.
pub struct Words;

impl Report for Words {
    fn plan(&self, plan: &Plan<'_>) {
        let sample = plan.sample;
        let how = match (sample.chunks, sample.chunk_size) {
            (1, _) => "in one request".to_owned(),
            (chunks, Some(size)) if plan.can_resume => format!(
                "in {chunks} chunks of {size} bytes, with an interruption after the {}",
                ordinal(chunks - 1)
            ),
            (chunks, size) => format!(
                "in {chunks} chunks of {} bytes",
                size.unwrap_or(sample.size)
            ),
        };
        line(&format!("Dialect {} at {}", plan.dialect, plan.url));
        line(&format!(
            "Sends {}: {} bytes {how}. The file stays on the server.",
            sample.name(),
            sample.size
        ));
    }

    fn phase(&self, text: &str) {
        line(&format!("\n{text}"));
    }

    fn step(&self, number: u64, step: &Step) {
        line(&format!("\n{number}. {}", title(step)));
        line(&format!("   {} {}", step.method, step.url));
        for (what, fields) in [
            ("query", &step.query),
            ("headers", &step.headers),
            ("fields", &step.fields),
        ] {
            if !fields.is_empty() {
                let fields: Vec<_> = fields.iter().map(field).collect();
                line(&format!("   {what}: {}", fields.join(", ")));
            }
        }
        if step.purpose == Purpose::Send {
            let (offset, length) = step.bytes;
            line(&match &step.file_field {
                Some(name) => {
                    format!("   file in the field \"{name}\": {length} bytes from {offset} on")
                }
                None => format!("   body: {length} bytes of the file from {offset} on"),
            });
        }
        if let Some(response) = &step.response {
            let headers: Vec<_> = response.headers.iter().map(field).collect();
            let headers = match headers.is_empty() {
                true => String::new(),
                false => format!(", {}", headers.join(", ")),
            };
            line(&format!("   -> {}{headers}", response.status));
            if !response.body.trim().is_empty() {
                line(&format!("      {}", cut(&response.body, LONGEST_BODY)));
            }
        }
        step.verdicts.iter().for_each(|it| line(&verdict(it)));
        if let Some(error) = &step.error {
            line(&format!("   FAILED: {}", failure(error)));
        }
    }

    fn note(&self, text: &str) {
        line(&format!("\n{text}"));
    }

    fn finding(&self, finding: &Finding) {
        let why = cut(&finding.why, LONGEST_WHY);
        line(&format!("\n   WRONG: {}: {why}", finding.key));
        if let Some(proposal) = &finding.proposal {
            line(&format!("   TRY: {proposal}"));
        }
    }

    fn summary(&self, summary: &Summary<'_>) {
        let requests = summary.requests;
        line("");
        match (summary.exit, summary.error, summary.findings) {
            (Exit::Done, ..) => line(&format!(
                "The dialect and the server fit each other: {requests} requests."
            )),
            (Exit::Interrupted | Exit::Terminated, ..) => line("Interrupted."),
            (_, _, [first, ..]) => {
                let keys: Vec<_> = summary.findings.iter().map(|it| it.key.as_str()).collect();
                line(&format!(
                    "The dialect and the server do not fit: see {}.",
                    keys.join(", ")
                ));
                if let Some(proposal) = &first.proposal {
                    line(&format!("Try first: {proposal}"));
                }
            }
            (_, Some(error), []) => line(&format!("The check has failed: {}", failure(error))),
            (_, None, []) => line("The check has failed."),
        }
        if let Some(name) = summary.left {
            let at = summary
                .location
                .map_or(String::new(), |at| format!(" ({at})"));
            line(&format!(
                "The server may have the file {name} now{at}: delete it there."
            ));
        }
    }
}

/// Writes a line, after an empty one where the text begins so. A server's text makes no lines of its own.
fn line(text: &str) {
    let rest = text.strip_prefix('\n');
    let before = if rest.is_some() { "\n" } else { "" };
    let text = escape_controls(rest.unwrap_or(text));
    let _ = writeln!(io::stdout().lock(), "{before}{text}");
}

fn ordinal(number: u64) -> String {
    match number {
        1 => "first".to_owned(),
        2 => "second".to_owned(),
        number => format!("{number}th"),
    }
}

fn title(step: &Step) -> String {
    let (number, count) = step.chunk;
    match step.purpose {
        Purpose::Send if count == 1 => "The file".to_owned(),
        Purpose::Send => format!("Chunk {number} of {count}"),
        Purpose::Test => format!("Does the server have chunk {number} of {count}?"),
        Purpose::TestStranger => "Does it have a chunk that was never sent?".to_owned(),
        Purpose::State => "How many bytes does the server have?".to_owned(),
        Purpose::Done => format!("The file of {} is complete", bytes(step.bytes.1)),
        _ => "Another request".to_owned(),
    }
}

fn field(field: &Field) -> String {
    match &field.value {
        Some(value) => format!("{}={}", field.name, cut(value, LONGEST_VALUE)),
        None => format!("{}=(not shown)", field.name),
    }
}

fn verdict(verdict: &Verdict) -> String {
    let Verdict {
        key,
        rule,
        is_met,
        found,
    } = verdict;
    match (*key, is_met) {
        ("message" | "location" | "id" | "offset" | "last_byte", true) => {
            format!("   {key}: {rule} has {}", cut(found, LONGEST_VALUE))
        }
        ("message" | "location" | "id" | "offset" | "last_byte", false) => {
            format!("   {key}: {rule} has {found}")
        }
        (_, true) => format!("   {key}: {rule} - met ({})", cut(found, LONGEST_BODY)),
        (_, false) => format!("   {key}: {rule} - not met ({})", cut(found, LONGEST_BODY)),
    }
}

/// Gives a text as one line of at most so many characters.
pub fn cut(text: &str, most: usize) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.chars().count() > most {
        true => text.chars().take(most).chain(['…']).collect(),
        false => text,
    }
}
