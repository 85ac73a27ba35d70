//! The command line.

use std::convert::Infallible;
use std::path::{is_separator, PathBuf};
use std::time::Duration;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use resup::{DigestAlgorithm, DigestMode, SegmentSize};

use crate::dialect::{DialectOptions, DialectTask};
use crate::exit::Fault;
use crate::forms::{Locate, Style};
use crate::identity::Identity;
use crate::messages::tr;
use crate::network::Network;
use crate::pairs::pair;
use crate::parts::PartsOptions;
use crate::protocol::Protocol;
use crate::verify::options::Verify;
use crate::{help, units};

/// Uploads files by web form, and resumes uploads that were interrupted.
///
/// If the upload fails (because of the network, the server, or this program itself), run the same
/// command again: it continues at the first byte that the server does not have.
#[derive(Debug, Parser)]
#[command(name = "resup", version, after_help = help::START)]
pub struct Cli {
    #[command(subcommand)]
    pub task: Task,
}

/// A command.
#[derive(Debug, Subcommand)]
pub enum Task {
    Put(Box<Put>),

    /// List, show and check dialects: how servers take files in forms
    #[command(subcommand, after_help = help::DIALECT)]
    Dialect(DialectTask),

    Verify(Verify),

    /// Print a script that makes your shell complete resup's options
    #[command(after_help = help::COMPLETIONS)]
    Completions {
        /// Your shell
        shell: Shell,
    },

    /// Print the manual page
    #[command(after_help = help::MAN)]
    Man,
}

/// Upload files and directories
///
/// Uploads each FILE to URL by ordinary form posts. After a connection loss it waits and continues.
/// When you run the same command again, it compares the bytes that the server already has with the
/// file, and sends only the rest.
///
/// The server recognizes a file by its name, directory, size and modification time. For servers of
/// other protocols than form posts see --protocol.
#[derive(Debug, Args)]
#[command(
    override_usage = help::USAGE,
    after_help = help::short_end(),
    after_long_help = help::long_end()
)]
pub struct Put {
    /// Files to upload (directories too, with --recursive; - is standard input, with --name) and, last,
    /// the URL where the server takes uploads, beginning with http:// or https://
    // One argument of two kinds, so that options may stand anywhere between them.
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub files_and_url: Vec<PathBuf>,

    #[command(flatten)]
    pub file: FileOptions,
    #[command(flatten)]
    pub transfer: Transfer,
    #[command(flatten)]
    pub limits: Limits,
    #[command(flatten)]
    pub network: Network,
    #[command(flatten)]
    pub identity: Identity,
    #[command(flatten)]
    pub output: Output,
}

/// The options about files and their names.
#[derive(Debug, Args)]
#[command(next_help_heading = "Files and their names")]
pub struct FileOptions {
    /// Upload directories with all that is in them
    ///
    /// A directory keeps its name and its sub-directories on the server. "DIR/." uploads what is in
    /// DIR without the name DIR. Symbolic links to files are followed. Other links, and all that is
    /// not a regular file, are skipped with a message. What cannot be read, and a name that is not
    /// UTF-8, is a failure of that file or directory; all others are uploaded. Directories without a
    /// file are left out, with a message.
    #[arg(short, long)]
    pub recursive: bool,

    /// Directory on the server, such as 2026/may [default: the server chooses]
    #[arg(
        short,
        long,
        value_name = "DIR",
        default_value = "",
        hide_default_value = true,
        value_parser = server_directory
    )]
    pub directory: String,

    /// Name on the server, if there is a single file [default: the file's own name]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,

    /// MIME type of the files [default: by their extensions]
    #[arg(long, value_name = "TYPE/SUBTYPE")]
    pub content_type: Option<String>,

    /// Form field to send with each file; may be given several times
    #[arg(long = "field", value_name = "NAME=VALUE", value_parser = pair)]
    pub fields: Vec<(String, String)>,

    /// User name to send with each file; it does not log in
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
}

