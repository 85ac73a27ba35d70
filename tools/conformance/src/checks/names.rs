//! File names, ordinary and hostile.

use anyhow::{ensure, Context, Result};

use crate::checks::check::{Check, IDENTITY};
use crate::file::TestFile;
use crate::probe::Probe;
use crate::send::SendRequest;
use crate::verdict::{pass, Outcome};

pub const CHECKS: &[Check] = &[
    Check {
        id: "names-unicode",
        section: IDENTITY,
        holds: "names in any script are kept unchanged: none is confused with another",
        run: |probe| finish_distinct(probe, UNICODE),
    },
    Check {
        id: "names-signs",
        section: IDENTITY,
        holds: "names with characters that forms escape are kept unchanged",
        run: |probe| finish_distinct(probe, SIGNS),
    },
    Check {
        id: "names-case",
        section: IDENTITY,
        holds: "names that differ in case only are other uploads",
        run: |probe| check_distinct(probe, CASES).and_then(|_| pass()),
    },
    Check {
        id: "names-hostile",
        section: IDENTITY,
        holds: "names that are paths or devices are refused (4xx) or kept; they do no harm",
        run: hostile,
    },
    Check {
        id: "names-of-dirs",
        section: IDENTITY,
        holds: "directories are kept unchanged, in any script",
        run: dirs,
    },
];

/// Names that become equal in a receiver that loses or changes characters.
const UNICODE: &[&str] = &[
    "报告", "報告", "🦀", "🦞", "é", "è", "Ã©", "?", "??", "\u{fffd}", "ﷺ", "имя",
];

/// Names that differ in case only.
const CASES: &[&str] = &["name", "Name", "NAME", "имя", "имЯ"];

/// Names with characters that forms escape.
const SIGNS: &[&str] = &[
    "a b", "a+b", "a%20b", "a%2Bb", "a\"b", "a%22b", "a'b", "a;b", "a=b", "a&b", "a&amp;b", "a#b",
    "a,b", "{a}", "$(a)", " a", "a~1",
];

/// Sends a different number of bytes for each name, and checks that each name keeps its offset.
fn check_distinct(probe: &Probe, names: &[&str]) -> Result<Vec<TestFile>> {
    let file = probe.file(1000);
    let with_name = |name: &&str| file.with_name(format!("{}{name}.bin", &file.name[..28]));
    let files: Vec<TestFile> = names.iter().map(with_name).collect();
    for (index, file) in files.iter().enumerate() {
        probe
            .begin_upload(file, index as u64 + 1)
            .with_context(|| format!("the name {:?}", file.name))?;
    }
    for (index, file) in files.iter().enumerate() {
        let held = index as u64 + 1;
        for response in [probe.locate(file)?, probe.locate_by_get(file)?] {
            ensure!(
                response.status == 200 && response.offset()? == held,
                "the name {:?} is confused with another one: expected offset {held}; the response is {}",
                file.name,
                response.summary()
            );
        }
    }
    Ok(files)
}

/// Does the same as [`check_distinct`], and finishes the files.
fn finish_distinct(probe: &Probe, names: &[&str]) -> Outcome {
    for file in check_distinct(probe, names)? {
        probe
            .finish(&file)
            .with_context(|| format!("the name {:?}", file.name))?;
    }
    pass()
}

fn dirs(probe: &Probe) -> Outcome {
    let file = probe.file(1000);
    let dirs = ["", "a", "a/b", "a b/c", "a+b/c", "目录/子", "目录/予"];
    let tag = &file.name[12..24];
    let files = dirs.map(|dir| match dir {
        "" => file.clone(),
        dir => file.with_dir(format!("{tag}/{dir}")),
    });
    for (index, file) in files.iter().enumerate() {
        probe
            .begin_upload(file, index as u64 + 1)
            .with_context(|| format!("the directory {:?}", file.dir))?;
    }
    for (index, file) in files.iter().enumerate() {
        let response = probe.locate(file)?.expect(200)?;
        ensure!(
            response.offset()? == index as u64 + 1,
            "the directory {:?} is confused with another one: expected offset {}; the response is {}",
            file.dir,
            index + 1,
            response.summary()
        );
        probe.finish(file)?;
    }
    pass()
}

fn hostile(probe: &Probe) -> Outcome {
    let file = probe.file(300);
    let tag = &file.name;
    let long = "n".repeat(250);
    let names = [
        format!("../../../{tag}"),
        format!("..\\..\\{tag}"),
        format!("/tmp/{tag}"),
        format!("C:\\{tag}"),
        format!("{tag}:stream"),
        format!("{tag}\r\nX-Injected: 1"),
        format!("{tag}\0.txt"),
        format!("{tag}\u{202e}gpj.exe"),
        format!("{tag}."),
        format!("{tag} "),
        format!("{tag}/"),
        "..".into(),
        ".".into(),
        "CON".into(),
        "nul.txt".into(),
        ".htaccess".into(),
        long.clone(),
        long.repeat(20),
    ];
    let dirs = ["..", "/etc", "a/../../..", "C:\\", "\0", "a//b", "./."];
    let plain = names.iter().map(|name| file.with_name(&**name));
    let in_dirs = dirs.iter().map(|dir| file.with_dir(*dir));
    for mut hostile in plain.chain(in_dirs) {
        // A new time, since these names are the same in each run.
        hostile.mtime = Some(fastrand::u64(1..1 << 40));
        let what = format!(
            "name {:?} in {:?}",
            hostile.name.chars().take(40).collect::<String>(),
            hostile.dir
        );
        let response = probe.locate(&hostile).with_context(|| what.clone())?;
        if response.status != 200 {
            response.expect_refusal().with_context(|| what.clone())?;
            continue;
        }
        let send = SendRequest::of(&hostile, &response.id()?, 0, hostile.size());
        let response = probe.send(&send).with_context(|| what.clone())?;
        if response.status != 200 {
            response.expect_refusal().with_context(|| what.clone())?;
            continue;
        }
        ensure!(response.is_complete(), "{what}: {}", response.summary());
        let found = probe.locate(&hostile)?;
        ensure!(found.is_complete(), "{what}: {}", found.summary());
    }
    probe.finish(&file)?;
    pass()
}
