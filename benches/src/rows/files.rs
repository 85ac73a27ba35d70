//! Many small files, one after the other over one connection.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::times;
use crate::bench::Bench;
use crate::child::Cost;
use crate::report::Report;
use crate::server::Server;
use crate::sink::Settings;
use crate::table::{in_turn, wall, Figure, Runs, Target};

/// The size of each.
const SIZE: u64 = 4096;

pub(crate) fn measure_all(bench: &Bench, report: &mut Report) -> Result<(), String> {
    let paths = make(bench, bench.files)?;
    let files: Vec<_> = paths.iter().map(PathBuf::as_path).collect();
    let old = Server::sink(&Settings::default())?;
    let new = Server::sink(&Settings {
        current: true,
        ..Settings::default()
    })?;
    let mut runs = in_turn(
        bench.runs.min(3),
        vec![
            (
                "resup, into a sink of version 1.0",
                Box::new(|| bench.upload(&old, &["--digest", "md5"], &files)),
            ),
            (
                "resup, into a sink of version 1.1",
                Box::new(|| bench.upload(&new, &["--digest", "automatic"], &files)),
            ),
            (
                "curl, one connection, into the sink",
                Box::new(|| curl(bench, &old, &files)),
            ),
        ],
    );
    let mut receiver = Runs::new("resup, into the receiver");
    for _ in 0..if bench.all { 3 } else { 1 } {
        receiver.add(|| into_receiver(bench, &files));
    }
    runs.push(receiver);
    let what = format!("{} files of 4 KiB", bench.files);
    let against = "curl, one connection";
    report.row(
        &format!("{what}, a server of version 1.0: wall"),
        against,
        times(1.0),
        Figure::ratio(&runs[0], &runs[2], wall),
    );
    report.row(
        &format!("{what}, a server that takes stores: wall"),
        against,
        times(1.0),
        Figure::ratio(&runs[1], &runs[2], wall),
    );
    report.row(
        &format!("{what}, into the receiver, each durable: wall"),
        "curl into the sink",
        (Target::Shown, "×"),
        Figure::ratio(&runs[3], &runs[2], wall),
    );
    report.costs(&what, runs);
    Ok(())
}

/// Uploads into a receiver that is empty: what it has already it takes at once.
fn into_receiver(bench: &Bench, files: &[&Path]) -> Result<Cost, String> {
    let data = bench.path("files");
    let program = Command::new(bench.program("resup-receiver"));
    let receiver = Server::receiver(program, &data, "127.0.0.1:0")?;
    let cost = bench.upload(&receiver, &["--digest", "automatic"], files);
    drop(receiver);
    let _ = fs::remove_dir_all(data);
    cost
}

/// Makes so many small files, of which no two are the same.
pub(crate) fn make(bench: &Bench, count: usize) -> Result<Vec<PathBuf>, String> {
    let dir = bench.path("small");
    fs::create_dir_all(&dir).map_err(|error| error.to_string())?;
    (0..count)
        .map(|i| {
            let path = dir.join(format!("{i}.bin"));
            resup_test_support::files::make(&path, SIZE, i as u64)
                .map_err(|error| error.to_string())?;
            Ok(path)
        })
        .collect()
}

/// Uploads files with one curl.
pub(crate) fn curl(bench: &Bench, server: &Server, files: &[&Path]) -> Result<Cost, String> {
    let requests: Vec<_> = files
        .iter()
        .map(|file| {
            let (file, url) = (file.display(), &server.url);
            format!("url=\"{url}\"\nform=\"file=@{file}\"\noutput=/dev/null\n")
        })
        .collect();
    let config = bench.path("curl.conf");
    fs::write(&config, requests.join("next\n")).map_err(|error| error.to_string())?;
    let mut command = bench.curl_command()?;
    server.measure(command.arg("-K").arg(&config))
}
