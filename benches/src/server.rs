//! Servers as processes.

use std::io::{BufRead, BufReader};
use std::net::{TcpListener, TcpStream};
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

    /// Starts tusd, which stores in a directory.
    pub(crate) fn tusd(program: &Path, data: &Path) -> Result<Self, String> {
        // It does not tell which port it has.
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = free.map_err(|error| error.to_string())?.port();
        let child = Command::new(program)
            .args([
                "-host",
                "127.0.0.1",
                "-port",
                &port.to_string(),
                "-upload-dir",
            ])
            .arg(data)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("tusd: {error}"))?;
        let url = format!("http://127.0.0.1:{port}/files/");
        let server = Server {
            child,
            _output: None,
            url,
        };
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return Ok(server);
            }
            thread::sleep(Duration::from_millis(50));
        }
        Err("tusd does not listen".to_owned())
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
