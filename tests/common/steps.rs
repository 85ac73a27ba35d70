//! The steps of a section of the guide, taken word for word: its commands, and its lines in C in a program. Only addresses are
//! replaced.
#![allow(dead_code)] // not every test uses all of it

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use resup_test_support::guide::section;
use resup_test_support::{files, tools};

use crate::harness::{has, library_dir, Bench};

/// How long a program may take.
const LIMIT: Duration = Duration::from_secs(120);

/// What the names of files in the guide end in.
const KINDS: [&str; 3] = [".mp4", ".jpg", ".doc"];

/// The files that the steps have uploaded, where they still are.
pub struct Steps {
    bench: Bench,
    /// The file of the command, and that of the program.
    pub files: [PathBuf; 2],
}

impl Steps {
    /// Checks that each file is among those that the server has, once.
    #[track_caller]
    pub fn check(&self, stored: &[PathBuf]) {
        for file in &self.files {
            let content = std::fs::read(file).unwrap();
            let same = |it: &&PathBuf| std::fs::read(it).is_ok_and(|stored| stored == content);
            let count = stored.iter().filter(same).count();
            assert_eq!(count, 1, "{} is not there once: {stored:?}", file.display());
        }
    }
}

/// Takes the steps of a section, at this address; `None` when a tool is missing. A photo has 300 kB, a video 3 MB; of two
/// documents one has as much as each.
///
/// # Panics
///
/// When a step fails.
pub fn take(chapter: &str, heading: &str, endpoint: &str) -> Option<Steps> {
    let command = library_dir().join("resup");
    if !tools::has_file(&command) || !has("cc") {
        return None;
    }
    let bench = Bench::new();
    let script = addressed(&section(chapter, heading, "sh"), endpoint);
    let mut words = script.split_whitespace();
    let name = words.find(|word| KINDS.iter().any(|kind| word.ends_with(kind)));
    let name = name.expect("the name of a file");
    let size = if name.ends_with(".mp4") {
        3_000_000
    } else {
        300_000
    };
    let files = [bench.path(name), bench.path(&format!("second_{name}"))];
    let second = if name.ends_with(".doc") {
        3_000_000
    } else {
        size
    };
    files::make(&files[0], size, 1).unwrap();
    files::make(&files[1], second, 2).unwrap();
    let mut shell = Command::new("sh");
    let path = std::env::var("PATH").unwrap_or_default();
    shell.current_dir(bench.path(""));
    shell.env("PATH", format!("{}:{path}", library_dir().display()));
    shell.env("XDG_STATE_HOME", bench.path("state"));
    let told = bench.run(shell.args(["-e", "-c", &script]), LIMIT);
    assert!(told.status.success(), "{script}\n{}", told.stderr);

    let lines = addressed(&section(chapter, heading, "c"), endpoint);
    let program = program(&bench, &lines);
    let mut program = Command::new(program);
    program
        .current_dir(bench.path(""))
        .arg(endpoint)
        .arg(&files[1]);
    let told = bench.run(&mut program, LIMIT);
    assert!(told.status.success(), "{lines}\n{}", told.stderr);
    Some(Steps { bench, files })
}

/// Replaces the addresses of a text.
fn addressed(text: &str, endpoint: &str) -> String {
    let mut replaced = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("http") {
        let (before, address) = rest.split_at(at);
        replaced += before;
        let is_one = address.starts_with("http://") || address.starts_with("https://");
        let end = address
            .find([' ', '\n', '\'', '"', ')'])
            .unwrap_or(address.len());
        replaced += if is_one { endpoint } else { &address[..end] };
        rest = &address[end..];
    }
    replaced + rest
}

/// Builds a program that uploads a file by these lines.
fn program(bench: &Bench, lines: &str) -> PathBuf {
    let (before, after) = match lines.contains("resup_client_new(") {
        true => (lines, ""),
        false => ("resup_client_new(arguments[1], &client);\n", lines),
    };
    let text = format!(
        "#include <resup.h>\n#include <stdio.h>\n\
         int main(int count, char **arguments)\n{{\n\
         resup_client *client = NULL;\nresup_upload *upload = NULL;\n(void)count;\n\
         {before}resup_upload_new_file(client, arguments[2], &upload);\n{after}\
         if (resup_upload_run(upload) != RESUP_OK) {{\n\
         fprintf(stderr, \"%s\\n\", resup_upload_error_message(upload));\nreturn 1;\n}}\n\
         resup_upload_free(upload);\nresup_client_free(client);\nreturn 0;\n}}\n"
    );
    let source = bench.path("steps.c");
    std::fs::write(&source, text).unwrap();
    bench.build("steps", &[source.to_str().unwrap()], &[])
}
