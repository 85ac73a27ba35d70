//! The plan of the house: data runs downhill, from the C ABI to the errors.

use std::path::{Path, PathBuf};

use resup_test_support::arrows;

/// The wings of src/, from the top. A file uses only those below its own, and files of its own wing.
const WINGS: [&str; 13] = [
    "ffi",
    "api",
    "run",
    "engine",
    "transport",
    "protocol",
    "digest",
    "source",
    "http",
    "control",
    "options",
    "random",
    "error",
];

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The place of a file's wing, from the top; `None` for lib.rs, which shows all of them.
fn wing(file: &Path) -> Option<usize> {
    let first = file.components().next().unwrap().as_os_str();
    let name = first.to_str().unwrap();
    let name = name.strip_suffix(".rs").unwrap_or(name);
    if name == "lib" {
        return None;
    }
    let place = WINGS.iter().position(|wing| *wing == name);
    Some(place.unwrap_or_else(|| panic!("{} is in no wing: name it in WINGS", file.display())))
}

/// The arrows that lead upwards.
fn upward(arrows: &[(PathBuf, PathBuf)]) -> Vec<String> {
    let upward = |(from, to): &&(PathBuf, PathBuf)| match (wing(from), wing(to)) {
        (Some(from), Some(to)) => to < from,
        // Nothing uses lib.rs, which uses all.
        (from, None) => from.is_some(),
        (None, _) => false,
    };
    let name =
        |(from, to): &(PathBuf, PathBuf)| format!("{} uses {}", from.display(), to.display());
    arrows.iter().filter(upward).map(name).collect()
}

#[test]
fn no_file_uses_a_wing_above_its_own() {
    let upward = upward(&arrows::arrows(&src()));
    assert!(upward.is_empty(), "upwards:\n{}", upward.join("\n"));
}

#[test]
fn an_upward_use_is_found() {
    let arrow = |from: &str, to: &str| (PathBuf::from(from), PathBuf::from(to));
    let arrows = [
        arrow("run/driver.rs", "engine/step.rs"),
        arrow("engine/step.rs", "run/driver.rs"),
        arrow("error.rs", "control/mod.rs"),
        arrow("http/session/mod.rs", "http/refusal.rs"),
    ];
    let found = [
        "engine/step.rs uses run/driver.rs",
        "error.rs uses control/mod.rs",
    ];
    assert_eq!(upward(&arrows), found);
}

#[test]
fn no_circle_has_more_than_two_files() {
    let circles = arrows::circles(&arrows::arrows(&src()));
    let large: Vec<_> = circles.iter().filter(|files| files.len() > 2).collect();
    assert!(large.is_empty(), "{large:#?}");
}

#[test]
fn the_library_is_one_lib_rs_and_thirteen_wings() {
    let lib = std::fs::read_to_string(src().join("lib.rs")).unwrap();
    let is_module = |line: &&str| line.starts_with("mod ") || line.starts_with("pub mod ");
    let modules = lib.lines().filter(is_module).count();
    assert_eq!(
        modules,
        WINGS.len(),
        "lib.rs shows other modules than WINGS"
    );
}
