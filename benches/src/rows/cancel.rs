//! The time from a cancel to the end of the run.

use std::net::TcpListener;
use std::process::Command;
use std::thread;

use super::link::far_sink;
use crate::bench::Bench;
use crate::child::{measure, Cost};
use crate::report::Report;
use crate::server::Server;
use crate::sink::Settings;
use crate::table::{Figure, Target};

pub(crate) fn measure_all(bench: &Bench, report: &mut Report) -> Result<(), String> {
    let count = if bench.all { 2500 } else { 40 };
    let sink = Server::sink(&Settings {
        current: true,
        ..Settings::default()
    })?;
    // Connections to it are made, but nothing is ever answered.
    let silent = TcpListener::bind("127.0.0.1:0").and_then(|listener| {
        let address = listener.local_addr()?;
        Ok((listener, format!("http://{address}/upload")))
    });
    let (_listener, silent) = silent.map_err(|error| error.to_string())?;
    // The moments are spread over the whole time of an upload.
    let whole = bench.upload(&sink, &["--digest", "automatic"], &[&bench.big])?;
    let within = format!("{:.0}", whole.wall * 1000.0);
    let [one, automatic, waiting] = [
        "while it sends, one connection",
        "while it sends, automatic connections",
        "while it waits for an answer",
    ];
    let cases = [
        (one, sink.url.as_str(), "1", within.as_str()),
        (automatic, &sink.url, "0", &within),
        (waiting, &silent, "1", "50"),
    ];
    for (words, url, connections, within) in cases {
        let options = ["--cancels", &count.to_string(), "--within", within];
        let program = Command::new(bench.program("bench-uploader"));
        add(
            report,
            words,
            vec![cancel(bench, program, url, connections, &options)],
        );
    }
    add(
        report,
        "while several connections send over a link with loss",
        far(bench),
    );
    Ok(())
}

/// Cancels uploads with automatic connections over a link with loss, where these become several.
fn far(bench: &Bench) -> Vec<Result<Cost, String>> {
    let (link, sink) = match far_sink(bench, true, 1.0) {
        Ok(both) => both,
        Err(reason) => return vec![Err(reason)],
    };
    let one = |place: usize| {
        let at = (2000 * (place + 1)).to_string();
        let program = link.client(bench.program("bench-uploader"));
        cancel(
            bench,
            program,
            &sink.url,
            "0",
            &["--cancels", "1", "--at", &at],
        )
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|place| scope.spawn(move || one(place)))
            .collect();
        let joined = threads.into_iter().map(|thread| thread.join());
        joined
            .map(|result| result.unwrap_or_else(|_| Err("the measurement failed".to_owned())))
            .collect()
    })
}

fn cancel(
    bench: &Bench,
    mut program: Command,
    url: &str,
    connections: &str,
    options: &[&str],
) -> Result<Cost, String> {
    program
        .args(["--digest", "automatic", "--connections", connections])
        .args(options)
        .arg(url)
        .arg(&bench.big);
    measure(&mut program)
}

/// Adds the row for uploads that were cancelled.
fn add(report: &mut Report, words: &str, all: Vec<Result<Cost, String>>) {
    let longest = all
        .into_iter()
        .try_fold((0.0, 0.0f64), |(count, most), cost| {
            let cost = cost?;
            let cancelled = cost.number_after("cancels").unwrap_or(0.0);
            let time = cost
                .output
                .split(' ')
                .nth(2)
                .and_then(|text| text.parse().ok());
            Ok::<_, String>((count + cancelled, most.max(time.unwrap_or(0.0))))
        });
    let longest = match longest {
        Ok((0.0, _)) => Err("every upload ended before its cancel".to_owned()),
        longest => longest,
    };
    let count = longest.as_ref().map_or(0.0, |(count, _)| *count);
    report.row(
        &format!("from cancel to the end of the run, {words}: the longest of {count}"),
        "–",
        (Target::AtMost(100.0), "ms"),
        longest.map(|(_, most)| Figure::of([most].into_iter())),
    );
}
