//! A check in words, for people.

use std::io::{self, Write};

use resup::dialect::{Field, Purpose, Step, Verdict};

use super::advice::Finding;
use super::report::{Plan, Report, Summary};
use crate::exit::Exit;
use crate::messages::{sentence, text, tr};
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
            (1, _) => tr!("in one request"),
            (chunks, Some(size)) if plan.can_resume => tr!(
                "in {chunks} chunks of {size} bytes, with an interruption after the {last}",
                chunks,
                size,
                last = ordinal(chunks - 1)
            ),
            (chunks, size) => tr!(
                "in {chunks} chunks of {size} bytes",
                chunks,
                size = size.unwrap_or(sample.size)
            ),
        };
        line(&tr!(
            "Dialect {dialect} at {url}",
            dialect = plan.dialect,
            url = plan.url
        ));
        line(&tr!(
            "Sends {name}: {size} bytes {how}. The file stays on the server.",
            name = sample.name(),
            size = sample.size,
            how
        ));
    }

    fn phase(&self, text: &str) {
        line(&format!("\n{}", sentence(text)));
    }

    fn step(&self, number: u64, step: &Step) {
        line(&format!("\n{number}. {}", title(step)));
        line(&format!("   {} {}", step.method, step.url));
        for (what, fields) in [
            (text("query"), &step.query),
            (text("headers"), &step.headers),
            (text("fields"), &step.fields),
        ] {
            if !fields.is_empty() {
                let fields: Vec<_> = fields.iter().map(field).collect();
                line(&format!("   {what}: {}", fields.join(", ")));
            }
        }
        if step.purpose == Purpose::Send {
            let (offset, length) = step.bytes;
            line(&match &step.file_field {
                Some(name) => tr!(
                    "   file in the field \"{name}\": {length} bytes from {offset} on",
                    name,
                    length,
                    offset
                ),
                None => tr!(
                    "   body: {length} bytes of the file from {offset} on",
                    length,
                    offset
                ),
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
            line(&tr!("   FAILED: {why}", why = failure(error)));
        }
    }

    fn note(&self, text: &str) {
        line(&format!("\n{}", sentence(text)));
    }

    fn finding(&self, finding: &Finding) {
        let why = cut(&sentence(&finding.why), LONGEST_WHY);
        line(&tr!("\n   WRONG: {key}: {why}", key = finding.key, why));
        if let Some(proposal) = &finding.proposal {
            line(&tr!("   TRY: {proposal}", proposal = sentence(proposal)));
        }
    }

    fn summary(&self, summary: &Summary<'_>) {
        let requests = summary.requests;
        line("");
        match (summary.exit, summary.error, summary.findings) {
            (Exit::Done, ..) => line(&tr!(
                "The dialect and the server fit each other: {requests} requests.",
                requests
            )),
            (Exit::Interrupted | Exit::Terminated, ..) => line(text("Interrupted.")),
            (_, _, [first, ..]) => {
                let keys: Vec<_> = summary.findings.iter().map(|it| it.key.as_str()).collect();
                line(&tr!(
                    "The dialect and the server do not fit: see {keys}.",
                    keys = keys.join(", ")
                ));
                if let Some(proposal) = &first.proposal {
                    line(&tr!("Try first: {proposal}", proposal = sentence(proposal)));
                }
            }
            (_, Some(error), []) => line(&tr!("The check has failed: {why}", why = failure(error))),
            (_, None, []) => line(text("The check has failed.")),
        }
        if let Some(name) = summary.left {
            let at = summary
                .location
                .map_or(String::new(), |at| format!(" ({at})"));
            line(&tr!(
                "The server may have the file {name} now{at}: delete it there.",
                name,
                at
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
        1 => tr!("first"),
        2 => tr!("second"),
        number => tr!("{number}th", number),
    }
}

fn title(step: &Step) -> String {
    let (number, count) = step.chunk;
    match step.purpose {
        Purpose::Send if count == 1 => tr!("The file"),
        Purpose::Send => tr!("Chunk {number} of {count}", number, count),
        Purpose::Test => tr!(
            "Does the server have chunk {number} of {count}?",
            number,
            count
        ),
        Purpose::TestStranger => tr!("Does it have a chunk that was never sent?"),
        Purpose::State => tr!("How many bytes does the server have?"),
        Purpose::Done => tr!("The file of {size} is complete", size = bytes(step.bytes.1)),
        _ => tr!("Another request"),
    }
}

fn field(field: &Field) -> String {
    match &field.value {
        Some(value) => format!("{}={}", field.name, cut(value, LONGEST_VALUE)),
        None => tr!("{name}=(not shown)", name = field.name),
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
            let found = cut(found, LONGEST_VALUE);
            tr!("   {key}: {rule} has {found}", key, rule, found)
        }
        ("message" | "location" | "id" | "offset" | "last_byte", false) => {
            let found = sentence(found);
            tr!("   {key}: {rule} has {found}", key, rule, found)
        }
        (_, true) => {
            let found = cut(&sentence(found), LONGEST_BODY);
            tr!("   {key}: {rule} - met ({found})", key, rule, found)
        }
        (_, false) => {
            let found = cut(&sentence(found), LONGEST_BODY);
            tr!("   {key}: {rule} - not met ({found})", key, rule, found)
        }
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
