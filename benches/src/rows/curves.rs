//! The plots: cost against the size, the number of files, the round-trip time and the loss of the link.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::files;
use super::link::{at_once, make, Trip};
use crate::bench::{Bench, MIB};
use crate::child::Cost;
use crate::link::Shape;
use crate::plot::Plot;
use crate::report::Report;
use crate::server::Server;
use crate::sink::Settings;
use crate::table::{client_cpu, wall, Runs};

pub(crate) fn measure_all(bench: &Bench, report: &mut Report) -> Result<(), String> {
    let sink = Server::sink(&Settings {
        current: true,
        ..Settings::default()
    })?;
    sizes(bench, &sink, report)?;
    counts(bench, &sink, report)?;
    links(bench, report)
}

/// The points of the lines of a plot, by the names of the lines.
#[derive(Default)]
struct Lines(Vec<(String, Vec<(f64, f64)>)>);

impl Lines {
    /// Adds a point, if it can be drawn.
    fn add(&mut self, name: &str, x: f64, y: f64) {
        if !self.0.iter().any(|(other, _)| other == name) {
            self.0.push((name.to_owned(), Vec::new()));
        }
        let line = self.0.iter_mut().find(|(other, _)| other == name);
        if let Some((_, points)) = line.filter(|_| y > 0.0) {
            points.push((x, y));
        }
    }

    /// Adds the medians of runs of resup and of curl.
    fn add_costs(&mut self, x: f64, resup: &Runs, curl: &Runs) {
        for (name, runs) in [("resup", resup), ("curl -F", curl)] {
            self.add(&format!("{name}, time"), x, runs.median(wall));
            self.add(&format!("{name}, CPU"), x, runs.median(client_cpu));
        }
    }
}

fn pair(
    bench: &Bench,
    mut resup: impl FnMut() -> Result<Cost, String>,
    mut curl: impl FnMut() -> Result<Cost, String>,
) -> (Runs, Runs) {
    let (mut a, mut b) = (Runs::new("resup"), Runs::new("curl"));
    for _ in 0..bench.runs.min(3) {
        a.add(&mut resup);
        b.add(&mut curl);
    }
    (a, b)
}

fn sizes(bench: &Bench, sink: &Server, report: &mut Report) -> Result<(), String> {
    let sizes: &[u64] = match bench.all {
        true => &[1, 4, 16, 64, 256, 1024, 4096, 16384, 65536],
        false => &[1, 16, 256, 1024],
    };
    let mut lines = Lines::default();
    for size in sizes {
        let path = bench.path("sparse");
        File::create(&path)
            .and_then(|file| file.set_len(size * MIB))
            .map_err(|error| error.to_string())?;
        let (resup, curl) = pair(
            bench,
            || bench.upload(sink, &["--digest", "automatic"], &[&path]),
            || bench.curl(sink, &[], &path),
        );
        lines.add_costs(*size as f64, &resup, &curl);
    }
    report.plot(Plot {
        name: "size".to_owned(),
        title: "One file into a sink over loopback, resup with a digest".to_owned(),
        x: "MiB (sparse)".to_owned(),
        y: "seconds".to_owned(),
        lines: lines.0,
    });
    Ok(())
}

fn counts(bench: &Bench, sink: &Server, report: &mut Report) -> Result<(), String> {
    let counts: &[usize] = match bench.all {
        true => &[1, 10, 100, 1_000, 10_000],
        false => &[1, 10, 100, 1_000],
    };
    let paths = files::make(bench, counts[counts.len() - 1])?;
    let mut lines = Lines::default();
    for count in counts {
        let some: Vec<_> = paths[..*count].iter().map(PathBuf::as_path).collect();
        let (resup, curl) = pair(
            bench,
            || bench.upload(sink, &["--digest", "automatic"], &some),
            || files::curl(bench, sink, &some),
        );
        lines.add_costs(*count as f64, &resup, &curl);
    }
    report.plot(Plot {
        name: "files".to_owned(),
        title: "Files of 4 KiB into a sink over loopback, resup with a digest".to_owned(),
        x: "files".to_owned(),
        y: "seconds".to_owned(),
        lines: lines.0,
    });
    Ok(())
}

fn links(bench: &Bench, report: &mut Report) -> Result<(), String> {
    let (rtts, losses, mib): (&[f64], &[f64], u64) = match bench.all {
        true => (
            &[10.0, 20.0, 50.0, 100.0, 200.0],
            &[0.0, 0.1, 0.5, 1.0, 2.0],
            16,
        ),
        false => (&[20.0, 100.0], &[0.1, 1.0], 4),
    };
    let file = bench.file("curve.bin", mib * MIB)?;
    for loss in losses {
        let mut lines = Lines::default();
        for rtt in rtts {
            for runs in cell(bench, *rtt, *loss, &file) {
                match runs.measured() {
                    Ok(_) => lines.add(&runs.name, *rtt, runs.median(wall)),
                    Err(reason) => {
                        println!("RTT {rtt} ms, loss {loss} %, {}: {reason}", runs.name);
                    }
                }
            }
        }
        report.plot(Plot {
            name: format!("link-loss-{loss}"),
            title: format!("{mib} MiB over a link of 100 Mbit/s with {loss} % loss"),
            x: "round-trip time in ms".to_owned(),
            y: "seconds".to_owned(),
            lines: lines.0,
        });
    }
    Ok(())
}

/// Measures uploads with 1, 2, 4 and 6 connections, all at a time, each over a link of its own.
fn cell(bench: &Bench, rtt: f64, loss: f64, file: &Path) -> Vec<Runs> {
    let seeds = 1..=if bench.all { 3 } else { 1 };
    let mut all = [
        ("1", "one connection"),
        ("2", "two connections"),
        ("4", "four connections"),
        ("6", "six connections"),
    ]
    .map(|(connections, name)| (connections, Runs::new(name)));
    for seed in seeds {
        let shape = Shape {
            rtt,
            loss,
            rate: 100.0,
            seed,
        };
        let trips = all
            .each_ref()
            .map(|(connections, _)| Trip { shape, connections });
        for ((_, runs), cost) in all.iter_mut().zip(at_once(&trips, |place, trip| {
            make(bench, *trip, place, file)
        })) {
            runs.add(|| cost);
        }
    }
    all.into_iter().map(|(_, runs)| runs).collect()
}
