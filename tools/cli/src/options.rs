//! The command line.
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;
use resup::{DigestMode, FilenameStyle, LocateMethod, SegmentSize};

use crate::exit::Fault;
use crate::identity::Identity;
use crate::network::Network;
use crate::{pages, units};

/// Uploads files by web form, and goes on where it broke.
///
/// Whatever breaks on the way (the network, the server, this program itself), running the same
/// command again goes on from the first byte that the server does not have.
#[derive(Debug, Parser)]
#[command(name = "resup", version, after_help = pages::START)]
pub struct Cli {
    #[command(subcommand)]
    pub task: Task,
}

/// What is to be done.
#[derive(Debug, Subcommand)]
pub enum Task {
    Put(Box<Put>),

    /// Print a script for your shell that completes resup's options
    #[command(after_help = pages::COMPLETIONS)]
    Completions {
        /// Your shell
        shell: Shell,
    },

    /// Print the manual page
    #[command(after_help = pages::MAN)]
    Man,
}

/// Upload files and directories
///
/// Uploads each FILE to URL by ordinary form posts. What breaks is waited out and gone on from;
/// running the same command again goes on from what the server has, and compares that with the
/// file before it adds to it.
///
/// A file counts as the same one as long as its name, directory, size and modification time are
/// the same.
#[derive(Debug, Args)]
#[command(
    override_usage = pages::USAGE,
    after_help = pages::short_end(),
    after_long_help = pages::long_end()
)]
pub struct Put {
    /// Files to upload (directories too, with --recursive) and, last, the URL where the server
    /// takes uploads, beginning with http:// or https://
    // One argument of two kinds, so that options may stand anywhere between them.
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::AnyPath)]
    files_and_url: Vec<PathBuf>,

    #[command(flatten)]
    pub place: Place,
    #[command(flatten)]
    pub transfer: Transfer,
    #[command(flatten)]
    pub patience: Patience,
    #[command(flatten)]
    pub network: Network,
    #[command(flatten)]
    pub identity: Identity,
    #[command(flatten)]
    pub output: Output,
}

impl Put {
    /// What is to be uploaded.
    pub fn files(&self) -> &[PathBuf] {
        self.files_and_url
            .split_last()
            .map_or(&[], |(_, files)| files)
    }

    /// Where to.
    pub fn url(&self) -> Result<&str, Fault> {
        let last = self.files_and_url.last().and_then(|url| url.to_str());
        match last {
            Some(url) if url.contains("://") && !self.files().is_empty() => Ok(url),
            Some(url) if url.contains("://") => {
                Err(Fault::usage("there is no FILE before the URL"))
            }
            last => Err(Fault::usage(format!(
                "the last argument must be a URL such as https://example.org/upload, not \"{}\"",
                last.unwrap_or("...")
            ))),
        }
    }
}

/// What is uploaded, and as what.
#[derive(Debug, Args)]
#[command(next_help_heading = "What is uploaded, and as what")]
pub struct Place {
    /// Upload directories with all that is in them
    ///
    /// A directory keeps its name and its sub-directories on the server; "DIR/." uploads what is
    /// in DIR without that name. Symbolic links in it are followed to files. Those to directories
    /// and to nothing are left out, and told, as is what is not a regular file.
    #[arg(short, long)]
    pub recursive: bool,

    /// Directory on the server
    ///
    /// Its parts are separated by "/". Without it, the server chooses.
    #[arg(
        short,
        long,
        value_name = "DIR",
        default_value = "",
        hide_default_value = true
    )]
    pub directory: String,

    /// Name on the server, of a single file [default: the file's own]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,

    /// MIME type of the files [default: by their extensions]
    #[arg(long, value_name = "TYPE/SUBTYPE")]
    pub content_type: Option<String>,

    /// Form field to send with each file; may be given several times
    #[arg(long = "field", value_name = "NAME=VALUE", value_parser = pair)]
    pub fields: Vec<(String, String)>,

    /// User name that the server is told with each file; this is no login
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
}

