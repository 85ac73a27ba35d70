//! Texts of the help and of the manual page: usage, units, exit codes, environment, examples.

use std::fmt::Write as _;

use crate::exit::Exit;
use crate::messages::{text, tr};

/// The usage of `put`.
pub const USAGE: &str = "resup put [OPTIONS] FILE... URL";

/// The end of `resup --help`.
pub const START: &str = "\
For a start:
  resup put video.mp4 https://example.org/upload

\"resup put --help\" shows all options, with examples and exit codes.";

/// The end of the help of `dialect`.
pub const DIALECT: &str = "\
Examples:
  resup dialect list
  resup dialect show resumable.js > mine.json
  resup dialect check mine.json https://example.org/chunks
  resup put --dialect mine.json video.mp4 https://example.org/chunks";

/// The end of the help of `dialect show`.
pub const DIALECT_SHOW: &str = "\
Example:
  resup dialect show resumable.js > mine.json";

/// The end of the help of `dialect check`.
pub const DIALECT_CHECK: &str = "\
The values of fields and headers are shown, but not those whose names are those of secrets
(token, password, cookie, ...).

Exit codes:
    0  the dialect and the server fit each other
    2  the command line or the dialect is wrong; nothing was sent
    7  the server's answers are not what the dialect says
  Others are those of \"resup put\".

Examples:
  resup dialect check mine.json https://example.org/chunks
  resup dialect check --chunk-size 64Ki --token-file token.txt resumable.js https://example.org/chunks";

/// What the manual page says about dialects.
pub const DIALECT_MANUAL: [(&str, &str); 3] = [
    (
        "resup dialect list",
        "lists the presets: dialects of forms that are known by a name. With --json it writes one JSON object per line.",
    ),
    (
        "resup dialect show NAME",
        "prints the JSON of a preset, to be saved in a file and changed. --dialect takes that file.",
    ),
    (
        "resup dialect check [OPTIONS] FILE|NAME URL",
        "uploads a small file by a dialect, interrupts it, goes on as another process would, and tells of each request what \
         was sent, what came back, and which key of the dialect is wrong. --chunk-size SIZE sends less, --file FILE sends a \
         file of the user's, --json writes one JSON object per line. The options --directory, --field, --user and those about \
         network, logins and headers are as below. The file stays on the server. The exit status is 7 where no request has \
         failed and yet a key is wrong.",
    ),
];

/// The end of the help of `verify`.
pub const VERIFY: &str = "\
Exit codes:
    0  the receipt is right, and the file is the one that it is about
    2  the command line is wrong, or names no key
    3  the receipt, the key or the file is missing or cannot be read
    7  the key has not signed the receipt, or the file is another one

Example:
  curl -o resup.pem https://example.org/receipt-key
  resup verify --key resup.pem video.receipt video.mp4";

/// What the manual page says about receipts.
pub const VERIFY_MANUAL: &str = "\
checks that FILE is the one that RECEIPT is about: that the receiver's key has signed the receipt, and that the file has the \
size and the digests in it. The receiver gives receipts at /uploads/ID/receipt and its public key at /receipt-key. Without \
--key the variable RESUP_RECEIPT_KEY names the file of the key. The exit status is 7 where the key has not signed the \
receipt, or the file is another one.";

/// The end of the help of `completions`.
pub const COMPLETIONS: &str = "\
Examples:
  resup completions bash > ~/.local/share/bash-completion/completions/resup
  resup completions zsh > \"${fpath[1]}/_resup\"
  resup completions fish > ~/.config/fish/completions/resup.fish";

/// The end of the help of `man`.
pub const MAN: &str = "\
Examples:
  resup man > ~/.local/share/man/man1/resup.1
  resup man | man -l -";

/// The words for the units of options.
pub fn units() -> String {
    format!("{} {}", text(resup_units::SIZES), text(resup_units::TIMES))
}

/// The environment variables.
pub const ENVIRONMENT: [(&str, &str); 6] = [
    ("RESUP_PASSWORD", "the password of --basic or --login"),
    ("RESUP_TOKEN", "the bearer token"),
    ("RESUP_SIGN_SECRET", "the secret that signs forms"),
    (
        "RESUP_RECEIPT_KEY",
        "the file with the public key of \"resup verify\"",
    ),
    (
        "http_proxy, https_proxy, all_proxy, no_proxy",
        "the proxy, if there is no --proxy",
    ),
    (
        "XDG_STATE_HOME",
        "the directory of resup/, with a file for each unfinished upload by tus, ietf or session",
    ),
];

/// Examples: what a command does, and the command.
pub const EXAMPLES: [(&str, &str); 10] = [
    ("Upload a file", "resup put video.mp4 https://example.org/upload"),
    (
        "Upload two files into a directory, at most 2 MB per second",
        "resup put -d 2026/may --rate 2M a.zip b.zip https://example.org/upload",
    ),
    (
        "Upload a directory with all that is in it, four files at once",
        "resup put -r -j 4 photos https://example.org/upload",
    ),
    (
        "Upload an archive while it is made, to a server of tus or of the IETF's protocol",
        "tar c photos | resup put - --name photos.tar https://example.org/upload",
    ),
    (
        "Upload through a proxy that passes on only complete requests",
        "resup put --segment auto video.mp4 https://example.org/upload",
    ),
    (
        "Keep trying for up to a day while the server cannot be reached",
        "resup put --retries 100000 --retry-timeout 1d video.mp4 https://example.org/upload",
    ),
    (
        "Take back an upload that was interrupted",
        "resup put --discard video.mp4 https://example.org/upload",
    ),
    (
        "Log in as anna, and ask for her password",
        "resup put --basic anna video.mp4 https://example.org/upload",
    ),
    (
        "Log in by a web form, with the password in a file",
        "resup put --login https://example.org/login --login-field user=anna \\\n      \
         --login-field password --password-file secret.txt video.mp4 https://example.org/upload",
    ),
    (
        "List the files that failed, with the program jq",
        "resup put --json *.zip https://example.org/upload | jq -r 'select(.event==\"failed\").file'",
    ),
];

/// The rule for the exit code if several files fail.
pub const SEVERAL: &str = "\
If several files fail, the exit code is that of the first one on the command line. The server \
keeps the bytes that it has: run the same command again to continue.";

/// Writes the end of `resup put -h`.
pub fn short_end() -> String {
    tr!("\"resup put --help\" shows more, with units, examples and exit codes.")
}

/// Writes the end of `resup put --help`.
pub fn long_end() -> String {
    let mut end = format!(
        "{}\n  {}\n\n{}\n",
        text("Units:"),
        units(),
        text("Exit codes:")
    );
    for (exit, meaning) in Exit::ALL {
        let _ = writeln!(end, "  {:>3}  {}", exit.code(), text(meaning));
    }
    let _ = write!(end, "\n  {}\n\n{}\n", text(SEVERAL), text("Environment:"));
    for (name, meaning) in ENVIRONMENT {
        let _ = writeln!(end, "  {name}: {}", text(meaning));
    }
    end.push('\n');
    end.push_str(text("Examples:"));
    for (what, command) in EXAMPLES {
        let _ = write!(end, "\n  {}:\n    {command}\n", text(what));
    }
    end
}
