//! The results and states of uploads in words, for people.

use resup::{DigestAlgorithm, Error, Remote, Snapshot, UploadState, SIZE_UNKNOWN};

use crate::exit::Exit;
use crate::messages::{sentence, tr};
use crate::results::{End, Summary};
use crate::stderr::escape_controls;
use crate::tree::Item;
use crate::units::{bytes, taken, time};

/// Describes what an upload does now, and why it waits.
pub fn state(now: &Snapshot, remote: &Remote) -> String {
    match now.state {
        UploadState::Hashing => tr!("reading"),
        UploadState::Locating => tr!("asking the server"),
        UploadState::Sending => speed(now),
        UploadState::Verifying => tr!("all sent, being checked"),
        UploadState::Waiting => {
            let left = now.retry_in.map(time);
            let reason = remote.failure().map(|error| failure(&error));
            match (left, reason) {
                (Some(left), Some(reason)) => tr!("waiting {left}: {reason}", left, reason),
                (Some(left), None) => tr!("waiting {left}", left),
                (None, Some(reason)) => tr!("waiting: {reason}", reason),
                (None, None) => tr!("waiting"),
            }
        }
        _ => String::new(),
    }
}

/// Describes how much of a file has gone: `1.2 MB of 3 MB`, or `1.2 MB` where the size is not known.
pub fn progress(now: &Snapshot) -> String {
    match now.size {
        SIZE_UNKNOWN => bytes(now.position),
        size => tr!(
            "{position} of {size}",
            position = bytes(now.position),
            size = bytes(size)
        ),
    }
}

fn speed(now: &Snapshot) -> String {
    match (now.rate, now.time_left) {
        (0, _) => tr!("sending"),
        (rate, None) => tr!("{rate}/s", rate = bytes(rate)),
        (rate, Some(left)) => tr!(
            "{rate}/s, {left} left",
            rate = bytes(rate),
            left = time(left)
        ),
    }
}

/// Describes the end of an upload.
pub fn end(item: &Item, end: &End) -> String {
    match &end.outcome {
        Ok(()) if end.discards => tr!("{file}: discarded", file = item.label()),
        Ok(()) => tr!(
            "{file}: {outcome}",
            file = item.label(),
            outcome = success(end)
        ),
        Err(error) => tr!(
            "{file}: {outcome}",
            file = item.label(),
            outcome = failure(error)
        ),
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
    let text = sentence(error);
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
        0 => tr!(
            "done, {size} in {time}",
            size = bytes(now.size),
            time = taken(end.time)
        ),
        skipped if skipped == now.size => tr!("was there already, {size}", size = bytes(now.size)),
        skipped => tr!(
            "done, {size} in {time}; {skipped} were there already",
            size = bytes(now.size),
            time = taken(end.time),
            skipped = bytes(skipped)
        ),
    };
    if let (Some(algorithm), Some(digest)) = (end.remote.digest_algorithm(), end.remote.digest()) {
        text.push_str(&tr!(
            ", {digest}",
            digest = format!("{}:{digest}", self::algorithm(algorithm))
        ));
    }
    if let Some(location) = end.remote.location() {
        text.push_str(&tr!(", at {place}", place = escape_controls(&location)));
    }
    text
}

/// Describes the results of all uploads. Returns `None` if there is one file, whose own line says
/// enough.
pub fn summary(summary: &Summary) -> Option<String> {
    let tally = &summary.tally;
    let all = match tally.files {
        1 => tr!("1 file"),
        count => tr!("{count} files", count),
    };
    match (summary.exit, tally.first_failure()) {
        (exit @ (Exit::Interrupted | Exit::Terminated), _) => {
            let why = match exit {
                Exit::Interrupted => tr!("interrupted"),
                _ => tr!("terminated"),
            };
            let done = tally.done;
            let done = match summary.discards {
                true => tr!("{done} of {all} discarded", done, all),
                false => tr!("{done} of {all} complete", done, all),
            };
            let further = match tally.reached {
                _ if summary.is_stream => tr!("Standard input cannot be read again: begin anew"),
                true => tr!("The server keeps what it has: run the same command again to continue"),
                false => {
                    tr!("The server has not answered: run the same command again when it does")
                }
            };
            Some(tr!("resup: {why}; {done}. {further}", why, done, further))
        }
        (_, Some((item, failed))) if tally.files > 1 => Some(tr!(
            "resup: {failed} of {all} failed; the first is {first}",
            failed = tally.failed,
            all,
            first = end(item, failed)
        )),
        (Exit::Done, None) if tally.files != 1 && summary.discards => Some(tr!(
            "{all} discarded in {time}",
            all,
            time = taken(summary.time)
        )),
        (Exit::Done, None) if tally.files != 1 => Some(tr!(
            "{all} complete, {sent} sent in {time}, {skipped} were there already",
            all,
            sent = bytes(tally.bytes_sent),
            time = taken(summary.time),
            skipped = bytes(tally.bytes_skipped)
        )),
        _ => None,
    }
}
