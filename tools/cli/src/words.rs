//! What is told to a person, in words.
#![forbid(unsafe_code)]

use std::io::{self, Write};

use resup::{Snapshot, UploadState};

use crate::exit::Exit;
use crate::report::{End, Summary};
use crate::tree::Item;
use crate::units::{bytes, time};

/// Writes a line about a fault to standard error.
pub fn complain(text: &str) {
    write(&format!("resup: {}", plain(text)));
}

/// Writes a line to standard error; when nobody takes it, the uploads go on without.
pub fn write(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// The text without what could steer a terminal: others have written it.
pub fn plain(text: &str) -> String {
    let steers =
        |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match steers(c) {
            true => plain.extend(c.escape_default()),
            false => plain.push(c),
        }
    }
    plain
}

/// What an upload is doing.
pub fn state(now: &Snapshot) -> String {
    match now.state {
        UploadState::Hashing => "reading".to_owned(),
        UploadState::Locating => "asking the server".to_owned(),
        UploadState::Sending => sending(now),
        UploadState::Verifying => "all sent, being checked".to_owned(),
        UploadState::Waiting => match now.retry_in {
            Some(left) => format!("waiting {}", time(left)),
            None => "waiting".to_owned(),
        },
        _ => String::new(),
    }
}

fn sending(now: &Snapshot) -> String {
    match (now.rate, now.time_left) {
        (0, _) => "sending".to_owned(),
        (rate, None) => format!("{}/s", bytes(rate)),
        (rate, Some(left)) => format!("{}/s, {} left", bytes(rate), time(left)),
    }
}

/// How an upload ended.
pub fn end(item: &Item, end: &End) -> String {
    match &end.outcome {
        Ok(()) => format!("{}: {}", item.label(), done(end)),
        Err(error) => format!("{}: {}", item.label(), plain(&error.to_string())),
    }
}

fn done(end: &End) -> String {
    let now = end.remote.snapshot();
    let mut text = match now.bytes_skipped {
        0 => format!("done, {} in {}", bytes(now.size), time(end.time)),
        there if there == now.size => format!("was there already, {}", bytes(now.size)),
        there => format!(
            "done, {} in {}; {} were there already",
            bytes(now.size),
            time(end.time),
            bytes(there)
        ),
    };
    if let Some(location) = end.remote.location() {
        text.push_str(&format!(", at {}", plain(&location)));
    }
    text
}

/// What became of all; nothing where one file's own line has told it.
pub fn summary(summary: &Summary) -> Option<String> {
    let tally = &summary.tally;
    let all = match tally.files {
        1 => "1 file".to_owned(),
        count => format!("{count} files"),
    };
    match (summary.exit, tally.first_failed()) {
        (Exit::Interrupted | Exit::Terminated, _) => Some(format!(
            "resup: {}; {} of {all} there. What the server has is kept: run the same command \
             again to go on",
            summary.exit.name(),
            tally.done,
        )),
        (_, Some((item, failed))) if tally.files > 1 => Some(format!(
            "resup: {} of {all} failed; the first is {}",
            tally.failed,
            end(item, failed)
        )),
        (Exit::Done, None) if tally.files != 1 => Some(format!(
            "{all} there, {} sent in {}, {} were there already",
            bytes(tally.bytes_sent),
            time(summary.time),
            bytes(tally.bytes_skipped)
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_can_steer_the_terminal() {
        assert_eq!(plain("报告 é.txt"), "报告 é.txt");
        assert_eq!(
            plain("a\x1b[2Jb\r\n\u{202e}"),
            "a\\u{1b}[2Jb\\r\\n\\u{202e}"
        );
    }
}