/// How files are sent.
#[derive(Debug, Args)]
#[command(next_help_heading = "How files are sent")]
pub struct Transfer {
    /// Files to upload at once
    #[arg(short, long, value_name = "N", default_value = "1",
          value_parser = clap::value_parser!(u16).range(1..=64))]
    pub jobs: u16,

    /// Most bytes per second, of all files together, such as 500k or 1.5M
    #[arg(long, value_name = "SIZE", value_parser = units::size)]
    pub rate: Option<u64>,

    /// Most bytes of a file that one request carries, or "auto" [default: all]
    ///
    /// For servers and proxies that take only small requests or see them only when they are
    /// whole. "auto" grows while the network is good and shrinks after breaks.
    #[arg(long, value_name = "SIZE", value_parser = units::segment)]
    pub segment: Option<SegmentSize>,

    /// How files are compared with what arrives
    #[arg(long, value_name = "HOW", value_enum, default_value = "md5")]
    pub digest: Digest,

    /// How file names are written into forms
    #[arg(long, value_name = "HOW", value_enum, default_value = "whatwg")]
    pub filename_style: Style,

    /// How the server is asked what it has
    #[arg(long, value_name = "METHOD", value_enum, default_value = "post")]
    pub locate_method: Locate,
}

/// How long is waited for what, and how often tried.
#[derive(Debug, Args)]
#[command(next_help_heading = "When something breaks")]
pub struct Patience {
    /// Attempts in a row that may fail without a byte of progress, after the first [default: 8]
    #[arg(long, value_name = "N")]
    pub retries: Option<u32>,

    /// Most time for such attempts; 0 for no limit [default: 0]
    #[arg(long, value_name = "SECONDS", value_parser = units::seconds)]
    pub retry_timeout: Option<Duration>,

    /// Longest wait before another attempt [default: 30]
    #[arg(long, value_name = "SECONDS", value_parser = units::seconds)]
    pub retry_max_wait: Option<Duration>,

    /// Most time for a name lookup, and again for connecting [default: 30]
    #[arg(long, value_name = "SECONDS", value_parser = units::seconds)]
    pub connect_timeout: Option<Duration>,

    /// Most time for which the network may take nothing [default: 60]
    #[arg(long, value_name = "SECONDS", value_parser = units::seconds)]
    pub stall_timeout: Option<Duration>,

    /// Most time from the end of a request to its answer [default: 120]
    #[arg(long, value_name = "SECONDS", value_parser = units::seconds)]
    pub response_timeout: Option<Duration>,
}

/// What is told meanwhile.
#[derive(Debug, Args)]
#[command(next_help_heading = "What is told")]
pub struct Output {
    /// Write what happens to standard output, as one JSON object a line
    ///
    /// Each has an "event": start, state, progress, done or failed, with the "file" that it is
    /// about, and at the end summary, with the "exit_code". A failed one has its "kind", named
    /// after the exit codes (local, network, not-allowed, refused, answer, other or cancelled),
    /// the "error", and the server's "http_status" and "server_message". Sizes are in bytes,
    /// times in seconds.
    #[arg(long)]
    pub json: bool,

    /// Tell failures only
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,

    /// Tell the course of each upload; -vv for every step
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
}

/// A digest mode by its name.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Digest {
    /// Not at all
    None,
    /// By MD5, computed while they are sent
    Md5,
    /// By MD5, computed first: a server that has the content needs no byte of it
    First,
}

impl From<Digest> for DigestMode {
    fn from(digest: Digest) -> Self {
        match digest {
            Digest::None => DigestMode::None,
            Digest::Md5 => DigestMode::OnePass,
            Digest::First => DigestMode::First,
        }
    }
}

/// A way to write file names by its name.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Style {
    /// As browsers do, in UTF-8
    Whatwg,
    /// With "filename*" too, for servers that take names for Latin-1
    Rfc8187,
}

impl From<Style> for FilenameStyle {
    fn from(style: Style) -> Self {
        match style {
            Style::Whatwg => FilenameStyle::Whatwg,
            Style::Rfc8187 => FilenameStyle::Rfc8187,
        }
    }
}

/// A locate method by its name.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Locate {
    /// By GET, with the question in the URL
    Get,
    /// By POST, which no cache answers
    Post,
}

impl From<Locate> for LocateMethod {
    fn from(locate: Locate) -> Self {
        match locate {
            Locate::Get => LocateMethod::Get,
            Locate::Post => LocateMethod::Post,
        }
    }
}

/// Reads `NAME=VALUE`.
pub fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
        None => Err("there is no =; write it as NAME=VALUE".to_owned()),
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
}
