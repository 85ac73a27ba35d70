//! The DLLs as files.

use std::collections::BTreeSet;

use super::wine::{both, Wine};

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

fn dump(wine: &Wine, arguments: &[&str]) -> String {
    let mut command = wine.tool("objdump");
    command.args(arguments).arg(wine.artifact("resup.dll"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn the_dlls_export_what_the_list_says_and_nothing_else() {
    let list: BTreeSet<_> = include_str!("../exports.txt").lines().collect();
    for wine in both() {
        let text = dump(&wine, &["-p"]);
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

#[test]
fn the_dlls_need_no_other_than_the_systems() {
    for wine in both() {
        let text = dump(&wine, &["-p"]);
        let needed: Vec<_> = text
            .lines()
            .filter_map(|line| line.split("DLL Name: ").nth(1))
            .map(str::to_lowercase)
            .collect();
        assert!(!needed.is_empty());
        for name in needed {
            assert!(SYSTEM.contains(&name.as_str()), "{}: {name}", wine.arch);
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
