//! The results and states of uploads in words, for people.

use resup::{DigestAlgorithm, Error, Remote, Snapshot, UploadState, SIZE_UNKNOWN};

use crate::exit::Exit;
use crate::results::{End, Summary};
use crate::stderr::escape_controls;
use crate::tree::Item;
use crate::units::{bytes, taken, time};

/// Describes what an upload does now, and why it waits.
pub fn state(now: &Snapshot, remote: &Remote) -> String {
    match now.state {
        UploadState::Hashing => "reading".to_owned(),
        UploadState::Locating => "asking the server".to_owned(),
        UploadState::Sending => speed(now),
        UploadState::Verifying => "all sent, being checked".to_owned(),
        UploadState::Waiting => {
            let mut text = "waiting".to_owned();
            if let Some(left) = now.retry_in {
                text += &format!(" {}", time(left));
            }
            if let Some(error) = remote.failure() {
                text += &format!(": {}", failure(&error));
            }
            text
        }
        _ => String::new(),
    }
}

/// Describes how much of a file has gone: `1.2 MB of 3 MB`, or `1.2 MB` where the size is not known.
pub fn progress(now: &Snapshot) -> String {
    match now.size {
        SIZE_UNKNOWN => bytes(now.position),
        size => format!("{} of {}", bytes(now.position), bytes(size)),
    }
}

fn speed(now: &Snapshot) -> String {
    match (now.rate, now.time_left) {
        (0, _) => "sending".to_owned(),
        (rate, None) => format!("{}/s", bytes(rate)),
        (rate, Some(left)) => format!("{}/s, {} left", bytes(rate), time(left)),
    }
}

/// Describes the end of an upload.
pub fn end(item: &Item, end: &End) -> String {
    match &end.outcome {
        Ok(()) if end.discards => format!("{}: discarded", item.label()),
        Ok(()) => format!("{}: {}", item.label(), success(end)),
        Err(error) => format!("{}: {}", item.label(), failure(error)),
    }
}

/// What the library's messages name: its settings and the stream, and the command's words in their place.
const SETTINGS: [(&str, &str); 4] = [
    ("set_ca_file", "--cacert"),
    ("set_client_certificate", "--cert"),
    ("set_protocol", "--protocol"),
    ("\"the program's stream\"", "standard input"),
];

/// Describes a failure. Where the library names a setting of its own, the command's option takes its place.
pub fn failure(error: &Error) -> String {
    let text = error.to_string();
    let text = SETTINGS.iter().fold(text, |text, (setting, option)| {
        text.replace(setting, option)
    });
    escape_controls(&text)
}

/// Gives the name of a digest's algorithm, as the option has it.
pub fn algorithm(algorithm: DigestAlgorithm) -> &'static str {
    match algorithm {
        DigestAlgorithm::Automatic => "auto",
        DigestAlgorithm::Blake3 => "blake3",
        DigestAlgorithm::Sha256 => "sha256",
        DigestAlgorithm::Md5 => "md5",
    }
}

fn success(end: &End) -> String {
    let now = end.remote.snapshot();
    let mut text = match now.bytes_skipped {
        0 => format!("done, {} in {}", bytes(now.size), taken(end.time)),
        skipped if skipped == now.size => format!("was there already, {}", bytes(now.size)),
        skipped => format!(
            "done, {} in {}; {} were there already",
            bytes(now.size),
            taken(end.time),
            bytes(skipped)
        ),
    };
    if let (Some(algorithm), Some(digest)) = (end.remote.digest_algorithm(), end.remote.digest()) {
        text.push_str(&format!(", {}:{digest}", self::algorithm(algorithm)));
    }
    if let Some(location) = end.remote.location() {
        text.push_str(&format!(", at {}", escape_controls(&location)));
    }
    text
}

/// Describes the results of all uploads. Returns `None` if there is one file, whose own line says
/// enough.
pub fn summary(summary: &Summary) -> Option<String> {
    let tally = &summary.tally;
    let all = match tally.files {
        1 => "1 file".to_owned(),
        count => format!("{count} files"),
    };
    let done = match summary.discards {
        true => "discarded",
        false => "complete",
    };
    match (summary.exit, tally.first_failure()) {
        (Exit::Interrupted | Exit::Terminated, _) => Some(format!(
            "resup: {}; {} of {all} {done}. {}",
            summary.exit.name(),
            tally.done,
            match tally.reached {
                _ if summary.is_stream => "Standard input cannot be read again: begin anew",
                true => "The server keeps what it has: run the same command again to continue",
                false => "The server has not answered: run the same command again when it does",
            },
        )),
        (_, Some((item, failed))) if tally.files > 1 => Some(format!(
            "resup: {} of {all} failed; the first is {}",
            tally.failed,
            end(item, failed)
        )),
        (Exit::Done, None) if tally.files != 1 && summary.discards => {
            Some(format!("{all} {done} in {}", taken(summary.time)))
        }
        (Exit::Done, None) if tally.files != 1 => Some(format!(
            "{all} complete, {} sent in {}, {} were there already",
            bytes(tally.bytes_sent),
            taken(summary.time),
            bytes(tally.bytes_skipped)
        )),
        _ => None,
    }
}
