//! A check as one JSON object a line, for programs.

use std::io::{self, Write};

use resup::dialect::{Field, Purpose, Step};
use serde_json::{json, Value};

use super::advice::Finding;
use super::report::{Plan, Report, Summary};
use super::words::{cut, LONGEST_WHY};

/// The most characters of a body that are told.
const LONGEST_BODY: usize = 2000;

/// A report as JSON on standard output.
pub struct Json;

impl Report for Json {
    fn plan(&self, plan: &Plan<'_>) {
        write(&json!({
            "event": "plan",
            "dialect": plan.dialect,
            "url": plan.url,
            "file": plan.sample.path.to_string_lossy(),
            "name": plan.sample.name(),
            "size": plan.sample.size,
            "chunk_size": plan.sample.chunk_size,
            "chunks": plan.sample.chunks,
            "can_resume": plan.can_resume,
        }));
    }

    fn phase(&self, text: &str) {
        write(&json!({"event": "phase", "text": text}));
    }

    fn step(&self, number: u64, step: &Step) {
        let response = step.response.as_ref();
        let verdicts = step.verdicts.iter();
        let verdicts = verdicts.map(
            |it| json!({"key": it.key, "rule": it.rule, "is_met": it.is_met, "found": it.found}),
        );
        write(&json!({
            "event": "request",
            "number": number,
            "purpose": purpose(step.purpose),
            "chunk": step.chunk.0,
            "chunks": step.chunk.1,
            "offset": step.bytes.0,
            "length": step.bytes.1,
            "method": step.method,
            "url": step.url,
            "query": pairs(&step.query),
            "headers": pairs(&step.headers),
            "fields": pairs(&step.fields),
            "file_field": step.file_field,
            "http_status": response.map(|it| it.status),
            "response_headers": response.map(|it| pairs(&it.headers)),
            "body": response.map(|it| cut(&it.body, LONGEST_BODY)),
            "verdicts": verdicts.collect::<Vec<_>>(),
            "error": step.error.as_ref().map(|error| error.to_string()),
        }));
    }

    fn note(&self, text: &str) {
        write(&json!({"event": "note", "text": text}));
    }

    fn finding(&self, finding: &Finding) {
        write(&json!({
            "event": "finding",
            "key": finding.key,
            "why": cut(&finding.why, LONGEST_WHY),
            "proposal": finding.proposal,
        }));
    }

    fn summary(&self, summary: &Summary<'_>) {
        let keys: Vec<_> = summary.findings.iter().map(|it| &it.key).collect();
        write(&json!({
            "event": "summary",
            "requests": summary.requests,
            "wrong": keys,
            "error": summary.error.map(|error| error.to_string()),
            "left": summary.left,
            "location": summary.location,
            "outcome": summary.exit.name(),
            "exit_code": summary.exit.code(),
        }));
    }
}

/// Writes fields in their order; null is the value of a secret.
fn pairs(fields: &[Field]) -> Value {
    let pairs = fields.iter().map(|it| json!([it.name, it.value]));
    pairs.collect()
}

fn purpose(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Send => "send",
        Purpose::Test => "test",
        Purpose::TestStranger => "test-stranger",
        Purpose::State => "state",
        Purpose::Done => "done",
        _ => "other",
    }
}

fn write(object: &Value) {
    let _ = writeln!(io::stdout().lock(), "{object}");
}
