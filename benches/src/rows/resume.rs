//! The resume of a file of which the server has 95 %.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::Command;

use super::times;
use crate::bench::Bench;
use crate::child::measure;
use crate::report::Report;
use crate::server::Server;
use crate::sink::Settings;
use crate::table::{in_turn, wall, Figure};
use resup_test_support::files;

pub(crate) fn measure_all(bench: &Bench, report: &mut Report) -> Result<(), String> {
    let held = bench.size / 100 * 95;
    let (state, saved_state) = (bench.path("state"), bench.path("saved"));
    let (prefix, rest) = (bench.path("prefix"), bench.path("rest"));
    split(&bench.big, held, &prefix, &rest).map_err(|error| error.to_string())?;
    let empty = Server::sink(&Settings::default())?;
    let (state_text, held_text) = (state.display().to_string(), held.to_string());
    let with_state = ["--digest", "md5", "--state", &state_text];
    // Cancelled once the server has confirmed the first 95 %.
    let cancelled = ["--segment", &held_text, "--stop-at", &held_text];
    bench.upload(&empty, &[with_state, cancelled].concat(), &[&bench.big])?;
    fs::rename(&state, &saved_state)
        .map_err(|_| "so small a file is complete before it can be cancelled".to_owned())?;

    let sink = Server::sink(&Settings {
        held,
        md5: files::md5_hex(&prefix).map_err(|error| error.to_string())?,
        ..Settings::default()
    })?;
    let runs = in_turn(
        bench.runs,
        vec![
            (
                "the last 5 % alone, MD5",
                Box::new(|| bench.upload(&empty, &["--digest", "md5"], &[&rest])),
            ),
            (
                "resume with saved state",
                Box::new(|| {
                    fs::copy(&saved_state, &state).map_err(|error| error.to_string())?;
                    bench.upload(&sink, &with_state, &[&bench.big])
                }),
            ),
            (
                "resume without",
                Box::new(|| bench.upload(&sink, &["--digest", "md5"], &[&bench.big])),
            ),
            (
                "md5sum of 95 %",
                Box::new(|| measure(Command::new("md5sum").arg(&prefix))),
            ),
        ],
    );
    report.row(
        "resume with 95 % there, saved state: wall",
        "the rest alone",
        times(1.1),
        Figure::ratio(&runs[1], &runs[0], wall),
    );
    report.row(
        "resume with 95 % there, no saved state: wall",
        "one hash of the prefix and the rest alone",
        times(1.1),
        Figure::ratio(&runs[2], &runs[0].and(&runs[3]), wall),
    );
    report.costs("Resume of a file of which 95 % is there", runs);
    let _ = fs::remove_file(prefix);
    Ok(())
}

fn split(file: &Path, at: u64, prefix: &Path, rest: &Path) -> io::Result<()> {
    let mut file = File::open(file)?;
    io::copy(
        &mut io::Read::take(&mut file, at),
        &mut File::create(prefix)?,
    )?;
    io::copy(&mut file, &mut File::create(rest)?)?;
    Ok(())
}
