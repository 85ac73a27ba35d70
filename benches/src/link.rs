//! Links with a round-trip time, loss and a rate, made by link.c.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// What a link is like.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// The round-trip time in milliseconds.
    pub rtt: f64,
    /// How many of a hundred packets are lost.
    pub loss: f64,
    /// Megabits per second; 0 is no limit.
    pub rate: f64,
    /// What decides which packets are lost.
    pub seed: u64,
}

impl Shape {
    /// Returns how many kilobytes wait at the slowest place: what one round trip carries.
    fn queue(&self) -> f64 {
        self.rate * self.rtt / 8.0
    }
}

/// A link; it is gone when this is dropped.
pub(crate) struct Link {
    child: Child,
    client: String,
    server: String,
}

/// The address of the server's end.
pub(crate) const SERVER: &str = "192.0.2.2:0";

impl Link {
    /// Makes a link. Whoever calls this has to drop it in the same thread, for the link ends with the thread.
    pub(crate) fn make(program: &OsStr, shape: Shape) -> Result<Self, String> {
        let numbers = [shape.rtt, shape.loss, shape.rate, shape.queue()];
        let mut child = Command::new(program)
            .args(numbers.map(|number| number.to_string()))
            .arg(shape.seed.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("{}: {error}", program.display()))?;
        let mut line = String::new();
        if let Some(output) = child.stdout.take() {
            let _ = BufReader::new(output).read_line(&mut line);
        }
        let words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        let mut link = Link {
            child,
            client: String::new(),
            server: String::new(),
        };
        match &words[..] {
            [_, client, server, algorithm] if algorithm == "cubic" => {
                (link.client, link.server) = (client.clone(), server.clone());
                Ok(link)
            }
            [_, _, _, algorithm] => Err(format!("the link has {algorithm}, not cubic")),
            _ => Err(link.complaint()),
        }
    }

    fn complaint(&mut self) -> String {
        let mut line = String::new();
        if let Some(errors) = self.child.stderr.take() {
            let _ = BufReader::new(errors).read_line(&mut line);
        }
        match line.contains("not permitted") {
            true => "only root can make a link".to_owned(),
            false => format!("no link: {}", line.trim()),
        }
    }

    /// Makes a command that runs at the client's end.
    pub(crate) fn client(&self, program: impl AsRef<OsStr>) -> Command {
        inside(&self.client, program.as_ref())
    }

    /// Makes a command that runs at the server's end.
    pub(crate) fn server(&self, program: impl AsRef<OsStr>) -> Command {
        inside(&self.server, program.as_ref())
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn inside(space: &str, program: &OsStr) -> Command {
    let mut command = Command::new("nsenter");
    command.arg(format!("--net={space}")).arg("--").arg(program);
    command
}
