//! Has the program built again when a migration is added, and lists the texts of the page's languages.

use std::fmt::Write;
use std::path::PathBuf;
use std::{env, fs};

fn main() {
    for directory in ["migrations", "migrations-postgres", "page/texts"] {
        println!("cargo:rerun-if-changed={directory}");
    }
    let variable = |name| PathBuf::from(env::var_os(name).expect("cargo sets it"));
    let texts = variable("CARGO_MANIFEST_DIR").join("page/texts");
    let entries = fs::read_dir(&texts).expect("page/texts is there");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("page/texts can be read").path())
        .filter(|path| path.extension().is_some_and(|it| it == "json"))
        .collect();
    paths.sort();
    let mut list = "[\n".to_owned();
    for path in paths {
        let tag = path.file_stem().and_then(|stem| stem.to_str());
        let tag = tag.expect("the name of a file of texts is a language's tag");
        writeln!(list, "    ({tag:?}, include_str!({path:?})),").expect("a String takes all");
    }
    list.push_str("]\n");
    fs::write(variable("OUT_DIR").join("texts.rs"), list).expect("OUT_DIR can be written");
}
