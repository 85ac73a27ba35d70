//! The settings, and the commands.
//!
//! | file | what is in it |
//! | --- | --- |
//! | [`base_path`] | the value of --base-path |
//! | [`command`] | the commands that run in place of the receiver |
//! | [`digest_set`] | the value of --digests |
//! | [`hook`] | the values of --hook-before and --hook-after |
//! | [`listen`] | the value of --listen |
//! | `pages` | the manual page and the scripts for completion |
//! | `sources` | flags, environment and file, in their order |
//! | [`times`] | times as texts |

pub mod base_path;
pub mod command;
pub mod digest_set;
pub mod hook;
pub mod listen;
mod pages;
mod sources;
pub mod times;

use std::net::{IpAddr, SocketAddr};
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use ipnet::IpNet;

use command::Command;
use digest_set::DigestSet;
use hook::Target;
use listen::Listen;

/// Receives resumable form uploads and keeps the files in a directory.
///
/// Each option can also be given by environment (--max-segment: RESUP_RECEIVER_MAX_SEGMENT) and in
/// the --config file (max-segment = 1000). A flag goes before the environment, that before the file.
#[derive(Debug, Clone, Parser)]
#[command(name = "resup-receiver", version, after_help = units())]
pub struct Config {
    /// TOML file with more settings, each under the name of its option
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,

    /// Directory for the files and, by default, the database; made if missing
    #[arg(long, value_name = "DIR", global = true, required = false)]
    pub data: PathBuf,

    /// Where finished files go
    #[arg(long, value_enum, default_value_t = Layout::Id)]
    pub layout: Layout,

    /// What a finished file does, with --layout tree, when another one has its name
    #[arg(long, value_enum, default_value_t = Conflict::Rename)]
    pub conflict: Conflict,

    /// Rights that files and directories of the receiver do not get, in octal; 027 lets its group read
    #[cfg(unix)]
    #[arg(long, value_name = "MODE", default_value = "077", value_parser = mask, global = true)]
    pub umask: u32,

    /// Where to listen: an address with a port (with port 0 the system chooses one), a host with a port, for all
    /// its addresses, or unix:PATH; several times, or several by commas [default: 127.0.0.1:8080, or the
    /// sockets that systemd passes]
    #[arg(long, value_name = "ADDR", value_delimiter = ',')]
    pub listen: Vec<Listen>,

    /// Rights of the unix sockets of --listen, in octal; 660 lets the receiver's group connect. More than 600 needs a user,
    /// or --proxy-without-login
    #[cfg(unix)]
    #[arg(long, value_name = "MODE", default_value = "600", value_parser = mode)]
    pub socket_mode: u32,

    /// A socket of systemd's that others than this machine reach. It is no setting.
    #[arg(skip)]
    pub passed_public: Option<String>,

    /// A unix socket of systemd's. It is no setting.
    #[arg(skip)]
    pub passed_unix: Option<String>,

    /// Longest time that the end takes for downloads and other responses under way, after SIGTERM or SIGINT
    #[arg(long, value_name = "TIME", default_value = "30", value_parser = time)]
    pub end_timeout: Duration,

    /// Certificates for TLS in PEM or DER, the server's own first; read again on SIGHUP
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,

    /// Private key for TLS in PEM or DER, not encrypted
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,

    /// Address for Prometheus to read /metrics from [default: none]
    #[arg(long, value_name = "ADDR", value_parser = address)]
    pub metrics_listen: Option<SocketAddr>,

    /// How the log is written, to standard error
    #[arg(long, value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,

    /// Database with the records: sqlite://PATH, or postgres://USER@HOST/NAME for PostgreSQL [default: sqlite file
    /// in the data directory]
    #[arg(long, value_name = "URL", global = true)]
    pub database: Option<String>,

    /// File with the password for PostgreSQL, which other users of the machine would see in the command line
    #[arg(long, value_name = "FILE", global = true)]
    pub database_password_file: Option<PathBuf>,

    /// Object store for the files, in place of the directory: s3://BUCKET/PREFIX, az:// or gs:// likewise,
    /// with ?endpoint=URL where it is not the provider's own; credentials are in the environment
    #[arg(long, value_name = "URL", hide_env_values = true)]
    pub store: Option<String>,

    /// Answer downloads by an address at the object store, good for 15 minutes and for everybody
    #[arg(long, requires = "store")]
    pub redirect_downloads: bool,

    /// Other receivers use the same database, and the same data directory or object store, at the same time, each with this
    /// option; needs PostgreSQL, and clients send no parallel parts
    #[arg(long)]
    pub shared: bool,

    /// Time that a client may take for a request's header block
    #[arg(long, value_name = "TIME", default_value = "30", value_parser = time)]
    pub header_timeout: Duration,

    /// Time that a client may be silent inside a request's body
    #[arg(long, value_name = "TIME", default_value = "30", value_parser = time)]
    pub body_idle_timeout: Duration,

