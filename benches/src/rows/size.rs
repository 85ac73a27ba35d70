//! The sizes of the libraries.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::bench::Bench;
use crate::child::measure;
use crate::report::Report;
use crate::table::{Figure, Target};

pub(crate) fn measure_all(bench: &Bench, report: &mut Report) -> Result<(), String> {
    let against = match curl_and_openssl() {
        Some(bytes) => format!("libcurl + OpenSSL: {:.1} MiB", mib(bytes)),
        None => "libcurl + OpenSSL".to_owned(),
    };
    let built = |path: &str, target: &str| {
        let bytes = length(&bench.program(path));
        bytes.ok_or_else(|| format!("not built; make {target} does it"))
    };
    report.row(
        "stripped library for Linux, as it is handed out",
        &against,
        (Target::AtMost(2.5), "MiB"),
        built("../linux/x86_64-linux-gnu/libresup.so", "linux").map(figure),
    );
    let stripped = bench.path("libresup.so");
    let release = measure(
        Command::new("strip")
            .arg(bench.program("libresup.so"))
            .arg("-o")
            .arg(&stripped),
    );
    report.row(
        "stripped library for Linux, as `make lib` builds it",
        &against,
        (Target::Shown, "MiB"),
        release.and_then(|_| {
            length(&stripped)
                .map(figure)
                .ok_or("no such file".to_owned())
        }),
    );
    report.row(
        "resup.dll for Windows, 64 bit",
        &against,
        (Target::AtMost(1.7), "MiB"),
        built("../windows/x86_64/resup.dll", "windows").map(figure),
    );
    Ok(())
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / 1024.0 / 1024.0
}

fn figure(bytes: u64) -> Figure {
    Figure::of([mib(bytes)].into_iter())
}

fn length(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().map(|metadata| metadata.len())
}

/// Returns the size of the libraries of the curl that is installed.
fn curl_and_openssl() -> Option<u64> {
    let curl = measure(Command::new("sh").args(["-c", "ldd \"$(command -v curl)\""])).ok()?;
    let sizes = ["libcurl.", "libssl.", "libcrypto."].map(|name| {
        let line = curl
            .output
            .lines()
            .find(|line| line.trim().starts_with(name))?;
        length(Path::new(line.split_whitespace().nth(2)?))
    });
    sizes.into_iter().sum()
}
