//! The command in Chinese: its help, manual page, completions and mistakes in the command line; and which variables choose it.

mod common;

use std::io::Write;
use std::process::{Command, Output, Stdio};

use common::{resup, stderr_text, Terminal};
use regex_lite::Regex;
use resup_test_support::tools;
use unicode_width::UnicodeWidthStr;

const CHINESE: &str = "zh_CN.UTF-8";

/// Runs `resup` in Chinese.
fn chinese(args: &[&str]) -> Output {
    resup().args(args).env("LC_ALL", CHINESE).output().unwrap()
}

fn page(args: &[&str]) -> String {
    let output = chinese(args);
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{output:?}"
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Gives four English words in a row, but for commands.
fn english(text: &str) -> Option<String> {
    let words = Regex::new("[A-Za-z']{2,}(?: [A-Za-z']{2,}){3,}").unwrap();
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("resup "));
    let found = lines.filter_map(|line| words.find(line)).next();
    found.map(|it| it.as_str().to_owned())
}

fn options(page: &str) -> Vec<String> {
    let option = Regex::new("--[a-z][a-z-]+").unwrap();
    let mut options: Vec<_> = option
        .find_iter(page)
        .map(|it| it.as_str().to_owned())
        .collect();
    options.sort();
    options.dedup();
    options
}

const HELP: [&[&str]; 11] = [
    &["--help"],
    &["-h"],
    &["put", "--help"],
    &["put", "-h"],
    &["dialect", "--help"],
    &["dialect", "list", "--help"],
    &["dialect", "show", "--help"],
    &["dialect", "check", "--help"],
    &["verify", "--help"],
    &["completions", "--help"],
    &["man", "--help"],
];

#[test]
fn the_help_is_chinese_and_has_the_same_options() {
    for args in HELP {
        let help = page(args);
        assert!(help.contains("用法：resup"), "{help}");
        assert_eq!(english(&help), None, "{help}");
        let english = resup().args(args).output().unwrap();
        let english = String::from_utf8(english.stdout).unwrap();
        assert_eq!(options(&help), options(&english), "{args:?}");
        for line in help.lines() {
            // Commands are not broken.
            let is_command = line.trim_start().starts_with("resup ");
            assert!(line.width() <= 100 || is_command, "{line}");
            let begins_badly = line
                .trim_start()
                .starts_with(['，', '。', '；', '）', '、', '：']);
            assert!(!begins_badly, "{line}");
        }
    }
}

#[test]
fn the_help_is_as_wide_as_the_terminal() {
    let command = format!(
        "stty rows 24 cols 60; exec env LC_ALL={CHINESE} '{}' put --help",
        env!("CARGO_BIN_EXE_resup")
    );
    let Some(terminal) = Terminal::run(&command) else {
        return;
    };
    let (code, screen) = terminal.finish();
    assert_eq!(code, Some(0));
    let wide = screen.lines().filter(|line| line.width() > 60);
    let wide: Vec<_> = wide
        .filter(|line| !line.trim_start().starts_with("resup "))
        .collect();
    assert!(wide.is_empty(), "{wide:#?}");
}

#[test]
fn the_manual_page_is_chinese_and_valid() {
    let page = page(&["man"]);
    for words in [
        "名称",
        "概要",
        "描述",
        "选项",
        "退出码",
        "环境变量",
        "示例",
        "方言",
        "回执",
    ] {
        assert!(
            page.contains(&format!(".SH \"{words}\"")),
            "{words} is not in:\n{page}"
        );
    }
    let text = page.lines().filter(|line| !line.starts_with("\\fBresup "));
    let text = text.collect::<Vec<_>>().join("\n");
    assert_eq!(english(&text), None, "{page}");
    if tools::find("man").is_some() {
        let mut child = Command::new("man")
            .args(["--warnings", "-l", "-"])
            .env("LC_ALL", "C.UTF-8")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(page.as_bytes())
            .unwrap();
        let shown = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&shown.stderr), "");
        assert!(String::from_utf8_lossy(&shown.stdout).contains("上传"));
    }
}

#[test]
fn the_completions_are_valid() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = page(&["completions", shell]);
        assert!(script.contains("retry-max-wait"), "{shell}");
        assert_eq!(script.contains("上传"), shell != "bash", "{shell}");
    }
}

/// Mistakes in the command line, each with what is said of it.
const MISTAKES: [(&[&str], &str); 17] = [
    (
        &["put", "--fast", "f", "http://h/"],
        "错误：没有选项或参数 “--fast”",
    ),
    (
        &["put", "--rat", "1", "f", "http://h/"],
        "提示：有类似的选项：'--rate'",
    ),
    (&["pu"], "没有子命令 “pu”"),
    (&["dialect", "lis"], "提示：有类似的子命令：'list'"),
    (
        &["f", "http://h/"],
        "提示：上传文件请写：resup put [OPTIONS] FILE... URL",
    ),
    (&["put"], "错误：缺少以下必需的参数："),
    (&["dialect", "show"], "更多信息请用 “--help”。"),
    (&["put", "f", "http://h/", "--rate"], "需要一个值"),
    (
        &["put", "--rate", "1X", "f", "http://h/"],
        "无效：不是有效的大小；请写成 800000、500k、1.5M 或 64Mi",
    ),
    (
        &["put", "--segment", "x", "f", "http://h/"],
        "64Mi，或写成 auto",
    ),
    (
        &["put", "--retry-timeout", "x", "f", "http://h/"],
        "不是有效的时间",
    ),
    (
        &["put", "--digest", "sha", "f", "http://h/"],
        "[可选值：auto, blake3",
    ),
    (
        &["put", "--digest", "sha25", "f", "http://h/"],
        "提示：有类似的值：'sha256'",
    ),
    (
        &["put", "--connections", "7", "f", "http://h/"],
        "7 不在 1..=6 之内",
    ),
    (
        &["put", "-q", "-v", "f", "http://h/"],
        "不能与 “--verbose...” 一起使用",
    ),
    (
        &["put", "--name", "a", "--name", "b", "f", "http://h/"],
        "不能多次给出",
    ),
    (&["put", "f"], "最后一个参数必须是 URL"),
];

#[test]
fn mistakes_in_the_command_line_are_told_in_chinese() {
    for (args, words) in MISTAKES {
        let output = chinese(args);
        let text = stderr_text(&output);
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains(words), "{args:?}: {words} is not in:\n{text}");
        assert_eq!(english(&text), None, "{text}");
    }
    let nothing = chinese(&[]);
    assert_eq!(nothing.status.code(), Some(2));
    assert!(stderr_text(&nothing).contains("命令："));
    assert!(page(&["--version"]).starts_with("resup "));
}

#[test]
fn the_variables_of_posix_and_gettext_choose_the_language() {
    let help = |variables: &[(&str, &str)]| {
        let mut command = resup();
        for name in ["LC_ALL", "LC_MESSAGES", "LANG", "LANGUAGE"] {
            command.env_remove(name);
        }
        let output = command
            .arg("--help")
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap().contains("用法")
    };
    assert!(!help(&[]));
    assert!(help(&[("LANG", "zh_CN.UTF-8")]));
    assert!(help(&[
        ("LANG", "en_US.UTF-8"),
        ("LC_MESSAGES", "zh_SG.UTF-8")
    ]));
    assert!(!help(&[("LANG", "zh_CN.UTF-8"), ("LC_ALL", "C.UTF-8")]));
    assert!(help(&[("LANG", "en_US.UTF-8"), ("LANGUAGE", "zh_CN:en")]));
    assert!(!help(&[("LANG", "zh_TW.UTF-8")]));
}
