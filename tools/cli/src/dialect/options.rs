//! The command line of the commands about dialects.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

use crate::help;
use crate::identity::Identity;
use crate::network::Network;
use crate::pairs::pair;

/// A command about dialects.
#[derive(Debug, Subcommand)]
pub enum DialectTask {
    /// List the presets, with what each is for
    List {
        /// Write one JSON object per line, with the "name" and the "purpose"
        #[arg(long)]
        json: bool,
    },

    /// Print the JSON of a preset, to save and to change
    #[command(after_help = help::DIALECT_SHOW)]
    Show {
        /// Name of the preset
        name: String,
    },

    Check(Box<Check>),
}

/// Try a dialect at a server, and tell which key is wrong
///
/// Uploads a small file, and tells of each request what was sent, what came back, and what each key of the
/// dialect says about it. Where the dialect can ask what the server has, the upload is interrupted, and goes on as
/// another process would. The file stays on the server.
#[derive(Debug, Args)]
#[command(after_long_help = help::DIALECT_CHECK)]
pub struct Check {
    /// The dialect: a file with its JSON, or the name of a preset
    #[arg(value_name = "FILE|NAME", value_hint = ValueHint::AnyPath)]
    pub dialect: String,

    /// URL where the server takes uploads
    #[arg(value_hint = ValueHint::Url)]
    pub url: String,

    /// Bytes in a chunk, in place of the dialect's
    ///
    /// The file has two chunks and a bit, so less is sent with smaller ones.
    #[arg(long, value_name = "SIZE", value_parser = resup_units::size)]
    pub chunk_size: Option<u64>,

    /// File to send [default: one that the command makes, and deletes here afterwards]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: Option<PathBuf>,

    /// Directory on the server
    #[arg(short, long, value_name = "DIR")]
    pub directory: Option<String>,

    /// Form field to send with each request; may be given several times
    #[arg(long = "field", value_name = "NAME=VALUE", value_parser = pair)]
    pub fields: Vec<(String, String)>,

    /// User name to send; it does not log in
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,

    /// Write one JSON object per line
    ///
    /// The "event" is plan, phase, request, note or finding. A request has the "verdicts" of the dialect's keys, a
    /// finding the "key" that is wrong and, where there is one, a "proposal". The last event is summary, with the
    /// "exit_code".
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    pub network: Network,
    #[command(flatten)]
    pub identity: Identity,
}

impl DialectTask {
    /// Gives the names of the command.
    pub fn command(&self) -> &'static [&'static str] {
        match self {
            DialectTask::List { .. } => &["dialect", "list"],
            DialectTask::Show { .. } => &["dialect", "show"],
            DialectTask::Check(_) => &["dialect", "check"],
        }
    }
}
