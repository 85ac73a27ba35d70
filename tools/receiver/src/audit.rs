//! The command that exports what happened to uploads.

use std::io::{self, BufWriter, ErrorKind, Write};

use sqlx::Connection;

use crate::config::Config;
use crate::start;
use crate::storage::events::Export;

/// How many events are read at a time.
const PAGE: u32 = 1000;

/// Writes the events of a time, in milliseconds since 1970, to standard output. A reader that hangs up is no error.
pub async fn run(config: &Config, since: Option<i64>, until: Option<i64>) -> anyhow::Result<()> {
    let (_, mut database) = start::open_records(config).await?;
    let mut export = Export::new(since, until);
    let mut out = BufWriter::new(io::stdout().lock());
    loop {
        let lines = export.next(&mut database, PAGE).await?;
        if lines.is_empty() {
            break;
        }
        for line in lines {
            match writeln!(out, "{line}") {
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
                written => written?,
            }
        }
    }
    database.close().await?;
    match out.flush() {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        flushed => Ok(flushed?),
    }
}
