//! Servers as processes.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::child::{measure, name, processor_time, Cost};
use crate::sink::Settings;

/// A server; it is killed when this is dropped.
pub(crate) struct Server {
    child: Child,
    /// Open as long as the server may print.
    _output: Option<BufReader<ChildStdout>>,
    /// Where it takes uploads.
    pub url: String,
}

impl Server {
    /// Starts a sink.
    pub(crate) fn sink(settings: &Settings) -> Result<Self, String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        Self::sink_by(Command::new(program), settings)
    }

    /// Starts a sink by a command that runs this program.
    pub(crate) fn sink_by(mut command: Command, settings: &Settings) -> Result<Self, String> {
        Self::start(command.arg("sink").args(settings.arguments()))
    }

    /// Starts the project's receiver, by a command that runs it, with an empty directory for what it stores.
    pub(crate) fn receiver(
        mut command: Command,
        data: &Path,
        listen: &str,
    ) -> Result<Self, String> {
        let data = ["--data".as_ref(), data.as_os_str()];
        Self::start(
            command
                .args(data)
                .args(["--listen", listen])
                .env("RUST_LOG", "error"),
        )
    }

    /// Starts tusd by a command that runs it.
    pub(crate) fn tusd(mut command: Command, host: &str, data: &Path) -> Result<Self, String> {
        let port = free_port()?;
        command.args(["-host", host, "-port", &port, "-upload-dir"]);
        Self::start_at(
            command.arg(data),
            &port,
            format!("http://{host}:{port}/files/"),
        )
    }

    /// Starts copyparty by a command that runs it. Everybody may upload.
    pub(crate) fn copyparty(mut command: Command, host: &str, data: &Path) -> Result<Self, String> {
        let port = free_port()?;
        let volume = format!("{}::rw", data.display());
        command.args(["-q", "-i", host, "-p", &port, "-v", &volume, "--no-crt"]);
        // It keeps its settings there, and not in the user's home.
        command.env("XDG_CONFIG_HOME", data);
        Self::start_at(&mut command, &port, format!("http://{host}:{port}/"))
    }

    /// Starts a server that does not tell when it listens at its port.
    fn start_at(command: &mut Command, port: &str, url: String) -> Result<Self, String> {
        let program = name(command);
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("{program}: {error}"))?;
        let server = Server {
            child,
            _output: None,
            url,
        };
        for _ in 0..400 {
            if listens(server.child.id(), port) {
                return Ok(server);
            }
            thread::sleep(Duration::from_millis(50));
        }
        Err(format!("{program} does not listen"))
    }

    /// Starts a server that prints "listening on" and its URL.
    fn start(command: &mut Command) -> Result<Self, String> {
        let program = name(command);
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("{program}: {error}"))?;
        let mut output = child.stdout.take().map(BufReader::new);
        let mut line = String::new();
        if let Some(output) = &mut output {
            let _ = output.read_line(&mut line);
        }
        let url = line.trim().strip_prefix("listening on ").map(str::to_owned);
        let server = Server {
            child,
            _output: output,
            url: url.clone().unwrap_or_default(),
        };
        url.map(|_| server)
            .ok_or_else(|| format!("{program} does not say where it listens"))
    }

    /// Runs a command to its end and adds what this server had to do for it.
    pub(crate) fn measure(&self, command: &mut Command) -> Result<Cost, String> {
        let before = processor_time(self.child.id());
        let mut cost = measure(command)?;
        cost.server = processor_time(self.child.id()) - before;
        Ok(cost)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> Result<String, String> {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    Ok(free.map_err(|error| error.to_string())?.port().to_string())
}

/// Whether somebody listens at a port of the network that a process is in.
fn listens(pid: u32, port: &str) -> bool {
    let end = format!(":{:04X}", port.parse::<u16>().unwrap_or_default());
    ["tcp", "tcp6"].iter().any(|table| {
        let table = fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default();
        table.lines().any(|line| {
            // The local address, the other's, and 0A, a socket that listens.
            let fields: Vec<_> = line.split_whitespace().collect();
            matches!(fields[..], [_, local, _, "0A", ..] if local.ends_with(&end))
        })
    })
}
