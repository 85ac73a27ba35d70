//! The help, the manual page and the completions.

mod common;

use std::io::Write;
use std::process::{Command, Output, Stdio};

use common::resup;
use resup_test_support::tools;

/// Runs `resup` and returns its standard output.
fn page(args: &[&str]) -> String {
    let output = resup().args(args).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty());
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a program with `text` as its standard input.
fn run_with_input(program: &str, args: &[&str], text: &str) -> Output {
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn the_help_has_units_exit_codes_and_examples() {
    let help = page(&["put", "--help"]);
    for words in [
        "Usage: resup put [OPTIONS] FILE... URL",
        "Units:",
        "\n  130  interrupted by Ctrl-C\n",
        "resup put -r -j 4 photos https://example.org/upload",
        "Retries and time limits:",
        "Maximum number of connections",
        "--digest-first",
        "--read-back",
        "- none:",
    ] {
        assert!(help.contains(words), "{words} is not in:\n{help}");
    }
    assert!(!help.contains("- first:"), "{help}");
    assert!(
        help.lines().all(|line| line.chars().count() <= 100),
        "{help}"
    );
    assert!(!page(&["put", "-h"]).contains("Exit codes"));
    assert!(page(&["--version"]).starts_with("resup "));
    let nothing = resup().output().unwrap();
    assert_eq!(nothing.status.code(), Some(2));
}

#[test]
fn the_manual_page_is_valid() {
    let page = page(&["man"]);
    for words in [
        ".SH SYNOPSIS",
        ".SH \"EXIT STATUS\"",
        ".SH EXAMPLES",
        ".SH DIALECTS",
        "resup dialect check [OPTIONS] FILE|NAME URL",
        "\\-\\-segment",
        "Ctrl\\-C",
    ] {
        assert!(page.contains(words), "{words} is not in:\n{page}");
    }
    if tools::find("man").is_some() {
        let shown = run_with_input("man", &["--warnings", "-l", "-"], &page);
        assert_eq!(String::from_utf8_lossy(&shown.stderr), "");
        assert!(shown.status.success());
        assert!(String::from_utf8_lossy(&shown.stdout).contains("resup put [OPTIONS] FILE... URL"));
    }
}

#[test]
fn the_completions_are_valid() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        for word in ["retry-max-wait", "dialect", "chunk-size"] {
            assert!(
                page(&["completions", shell]).contains(word),
                "{shell}: {word}"
            );
        }
    }
    if tools::find("bash").is_some() {
        let checked = run_with_input("bash", &["-n"], &page(&["completions", "bash"]));
        assert!(
            checked.status.success() && checked.stderr.is_empty(),
            "{checked:?}"
        );
    }
}

#[test]
fn a_closed_pipe_is_no_error() {
    let mut child = resup().arg("man").spawn().unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
}
