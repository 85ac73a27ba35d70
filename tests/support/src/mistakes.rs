//! The table of first mistakes, `tests/mistakes.txt`, and the comparison of messages with it.

use std::fmt::Write as _;

const TABLE: &str = include_str!("../../mistakes.txt");

/// A line of the table: the place, the mistake, the words.
fn lines() -> impl Iterator<Item = (&'static str, &'static str, Vec<&'static str>)> {
    let lines = TABLE.lines();
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| {
        let mut cells = line.splitn(3, " | ");
        let mut cell = || cells.next().unwrap_or_else(|| panic!("no row: {line}"));
        (cell(), cell(), cell().split(" ; ").collect())
    })
}

/// Makes all mistakes of a place. `make` makes one by its name and gives the message.
///
/// # Panics
///
/// When the place has no mistakes, and when a message lacks its words or has one that no message may have.
pub fn walk(place: &str, mut make: impl FnMut(&str) -> String) {
    let never: Vec<_> = lines()
        .filter(|(place, ..)| *place == "never")
        .flat_map(|(.., words)| words)
        .collect();
    let mut count = 0;
    let mut wrong = String::new();
    for (_, mistake, words) in lines().filter(|(of, ..)| *of == place) {
        count += 1;
        let message = make(mistake);
        println!("{mistake}:\n  {}", message.trim_end());
        let lacks = words.iter().filter(|word| !message.contains(**word));
        let lacks: Vec<_> = lacks.collect();
        let has = never.iter().filter(|word| message.contains(**word));
        let has: Vec<_> = has.collect();
        if !lacks.is_empty() || !has.is_empty() {
            let _ = writeln!(
                wrong,
                "{mistake}: it lacks {lacks:?} and has {has:?}:\n  {}",
                message.trim_end()
            );
        }
    }
    assert!(count > 0, "{place} has no mistakes");
    assert!(wrong.is_empty(), "{wrong}");
}