    /// Digests that are kept of each file, beside the one that proves it: md5, sha256, blake3, several by
    /// commas, or none [default: sha256 beside md5, none beside the others]
    #[arg(long, value_name = "NAMES", value_parser = DigestSet::parse)]
    pub digests: Option<DigestSet>,

    /// Most file bytes that one send may carry, 1000 or more
    #[arg(long, value_name = "SIZE", value_parser = segment)]
    pub max_segment: Option<NonZeroU64>,

    /// Most bytes in a file
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub max_size: Option<NonZeroU64>,

    /// Most bytes that all files of one user may have, finished or not
    #[arg(long, value_name = "SIZE", value_parser = size)]
    pub quota: Option<NonZeroU64>,

    /// Most uploads that one user may have, finished or not; with --quota no more than 100 and one for
    /// each 4 KiB of it
    #[arg(long, value_name = "COUNT", default_value = "1000000", value_parser = count)]
    pub max_records: NonZeroUsize,

    /// Most parts of one upload that a client may send at a time, 1 to 64; each counts as an upload below
    #[arg(long, value_name = "COUNT", default_value = "6", value_parser = parts)]
    pub parts: u8,

    /// Most uploads at once
    #[arg(long, value_name = "COUNT", default_value = "1000", value_parser = count)]
    pub max_uploads: NonZeroUsize,

    /// Most uploads at once of one user [default: half of --max-uploads]
    #[arg(long, value_name = "COUNT", value_parser = count)]
    pub max_uploads_per_user: Option<NonZeroUsize>,

    /// Most connections at once; a new one replaces one that has no request, or whose client has read
    /// nothing of its response for the time of --body-idle-timeout, or whose sender has not logged in;
    /// one user may have half of them
    #[arg(long, value_name = "COUNT", default_value = "4096", value_parser = count)]
    pub max_connections: NonZeroUsize,

    /// Least bytes in a second, on average over 30 seconds, that a client has to send; 0 for any
    #[arg(long, value_name = "SIZE", default_value = "100", value_parser = resup_units::size_or_zero)]
    pub min_rate: u64,

    /// Time for that average
    #[arg(long, value_name = "TIME", default_value = "30", value_parser = time, hide = true)]
    pub min_rate_window: Duration,

    /// Time without progress after which an unfinished upload is deleted, in days if it has no unit
    #[arg(long, value_name = "TIME", value_parser = days)]
    pub expire: Option<Duration>,

    /// Hook that is asked before an upload is made: a URL (http:// or https://), or the path of a program
    #[arg(long, value_name = "URL|PROGRAM", value_parser = Target::parse)]
    pub hook_before: Option<Target>,

    /// Hook that is told of each finished file: a URL (http:// or https://), or the path of a program
    #[arg(long, value_name = "URL|PROGRAM", value_parser = Target::parse)]
    pub hook_after: Option<Target>,

    /// Time that a hook may take
    #[arg(long, value_name = "TIME", default_value = "15", value_parser = time)]
    pub hook_timeout: Duration,

    /// File with the secret that requests to hooks are signed with, as "whsec_" and base64; without it they
    /// are not signed
    #[arg(long, value_name = "FILE")]
    pub hook_secret_file: Option<PathBuf>,

    /// Time for which events are kept that "audit" exports, in days if it has no unit [default: for ever]
    #[arg(long, value_name = "TIME", value_parser = days)]
    pub audit_keep: Option<Duration>,

    /// File with the private key that signs receipts (Ed25519, PKCS#8 in PEM); without it there are none
    #[arg(long, value_name = "FILE", global = true)]
    pub receipt_key: Option<PathBuf>,

    /// Name of the receiver in its receipts, such as its URL
    #[arg(long, value_name = "TEXT", requires = "receipt_key")]
    pub receipt_issuer: Option<String>,

    /// Received bytes after which they begin to be made durable; after a second in any case
    #[arg(long, value_name = "SIZE", default_value = "16Mi", value_parser = size, hide = true)]
    pub commit_bytes: NonZeroU64,

    /// Reverse proxy whose X-Forwarded-For and X-Forwarded-Proto (without them: Forwarded) are believed;
    /// separate several by commas
    #[arg(long, value_name = "ADDR[/BITS]", value_delimiter = ',', value_parser = network)]
    pub trusted_proxy: Vec<IpNet>,

    /// Path under which a web server in front shows the receiver, such as /files [default: the
    /// X-Forwarded-Prefix of a --trusted-proxy, else none]
    #[arg(long, value_name = "PATH", value_parser = base_path::parse)]
    pub base_path: Option<String>,

    /// Without users, take what a proxy brings, too: everybody who reaches the proxy may list, upload and delete
    #[arg(long)]
    pub proxy_without_login: bool,

