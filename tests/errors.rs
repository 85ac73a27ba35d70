//! docs/ERRORS.md: that it has every status, with its number, tests that exist, and real messages.

#[cfg(target_os = "linux")]
#[allow(dead_code)]
#[path = "c/harness.rs"]
mod harness;
#[cfg(target_os = "linux")]
#[allow(dead_code)]
#[path = "c/one.rs"]
mod one;

#[cfg(target_os = "linux")]
#[path = "errors/discards.rs"]
mod discards;
#[cfg(target_os = "linux")]
#[path = "errors/logins.rs"]
mod logins;
#[cfg(target_os = "linux")]
#[path = "errors/messages.rs"]
mod messages;
#[cfg(target_os = "linux")]
#[path = "errors/receivers.rs"]
mod receivers;
#[cfg(target_os = "linux")]
#[path = "errors/servers.rs"]
mod servers;
#[cfg(target_os = "linux")]
#[path = "errors/streams.rs"]
mod streams;

use std::collections::BTreeMap;
use std::path::Path;

const DOCUMENT: &str = include_str!("../docs/ERRORS.md");
const HEADER: &str = include_str!("../include/resup.h");

/// A row of one of the tables, with its cells under the names of their columns.
struct Row(BTreeMap<&'static str, &'static str>);

impl Row {
    fn cell(&self, column: &str) -> &'static str {
        let cell = self.0.get(column);
        cell.unwrap_or_else(|| panic!("no {column} in {:?}", self.0))
    }

    fn situation(&self) -> &'static str {
        self.cell("situation")
    }

    /// Name and number; `None` where there is no failure.
    fn status(&self) -> Option<(&'static str, i32)> {
        let cell = self.cell("status");
        let (name, number) = cell.strip_prefix('`')?.split_once("` ")?;
        Some((name, number.parse().ok()?))
    }
}

fn cells(line: &'static str) -> Vec<&'static str> {
    let line = line.strip_prefix("| ").and_then(|l| l.strip_suffix(" |"));
    line.expect("a row").split(" | ").map(str::trim).collect()
}

fn rows() -> Vec<Row> {
    let mut rows = Vec::new();
    let mut lines = DOCUMENT.lines().peekable();
    while let Some(line) = lines.next() {
        if !line.starts_with("| ") {
            continue;
        }
        let columns = cells(line);
        assert!(lines.next().unwrap().starts_with("| ---"), "{columns:?}");
        while let Some(line) = lines.next_if(|line| line.starts_with("| ")) {
            let cells = cells(line);
            assert_eq!(cells.len(), columns.len(), "{line}");
            rows.push(Row(columns.iter().copied().zip(cells).collect()));
        }
    }
    assert!(rows.len() > 40);
    rows
}

/// The statuses of the header that are errors.
fn statuses() -> BTreeMap<&'static str, i32> {
    let lines = HEADER.lines();
    let errors = lines.filter_map(|line| line.strip_prefix("#define RESUP_E_").map(|_| line));
    let words = errors.map(|line| line.split_whitespace().collect::<Vec<_>>());
    words.map(|w| (w[1], w[2].parse().unwrap())).collect()
}

#[test]
fn statuses_and_numbers_are_those_of_the_header() {
    let statuses = statuses();
    assert!(statuses.len() > 30, "{statuses:?}");
    let rows = rows();
    for row in &rows {
        match row.status() {
            Some((name, number)) => {
                assert_eq!(statuses.get(name), Some(&number), "{}", row.situation());
            }
            None => assert_eq!(row.cell("status"), "none", "{}", row.situation()),
        }
    }
    let told: Vec<_> = rows.iter().filter_map(Row::status).collect();
    for (name, _) in statuses {
        assert!(told.iter().any(|row| row.0 == name), "{name} has no row");
    }
}

#[test]
fn every_row_names_a_test_that_exists() {
    for row in rows() {
        let cited: Vec<_> = row.cell("test").split('`').collect();
        let ["", file, " ", name, ""] = cited[..] else {
            panic!("{cited:?}: a file and a test are needed");
        };
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{file}: {e}"));
        let defined = [format!("fn {name}("), format!("void {name}(")];
        assert!(
            defined.iter().any(|d| text.contains(d)),
            "{name} is not in {file}"
        );
    }
}

#[test]
fn situations_are_told_apart_by_their_words() {
    let mut seen = std::collections::BTreeSet::new();
    for row in rows() {
        assert!(seen.insert(row.situation()), "{}", row.situation());
    }
}
