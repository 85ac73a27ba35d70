//! The command line of `verify`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use crate::help;

/// Check that a file is the one that a receipt is about
///
/// A receiver that runs with --receipt-key gives a receipt for each finished file, at
/// /uploads/ID/receipt. This checks that the receiver's key has signed it, and that the file has the
/// size and the digests that it says. Nothing is sent, and no server is asked.
#[derive(Debug, Args)]
#[command(after_help = help::VERIFY)]
pub struct Verify {
    /// File with the receipt
    #[arg(value_hint = ValueHint::FilePath)]
    pub receipt: PathBuf,

    /// File that it is about
    #[arg(value_hint = ValueHint::FilePath)]
    pub file: PathBuf,

    /// File with the receiver's public key in PEM, which it gives at /receipt-key [default: the one
    /// that RESUP_RECEIPT_KEY names]
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub key: Option<PathBuf>,
}
