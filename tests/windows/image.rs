//! The DLLs and programs as files.

use std::collections::BTreeSet;

use roxmltree::Document;

use super::wine::{both, Wine};
use super::LIBRARY;

/// The DLLs that every Windows from 7 on has.
const SYSTEM: [&str; 9] = [
    "advapi32.dll",
    "api-ms-win-core-synch-l1-2-0.dll",
    "bcrypt.dll",
    "crypt32.dll",
    "kernel32.dll",
    "msvcrt.dll",
    "ntdll.dll",
    "userenv.dll",
    "ws2_32.dll",
];

/// 2.4 MiB, with all protocols; it should be 2.0. Without BLAKE3 it was 1.7, without parts 1.8, without tus and the IETF's
/// protocol 1.9, without WebDAV, sessions and dialects 2.0, and without presigned parts, reading back and the regular
/// expressions of dialects 2.2.
const MAX_SIZE: u64 = 2_516_582;

/// What the build makes.
const FILES: [&str; 4] = [
    "resup.dll",
    "resup_jni.dll",
    "resup.exe",
    "resup-receiver.exe",
];

fn dump(wine: &Wine, arguments: &[&str], file: &str) -> String {
    let mut command = wine.tool("objdump");
    command.args(arguments).arg(wine.artifact(file));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn the_dlls_export_what_the_list_says_and_nothing_else() {
    let list: BTreeSet<_> = include_str!("../exports.txt").lines().collect();
    for wine in both() {
        let text = dump(&wine, &["-p"], "resup.dll");
        let (_, names) = text.split_once("[Ordinal/Name Pointer] Table").unwrap();
        let names: BTreeSet<_> = names
            .lines()
            .skip(1)
            .take_while(|line| line.trim_start().starts_with('['))
            .filter_map(|line| line.split_whitespace().last())
            .collect();
        assert_eq!(names, list, "{}", wine.arch);
        let text = std::fs::read_to_string(wine.artifact("resup.def")).unwrap();
        let def: BTreeSet<_> = text.lines().skip(2).map(str::trim).collect();
        assert_eq!(def, list, "{}", wine.arch);
    }
}

/// Returns the names of the DLLs that a file needs.
fn needed(wine: &Wine, file: &str) -> Vec<String> {
    let text = dump(wine, &["-p"], file);
    let names = text
        .lines()
        .filter_map(|line| line.split("DLL Name: ").nth(1));
    names.map(str::to_lowercase).collect()
}

#[test]
fn nothing_needs_other_dlls_than_the_systems() {
    for wine in both() {
        for file in FILES {
            let needed = needed(&wine, file);
            assert!(!needed.is_empty());
            for name in needed {
                let is_known = SYSTEM.contains(&name.as_str());
                assert!(is_known, "{} {file}: {name}", wine.arch);
            }
        }
    }
}

/// Returns the only element of this name.
fn only<'a>(document: &'a Document<'_>, name: &str) -> roxmltree::Node<'a, 'a> {
    let mut found = document
        .descendants()
        .filter(|node| node.tag_name().name() == name);
    let first = found.next().unwrap_or_else(|| panic!("no {name}"));
    assert!(found.next().is_none(), "{name} is there twice");
    first
}

#[test]
fn version_and_manifest_are_there_for_windows() {
    let version = env!("CARGO_PKG_VERSION");
    for wine in both() {
        let program = wine.build("resources", &["tests/windows/resources.c"], LIBRARY);
        for file in FILES {
            let path = wine.program(file);
            let outcome = wine.run(wine.command(&program).arg(&path));
            let (head, manifest) = outcome
                .stdout
                .split_at(outcome.stdout.find("<?xml").unwrap());
            let kind = if file.ends_with(".exe") { 1 } else { 2 };
            for line in [
                format!("version {version}.0 type {kind}"),
                format!("FileVersion {version}"),
                format!("ProductVersion {version}"),
                format!("OriginalFilename {file}"),
                "ProductName resup".to_owned(),
            ] {
                assert!(head.lines().any(|it| it == line), "{file}: {line}: {head}");
            }
            let manifest = Document::parse(manifest.trim_end()).unwrap();
            let level = only(&manifest, "requestedExecutionLevel");
            assert_eq!(level.attribute("level"), Some("asInvoker"), "{file}");
            assert_eq!(only(&manifest, "longPathAware").text(), Some("true"));
            let systems = manifest
                .descendants()
                .filter(|node| node.tag_name().name() == "supportedOS");
            assert_eq!(systems.count(), 4, "{file}");
        }
    }
}

#[test]
fn the_dlls_are_small() {
    for wine in both() {
        let size = std::fs::metadata(wine.artifact("resup.dll")).unwrap().len();
        println!("{}: {size} bytes", wine.arch);
        assert!(size <= MAX_SIZE, "{}: {size} bytes", wine.arch);
    }
}
