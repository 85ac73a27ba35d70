//! File names, plain and strange.

use anyhow::{ensure, Context, Result};

use super::{Check, IDENTITY};
use crate::file::TestFile;
use crate::form::Send;
use crate::probe::Probe;
use crate::verdict::{pass, Outcome};

pub const CHECKS: &[Check] = &[
    Check {
        id: "names-unicode",
        section: IDENTITY,
        holds: "names in any script are kept as they are: none is taken for another",
        run: |probe| finished_apart(probe, UNICODE),
    },
    Check {
        id: "names-signs",
        section: IDENTITY,
        holds: "names with signs that forms escape are kept as they are",
        run: |probe| finished_apart(probe, SIGNS),
    },
    Check {
        id: "names-case",
        section: IDENTITY,
        holds: "names that differ in case only are other uploads",
        run: |probe| apart(probe, CASES).and_then(|_| pass()),
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
        holds: "directories are kept as they are, in any script",
        run: dirs,
    },
];

/// Each is equal to another one where a receiver loses or changes what it does not know.
const UNICODE: &[&str] = &[
    "报告", "報告", "🦀", "🦞", "é", "è", "Ã©", "?", "??", "\u{fffd}", "ﷺ", "имя",
];

const CASES: &[&str] = &["name", "Name", "NAME", "имя", "имЯ"];

const SIGNS: &[&str] = &[
    "a b", "a+b", "a%20b", "a%2Bb", "a\"b", "a%22b", "a'b", "a;b", "a=b", "a&b", "a&amp;b", "a#b",
    "a,b", "{a}", "$(a)", " a", "a~1",
];

/// Each name is begun with a number of bytes of its own, which must still be told at the end.
fn apart(probe: &Probe, names: &[&str]) -> Result<Vec<TestFile>> {
    let file = probe.file(1000);
    let named = |name: &&str| file.named(format!("{}{name}.bin", &file.name[..28]));
    let files: Vec<TestFile> = names.iter().map(named).collect();
    for (index, file) in files.iter().enumerate() {
        let begun = probe.begun(file, index as u64 + 1);
        begun.with_context(|| format!("the name {:?}", file.name))?;
    }
    for (index, file) in files.iter().enumerate() {
        let held = index as u64 + 1;
        for answer in [probe.locate(file)?, probe.locate_by_get(file)?] {
            ensure!(
                answer.status == 200 && answer.offset()? == held,
                "the name {:?} is taken for another one: offset {held} was due, the answer is {}",
                file.name,
                answer.tell()
            );
        }
    }
    Ok(files)
}

fn finished_apart(probe: &Probe, names: &[&str]) -> Outcome {
    for file in apart(probe, names)? {
        let finished = probe.finish(&file);
        finished.with_context(|| format!("the name {:?}", file.name))?;
    }
    pass()
}

fn dirs(probe: &Probe) -> Outcome {
    let file = probe.file(1000);
    let dirs = ["", "a", "a/b", "a b/c", "a+b/c", "目录/子", "目录/予"];
    let tag = &file.name[12..24];
    let files = dirs.map(|dir| match dir {
        "" => file.clone(),
        dir => file.in_dir(format!("{tag}/{dir}")),
    });
    for (index, file) in files.iter().enumerate() {
        let begun = probe.begun(file, index as u64 + 1);
        begun.with_context(|| format!("the directory {:?}", file.dir))?;
    }
    for (index, file) in files.iter().enumerate() {
        let answer = probe.locate(file)?.expect(200)?;
        ensure!(
            answer.offset()? == index as u64 + 1,
            "the directory {:?} is taken for another one: offset {} was due, the answer is {}",
            file.dir,
            index + 1,
            answer.tell()
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
    let plain = names.iter().map(|name| file.named(&**name));
    let placed = dirs.iter().map(|dir| file.in_dir(*dir));
    for mut hostile in plain.chain(placed) {
        // Names that are always the same must not meet an earlier run's file.
        hostile.mtime = Some(fastrand::u64(1..1 << 40));
        let what = format!(
            "name {:?} in {:?}",
            hostile.name.chars().take(40).collect::<String>(),
            hostile.dir
        );
        let answer = probe.locate(&hostile).with_context(|| what.clone())?;
        if answer.status != 200 {
            answer.expect_refusal().with_context(|| what.clone())?;
            continue;
        }
        let send = Send::of(&hostile, &answer.id()?, 0, hostile.size());
        let answer = probe.send(&send).with_context(|| what.clone())?;
        if answer.status != 200 {
            answer.expect_refusal().with_context(|| what.clone())?;
            continue;
        }
        ensure!(answer.is_complete(), "{what}: {}", answer.tell());
        let found = probe.locate(&hostile)?;
        ensure!(found.is_complete(), "{what}: {}", found.tell());
    }
    probe.finish(&file)?;
    pass()
}
