//! Other people's clients and servers, which `make bench` installs where it can.

use std::fs;
use std::path::{Path, PathBuf};

use crate::bench::Bench;
use crate::child::Cost;
use crate::link::{Link, Shape, SERVER};
use crate::server::Server;

/// How many connections a peer is told to use.
pub(super) const CONNECTIONS: &str = "6";

/// Another client, into its server.
#[derive(Clone, Copy)]
pub(crate) enum Peer {
    /// tus-js-client into tusd.
    Tus,
    /// copyparty's u2c into copyparty.
    Copyparty,
}

/// Returns the path of tusd.
pub(crate) fn tusd(bench: &Bench) -> Result<PathBuf, String> {
    installed(bench, "../go/tusd", "no tusd, which make servers brings")
}

fn installed(bench: &Bench, path: &str, problem: &str) -> Result<PathBuf, String> {
    let path = bench.program(path);
    match path.exists() {
        true => Ok(path),
        false => Err(problem.to_owned()),
    }
}

impl Peer {
    /// Makes one upload over a link.
    pub(super) fn upload(
        self,
        bench: &Bench,
        shape: Shape,
        place: usize,
        file: &Path,
    ) -> Result<Cost, String> {
        let link = Link::make(bench.program("bench-link").as_os_str(), shape)?;
        let data = bench.path(&format!("peer-{place}"));
        fs::create_dir(&data).map_err(|error| error.to_string())?;
        let (host, _) = SERVER.split_once(':').unwrap_or((SERVER, ""));
        let (server, mut client) = match self {
            Peer::Tus => {
                let problem = "no tus-js-client, which make servers brings";
                let script = installed(bench, "../peers/tus.mjs", problem)?;
                let mut client = link.client("node");
                client.arg(script);
                (
                    Server::tusd(link.server(tusd(bench)?), host, &data)?,
                    client,
                )
            }
            Peer::Copyparty => {
                let problem = "no copyparty, which Python's pip installs";
                let program = installed(bench, "../python/bin/copyparty", problem)?;
                let mut client = link.client(program.with_file_name("u2c"));
                client.args(["-j", CONNECTIONS]);
                (
                    Server::copyparty(link.server(program), host, &data)?,
                    client,
                )
            }
        };
        client.arg(&server.url).arg(file);
        let cost = server.measure(&mut client);
        drop(server);
        let _ = fs::remove_dir_all(data);
        cost
    }
}
