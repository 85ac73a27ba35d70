//! Uploads of files and directories, also after a connection loss.

mod common;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use common::{
    assert_stored, events, exit_and_last_line, make_file, of_kind, put, stderr_text, wait_for,
};
use resup_digests::{Algorithm, Digest};
use resup_test_support::chaos::{ChaosProxy, Faults};
use resup_test_support::model::ModelReceiver;
use resup_test_support::receiver::Receiver;
use resup_test_support::scripted::{json, ScriptedServer, Step};

/// The digest that client and receiver agree to, as the command shows it.
fn digest_of(path: &Path) -> String {
    let content = fs::read(path).unwrap();
    format!("blake3:{}", Digest::of(Algorithm::Blake3, &content).hex())
}

#[test]
fn a_file_is_uploaded_once_and_skipped_after_that() {
    let receiver = Receiver::start();
    let dir = tempfile::tempdir().unwrap();
    let path = make_file(&dir, "a.bin", 3_000_000);
    let tiny = make_file(&dir, "tiny", 1);
    let output = put().arg(&tiny).arg(receiver.endpoint()).output().unwrap();
    let (_, last) = exit_and_last_line(&output);
    assert!(
        last.contains(&format!(", {}, at ", digest_of(&tiny))),
        "{last}"
    );
    let (_, taken) = last.split_once("tiny: done, 1 B in ").expect(&last);
    let (number, unit) = taken.split_once(' ').expect(&last);
    // (A machine under load may take longer.)
    assert!(
        number.parse::<u32>().unwrap() > 1 || unit.starts_with("ms"),
        "{last}"
    );
    for words in [
        "a.bin: done, 3.00 MB in ",
        "a.bin: was there already, 3.00 MB",
    ] {
        let output = put().arg(&path).arg(receiver.endpoint()).output().unwrap();
        let (code, last) = exit_and_last_line(&output);
        assert_eq!(code, 0, "{last}");
        assert!(last.contains(words), "{last}");
        assert!(last.contains(&digest_of(&path)), "{last}");
        assert!(output.stdout.is_empty());
        let (code, events) = events([path.as_os_str(), receiver.endpoint().as_ref()]);
        let done = of_kind(&events, "done")[0];
        assert_eq!((code, done["bytes_skipped"].as_u64()), (0, Some(3_000_000)));
        assert_stored(&receiver, done);
    }
}

#[test]
fn several_files_are_uploaded_at_once_with_options_in_any_place() {
    let receiver = Receiver::start();
    let dir = tempfile::tempdir().unwrap();
    let paths: Vec<_> = (0..6)
        .map(|n| make_file(&dir, &format!("{n}.bin"), 500_000 * n))
        .collect();
    let endpoint = receiver.endpoint();
    let mut args: Vec<&OsStr> = paths.iter().map(|path| path.as_os_str()).collect();
    args.splice(3..3, ["-j".as_ref(), "3".as_ref()]);
    args.extend::<[&OsStr; 3]>([
        "--digest=first".as_ref(),
        endpoint.as_ref(),
        "--locate-method=get".as_ref(),
    ]);
    let (code, events) = events(args);
    assert_eq!(code, 0, "{events:?}");
    assert_eq!(of_kind(&events, "done").len(), 6);
    for done in of_kind(&events, "done") {
        assert_stored(&receiver, done);
    }
    // Three begin before one has ended.
    let first = events.iter().position(|e| e["event"] == "done").unwrap();
    assert_eq!(of_kind(&events[..first], "start").len(), 3);
}

#[test]
fn a_directory_keeps_its_structure_on_the_server() {
    let receiver = ModelReceiver::start();
    let dir = tempfile::tempdir().unwrap();
    let top = dir.path().join("照片");
    fs::create_dir_all(top.join("二〇二六/empty")).unwrap();
    fs::write(top.join("一.txt"), "1").unwrap();
    fs::write(top.join("二〇二六/报告 \"第一\".txt"), "22").unwrap();
    symlink(&top, top.join("二〇二六/circle")).unwrap();
    symlink("nothing", top.join("dangling")).unwrap();
    symlink("一.txt", top.join("link.txt")).unwrap();
    for (source, prefix) in [(top.clone(), "in/照片/"), (top.join("."), "in/")] {
        let output = put()
            .args(["--recursive", "--directory", "in/"])
            .arg(source)
            .arg(receiver.endpoint())
            .output()
            .unwrap();
        let text = stderr_text(&output);
        assert_eq!(output.status.code(), Some(0), "{text}");
        assert!(
            text.contains("circle\" is skipped: it is a symbolic link to a directory"),
            "{text}"
        );
        assert!(
            text.contains("dangling\" is skipped: it is a symbolic link to nothing"),
            "{text}"
        );
        let told = "resup: left out: 1 directory without a file, \"";
        assert_eq!(text.matches(told).count(), 1, "{text}");
        assert!(text.contains("二〇二六/empty\"\n"), "{text}");
        assert!(text.contains("\n3 files complete, 4 B sent"), "{text}");
        for (name, size) in [
            ("一.txt", 1),
            ("link.txt", 1),
            ("二〇二六/报告 \"第一\".txt", 2),
        ] {
            assert_eq!(
                receiver.held(&format!("{prefix}{name}")),
                Some(size),
                "{prefix}{name}"
            );
        }
    }
    assert_eq!(receiver.files().len(), 6);
}

