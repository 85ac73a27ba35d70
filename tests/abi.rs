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

/// Describes the exported functions of a library, and their types, by abidw. Its full output would have
/// thousands of types from Rust's debugging information, which no program sees.
fn describe(library: &Path) -> String {
    let output = Command::new("abidw")
        .args(["--no-corpus-path", "--no-comp-dir-path", "--no-show-locs"])
        .args(["--type-id-style", "hash"])
        .arg(library)
        .output()
        .unwrap();
    assert!(output.status.success(), "abidw: {}", text(&output));
    let xml = String::from_utf8(output.stdout).unwrap();
    let document = Document::parse(&xml).unwrap();
    let corpus = document.root_element();
    let is = |name: &'static str| move |node: &Node<'_, '_>| node.has_tag_name(name);

    let types: BTreeMap<_, _> = corpus
        .descendants()
        .filter(|node| node.is_element())
        .filter_map(|node| Some((node.attribute("id")?, node)))
        .collect();
    let functions: BTreeMap<_, _> = corpus
        .descendants()
        .filter(is("function-decl"))
        .filter_map(|node| Some((node.attribute("elf-symbol-id")?, node)))
        .collect();
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
    let pieces: String = needed
        .iter()
        .map(|id| outline(types[id]))
        .chain(functions.values().map(|function| source(*function)))
        .map(|piece| format!("    {piece}\n"))
        .collect();
    let unit = "  <abi-instr address-size='64' path='resup' language='LANG_C99'>\n";
    format!("{head}{unit}{pieces}  </abi-instr>\n</abi-corpus>\n")
}

/// Adds to `needed` the types that a node is made of.
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

/// Returns the text of a type; for a class, only its name and size. (The name of an `Option` of a function
/// has the whole type of the function.)
fn outline(node: Node<'_, '_>) -> String {
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

/// Compiles C code into a library, and returns the file with its description.
fn description(dir: &Path, name: &str, code: &str) -> PathBuf {
    let source = dir.join(format!("{name}.c"));
    std::fs::write(&source, code).unwrap();
    let library = dir.join(format!("{name}.so"));
    let mut cc = Command::new("cc");
    cc.args(["-g", "-shared", "-fPIC", "-Wl,-soname,x.so"]);
    let output = cc.arg(&source).arg("-o").arg(&library).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let file = dir.join(format!("{name}.abi"));
    std::fs::write(&file, describe(&library)).unwrap();
    file
}

#[test]
fn a_change_of_the_abi_is_found() {
    if !(has("abidw") && has("abidiff")) {
        return;
    }
    let temporary = tempfile::tempdir().unwrap();
    let dir = temporary.path();
    let code = "int f(const char *a, int (*b)(int, void *)) { return a == 0 || b == 0; }";
    let old = description(dir, "old", code);
    assert!(compare(&old, &description(dir, "same", code))
        .status
        .success());
    for (name, changed) in [
        ("gone", "int g(void) { return 0; }".to_owned()),
        ("result", code.replace("int f", "long f")),
        ("argument", code.replace("const char *a", "const short *a")),
        ("callback", code.replace("(int, void *)", "(long, void *)")),
        (
            "fewer",
            code.replace("const char *a, ", "").replace("a == 0 ||", ""),
        ),
    ] {
        let difference = compare(&old, &description(dir, name, &changed));
        assert!(
            !difference.status.success(),
            "{name}: {}",
            text(&difference)
        );
    }
}
