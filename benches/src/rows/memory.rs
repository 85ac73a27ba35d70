//! The most memory that an upload needs.

use std::fs::File;
use std::path::Path;
use std::process::Command;

use super::link::far_sink;
use crate::bench::{Bench, MIB};
use crate::child::Cost;
use crate::report::Report;
use crate::server::Server;
use crate::sink::Settings;
use crate::table::{Figure, Runs, Target};

pub(crate) fn measure_all(bench: &Bench, report: &mut Report) -> Result<(), String> {
    let sink = Server::sink(&Settings {
        current: true,
        ..Settings::default()
    })?;
    let small = bench.file("1-mib", MIB)?;
    let huge = bench.path("1-tib");
    File::create(&huge)
        .and_then(|file| file.set_len(1 << 40))
        .map_err(|error| error.to_string())?;
    let near = |count: &str, seconds: &str, file: &Path| {
        let program = Command::new(bench.program("bench-uploader"));
        upload(bench, program, &sink, [count, seconds], file)
    };
    // An upload has several connections only where each more is faster: so over a link with loss.
    let far = |count: &str, seconds: &str, file: &Path| {
        let (link, sink) = far_sink(bench, true, 1.0)?;
        let program = link.client(bench.program("bench-uploader"));
        upload(bench, program, &sink, [count, seconds], file)
    };

    let mut one = [
        Runs::new("1 MiB"),
        Runs::new("the big file"),
        first("1 TiB"),
    ];
    one[0].add(|| near("1", "0", &small));
    one[1].add(|| near("1", "0", &bench.big));
    one[2].add(|| near("1", "3", &huge));
    let what = "peak memory of an upload";
    let sizes = format!("1 MiB, {} MiB and 1 TiB", bench.size / MIB);
    report.row(
        &format!("{what}, one connection, {sizes}"),
        "the process before",
        (Target::AtMost(8.0), "MiB"),
        highest(&one),
    );
    let mut six = [
        Runs::new("1 MiB, up to six connections"),
        first("1 TiB, up to six connections"),
    ];
    six[0].add(|| near("6", "0", &small));
    six[1].add(|| far("6", "15", &huge));
    report.row(
        &format!("{what}, up to six connections, 1 MiB and, over a link with loss, 1 TiB"),
        "the process before",
        (Target::AtMost(24.0), "MiB"),
        highest(&six),
    );
    report.row(
        "bytes that are sent again after a cut",
        "those not yet confirmed when it was cut",
        (Target::AtMost(0.0), "B"),
        Err("a count and no cost, which tests have to make".to_owned()),
    );
    let all = one.into_iter().chain(six).collect();
    report.costs("Memory (of the whole process, with the library)", all);
    Ok(())
}

fn first(size: &str) -> Runs {
    Runs::new(&format!("{size} (sparse, its first seconds)"))
}

fn upload(
    bench: &Bench,
    program: Command,
    server: &Server,
    [connections, seconds]: [&str; 2],
    file: &Path,
) -> Result<Cost, String> {
    let options = [
        ["--digest", "automatic"],
        ["--connections", connections],
        ["--seconds", seconds],
    ];
    bench.upload_by(program, server, options.as_flattened(), &[file])
}

/// Returns the most of all, in MiB: each has to stay below the target.
fn highest(all: &[Runs]) -> Result<Figure, String> {
    let mut mib = Vec::new();
    for runs in all {
        for cost in runs.measured()? {
            let kib = cost.number_after("memory");
            mib.push(kib.ok_or("the uploader does not say it")? / 1024.0);
        }
    }
    let mut figure = Figure::of(mib.into_iter());
    figure.value = figure.most;
    Ok(figure)
}
