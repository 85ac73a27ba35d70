//! What machine this is, when, and of which commit.

use std::fs;
use std::process::Command;

/// Returns a table of it.
pub(crate) fn table() -> String {
    let memory = first("/proc/meminfo", "MemTotal:");
    let kib: f64 = memory.trim_end_matches(" kB").parse().unwrap_or(f64::NAN);
    let processors = std::thread::available_parallelism().map_or(0, usize::from);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("unknown").to_owned();
    let rows = [
        ("date", run("date", &["-u", "+%Y-%m-%d"])),
        ("commit", run("git", &["log", "-1", "--format=%h %s"])),
        (
            "processor",
            format!("{processors} × {}", first("/proc/cpuinfo", "model name")),
        ),
        ("memory", format!("{:.0} GiB", kib / 1024.0 / 1024.0)),
        ("kernel", run("uname", &["-sr"])),
        ("load, at the end of all runs", load),
    ];
    let mut text = "| | |\n| --- | --- |\n".to_owned();
    for (name, value) in rows {
        text += &format!("| {name} | {} |\n", value.replace('|', "/"));
    }
    text
}

/// Returns the rest of the first line of a file that begins so.
fn first(path: &str, start: &str) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(start));
    let value = line.map(|line| line.trim_start_matches([' ', '\t', ':']).trim());
    value.unwrap_or("unknown").to_owned()
}

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.unwrap_or_else(|_| "unknown".to_owned())
}
