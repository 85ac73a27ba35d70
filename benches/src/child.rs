//! Measures a process: its time, its processor time, its memory.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The most time that one run may take.
const LIMIT: Duration = Duration::from_secs(1800);

/// The cost of one run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cost {
    /// Seconds from start to end.
    pub wall: f64,
    /// Seconds of processor, user and system.
    pub cpu: f64,
    /// The same of the server, for this run.
    pub server: f64,
    /// The most memory that was seen, in KiB.
    pub peak: u64,
    /// The output.
    pub output: String,
}

impl Cost {
    /// Adds the cost of what was done next.
    pub(crate) fn then(self, next: Cost) -> Cost {
        Cost {
            wall: self.wall + next.wall,
            cpu: self.cpu + next.cpu,
            server: self.server + next.server,
            peak: self.peak.max(next.peak),
            output: next.output,
        }
    }

    /// Returns the number after a word in the output.
    pub(crate) fn number_after(&self, word: &str) -> Option<f64> {
        let mut words = self.output.split_whitespace();
        words.find(|w| *w == word)?;
        words.next()?.parse().ok()
    }
}

/// Runs a command to its end. The error says why there is nothing to measure.
pub(crate) fn measure(command: &mut Command) -> Result<Cost, String> {
    let program = name(command);
    let began = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{program}: {error}"))?;
    let output = child.stdout.take().map(collect);
    let errors = child.stderr.take().map(collect);
    let mut cost = Cost::default();
    let status = wait(&mut child, began, &mut cost).map_err(|error| format!("{program}: {error}"));
    let text = |reader: Option<JoinHandle<String>>| {
        let text = reader.and_then(|reader| reader.join().ok());
        text.unwrap_or_default().trim().to_owned()
    };
    cost.output = text(output);
    let errors = text(errors);
    if status?.success() {
        return Ok(cost);
    }
    Err(match errors.lines().last() {
        Some(line) => format!("{program}: {line}"),
        None => format!("{program} failed"),
    })
}

/// Returns the name of the program of a command.
pub(crate) fn name(command: &Command) -> String {
    let path = Path::new(command.get_program());
    let name = path.file_name().unwrap_or(command.get_program());
    name.to_string_lossy().into_owned()
}

/// Waits for the end of a process, and has its times and memory in `cost`.
fn wait(child: &mut Child, began: Instant, cost: &mut Cost) -> Result<ExitStatus, String> {
    // A process that has ended keeps its times until it is waited for.
    while !has_ended(child.id(), cost) {
        if began.elapsed() > LIMIT {
            let _ = child.kill();
            let _ = child.wait();
            return Err(format!("still at work after {} s", LIMIT.as_secs()));
        }
        thread::sleep(Duration::from_millis(2));
    }
    cost.wall = began.elapsed().as_secs_f64();
    child.wait().map_err(|error| error.to_string())
}

fn collect(mut from: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Returns the state of a process and the seconds of processor that it has had.
fn state_and_time(pid: u32) -> Option<(String, f64)> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(") ")?;
    let fields: Vec<_> = rest.split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|t| t.parse().ok()).unwrap_or(0u64);
    // These times are in hundredths of a second on every Linux.
    Some((fields[0].to_owned(), (ticks(11) + ticks(12)) as f64 / 100.0))
}

/// Returns the seconds of processor that a process has had.
pub(crate) fn processor_time(pid: u32) -> f64 {
    state_and_time(pid).map_or(0.0, |(_, time)| time)
}

/// Updates `cost` from a process; returns whether it has ended.
fn has_ended(pid: u32, cost: &mut Cost) -> bool {
    let Some((state, time)) = state_and_time(pid) else {
        return true;
    };
    cost.cpu = time;
    if state == "Z" {
        return true;
    }
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = line.and_then(|text| text.trim().trim_end_matches(" kB").parse().ok());
    cost.peak = cost.peak.max(peak.unwrap_or(0));
    false
}
