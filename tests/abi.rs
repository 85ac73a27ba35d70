//! The ABI of the built library, compared with the committed one: tests/abi/libresup.abi.
//!
//! `make abi-accept` records an intended change.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

#[allow(dead_code)]
#[path = "c/harness.rs"]
mod harness;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use harness::{has, root, shared_library};
use roxmltree::{Document, Node};

/// abidw's description of a library, of its exported functions alone: Rust's debugging
/// information would bring thousands of types that no caller ever sees.
fn describe(library: &Path) -> String {
    let output = Command::new("abidw")
        .args(["--no-corpus-path", "--no-comp-dir-path", "--no-show-locs"])
        .args(["--type-id-style", "hash"])
        .arg(library)
        .output()
        .unwrap();
    assert!(output.status.success(), "abidw: {}", text(&output));
    let all = String::from_utf8(output.stdout).unwrap();
    let all = Document::parse(&all).unwrap();
    let corpus = all.root_element();
    let is = |name: &'static str| move |node: &Node<'_, '_>| node.has_tag_name(name);

    let types = corpus.descendants().filter(|node| node.is_element());
    let types: BTreeMap<_, _> = types
        .filter_map(|node| Some((node.attribute("id")?, node)))
        .collect();
    let functions = corpus.descendants().filter(is("function-decl"));
    let functions = functions.filter_map(|node| Some((node.attribute("elf-symbol-id")?, node)));
    let functions: BTreeMap<_, _> = functions.collect();
    let mut needed = BTreeSet::new();
    for function in functions.values() {
        need(*function, &types, &mut needed);
    }
    let attribute = |name| corpus.attribute(name).unwrap();
    let symbols = corpus.children().find(is("elf-function-symbols")).unwrap();
    let head = format!(
        "<abi-corpus version='{}' architecture='{}' soname='{}'>\n  {}\n",
        attribute("version"),
        attribute("architecture"),
        attribute("soname"),
        source(symbols),
    );
    let pieces = needed.iter().map(|id| shell(types[id]));
    let pieces = pieces.chain(functions.values().map(|function| source(*function)));
    let pieces: String = pieces.map(|piece| format!("    {piece}\n")).collect();
    let unit = "  <abi-instr address-size='64' path='resup' language='LANG_C99'>\n";
    format!("{head}{unit}{pieces}  </abi-instr>\n</abi-corpus>\n")
}

/// Notes the types that a node is made of.
fn need<'a>(
    node: Node<'a, '_>,
    types: &BTreeMap<&'a str, Node<'a, '_>>,
    needed: &mut BTreeSet<&'a str>,
) {
    for id in node
        .descendants()
        .filter_map(|node| node.attribute("type-id"))
    {
        if needed.insert(id) && !types[id].has_tag_name("class-decl") {
            need(types[id], types, needed);
        }
    }
}

fn source(node: Node<'_, '_>) -> String {
    let text = &node.document().input_text()[node.range()];
    let lines = text.lines().map(str::trim);
    lines.collect::<Vec<_>>().join("\n      ")
}

/// A type; of a class only what it is called and how large it is. (An `Option` of a function has that
/// function's whole type in its name.)
fn shell(node: Node<'_, '_>) -> String {
    let text = source(node);
    match node.has_tag_name("class-decl") && !text.ends_with("/>") {
        true => format!("{}/>", text.lines().next().unwrap().trim_end_matches('>')),
        false => text,
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr].concat()).into_owned()
}

fn compare(old: &Path, new: &Path) -> Output {
    Command::new("abidiff").arg(old).arg(new).output().unwrap()
}

#[test]
fn the_abi_is_the_accepted_one() {
    if !(has("abidw") && has("abidiff")) {
        return;
    }
    let accepted = root().join("tests/abi/libresup.abi");
    let now = describe(&shared_library());
    if std::env::var_os("RESUP_WRITE_ABI").is_some() {
        std::fs::write(&accepted, now).unwrap();
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("now.abi");
    std::fs::write(&file, &now).unwrap();
    let difference = compare(&accepted, &file);
    assert!(
        difference.status.success(),
        "the ABI has changed:\n{}\nIf that is meant: make abi-accept, and say so in CHANGELOG.md",
        text(&difference)
    );
}

/// A library of two functions of ours, as C sees them, and one of its own.
fn built(dir: &Path, name: &str, code: &str) -> PathBuf {
    let source = dir.join(format!("{name}.c"));
    std::fs::write(&source, code).unwrap();
    let library = dir.join(format!("{name}.so"));
    let mut cc = Command::new("cc");
    cc.args(["-g", "-shared", "-fPIC", "-Wl,-soname,x.so"]);
    let output = cc.arg(&source).arg("-o").arg(&library).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let description = dir.join(format!("{name}.abi"));
    std::fs::write(&description, describe(&library)).unwrap();
    description
}

#[test]
fn changes_of_the_abi_are_seen() {
    if !(has("abidw") && has("abidiff")) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let kept = "int f(const char *a, int (*b)(int, void *)) { return a == 0 || b == 0; }";
    let old = built(dir, "old", kept);
    assert!(compare(&old, &built(dir, "same", kept)).status.success());
    for (name, code) in [
        ("gone", "int g(void) { return 0; }".to_owned()),
        ("result", kept.replace("int f", "long f")),
        ("argument", kept.replace("const char *a", "const short *a")),
        ("callback", kept.replace("(int, void *)", "(long, void *)")),
        (
            "fewer",
            kept.replace("const char *a, ", "").replace("a == 0 ||", ""),
        ),
    ] {
        let changed = compare(&old, &built(dir, name, &code));
        assert!(!changed.status.success(), "{name}: {}", text(&changed));
    }
}
