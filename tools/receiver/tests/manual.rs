//! The manual page and the completions.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use resup_test_support::tools;

/// Runs the receiver without any setting, and returns its standard output.
fn page(args: &[&str]) -> String {
    let mut receiver = Command::new(env!("CARGO_BIN_EXE_resup-receiver"));
    let output = receiver.args(args).output().unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{output:?}"
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a program with `text` as its standard input.
fn run_with_input(program: &str, args: &[&str], text: &str) -> Output {
    let mut command = Command::new(program);
    command.args(args).stdin(Stdio::piped());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.env("MANWIDTH", "400").spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(text.as_bytes()).unwrap();
    drop(input);
    child.wait_with_output().unwrap()
}

#[test]
fn the_manual_page_has_all_options_and_commands() {
    let page = page(&["man"]);
    let help = self::page(&["--help"]);
    let options = help.split_whitespace().filter(|it| it.starts_with("--"));
    let options: Vec<_> = options
        .map(|it| it.trim_matches(|c: char| !c.is_alphanumeric()))
        .filter(|it| !it.is_empty())
        .collect();
    assert!(options.len() > 40, "{options:?}");
    for option in options {
        let option = option.replace('-', "\\-");
        assert!(
            page.contains(&option),
            "--{option} is not in the page:\n{page}"
        );
    }
    if tools::find("man").is_none() {
        return;
    }
    let shown = run_with_input("man", &["--warnings", "-l", "-"], &page);
    assert_eq!(String::from_utf8_lossy(&shown.stderr), "");
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    for words in [
        "resup-receiver - receive resumable form uploads, and keep the files in a directory\n",
        "resup-receiver --data DIR COMMAND\n",
        "user add NAME [--password-file <FILE>] [--admin]\n",
        "--admin: Let the user see all users and what they upload, at /admin.\n",
        "move-records [--from <URL>] [--to <URL>]\n",
        "SIGHUP ",
        "/etc/resup-receiver/config.toml\n",
        "EXIT STATUS\n",
        "SIZE is a number of bytes.",
    ] {
        assert!(shown.contains(words), "{words:?} is not in:\n{shown}");
    }
    assert!(!shown.contains("crash"), "{shown}");
}

#[test]
fn the_completions_are_valid() {
    for shell in ["bash", "zsh", "fish"] {
        let script = page(&["completions", shell]);
        for word in ["max-segment", "move-records", "password-file"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
        if shell == "bash" && tools::find("bash").is_some() {
            let checked = run_with_input("bash", &["-n"], &script);
            assert!(
                checked.status.success() && checked.stderr.is_empty(),
                "{checked:?}"
            );
        }
    }
}