/// The options about sending.
#[derive(Debug, Args)]
#[command(next_help_heading = "Sending")]
pub struct Transfer {
    /// Maximum number of files to upload at once
    #[arg(short, long, value_name = "N", default_value = "1",
          value_parser = units::jobs)]
    pub jobs: u16,

    /// Protocol that the server speaks
    ///
    /// In tus, ietf and session only the URL of an upload finds it again. While the upload is not complete, the command
    /// keeps the URL in a file of its own below XDG_STATE_HOME/resup or ~/.local/state/resup (on
    /// Windows %LOCALAPPDATA%\resup), and deletes such files after 30 days.
    #[arg(long, value_name = "NAME", value_enum, default_value = "auto")]
    pub protocol: Protocol,

    #[command(flatten)]
    pub dialect: DialectOptions,

    #[command(flatten)]
    pub parts: PartsOptions,

    /// Take uploads back that this command line would resume: the server drops what it has of each
    /// FILE, unless that is complete
    #[arg(long)]
    pub discard: bool,

    /// Maximum bytes per second, for all files together, such as 500k or 1.5M
    #[arg(long, value_name = "SIZE", value_parser = resup_units::size)]
    pub rate: Option<u64>,

    /// Maximum bytes of a file in one request, or "auto" [default: all, as long as that works]
    ///
    /// Seldom needed: when a request has brought nothing, the next ones carry less, from 4 MiB down to
    /// 64 KiB, and more again while each takes less than 5 seconds. With "auto" that is so from the
    /// first request on.
    #[arg(long, value_name = "SIZE", value_parser = units::segment)]
    pub segment: Option<SegmentSize>,

    /// Digest by which the server's bytes are compared with the file
    #[arg(long, value_name = "WHICH", value_enum, default_value = "auto")]
    pub digest: Digest,

    /// Compute the digest before the upload, not while the file is sent
    ///
    /// If the server already has the content, under whatever name, nothing is sent.
    #[arg(long)]
    pub digest_first: bool,

    /// Read the finished file back, and compare it, where the server tells no digest of it
    ///
    /// That is so with dav, tus and ietf. If it is another file, the upload fails; the file stays there, and the
    /// same command uploads it anew. It takes as many bytes again as the file has, within --rate.
    #[arg(long)]
    pub read_back: bool,

    /// Maximum number of connections that send parts of a file, 1 to 6 [default: as many as help]
    ///
    /// The server has to take parts. Large files on a slow network get faster by it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=6))]
    pub connections: Option<u32>,

    /// How to write file names into forms
    #[arg(long, value_name = "HOW", value_enum, default_value = "whatwg")]
    pub filename_style: Style,

    /// By tus, send files of up to 256 KiB with the request that creates the upload; after a lost answer such a file may be
    /// there twice
    #[arg(long)]
    pub creation_with_upload: bool,

    /// How to ask the server which bytes it has
    #[arg(long, value_name = "METHOD", value_enum, default_value = "post")]
    pub locate_method: Locate,
}

/// The options about retries and time limits.
#[derive(Debug, Args)]
#[command(next_help_heading = "Retries and time limits")]
pub struct Limits {
    /// Maximum retries in a row without a byte of progress [default: 8, in 45 s on average]
    #[arg(long, value_name = "N")]
    pub retries: Option<u32>,

    /// Maximum time for such retries; 0 for no limit [default: 0]
    #[arg(long, value_name = "TIME", value_parser = resup_units::time)]
    pub retry_timeout: Option<Duration>,

    /// Maximum wait before a retry [default: 30]
    #[arg(long, value_name = "TIME", value_parser = resup_units::time)]
    pub retry_max_wait: Option<Duration>,

    /// Maximum time for a name lookup, and the same again for connecting [default: 30]
    #[arg(long, value_name = "TIME", value_parser = resup_units::time)]
    pub connect_timeout: Option<Duration>,

    /// Maximum time in which the network accepts no byte [default: 60]
    #[arg(long, value_name = "TIME", value_parser = resup_units::time)]
    pub stall_timeout: Option<Duration>,

    /// Maximum time from the end of a request to its response [default: 120]
    #[arg(long, value_name = "TIME", value_parser = resup_units::time)]
    pub response_timeout: Option<Duration>,
}

