//! Measures a process: its time, its processor time, its memory.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The cost of one run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cost {
    /// Seconds from start to end.
    pub wall: f64,
    /// Seconds of processor, user and system.
    pub cpu: f64,
    /// The most memory that was seen, in KiB.
    pub peak: u64,
    /// The output.
    pub output: String,
}

/// Runs a command to its end.
///
/// # Panics
///
/// When it cannot be started or fails: then there is nothing to measure.
pub(crate) fn measure(command: &mut Command) -> Cost {
    let began = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let mut out = child.stdout.take().expect("its output");
    let reader = thread::spawn(move || {
        let mut text = String::new();
        let _ = out.read_to_string(&mut text);
        text
    });
    let mut cost = Cost::default();
    let place = format!("/proc/{}", child.id());
    // A process that has ended keeps its times until it is waited for.
    while !has_ended(&place, &mut cost) {
        thread::sleep(Duration::from_millis(2));
    }
    cost.wall = began.elapsed().as_secs_f64();
    let status = child.wait().expect("its status");
    assert!(status.success(), "{command:?}: {status}");
    cost.output = reader.join().expect("its output").trim().to_owned();
    cost
}

/// Updates `cost` from the process whose directory in /proc is `place`; returns whether the process has ended.
fn has_ended(place: &str, cost: &mut Cost) -> bool {
    let stat = fs::read_to_string(format!("{place}/stat")).unwrap_or_default();
    let Some((_, rest)) = stat.rsplit_once(") ") else {
        return true;
    };
    let fields: Vec<_> = rest.split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|t| t.parse().ok()).unwrap_or(0u64);
    // These times are in hundredths of a second on every Linux.
    cost.cpu = (ticks(11) + ticks(12)) as f64 / 100.0;
    if fields[0] == "Z" {
        return true;
    }
    let status = fs::read_to_string(format!("{place}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = line.and_then(|text| text.trim().trim_end_matches(" kB").parse().ok());
    cost.peak = cost.peak.max(peak.unwrap_or(0));
    false
}

/// The process of a sink; it is killed when this is dropped.
pub(crate) struct Sink {
    child: Child,
    port: u16,
}

impl Sink {
    /// Starts a sink that claims to hold the first `bytes` of every file, with this MD5.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub(crate) fn start(bytes: u64, md5: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["sink", &bytes.to_string(), md5])
            .stdout(Stdio::piped())
            .spawn()
            .expect("a sink");
        let mut line = String::new();
        let out = child.stdout.take().expect("its output");
        BufReader::new(out).read_line(&mut line).expect("its port");
        let port = line.trim().parse().expect("a port");
        Sink { child, port }
    }

    /// Returns the URL of its upload endpoint.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/upload", self.port)
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
