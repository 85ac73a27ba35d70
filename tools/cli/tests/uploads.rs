//! Uploads of files and directories, also after a connection loss.

mod common;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::symlink;

use common::{
    assert_stored, events, exit_and_last_line, make_file, of_kind, put, stderr_text, wait_for,
};
use resup_test_support::chaos::{ChaosProxy, Faults};
use resup_test_support::model::ModelReceiver;
use resup_test_support::receiver::Receiver;
use resup_test_support::scripted::{json, ScriptedServer, Step};

#[test]
fn a_file_is_uploaded_once_and_skipped_after_that() {
    let receiver = Receiver::start();
    let dir = tempfile::tempdir().unwrap();
    let path = make_file(&dir, "a.bin", 3_000_000);
    let tiny = make_file(&dir, "tiny", 1);
    let output = put().arg(&tiny).arg(receiver.endpoint()).output().unwrap();
    let (_, last) = exit_and_last_line(&output);
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

/// Makes a name that is not UTF-8.
fn latin(name: &[u8]) -> &OsStr {
    std::os::unix::ffi::OsStrExt::from_bytes(name)
}

#[test]
fn an_entry_that_cannot_be_uploaded_does_not_keep_the_others_away() {
    let receiver = ModelReceiver::start();
    let dir = tempfile::tempdir().unwrap();
    let top = dir.path().join("tree");
    fs::create_dir_all(top.join(latin(b"dir-\xe4"))).unwrap();
    fs::write(top.join(latin(b"dir-\xe4/in")), "1").unwrap();
    fs::write(top.join(latin(b"caf\xe9.txt")), "1").unwrap();
    fs::write(top.join("good"), "1").unwrap();
    fs::write(top.join("z-good"), "1").unwrap();
    symlink("loop", top.join("loop")).unwrap();
    let made = std::process::Command::new("mkfifo")
        .arg(top.join("pipe"))
        .status();
    assert!(made.unwrap().success());
    let _socket = std::os::unix::net::UnixListener::bind(top.join("socket")).unwrap();
    let output = put()
        .arg("-r")
        .arg(&top)
        .arg(receiver.endpoint())
        .output()
        .unwrap();
    let text = stderr_text(&output);
    assert_eq!(output.status.code(), Some(3), "{text}");
    for told in [
        "tree/caf\u{fffd}.txt: file name \"caf\u{fffd}.txt\" is not UTF-8; rename it",
        "tree/dir-\u{fffd}: directory name \"dir-\u{fffd}\" is not UTF-8, so that nothing in it is uploaded",
        "tree/dir-\u{fffd}/.\" alone and give the name for the server by --directory",
        "pipe\" is skipped: it is not a regular file",
        "socket\" is skipped: it is not a regular file",
        "loop\" is skipped: it is a symbolic link to nothing",
        "resup: 2 of 4 files failed; the first is ",
    ] {
        assert!(text.contains(told), "{told}: {text}");
    }
    assert_eq!(receiver.held("tree/good"), Some(1));
    assert_eq!(receiver.held("tree/z-good"), Some(1));
    assert_eq!(receiver.files().len(), 2);

    let (code, events) = events_and_warnings(&top, &receiver.endpoint());
    assert_eq!(code, 3);
    let failed = of_kind(&events, "failed");
    assert_eq!(failed.len(), 2);
    assert!(
        failed.iter().all(|event| event["kind"] == "local"),
        "{failed:?}"
    );
}

/// Uploads a directory with `--json`, of which something is skipped; returns the events.
fn events_and_warnings(top: &std::path::Path, endpoint: &str) -> (i32, Vec<serde_json::Value>) {
    let output = put()
        .args(["--json", "-r"])
        .arg(top)
        .arg(endpoint)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    (output.status.code().unwrap(), lines.collect())
}

#[test]
fn a_name_does_not_make_a_file_of_a_directory() {
    let receiver = ModelReceiver::start();
    let dir = tempfile::tempdir().unwrap();
    let top = dir.path().join("tree");
    fs::create_dir_all(top.join(latin(b"dir-\xe4"))).unwrap();
    fs::write(top.join(latin(b"dir-\xe4/in")), "1").unwrap();
    let output = put()
        .args(["-r", "--name", "x"])
        .arg(&top)
        .arg(receiver.endpoint())
        .output()
        .unwrap();
    let (code, last) = exit_and_last_line(&output);
    assert_eq!(code, 3, "{last}");
    assert!(last.contains("directory name \"dir-"), "{last}");
    // What the message advises.
    let status = put()
        .args(["-r", "--directory", "tree/dir"])
        .arg(top.join(latin(b"dir-\xe4/.")))
        .arg(receiver.endpoint())
        .status();
    assert!(status.unwrap().success());
    assert_eq!(receiver.held("tree/dir/in"), Some(1));
}

#[test]
fn directories_without_a_file_are_told_of_once() {
    let receiver = ModelReceiver::start();
    let dir = tempfile::tempdir().unwrap();
    let top = dir.path().join("tree");
    fs::create_dir_all(top.join("a/b")).unwrap();
    fs::create_dir_all(top.join("c")).unwrap();
    fs::create_dir_all(top.join("d/e")).unwrap();
    fs::write(top.join("d/f"), "1").unwrap();
    let run = |options: &[&str]| {
        let mut command = put();
        command.args(options).arg(&top).arg(receiver.endpoint());
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        stderr_text(&output)
    };
    let text = run(&["-r"]);
    let told = format!(
        "resup: left out: 4 directories without a file; the first is \"{}\"\n",
        top.join("a/b").display()
    );
    assert_eq!(text.matches(&told).count(), 1, "{text}");
    assert_eq!(text.matches("left out").count(), 1, "{text}");
    assert_eq!(run(&["-r", "--quiet"]), "");
    assert_eq!(run(&["-r", "--json"]), "");
}

#[test]
fn a_directory_that_may_not_be_read_does_not_keep_the_others_away() {
    use std::os::unix::fs::{chown, MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;

    let receiver = ModelReceiver::start();
    let dir = tempfile::tempdir().unwrap();
    let mode = |path: &std::path::Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let top = dir.path().join("tree");
    fs::create_dir_all(top.join("closed")).unwrap();
    fs::write(top.join("good"), "1").unwrap();
    fs::write(top.join("secret"), "1").unwrap();
    mode(&top.join("secret"), 0o000);
    mode(&top.join("closed"), 0o000);
    // A place that everybody reaches: root may read all, so that it is not root who tries.
    let program = dir.path().join("resup");
    fs::copy(env!("CARGO_BIN_EXE_resup"), &program).unwrap();
    let mut command = std::process::Command::new(&program);
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        mode(dir.path(), 0o755);
        for path in [&top, &top.join("good"), &top.join("closed")] {
            chown(path, Some(65534), Some(65534)).unwrap();
        }
        command.uid(65534).gid(65534).current_dir("/");
    }
    let output = command
        .args(["put", "-r"])
        .arg(&top)
        .arg(receiver.endpoint())
        .output()
        .unwrap();
    mode(&top.join("closed"), 0o700);
    let text = stderr_text(&output);
    assert_eq!(output.status.code(), Some(3), "{text}");
    assert!(text.contains("closed\" may not be read: "), "{text}");
    assert!(text.contains("secret\" may not be read: "), "{text}");
    assert!(text.contains("resup: 2 of 3 files failed"), "{text}");
    assert_eq!(receiver.held("tree/good"), Some(1));
}

#[test]
fn a_file_whose_name_is_not_utf_8_goes_under_the_name_that_is_given() {
    let receiver = ModelReceiver::start();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(latin(b"caf\xe9.txt"));
    fs::write(&path, "1").unwrap();
    let run = |options: &[&str]| {
        let mut command = put();
        command.args(options).arg(&path).arg(receiver.endpoint());
        exit_and_last_line(&command.output().unwrap())
    };
    let (code, last) = run(&[]);
    assert_eq!(code, 3, "{last}");
    assert!(
        last.contains("give the name for the server by --name"),
        "{last}"
    );
    let (code, last) = run(&["--name", "café.txt"]);
    assert_eq!(code, 0, "{last}");
    assert_eq!(receiver.held("café.txt"), Some(1));

    // Also where it is the only file of a directory.
    let mut command = put();
    command.args(["-r", "--name", "only.txt"]).arg(dir.path());
    let output = command.arg(receiver.endpoint()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr_text(&output));
    let directory = dir.path().file_name().unwrap().to_string_lossy();
    assert_eq!(receiver.held(&format!("{directory}/only.txt")), Some(1));
}

#[test]
fn an_empty_directory_is_no_failure() {
    let server = ScriptedServer::start(vec![Step::reply(500, "{}")]);
    let dir = tempfile::tempdir().unwrap();
    let output = put()
        .arg("-r")
        .arg(dir.path())
        .arg(server.endpoint())
        .output()
        .unwrap();
    let (code, last) = exit_and_last_line(&output);
    assert_eq!(code, 0);
    assert!(last.starts_with("0 files complete"), "{last}");
    assert_eq!(server.connections(), 0);
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
        (&["--digest", "first", "--segment", "auto"], 2),
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
