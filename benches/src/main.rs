//! Measures what uploads cost with resup, beside curl, md5sum and tusd, and what is reached of the targets.
//!
//! `make bench` runs it. It never fails for what it measures: a row that cannot be measured says why. Environment:
//!
//! | variable | what |
//! | --- | --- |
//! | `BENCH_ONLY` | the measurements to make, by comma: `loopback`, `resume`, `files`, `receiver`, `several`, `link`, `memory`, `size`, `cancel`, `curves` |
//! | `BENCH_SIZE` | the size of the big file in MiB: 1024 |
//! | `BENCH_RUNS` | how many runs of each, of what takes long fewer: 3 |
//! | `BENCH_FILES` | how many small files: 5000 |
//! | `BENCH_LINK_SIZE` | the size of the file for the lossy link in MiB: 8 |
//! | `BENCH_RATE_SIZE` | the size of the file for the link of 100 Mbit/s in MB: 100 |
//! | `BENCH_ALL` | 1: more runs, all sizes, all links; takes hours |
//! | `BENCH_DOCS` | the directory for BENCHMARKS.md and its plots: `docs`, or `-` for none, as with `BENCH_ONLY` |

mod bench;
mod child;
mod link;
mod machine;
mod plot;
mod report;
mod rows;
mod server;
mod sink;
mod table;

use std::io;
use std::path::Path;

use bench::{Bench, MIB};
use report::Report;

type Measurement = fn(&Bench, &mut Report) -> Result<(), String>;

const MEASUREMENTS: [(&str, Measurement); 10] = [
    ("link", rows::link::measure_all),
    ("loopback", rows::loopback::measure_all),
    ("receiver", rows::receiver::measure_all),
    ("several", rows::several::measure_all),
    ("resume", rows::resume::measure_all),
    ("files", rows::files::measure_all),
    ("memory", rows::memory::measure_all),
    ("size", rows::size::measure_all),
    ("cancel", rows::cancel::measure_all),
    ("curves", rows::curves::measure_all),
];

fn main() -> io::Result<()> {
    let args: Vec<_> = std::env::args().collect();
    match args.get(1).map(String::as_str) {
        Some("sink") => sink::serve(&sink::Settings::parse(&args[2..])),
        Some(programs) => run(Path::new(programs)),
        None => {
            println!("usage: resup-bench DIRECTORY_OF_PROGRAMS");
            Ok(())
        }
    }
}

fn run(programs: &Path) -> io::Result<()> {
    let only = std::env::var("BENCH_ONLY").unwrap_or_default();
    let wanted = |name| only.is_empty() || only.split(',').any(|one| one == name);
    let bench = Bench::new(programs)?;
    let settings = format!(
        "| the big file | {} MiB |\n| runs of each | {} |",
        bench.size / MIB,
        bench.runs
    );
    println!("{} MiB, {} runs of each", bench.size / MIB, bench.runs);
    let mut report = Report::default();
    for (name, measurement) in MEASUREMENTS {
        if wanted(name) {
            if let Err(reason) = measurement(&bench, &mut report) {
                report.failure(name, reason);
            }
        }
    }
    report.print();
    // A part of it does not replace a page that has all.
    let default = if only.is_empty() { "docs" } else { "-" };
    let dir = std::env::var("BENCH_DOCS").unwrap_or_else(|_| default.to_owned());
    match dir.as_str() {
        "-" => Ok(()),
        dir => report.write(Path::new(dir), &settings),
    }
}
