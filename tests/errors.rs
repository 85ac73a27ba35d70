//! docs/ERRORS.md tells of every status, and of tests that are there.

use std::path::Path;

const TABLE: &str = include_str!("../docs/ERRORS.md");
const STATUSES: &str = include_str!("../src/ffi/status.rs");

fn rows() -> impl Iterator<Item = Vec<&'static str>> {
    let lines = TABLE.lines().filter(|line| line.starts_with("| "));
    let cells = lines.map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect());
    cells.filter(|row: &Vec<_>| row[0] != "situation" && row[0] != "---")
}

#[test]
fn every_status_has_a_row_with_its_number() {
    let mut count = 0;
    for line in STATUSES.lines() {
        let Some(rest) = line.strip_prefix("pub const RESUP_E_") else {
            continue;
        };
        let (name, number) = rest.trim_end_matches(';').split_once(": i32 = ").unwrap();
        let cell = format!("`RESUP_E_{name}` {number}");
        assert!(rows().any(|row| row[1] == cell), "{cell} has no row");
        count += 1;
    }
    assert!(count > 30);
}

#[test]
fn every_row_has_five_cells_and_a_test_that_is_there() {
    for row in rows() {
        assert_eq!(row.len(), 5, "{row:?}");
        let cited: Vec<_> = row[4].split('`').filter(|s| !s.trim().is_empty()).collect();
        let [file, name] = cited[..] else {
            panic!("{row:?} cites no file and test");
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
