//! One big file into the project's receiver, beside tusd.

use std::fs;
use std::process::Command;

use super::{peers, times};
use crate::bench::Bench;
use crate::child::Cost;
use crate::report::Report;
use crate::server::Server;
use crate::table::{cpu, wall, Figure, Runs};

pub(crate) fn measure_all(bench: &Bench, report: &mut Report) -> Result<(), String> {
    // In blocks: what one server leaves to be written to disk is not to slow down the other.
    let mut blake3 = Runs::new("resup into resup-receiver, BLAKE3");
    let mut md5 = Runs::new("resup into resup-receiver, MD5");
    let mut tusd = Runs::new("curl into tusd, no digest");
    for _ in 0..bench.runs {
        blake3.add(|| ours(bench, "blake3"));
    }
    for _ in 0..bench.runs {
        md5.add(|| ours(bench, "md5"));
    }
    for _ in 0..bench.runs {
        tusd.add(|| theirs(bench));
    }
    let what = format!("{} MiB into the receiver", bench.size >> 20);
    for (runs, digest, most) in [(&blake3, "BLAKE3", 1.3), (&md5, "MD5", 2.0)] {
        report.row(
            &format!("{what}, proven by {digest}: wall"),
            "tusd, which proves nothing",
            times(most),
            Figure::ratio(runs, &tusd, wall),
        );
    }
    report.row(
        &format!("{what}, proven by BLAKE3: CPU of client and server"),
        "curl and tusd",
        times(1.3),
        Figure::ratio(&blake3, &tusd, cpu),
    );
    report.row(
        &format!("{what}, proven by BLAKE3: CPU of the server"),
        "tusd",
        times(1.3),
        Figure::ratio(&blake3, &tusd, |cost| cost.server),
    );
    report.costs(
        "One file into a server that stores it",
        vec![blake3, md5, tusd],
    );
    Ok(())
}

fn ours(bench: &Bench, digest: &str) -> Result<Cost, String> {
    let data = bench.path("receiver");
    let program = Command::new(bench.program("resup-receiver"));
    let receiver = Server::receiver(program, &data, "127.0.0.1:0")?;
    let cost = bench.upload(&receiver, &["--digest", digest], &[&bench.big]);
    drop(receiver);
    let _ = fs::remove_dir_all(data);
    cost
}

fn theirs(bench: &Bench) -> Result<Cost, String> {
    let data = bench.path("tusd");
    let server = Server::tusd(Command::new(peers::tusd(bench)?), "127.0.0.1", &data)?;
    let tus = |method| -> Result<Command, String> {
        let mut command = bench.curl_command()?;
        command.args(["-f", "-X", method, "-H", "Tus-Resumable: 1.0.0"]);
        Ok(command)
    };
    let length = format!("Upload-Length: {}", bench.size);
    let began = server.measure(
        tus("POST")?
            .args(["-D", "-", "-o", "/dev/null", "-H", &length])
            .arg(&server.url),
    )?;
    let headers = began.output.lines().map(|line| line.split_once(": "));
    let location = headers
        .flatten()
        .find(|(name, _)| name.eq_ignore_ascii_case("location"))
        .map(|(_, url)| url.trim().to_owned())
        .ok_or("tusd makes no upload")?;
    let cost = server.measure(
        tus("PATCH")?
            .args(["-H", "Upload-Offset: 0", "-H", "Expect:"])
            .args(["-H", "Content-Type: application/offset+octet-stream", "-T"])
            .arg(&bench.big)
            .arg(&location),
    );
    drop(server);
    let _ = fs::remove_dir_all(data);
    Ok(began.then(cost?))
}
