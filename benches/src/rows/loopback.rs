//! One big file over loopback into a sink, beside curl and md5sum.

use std::process::Command;

use super::times;
use crate::bench::Bench;
use crate::child::measure;
use crate::report::Report;
use crate::server::Server;
use crate::sink::Settings;
use crate::table::{client_cpu, in_turn, wall, Figure, Target};

pub(crate) fn measure_all(bench: &Bench, report: &mut Report) -> Result<(), String> {
    connections(bench, report)?;
    plain(bench, report)?;
    tls(bench, report)
}

fn current() -> Settings {
    Settings {
        current: true,
        ..Settings::default()
    }
}

fn connections(bench: &Bench, report: &mut Report) -> Result<(), String> {
    let sink = Server::sink(&current())?;
    let upload = |count| {
        let options = ["--digest", "automatic", "--connections", count];
        bench.upload(&sink, &options, &[&bench.big])
    };
    let runs = in_turn(
        bench.runs,
        vec![
            ("automatic connections", Box::new(|| upload("0"))),
            ("one connection", Box::new(|| upload("1"))),
        ],
    );
    report.row(
        "clean loopback, automatic connections: wall",
        "one connection",
        times(1.05),
        Figure::ratio(&runs[0], &runs[1], wall),
    );
    report.costs("Clean loopback, automatic connections and one", runs);
    Ok(())
}

fn plain(bench: &Bench, report: &mut Report) -> Result<(), String> {
    let sink = Server::sink(&current())?;
    let upload = |digest| bench.upload(&sink, &["--digest", digest], &[&bench.big]);
    let runs = in_turn(
        bench.runs,
        vec![
            ("resup, no digest", Box::new(|| upload("none"))),
            ("curl -F", Box::new(|| bench.curl(&sink, &[], &bench.big))),
            ("resup, BLAKE3", Box::new(|| upload("blake3"))),
            ("resup, MD5", Box::new(|| upload("md5"))),
            (
                "md5sum",
                Box::new(|| measure(Command::new("md5sum").arg(&bench.big))),
            ),
        ],
    );
    let [none, curl, blake3, md5, md5sum] = &runs[..] else {
        unreachable!("five kinds");
    };
    let what = "one file over loopback";
    report.row(
        &format!("{what}, no digest: wall"),
        "curl -F",
        times(1.0),
        Figure::ratio(none, curl, wall),
    );
    report.row(
        &format!("{what}, no digest: CPU"),
        "curl -F",
        times(0.9),
        Figure::ratio(none, curl, client_cpu),
    );
    report.row(
        &format!("{what}, BLAKE3 sent and compared: wall"),
        "curl -F",
        times(1.1),
        Figure::ratio(blake3, curl, wall),
    );
    let slower = match md5sum.median(wall) > curl.median(wall) {
        true => md5sum,
        false => curl,
    };
    report.row(
        &format!("{what}, MD5: wall"),
        "the slower of md5sum and curl -F",
        times(1.1),
        Figure::ratio(md5, slower, wall),
    );
    report.costs("One file over loopback", runs);
    Ok(())
}

fn tls(bench: &Bench, report: &mut Report) -> Result<(), String> {
    let ca = bench.path("ca.pem").display().to_string();
    let sink = Server::sink(&Settings {
        ca: Some(ca.clone()),
        ..current()
    })?;
    let upload = |digest| bench.upload(&sink, &["--digest", digest, "--ca", &ca], &[&bench.big]);
    let options = ["--cacert", &ca, "--tlsv1.3"];
    let runs = in_turn(
        bench.runs,
        vec![
            ("resup, no digest", Box::new(|| upload("none"))),
            (
                "curl -F",
                Box::new(|| bench.curl(&sink, &options, &bench.big)),
            ),
            ("resup, BLAKE3", Box::new(|| upload("blake3"))),
        ],
    );
    report.row(
        "the same over TLS 1.3, no digest: wall",
        "curl -F to the same server",
        times(1.0),
        Figure::ratio(&runs[0], &runs[1], wall),
    );
    report.row(
        "the same over TLS 1.3, BLAKE3: wall",
        "curl -F to the same server",
        (Target::Shown, "×"),
        Figure::ratio(&runs[2], &runs[1], wall),
    );
    report.costs("One file over loopback, TLS 1.3", runs);
    Ok(())
}