    /// Time without a request after which a login ends
    #[arg(long, value_name = "TIME", default_value = "12h", value_parser = time)]
    pub session_idle: Duration,

    /// Time after which a login ends in any case
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = time)]
    pub session_lifetime: Duration,

    /// File with the secret that programs sign their forms with; without it forms need no signature
    #[arg(long, value_name = "FILE")]
    pub signing_secret_file: Option<PathBuf>,

    /// How forms are signed
    #[arg(long, value_name = "NAME", default_value = "hmac-sha256")]
    pub signing_algorithm: SigningAlgorithm,

    /// Command to run instead of the receiver
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// A way to sign forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SigningAlgorithm {
    /// HMAC-SHA-256.
    HmacSha256,
    /// HMAC-MD5, for old programs.
    HmacMd5,
}

impl Config {
    /// Whether those who reach the receiver need no login while there are no users.
    pub fn is_local(&self) -> bool {
        self.public().is_none() && (self.proxy_without_login || self.for_others().is_none())
    }

    /// Finds where others than this machine reach the receiver.
    pub fn public(&self) -> Option<String> {
        let public = self.listen.iter().find(|listen| !listen.is_local());
        let public = public.map(ToString::to_string);
        public.or_else(|| self.passed_public.clone())
    }

    /// Finds a unix socket to which other system users connect. That is how a web server reaches the receiver, and one
    /// that adds no header brings the requests of strangers as if they were of this machine. Those that systemd passes
    /// count, whatever their mode is: they are made for that.
    pub fn for_others(&self) -> Option<String> {
        #[cfg(unix)]
        if self.socket_mode & 0o077 != 0 {
            let is_path = |listen: &&Listen| matches!(listen, Listen::Path(_));
            if let Some(listen) = self.listen.iter().find(is_path) {
                return Some(listen.to_string());
            }
        }
        self.passed_unix.clone()
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let wrong = "not an address with a port, such as 127.0.0.1:8080, 0.0.0.0:8080 or [::1]:8080";
    text.parse().map_err(|_| wrong.to_owned())
}

fn count(text: &str) -> Result<NonZeroUsize, String> {
    let wrong = "not a whole number from 1 on";
    text.parse().map_err(|_| wrong.to_owned())
}

fn parts(text: &str) -> Result<u8, String> {
    let count = text.parse().ok();
    let count = count.filter(|count| (1..=64).contains(count));
    count.ok_or_else(|| "not a whole number from 1 to 64".to_owned())
}

#[cfg(unix)]
fn mode(text: &str) -> Result<u32, String> {
    let bits = u32::from_str_radix(text, 8).ok();
    bits.filter(|bits| bits & !0o666 == 0 && bits & 0o600 == 0o600)
        .ok_or_else(|| "not rights of a socket in octal, such as 600, 660 or 666".to_owned())
}

#[cfg(unix)]
fn mask(text: &str) -> Result<u32, String> {
    let bits = u32::from_str_radix(text, 8).ok();
    bits.filter(|bits| bits & !0o077 == 0)
        .ok_or_else(|| "not rights of group and others in octal, such as 077 or 027".to_owned())
}

fn network(text: &str) -> Result<IpNet, String> {
    let address = text.parse::<IpAddr>().map(IpNet::from);
    address
        .or_else(|_| text.parse())
        .map_err(|_| "neither an address nor ADDRESS/BITS, such as 10.0.0.0/8".to_owned())
}

/// A format of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// A line of words and fields for each event
    Text,
    /// A JSON object for each event
    Json,
}

/// A way to choose the places of finished files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Layout {
    /// DIR/files/ID
    Id,
    /// DIR/files/USER/DIRECTORY/NAME
    Tree,
}

/// A way to treat a finished file when another one has its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Conflict {
    /// Replaces the other one, whose upload is deleted
    Replace,
    /// Gets the name "name (2)"
    Rename,
    /// Is refused
    Refuse,
}

/// Writes the end of the help.
fn units() -> String {
    format!("Units:\n  {}\n  {}", resup_units::SIZES, resup_units::TIMES)
}

fn segment(text: &str) -> Result<NonZeroU64, String> {
    let least = |bytes: &NonZeroU64| bytes.get() >= 1000;
    let refusal = || "clients take no limit below 1000 bytes".to_owned();
    Some(size(text)?).filter(least).ok_or_else(refusal)
}

fn size(text: &str) -> Result<NonZeroU64, String> {
    let bytes = resup_units::size(text)?;
    NonZeroU64::new(bytes).ok_or_else(|| "it must be more than 0".to_owned())
}

fn time(text: &str) -> Result<Duration, String> {
    positive(resup_units::time(text)?)
}

fn days(text: &str) -> Result<Duration, String> {
    positive(resup_units::days(text)?)
}

fn positive(time: Duration) -> Result<Duration, String> {
    match time.is_zero() {
        true => Err("it must be more than 0".to_owned()),
        false => Ok(time),
    }
}