/// The options about output.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct Output {
    /// Write events to standard output, one JSON object per line
    ///
    /// The "event" is start, state, progress, done or failed, with the name of the "file". The last
    /// event is summary, with the "exit_code". The state waiting has the "error" that it waits after.
    /// A failed event has a "kind" for each exit code: other (1), local (3), network (4), not-allowed
    /// (5), refused (6), answer (7), or cancelled (130, 143). It also has the "error", whether it is
    /// "retryable", and the server's "http_status" and "server_message". A done or failed event has the
    /// "protocol" that the server has answered in. With --discard the event discarded takes the place of
    /// done. The "size" of standard input is null until its end. Sizes are in bytes, times in seconds.
    #[arg(long)]
    pub json: bool,

    /// Write only failures
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,

    /// Write more about each upload; -vv for every step
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
}

/// Parses a directory on the server. Where "\" parts directories, no name has it.
fn server_directory(text: &str) -> Result<String, Infallible> {
    Ok(match is_separator('\\') {
        true => text.replace('\\', "/"),
        false => text.to_owned(),
    })
}

/// A digest, as the option names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Digest {
    /// The best one that the server has
    Auto,
    /// BLAKE3 only, the fastest; an upload fails where the server does not use it
    Blake3,
    /// SHA-256 only
    Sha256,
    /// MD5 only, which every server has; it protects against accidents, not against an attacker
    Md5,
    /// No digest; the server's bytes are not compared with the file
    None,
    /// The earlier form of `--digest-first`.
    #[value(hide = true)]
    First,
}

impl Transfer {
    /// Gives whether and when the digest is computed.
    pub fn digest_mode(&self) -> DigestMode {
        match (self.digest, self.digest_first) {
            (Digest::None, _) => DigestMode::None,
            (Digest::First, _) | (_, true) => DigestMode::First,
            _ => DigestMode::OnePass,
        }
    }

    /// Checks what no option can check alone.
    pub fn check(&self) -> Result<(), Fault> {
        if let (Digest::None, true) = (self.digest, self.digest_first) {
            return Err(Fault::usage(tr!(
                "--digest none computes no digest, and --digest-first one: leave one of them out"
            )));
        }
        let is_named = self.digest.algorithm() != DigestAlgorithm::Automatic;
        match self.without_checks() {
            Some(option) if is_named => Err(Fault::usage(tr!(
                "--digest by a name needs a server that compares it, and {option} has no \
                 answer that tells so: leave one of them out",
                option
            ))),
            _ => Ok(()),
        }
    }

    /// Gives the option that chooses a way without signatures and digests that a server compares.
    pub fn without_checks(&self) -> Option<String> {
        match self.protocol.without_checks() {
            _ if self.dialect.is_some() => Some(tr!("a dialect (--dialect)")),
            _ if self.parts.file.is_some() => Some(tr!("presigned parts (--parts)")),
            protocol => protocol.map(|protocol| format!("--protocol {protocol}")),
        }
    }
}

impl Digest {
    /// Gives the algorithm of the digest.
    pub fn algorithm(self) -> DigestAlgorithm {
        match self {
            Digest::Auto | Digest::None | Digest::First => DigestAlgorithm::Automatic,
            Digest::Blake3 => DigestAlgorithm::Blake3,
            Digest::Sha256 => DigestAlgorithm::Sha256,
            Digest::Md5 => DigestAlgorithm::Md5,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_size_and_time_takes_units() {
        let cli = Cli::command();
        let put = cli.find_subcommand("put").unwrap();
        let mut count = 0;
        for option in put.get_arguments() {
            let value = match option.get_value_names() {
                Some([name]) if name == "SIZE" => "5Gi",
                Some([name]) if name == "TIME" => "1.5h",
                _ => continue,
            };
            let flag = format!("--{}", option.get_long().unwrap());
            let parsed = Cli::try_parse_from(["resup", "put", &flag, value, "f", "http://h/"]);
            assert!(parsed.is_ok(), "{flag} {value}");
            count += 1;
        }
        assert_eq!(count, 7);
    }
}
