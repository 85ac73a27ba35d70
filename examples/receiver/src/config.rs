//! What the receiver is told on its command line.

use std::net::SocketAddr;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

/// Receives resumable form uploads and keeps the files in a directory.
#[derive(Debug, Clone, Parser)]
#[command(name = "resup-receiver", version)]
pub struct Config {
    /// Directory for the files and, by default, the database; made if missing
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,

    /// Where finished files go
    #[arg(long, value_enum, default_value_t = Layout::Id)]
    pub layout: Layout,

    /// What a finished file does, with --layout tree, when another one has its name
    #[arg(long, value_enum, default_value_t = Conflict::Rename)]
    pub conflict: Conflict,

    /// Address to listen on; with port 0 the system chooses one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,

    /// Database with the upload records [default: sqlite file in the data directory]
    #[arg(long, value_name = "URL")]
    pub database: Option<String>,

    /// Seconds that a client may take for a request's header block
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub header_timeout: Duration,

    /// Seconds that a client may be silent inside a request's body
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub body_idle_timeout: Duration,

    /// Most file bytes that one send may carry
    #[arg(long, value_name = "BYTES")]
    pub max_segment: Option<NonZeroU64>,

    /// Most bytes in a file
    #[arg(long, value_name = "BYTES")]
    pub max_size: Option<NonZeroU64>,

    /// Most bytes that all files of one user may have, finished or not
    #[arg(long, value_name = "BYTES")]
    pub quota: Option<NonZeroU64>,

    /// Most uploads at once
    #[arg(long, value_name = "COUNT", default_value = "1000")]
    pub max_uploads: NonZeroUsize,

    /// Most uploads at once of one user
    #[arg(long, value_name = "COUNT")]
    pub max_uploads_per_user: Option<NonZeroUsize>,

    /// Most connections at once; a new one takes the place of one that asks nothing
    #[arg(long, value_name = "COUNT", default_value = "4096")]
    pub max_connections: NonZeroUsize,

    /// Least bytes in a second, on average over 30 seconds, that a client has to send; 0 for any
    #[arg(long, value_name = "BYTES", default_value = "100")]
    pub min_rate: u64,

    /// Seconds for that average
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds, hide = true)]
    pub min_rate_window: Duration,

    /// Days after which an upload that has not got on is forgotten, with its bytes
    #[arg(long, value_name = "DAYS", value_parser = days)]
    pub expire: Option<Duration>,

    /// Received bytes after which they are made durable, if a second has not passed before
    #[arg(long, value_name = "BYTES", default_value = "33554432", hide = true)]
    pub commit_bytes: NonZeroU64,
}

/// Where finished files go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Layout {
    /// DIR/files/ID
    Id,
    /// DIR/files/USER/DIRECTORY/NAME
    Tree,
}

/// What a finished file does when another one has its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Conflict {
    /// Takes its place; the other upload is forgotten
    Replace,
    /// Becomes "name (2)"
    Rename,
    /// Is not taken
    Refuse,
}

fn days(text: &str) -> Result<Duration, String> {
    let days: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    seconds(&(days * 86_400.0).to_string()).map_err(|_| "not a positive number of days".to_owned())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err("not a positive number of seconds".to_owned()),
    }
}
