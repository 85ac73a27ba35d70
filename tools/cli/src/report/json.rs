//! One JSON object a line on standard output, for programs.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use resup::{Remote, UploadState, SIZE_UNKNOWN};
use serde_json::{json, Value};

use crate::exit::Exit;
use crate::report::reporter::Reporter;
use crate::results::{End, Summary};
use crate::tree::Item;
use crate::{stderr, words};

/// The shortest time between two progress events of an upload.
const MIN_INTERVAL: Duration = Duration::from_millis(500);

/// A report as JSON.
#[derive(Default)]
pub struct Json {
    /// The time and the position of each upload's last progress event.
    last_events: Mutex<HashMap<PathBuf, (Instant, u64)>>,
}

impl Json {
    fn last_events(&self) -> MutexGuard<'_, HashMap<PathBuf, (Instant, u64)>> {
        self.last_events.lock().unwrap_or_else(|e| e.into_inner())
    }
}

impl Reporter for Json {
    fn start(&self, item: &Item) {
        write(&json!({
            "event": "start",
            "file": file(item),
            "directory": item.directory,
            "name": item.name,
            "size": known(item.size),
        }));
    }

    fn state(&self, item: &Item, state: UploadState, remote: &Remote) {
        let now = remote.snapshot();
        let failure = remote.failure().filter(|_| state == UploadState::Waiting);
        write(&json!({
            "event": "state",
            "file": file(item),
            "state": state_name(state),
            "retry_in": now.retry_in.map(|time| time.as_secs_f64()),
            "error": failure.map(|failure| failure.to_string()),
            "http_status": now.http_status,
        }));
    }

    fn progress(&self, item: &Item, remote: &Remote) {
        let now = remote.snapshot();
        let mut events = self.last_events();
        let due = events.get(&item.path).is_none_or(|(last, position)| {
            last.elapsed() >= MIN_INTERVAL && *position != now.position
        });
        if !due || now.size == 0 {
            return;
        }
        events.insert(item.path.clone(), (Instant::now(), now.position));
        write(&json!({
            "event": "progress",
            "file": file(item),
            "position": now.position,
            "offset": now.offset,
            "size": known(now.size),
            "bytes_sent": now.bytes_sent,
            "bytes_skipped": now.bytes_skipped,
            "rate": now.rate,
            "time_left": now.time_left.map(|time| time.as_secs_f64()),
        }));
    }

    fn end(&self, item: &Item, end: &End) {
        self.last_events().remove(&item.path);
        let now = end.remote.snapshot();
        let mut object = json!({
            "file": file(item),
            "size": known(if item.is_stdin() { now.size } else { now.size.max(item.size) }),
            "bytes_sent": now.bytes_sent,
            "bytes_skipped": now.bytes_skipped,
            "attempts": now.attempts,
            "http_status": now.http_status,
            "server_message": end.remote.server_message(),
            "protocol": end.remote.protocol(),
            "id": end.remote.id(),
            "seconds": end.time.as_secs_f64(),
        });
        match &end.outcome {
            Ok(()) if end.discards => object["event"] = "discarded".into(),
            Ok(()) => {
                object["event"] = "done".into();
                object["location"] = end.remote.location().into();
                object["digest"] = end.remote.digest().into();
                object["digest_algorithm"] =
                    end.remote.digest_algorithm().map(words::algorithm).into();
                object["md5"] = end.remote.md5().into();
            }
            Err(error) => {
                let cancelled = *error == resup::Error::Cancelled;
                let kind = if cancelled {
                    "cancelled"
                } else {
                    Exit::of(error).name()
                };
                object["event"] = "failed".into();
                object["kind"] = kind.into();
                object["error"] = error.to_string().into();
                object["retryable"] = error.is_retryable().into();
            }
        }
        write(&object);
    }

    fn log(&self, line: &str) {
        stderr::write(line);
    }

    fn summary(&self, summary: &Summary) {
        let tally = &summary.tally;
        write(&json!({
            "event": "summary",
            "files": tally.files,
            "done": tally.done,
            "failed": tally.failed,
            "bytes_sent": tally.bytes_sent,
            "bytes_skipped": tally.bytes_skipped,
            "seconds": summary.time.as_secs_f64(),
            "outcome": summary.exit.name(),
            "exit_code": summary.exit.code(),
        }));
    }
}

/// Gives a size, if it is known.
fn known(size: u64) -> Option<u64> {
    (size != SIZE_UNKNOWN).then_some(size)
}

fn file(item: &Item) -> String {
    item.path.to_string_lossy().into_owned()
}

fn state_name(state: UploadState) -> String {
    format!("{state:?}").to_lowercase()
}

/// Writes an object on a line. The uploads continue when standard output cannot be written.
fn write(object: &Value) {
    let _ = writeln!(io::stdout().lock(), "{object}");
}
