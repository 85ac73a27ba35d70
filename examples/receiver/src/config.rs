//! What the receiver is told on its command line.

use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

/// Receives resumable form uploads and keeps the files in a directory.
#[derive(Debug, Clone, Parser)]
#[command(name = "resup-receiver", version)]
pub struct Config {
    /// Directory for the files and, by default, the database; made if missing
    #[arg(long, value_name = "DIR")]
    pub data: PathBuf,

    /// Address to listen on; with port 0 the system chooses one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub listen: SocketAddr,

    /// Certificates for TLS in PEM, the server's own first; read again on SIGHUP
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub tls_cert: Option<PathBuf>,

    /// Private key for TLS in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub tls_key: Option<PathBuf>,

    /// Address for Prometheus to read /metrics from [default: none]
    #[arg(long, value_name = "ADDR")]
    pub metrics_listen: Option<SocketAddr>,

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

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        _ => Err("not a positive number of seconds".to_owned()),
    }
}
