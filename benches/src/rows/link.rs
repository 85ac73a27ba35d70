//! Uploads over a link with a long round trip, with loss or a rate.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use super::peers::{self, Peer};
use super::{files, times};
use crate::bench::{number, Bench, MIB};
use crate::child::{measure, Cost};
use crate::link::{Link, Shape, SERVER};
use crate::report::Report;
use crate::server::Server;
use crate::sink::Settings;
use crate::table::{wall, Figure, Runs, Target};

/// A link of 100 ms.
const LONG: Shape = Shape {
    rtt: 100.0,
    loss: 0.0,
    rate: 0.0,
    seed: 1,
};

/// One upload over a link of its own.
#[derive(Clone, Copy)]
pub(crate) struct Trip<'a> {
    pub shape: Shape,
    /// How many connections; "0": as many as help.
    pub connections: &'a str,
}

pub(crate) fn measure_all(bench: &Bench, report: &mut Report) -> Result<(), String> {
    loss(bench, report)?;
    rate(bench, report)?;
    small_files(bench, report)
}

/// Who uploads.
#[derive(Clone, Copy)]
enum Client {
    /// This project's, with so many connections.
    Ours(&'static str),
    Theirs(Peer),
}

fn loss(bench: &Bench, report: &mut Report) -> Result<(), String> {
    let mib = number("BENCH_LINK_SIZE", if bench.all { 40 } else { 8 });
    let file = bench.file("link.bin", mib * MIB)?;
    let clients = [
        (Client::Ours("0"), "automatic connections"),
        (Client::Ours("1"), "one connection"),
        (Client::Theirs(Peer::Tus), "tus-js-client into tusd"),
        (Client::Theirs(Peer::Copyparty), "u2c into copyparty"),
    ];
    // These uploads mostly wait, so that all can run at a time.
    let seeds = 1..=bench.runs.min(3);
    let uploads: Vec<_> = seeds
        .flat_map(|seed| clients.map(|(client, _)| (client, seed)))
        .collect();
    let costs = at_once(&uploads, |place, &(client, seed)| {
        let shape = Shape {
            loss: 1.0,
            seed,
            ..LONG
        };
        match client {
            Client::Ours(connections) => make(bench, Trip { shape, connections }, place, &file),
            Client::Theirs(peer) => peer.upload(bench, shape, place, &file),
        }
    });
    let mut all = clients.map(|(_, name)| Runs::new(name));
    for (i, cost) in costs.into_iter().enumerate() {
        all[i % clients.len()].add(|| cost);
    }
    let [automatic, one, tus, copyparty] = &all;
    let link = format!("link of 100 ms RTT, 1 % loss, cubic, {mib} MiB, automatic connections");
    report.row(
        &format!("{link}: wall"),
        "one connection",
        times(0.25),
        Figure::ratio(automatic, one, wall),
    );
    for peer in [tus, copyparty] {
        report.row(
            &format!("{link}: wall"),
            &format!("{}, {} connections", peer.name, peers::CONNECTIONS),
            times(1.0),
            Figure::ratio(automatic, peer, wall),
        );
    }
    report.costs(
        "Link of 100 ms round trip and 1 % loss, each client into its server",
        all.into(),
    );
    Ok(())
}

/// Makes uploads at the same time.
pub(crate) fn at_once<T: Sync>(
    uploads: &[T],
    make: impl Fn(usize, &T) -> Result<Cost, String> + Sync,
) -> Vec<Result<Cost, String>> {
    thread::scope(|scope| {
        let threads: Vec<_> = uploads
            .iter()
            .enumerate()
            .map(|(i, upload)| {
                scope.spawn({
                    let make = &make;
                    move || make(i, upload)
                })
            })
            .collect();
        let joined = threads.into_iter().map(|thread| thread.join());
        joined
            .map(|result| result.unwrap_or_else(|_| Err("the measurement failed".to_owned())))
            .collect()
    })
}

/// Makes one upload over a link into a receiver at its other end, by a user: nobody else may use one there.
pub(crate) fn make(bench: &Bench, trip: Trip, place: usize, file: &Path) -> Result<Cost, String> {
    let link = Link::make(bench.program("bench-link").as_os_str(), trip.shape)?;
    let data = bench.path(&format!("link-{place}"));
    let receiver = bench.program("resup-receiver");
    let manage = |words: &str| {
        let mut command = Command::new("sh");
        command.args([
            "-c",
            &format!("echo never-used-again | \"$0\" --data \"$1\" {words}"),
        ]);
        measure(command.arg(&receiver).arg(&data))
    };
    manage("user add bench")?;
    let output = manage("token add bench")?.output;
    let token = output.split_whitespace().find(|w| w.starts_with("resup_"));
    let server = Server::receiver(link.server(&receiver), &data, SERVER)?;
    let uploader = link.client(bench.program("bench-uploader"));
    let options = [
        ["--digest", "automatic"],
        ["--connections", trip.connections],
        ["--token", token.ok_or("the receiver makes no token")?],
    ];
    let cost = bench.upload_by(uploader, &server, options.as_flattened(), &[file]);
    drop(server);
    let _ = fs::remove_dir_all(data);
    cost
}

fn rate(bench: &Bench, report: &mut Report) -> Result<(), String> {
    let megabytes = number("BENCH_RATE_SIZE", 100);
    let file = bench.file("rate.bin", megabytes * 1_000_000)?;
    let mut runs = Runs::new("automatic connections");
    let shape = Shape {
        rate: 100.0,
        ..LONG
    };
    for seed in 1..=if bench.all { bench.runs } else { 2 } {
        let trip = Trip {
            shape: Shape { seed, ..shape },
            connections: "0",
        };
        runs.add(|| make(bench, trip, 0, &file));
    }
    let seconds = megabytes as f64 * 8.0 / shape.rate;
    report.row(
        &format!("link of 100 ms RTT, 100 Mbit/s, no loss, {megabytes} MB: rate"),
        "that of the link",
        (Target::AtLeast(0.9), "×"),
        runs.measured()
            .map(|costs| Figure::of(costs.iter().map(|cost| seconds / cost.wall))),
    );
    report.costs("Link of 100 ms round trip and 100 Mbit/s", vec![runs]);
    Ok(())
}

/// Measures small files at 100 ms, with a locate for each, and as stores.
fn small_files(bench: &Bench, report: &mut Report) -> Result<(), String> {
    let paths = files::make(bench, 100)?;
    let mut stores = Runs::new("a server that takes stores");
    let mut locates = Runs::new("a server of version 1.0");
    for _ in 0..bench.runs.min(3) {
        for (runs, current) in [(&mut stores, true), (&mut locates, false)] {
            runs.add(|| four_at_once(bench, current, &paths));
        }
    }
    report.row(
        "100 files of 4 KiB at 100 ms RTT, 4 at a time, a server that takes stores: wall",
        "a server of version 1.0",
        times(0.6),
        Figure::ratio(&stores, &locates, wall),
    );
    report.costs(
        "100 files of 4 KiB, link of 100 ms round trip, 4 at a time",
        vec![stores, locates],
    );
    Ok(())
}

/// Makes a link of 100 ms with a sink at its other end.
pub(crate) fn far_sink(bench: &Bench, current: bool, loss: f64) -> Result<(Link, Server), String> {
    let shape = Shape { loss, ..LONG };
    let link = Link::make(bench.program("bench-link").as_os_str(), shape)?;
    let settings = Settings {
        listen: Some(SERVER.to_owned()),
        current,
        ..Settings::default()
    };
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let sink = Server::sink_by(link.server(program), &settings)?;
    Ok((link, sink))
}

fn four_at_once(bench: &Bench, current: bool, paths: &[PathBuf]) -> Result<Cost, String> {
    let (link, sink) = far_sink(bench, current, 0.0)?;
    let upload = |paths: &[PathBuf]| {
        let files: Vec<_> = paths.iter().map(PathBuf::as_path).collect();
        let uploader = link.client(bench.program("bench-uploader"));
        bench.upload_by(uploader, &sink, &["--digest", "automatic"], &files)
    };
    let quarters: Vec<_> = paths.chunks(paths.len().div_ceil(4)).collect();
    let all = at_once(&quarters, |_, part| upload(part));
    let mut longest = Cost::default();
    for cost in all {
        let cost = cost?;
        longest.wall = longest.wall.max(cost.wall);
        longest.cpu += cost.cpu;
        longest.server = longest.server.max(cost.server);
        longest.peak = longest.peak.max(cost.peak);
    }
    Ok(longest)
}