#[test]
fn segments_and_digests_are_as_the_options_say() {
    let dir = tempfile::tempdir().unwrap();
    let path = make_file(&dir, "a.bin", 3 << 20);
    let run = |endpoint: String, options: &[&str]| {
        let options = options.iter().map(|option| option.as_ref());
        let sources = [path.as_os_str(), endpoint.as_ref()];
        let (code, events) = events(sources.into_iter().chain(options));
        assert_eq!(code, 0, "{events:?}");
        of_kind(&events, "done")[0].clone()
    };
    for (options, requests) in [
        (&["--segment", "1Mi"][..], 4),
        (&["--digest-first", "--segment", "auto"], 2),
    ] {
        let receiver = ModelReceiver::start();
        let done = run(receiver.endpoint(), options);
        assert_eq!(receiver.stats().requests, requests);
        assert!(done["digest"].is_string());
        assert!(done["digest_algorithm"].is_string());
    }
    let receiver = Receiver::start();
    let done = run(receiver.endpoint(), &["--digest", "none"]);
    assert!(done["digest"].is_null());
    assert!(done["digest_algorithm"].is_null());
    assert_stored(&receiver, &done);
}

#[test]
fn content_that_the_server_has_is_not_sent_if_its_digest_comes_first() {
    let receiver = Receiver::start();
    let dir = tempfile::tempdir().unwrap();
    let path = make_file(&dir, "a.bin", 3 << 20);
    let endpoint = receiver.endpoint();
    let run = |options: &[&str]| {
        let sources = [path.as_os_str(), endpoint.as_ref()];
        let (code, events) = events(sources.into_iter().chain(options.iter().map(AsRef::as_ref)));
        assert_eq!(code, 0, "{events:?}");
        of_kind(&events, "done")[0]["bytes_sent"].as_u64()
    };
    assert_eq!(run(&[]), Some(3 << 20));
    for options in [
        &["--digest-first", "--digest", "blake3", "--name", "b"][..],
        // The earlier form.
        &["--digest", "first", "--name", "c"],
        &["--digest", "first", "--digest-first", "--name", "d"],
    ] {
        assert_eq!(run(options), Some(0), "{options:?}");
    }
}

#[test]
fn a_killed_command_continues_when_it_is_run_again() {
    let receiver = Receiver::start();
    let dir = tempfile::tempdir().unwrap();
    let path = make_file(&dir, "killed.bin", 16 << 20);
    let slow = |_: u64, _: &mut fastrand::Rng| Faults {
        rate_up: Some(8 << 20),
        ..Faults::default()
    };
    let proxy = ChaosProxy::start(receiver.addr(), slow, 0);
    let through = format!("http://{}/upload", proxy.addr());
    let mut child = put().arg(&path).arg(through).spawn().unwrap();
    wait_for("a part of the file", || proxy.bytes_up() > 6 << 20);
    child.kill().unwrap();
    child.wait().unwrap();
    let output = put().arg(&path).arg(receiver.endpoint()).output().unwrap();
    let (code, last) = exit_and_last_line(&output);
    assert_eq!(code, 0);
    assert!(last.contains("MB were there already"), "{last}");
    let (_, events) = events([path.as_os_str(), receiver.endpoint().as_ref()]);
    assert_stored(&receiver, of_kind(&events, "done")[0]);
}

#[test]
fn connection_losses_are_retried_and_reported() {
    let receiver = Receiver::start();
    let dir = tempfile::tempdir().unwrap();
    let path = make_file(&dir, "broken.bin", 2_000_000);
    let mut cuts = [Some(1_000_000), Some(100)].into_iter();
    let faults = move |_: u64, _: &mut fastrand::Rng| Faults {
        cut_up_after: cuts.next().flatten(),
        ..Faults::default()
    };
    let proxy = ChaosProxy::start(receiver.addr(), faults, 0);
    let output = put()
        .arg(&path)
        .arg(format!("http://{}/upload", proxy.addr()))
        .args(["--retry-max-wait", "0.05"])
        .output()
        .unwrap();
    let text = stderr_text(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("was lost: "), "{text}");
    assert!(text.contains("next attempt in"), "{text}");
}

#[test]
fn the_options_are_sent_to_the_server() {
    let server = ScriptedServer::start(vec![
        Step::reply(200, &json("new", 0, "1")),
        Step::reply(200, &json("complete", 3, "1")),
    ]);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a");
    fs::write(&path, "abc").unwrap();
    let output = put()
        .args([
            "--name",
            "别名.txt",
            "-d",
            "x/y",
            "--user",
            "小明",
            "--field",
            "album=1=2",
        ])
        .args(["--content-type", "text/plain"])
        .arg(&path)
        .arg(server.endpoint())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr_text(&output));
    let requests = server.requests();
    let locate = |name| requests[0].field(name);
    assert_eq!(locate("album").as_deref(), Some("1=2"));
    let all = requests[0].fields();
    for value in ["别名.txt", "x/y", "小明"] {
        assert!(all.iter().any(|(_, v)| v == value), "{all:?}");
    }
    assert!(requests[1].body_text().contains("text/plain"));
    let agent = requests[1].head.header("user-agent").unwrap();
    assert!(agent.starts_with("resup-cli/"), "{agent}");
}
