//! What the receiver is told on its command line.

use std::net::SocketAddr;
use std::num::NonZeroU64;
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

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err("not a positive number of seconds".to_owned()),
    }
}
