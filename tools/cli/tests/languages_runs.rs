//! Uploads and checks in Chinese: failures, results, bars and questions. What programs read stays as it is.

mod common;

use std::net::TcpListener;

use common::{make_file, put, resup, stderr_text, Terminal};
use regex_lite::Regex;
use resup_test_support::model::ModelReceiver;
use resup_test_support::scripted::{ScriptedServer, Step};
use unicode_width::UnicodeWidthStr;

const CHINESE: &str = "zh_CN.UTF-8";

/// Runs `resup` in Chinese.
fn run(args: &[&str]) -> std::process::Output {
    resup().args(args).env("LC_ALL", CHINESE).output().unwrap()
}

#[test]
fn failures_are_told_in_chinese_with_the_same_codes() {
    let dir = tempfile::tempdir().unwrap();
    let file = make_file(&dir, "报告.bin", 10);
    let file = file.to_str().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = listener.local_addr().unwrap();
    drop(listener);
    let nobody = format!("http://{nobody}/");
    let refuses = ScriptedServer::start(vec![Step::reply(401, r#"{"message":"no"}"#)]);
    let page = ScriptedServer::start(vec![Step::reply(200, "<html>")]);
    for (args, code, words) in [
        (
            &["/nowhere/f", &nobody][..],
            3,
            "resup: 文件 “/nowhere/f” 不存在",
        ),
        (&["-r", "/nowhere", &nobody], 3, "文件 “/nowhere” 不存在"),
        (&[file, &nobody], 4, "报告.bin：无法连接到 127.0.0.1:"),
        (
            &[file, &nobody],
            4,
            "连接被拒绝 (os error 111)；服务器是否在运行，端口是否正确？",
        ),
        (
            &[file, "http://no-such-host.invalid/"],
            4,
            "找不到主机 “no-such-host.invalid”",
        ),
        (
            &[file, &refuses.endpoint()],
            5,
            "服务器拒绝请求，HTTP 状态码 401：no",
        ),
        (
            &[file, &page.endpoint()],
            7,
            "无法使用服务器的应答（URL 是否正确？）：它不是预期的 JSON 对象",
        ),
        (
            &[file, "ftp://example.org/"],
            2,
            "URL “ftp://example.org/” 不能使用：协议名不是 http 或 https",
        ),
        (
            &["--basic", "joe", file, &nobody],
            2,
            "没有用户 joe 的密码，也没有可供询问的终端",
        ),
    ] {
        let mut command = put();
        command
            .args(["--retries", "0"])
            .args(args)
            .env("LC_ALL", CHINESE);
        let output = command.output().unwrap();
        let text = stderr_text(&output);
        assert_eq!(output.status.code(), Some(code), "{text}");
        assert!(text.contains(words), "{words} is not in:\n{text}");
    }
}

#[test]
fn results_are_told_in_chinese() {
    let receiver = ModelReceiver::start();
    let dir = tempfile::tempdir().unwrap();
    let files = [
        make_file(&dir, "一", 1000),
        make_file(&dir, "二", 2_000_000),
    ];
    let run = || {
        let mut command = put();
        command.args(&files).arg(receiver.endpoint());
        stderr_text(&command.env("LC_ALL", CHINESE).output().unwrap())
    };
    let text = run();
    assert!(text.contains("一：完成，1.00 kB，用时 "), "{text}");
    assert!(
        text.contains("已完成 2 个文件，发送 2.00 MB，用时 "),
        "{text}"
    );
    assert!(run().contains("二：服务器上已有，2.00 MB"));
}

#[test]
fn json_and_the_log_stay_as_they_are() {
    let server = ScriptedServer::start(vec![Step::reply(403, r#"{"message":"no"}"#)]);
    let dir = tempfile::tempdir().unwrap();
    let file = make_file(&dir, "f", 10);
    let run = |language| {
        let mut command = put();
        command.arg("--json").arg(&file).arg(server.endpoint());
        command.env("LC_ALL", language).output().unwrap()
    };
    let errors = |language| {
        let output = run(language);
        let lines = String::from_utf8(output.stdout).unwrap();
        let lines = lines
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let failed = lines.filter(|event| event["event"] == "failed");
        failed
            .map(|event| event["error"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(errors("C"), ["the server refused with HTTP status 403: no"]);
    assert_eq!(errors("C"), errors(CHINESE));
    let receiver = ModelReceiver::start();
    let mut command = put();
    command.arg("-vv").arg(&file).arg(receiver.endpoint());
    let log = stderr_text(&command.env("LC_ALL", CHINESE).output().unwrap());
    assert!(log.contains("from 0 of 10"), "{log}");
}

#[test]
fn bars_with_chinese_fit_into_the_terminal() {
    let receiver = ModelReceiver::start();
    let dir = tempfile::tempdir().unwrap();
    let name = "一个名称很长很长很长很长很长的文件.bin";
    let files = [
        make_file(&dir, name, 8 << 20),
        make_file(&dir, "小.bin", 10),
    ];
    let command = format!(
        "stty rows 24 cols 70; exec env LC_ALL={CHINESE} '{}' put --rate 4M '{}' '{}' {}",
        env!("CARGO_BIN_EXE_resup"),
        files[0].display(),
        files[1].display(),
        receiver.endpoint()
    );
    let Some(terminal) = Terminal::run(&command) else {
        return;
    };
    terminal.wait_for("/s，剩余 ");
    let (code, screen) = terminal.finish();
    assert_eq!(code, Some(0), "{screen}");
    assert!(screen.contains("已结束 1 个文件，共 2 个"), "{screen}");
    let bare = Regex::new("\x1b\\[[0-9;?]*[A-Za-z]")
        .unwrap()
        .replace_all(&screen, "")
        .into_owned();
    // Each line is filled up, and the one for all files follows.
    let lines = bare.split(['\r', '\n']);
    let lines = lines.filter(|line| line.contains(" / 8.39 MB"));
    let bars: Vec<_> = lines
        .filter_map(|line| line.split("已结束").next())
        .collect();
    assert!(bars.len() > 3, "{screen}");
    assert!(bars.iter().all(|line| line.width() <= 70), "{bars:#?}");
    assert!(
        bars.iter()
            .all(|line| line.starts_with("一个名称很长很长很长很长")),
        "{bars:#?}"
    );
}

#[test]
fn a_question_is_asked_in_chinese() {
    let receiver = ModelReceiver::start();
    let dir = tempfile::tempdir().unwrap();
    let file = make_file(&dir, "f", 10);
    let command = format!(
        "exec env LC_ALL={CHINESE} '{}' put --basic anna '{}' {}",
        env!("CARGO_BIN_EXE_resup"),
        file.display(),
        receiver.endpoint()
    );
    let Some(mut terminal) = Terminal::run(&command) else {
        return;
    };
    terminal.wait_for("anna 的密码：");
    terminal.type_keys("密码\n".as_bytes());
    let (code, screen) = terminal.finish();
    assert_eq!(code, Some(0), "{screen}");
}

/// What a receipt's check and a dialect's trial say.
#[test]
fn the_other_commands_speak_chinese_too() {
    let receiver = ModelReceiver::start();
    let dir = tempfile::tempdir().unwrap();
    let file = make_file(&dir, "f", 10);
    let file = file.to_str().unwrap();
    let no_key = run(&["verify", file, file]);
    assert!(
        stderr_text(&no_key).contains("没有接收端的公钥"),
        "{no_key:?}"
    );
    let no_pem = run(&["verify", "--key", file, file, file]);
    assert_eq!(no_pem.status.code(), Some(3));
    assert!(
        stderr_text(&no_pem).contains("不是 PEM 格式的 Ed25519 公钥"),
        "{no_pem:?}"
    );
    let list = run(&["dialect", "list"]).stdout;
    assert!(String::from_utf8_lossy(&list).contains("逐个分片询问服务器"));
    let shown = run(&["dialect", "show", "nosuch"]);
    assert!(stderr_text(&shown).contains("不是预设方言"), "{shown:?}");
    let checked = run(&["dialect", "check", "plain", &receiver.endpoint()]);
    let text = String::from_utf8(checked.stdout).unwrap();
    assert!(text.contains("方言 plain，服务器 http://"), "{text}");
}
