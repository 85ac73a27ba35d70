use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::arrows::{arrows, check, circles};

/// Writes a crate whose files have these texts.
fn sources(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

/// Lists the arrows that do not begin at the root, as `from -> to`.
fn arrows_in(files: &[(&str, &str)]) -> Vec<String> {
    let dir = sources(files);
    let arrows = arrows(dir.path()).into_iter();
    let inner = arrows.filter(|(from, _)| from != Path::new("lib.rs"));
    inner
        .map(|(from, to)| format!("{} -> {}", from.display(), to.display()))
        .collect()
}

/// Writes a root that declares modules and uses the first one.
fn root(modules: &[&str]) -> String {
    let declared: String = modules.iter().map(|name| format!("mod {name};")).collect();
    format!("{declared} use {}::Something;", modules[0])
}

fn circles_of(files: &[(&str, &str)]) -> Vec<Vec<String>> {
    let dir = sources(files);
    let names = |circle: Vec<PathBuf>| {
        let files = circle.iter();
        files.map(|file| file.display().to_string()).collect()
    };
    let circles = circles(&arrows(dir.path()));
    circles.into_iter().map(names).collect()
}

#[test]
fn two_files_that_use_each_other_are_a_circle() {
    let circles = circles_of(&[
        ("lib.rs", &root(&["a", "b", "c"])),
        ("a.rs", "use crate::b::B; pub struct A;"),
        ("b.rs", "use crate::a::A; pub struct B;"),
        ("c.rs", "use crate::a::A;"),
    ]);
    assert_eq!(circles, [["a.rs", "b.rs"]]);
}

#[test]
fn a_file_of_another_crate_is_left_out() {
    let files = [
        ("lib.rs", "mod a; use a::A;"),
        (
            "a.rs",
            "mod b; #[path = \"../other/c.rs\"] mod c; use b::B;",
        ),
        ("a/b.rs", "pub struct B;"),
    ];
    assert_eq!(arrows_in(&files), ["a.rs -> a/b.rs"]);
}

#[test]
fn a_circle_goes_through_any_number_of_files_and_rooms() {
    let circles = circles_of(&[
        ("lib.rs", &root(&["a", "room", "b"])),
        ("a.rs", "use crate::{room::inner::{self, C}, b};"),
        ("room/mod.rs", "pub mod inner; pub mod other;"),
        ("room/inner.rs", "use super::other::D; pub struct C;"),
        (
            "room/other.rs",
            "pub fn d() { crate::b::b() } pub struct D;",
        ),
        ("b.rs", "use crate::a::A; pub fn b() {}"),
    ]);
    let circle = ["a.rs", "b.rs", "room/inner.rs", "room/other.rs"];
    assert_eq!(circles, [circle]);
}

#[test]
fn a_room_that_uses_its_child_is_not_used_by_it() {
    let files = [
        ("lib.rs", &*root(&["room"])),
        ("room/mod.rs", "mod child; use child::C; pub struct R(C);"),
        ("room/child.rs", "use super::R; pub struct C;"),
    ];
    assert_eq!(circles_of(&files), [["room/child.rs", "room/mod.rs"]]);
}

#[test]
fn a_re_export_is_no_use_and_leads_to_what_it_names() {
    let lines = arrows_in(&[
        ("lib.rs", &root(&["room", "user"])),
        (
            "room/mod.rs",
            "mod child; mod all; pub use child::C; pub use all::*; pub struct R;",
        ),
        ("room/child.rs", "use super::R; pub struct C;"),
        ("room/all.rs", "pub struct All;"),
        ("user.rs", "use crate::room::{All, C};"),
    ]);
    let due = [
        "room/child.rs -> room/mod.rs",
        "room/mod.rs -> room/all.rs",
        "user.rs -> room/all.rs",
        "user.rs -> room/child.rs",
    ];
    assert_eq!(lines, due);
}

#[test]
fn a_re_export_that_the_file_needs_itself_is_a_use() {
    let lines = arrows_in(&[
        ("lib.rs", &root(&["room"])),
        (
            "room/mod.rs",
            "mod child; pub use child::C; pub struct R(C);",
        ),
        ("room/child.rs", "pub struct C;"),
    ]);
    assert_eq!(lines, ["room/mod.rs -> room/child.rs"]);
}

#[test]
fn paths_count_wherever_they_stand() {
    let lines = arrows_in(&[
        ("lib.rs", &root(&["a", "b", "c", "d", "e", "f"])),
        (
            "a.rs",
            "use crate::b; use crate::f as g;
             fn f<'a>(x: &'a crate::c::C) -> char { b::make(); if x == '\"' { super::d::d() } g::f(); '\\'' }
             mod inner { use super::super::e::E; }",
        ),
        ("b.rs", ""),
        ("c.rs", ""),
        ("d.rs", ""),
        ("e.rs", ""),
        ("f.rs", ""),
    ]);
    let due = ["b", "c", "d", "e", "f"].map(|to| format!("a.rs -> {to}.rs"));
    assert_eq!(lines, due);
}

#[test]
fn comments_texts_and_tests_are_no_uses() {
    let lines = arrows_in(&[
        ("lib.rs", &root(&["a", "b"])),
        (
            "a.rs",
            "// use crate::b::B;
             /* /* */ use crate::b::B; */
             const T: &str = \"use crate::b::B; \\\" crate::b::B\";
             const R: &str = r#\"\" crate::b::B\"#;
             #[cfg(test)] mod far;
             #[cfg(test)] use crate::b::B;
             #[cfg(test)] #[allow(unused)] fn t(a: [u8; 2]) { crate::b::b(); }
             #[cfg(test)] mod tests { use crate::b::B; }
             use crate::b::C;",
        ),
        (
            "b.rs",
            "use std::fs; use other::a::A; fn x() { fs::read(); A::new() }",
        ),
    ]);
    assert_eq!(lines, ["a.rs -> b.rs"]);
    let only = "a.rs";
    let tests = arrows_in(&[
        ("lib.rs", &root(&["a", "b"])),
        (only, "#[cfg(test)] mod tests { use crate::b::B; }"),
        ("b.rs", ""),
    ]);
    assert!(tests.is_empty(), "{tests:?}");
}

#[test]
fn the_check_names_the_files_of_a_circle() {
    let dir = sources(&[
        ("main.rs", "mod a; mod b; fn main() { a::a() }"),
        ("a.rs", "pub fn a() { crate::b::b() }"),
        ("b.rs", "pub fn b() { crate::a::a() }"),
    ]);
    let message = complaint(dir.path());
    for line in ["a.rs uses b.rs", "b.rs uses a.rs"] {
        assert!(message.contains(line), "{message}");
    }
    assert!(!message.contains("main.rs"), "{message}");
}

#[test]
fn the_check_finds_a_file_beside_its_directory() {
    let dir = sources(&[
        ("main.rs", "mod a; fn main() { a::a() }"),
        ("a.rs", "mod b; pub fn a() { b::b() }"),
        ("a/b.rs", "pub fn b() {}"),
    ]);
    let message = complaint(dir.path());
    assert!(message.contains("a.rs stands beside"), "{message}");
}

fn complaint(src: &Path) -> String {
    let panic = catch_unwind(|| check(src)).expect_err("a fault was due");
    *panic.downcast::<String>().expect("a formatted message")
}
