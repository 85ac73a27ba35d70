//! Several receivers with one database and one directory, behind HAProxy. Clients, proxy, database and receivers share the
//! processors of one machine, so this shows what it costs to have several, and not what more machines would gain.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Instant;

use resup_test_support::haproxy::HaProxy;
use resup_test_support::postgres::Postgres;
use resup_test_support::receiver::{Receiver, Setup};

use super::files;
use crate::bench::{Bench, MIB};
use crate::child::{measure, Cost};
use crate::report::Report;
use crate::table::{in_turn, wall, Figure, Target};

/// How many clients upload at once.
const CLIENTS: usize = 8;
/// The size of a large file.
const LARGE: u64 = 64 * MIB;
/// How many small files a client has.
const SMALL: usize = 100;

pub(crate) fn measure_all(bench: &Bench, report: &mut Report) -> Result<(), String> {
    let postgres = Postgres::start().ok_or("PostgreSQL is not installed")?;
    let large: Result<Vec<_>, _> = (0..CLIENTS)
        .map(|number| bench.file(&format!("large{number}"), LARGE + number as u64))
        .collect();
    let small = files::make(bench, CLIENTS * SMALL)?;
    let small = small.chunks(SMALL).map(<[_]>::to_vec);
    for (what, work) in [
        (
            format!("{CLIENTS} clients at once, {} MiB each", LARGE / MIB),
            Vec::from_iter(large?.into_iter().map(|path| vec![path])),
        ),
        (
            format!("{CLIENTS} clients at once, {SMALL} files of 4 KiB each"),
            Vec::from_iter(small),
        ),
    ] {
        let (postgres, work) = (&postgres, &work);
        let run = |count| move || upload(bench, postgres, count, work);
        let runs = in_turn(
            bench.runs,
            vec![
                ("one receiver alone", Box::new(run(0))),
                ("one receiver with --shared", Box::new(run(1))),
                ("2 receivers", Box::new(run(2))),
                ("4 receivers", Box::new(run(4))),
            ],
        );
        for index in [0, 2, 3] {
            report.row(
                &format!("{what}, {}: wall", runs[index].name),
                "one receiver with --shared",
                (Target::Shown, "×"),
                Figure::ratio(&runs[index], &runs[1], wall),
            );
        }
        report.costs(&what, runs);
    }
    Ok(())
}

/// Uploads each client's files at once to so many receivers that are empty; 0 stands for one that shares nothing.
fn upload(
    bench: &Bench,
    postgres: &Postgres,
    count: usize,
    work: &[Vec<PathBuf>],
) -> Result<Cost, String> {
    let (data, database) = (bench.path("several"), postgres.database());
    let start = || {
        let setup = Setup::new().data(&data).args(&["--database", &database]);
        let setup = match count {
            0 => setup.args(&["--parts", "1"]),
            _ => setup.arg("--shared"),
        };
        let binary = Some(bench.program("resup-receiver"));
        Setup { binary, ..setup }.env("RUST_LOG", "error").start()
    };
    let receivers: Vec<Receiver> = (0..count.max(1)).map(|_| start()).collect();
    let addresses: Vec<SocketAddr> = receivers.iter().map(Receiver::addr).collect();
    let proxy = HaProxy::round_robin(&addresses).ok_or("HAProxy is not installed")?;
    let url = format!("http://{}/upload", proxy.addr());
    let begun = Instant::now();
    let costs: Result<Vec<_>, _> = thread::scope(|scope| {
        let client = |paths: &'_ Vec<PathBuf>| {
            let (paths, url) = (paths.clone(), url.clone());
            scope.spawn(move || one_client(bench, &url, &paths))
        };
        let clients: Vec<_> = work.iter().map(client).collect();
        let ends = clients.into_iter().map(|it| it.join());
        ends.map(|end| end.unwrap_or_else(|_| Err("a client panicked".to_owned())))
            .collect()
    });
    let wall = begun.elapsed().as_secs_f64();
    let cpu = costs?.iter().map(|cost| cost.cpu).sum();
    drop((proxy, receivers));
    let _ = fs::remove_dir_all(data);
    Ok(Cost {
        wall,
        cpu,
        ..Cost::default()
    })
}

fn one_client(bench: &Bench, url: &str, paths: &[PathBuf]) -> Result<Cost, String> {
    let mut command = Command::new(bench.program("bench-uploader"));
    command.args(["--digest", "automatic", url]);
    measure(command.args(paths))
}
