//! The command, `resup.exe`: names, paths, folders, exit codes, the proxy, passwords, bars and Ctrl-C.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use resup_test_support::files;
use resup_test_support::model::ModelReceiver;
use resup_test_support::receiver::Receiver;
use resup_test_support::scripted::{json, ScriptedServer, Step};
use resup_test_support::terminal::Terminal;

use super::paths::with_proxy;
use super::wine::{both, build_dir, windows_path, Wine};

/// Makes the command `resup put`.
fn put(wine: &Wine) -> Command {
    let mut command = wine.command(&wine.program("resup.exe"));
    command.arg("put");
    command
}

/// Makes a file in a directory, and the directories above it.
fn make(dir: &Path, name: &str, size: u64) -> PathBuf {
    let path = dir.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    files::make(&path, size, name.len() as u64).unwrap();
    path
}

/// Runs the command with `--json`, and returns the events of one kind.
fn events(wine: &Wine, command: &mut Command, kind: &str) -> Vec<serde_json::Value> {
    let outcome = wine.run(command.arg("--json"));
    let lines = outcome.stdout.lines();
    let events = lines.map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    events.filter(|event| event["event"] == kind).collect()
}

/// Uploads files, and checks how many of them the server has got or had before.
fn upload(wine: &Wine, receiver: &ModelReceiver, command: &mut Command, count: usize) {
    let done = events(wine, command.arg(receiver.endpoint()), "done");
    assert_eq!(done.len(), count, "{done:?}");
}

/// Checks that the receiver has the bytes of a file under a name.
fn check(receiver: &ModelReceiver, name: &str, file: &Path) {
    let files = receiver.files();
    let names: Vec<_> = files.iter().map(|(name, _)| name).collect();
    let found = files.iter().find(|(it, _)| it == name);
    let (_, bytes) = found.unwrap_or_else(|| panic!("{name} is not among {names:?}"));
    assert!(*bytes == std::fs::read(file).unwrap(), "{name}");
}

#[test]
fn files_of_every_name_arrive() {
    for wine in both() {
        let receiver = ModelReceiver::start();
        let names = ["plain.bin", "报告 é 😀.bin", "ß ﬁ.bin"];
        let dir = wine.bench.dir("文件");
        let paths = names.map(|name| windows_path(&make(&dir, name, 100_000)));
        upload(&wine, &receiver, put(&wine).args(paths), 3);
        for name in names {
            check(&receiver, name, &dir.join(name));
        }
        // The shells of Windows leave wildcards to the program.
        let mut command = put(&wine);
        command.args([r"文件\*.bin", &receiver.endpoint()]);
        let again = events(&wine, &mut command, "done");
        let skipped = again.iter().map(|event| event["bytes_skipped"].as_u64());
        assert_eq!(skipped.sum::<Option<u64>>(), Some(300_000), "{again:?}");
    }
}

#[test]
fn folders_arrive_with_backslashes_and_a_directory_on_the_server() {
    for wine in both() {
        let receiver = ModelReceiver::start();
        let photos = wine.bench.path("photos");
        let names = ["a.jpg", "b.jpg", "夏天/c.jpg", "夏天/海/d.jpg"];
        for name in names {
            make(&photos, name, 50_000);
        }
        let mut command = put(&wine);
        command.args(["-r", "-j", "4", "-d", r"2026\may"]);
        command.arg(windows_path(&photos));
        upload(&wine, &receiver, &mut command, 4);
        let mut command = put(&wine);
        command.args(["-r", "-d", "content", r"photos\."]);
        upload(&wine, &receiver, &mut command, 4);
        for name in names {
            for place in ["2026/may/photos", "content"] {
                check(&receiver, &format!("{place}/{name}"), &photos.join(name));
            }
        }
    }
}

#[test]
fn paths_may_be_longer_than_260_characters() {
    for wine in both() {
        let receiver = ModelReceiver::start();
        let deep = ["a-directory-with-a-name-of-fifty-characters-in-it-"; 8].join("/");
        let file = make(&wine.bench.path(&deep), "file.bin", 70_000);
        assert!(windows_path(&file).len() > 400);
        let relative = format!("{deep}/file.bin").replace('/', "\\");
        for path in [windows_path(&file), relative] {
            upload(&wine, &receiver, put(&wine).arg(path), 1);
        }
        check(&receiver, "file.bin", &file);
        let top = deep.split('/').next().unwrap();
        upload(&wine, &receiver, put(&wine).args(["-r", top]), 1);
        check(&receiver, &format!("{deep}/file.bin"), &file);
    }
}

#[test]
fn the_exit_code_tells_the_kind_of_failure() {
    for wine in both() {
        make(&wine.bench.path("."), "file.bin", 1000);
        let refusing = |status: u16| {
            ScriptedServer::start_with(move |_, _| Step::reply(status, r#"{"message":"no"}"#))
        };
        let (forbidding, full) = (refusing(403), refusing(413));
        let other = ScriptedServer::start_with(|_, _| Step::reply(200, "<html>Hello</html>"));
        let free = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap();
        let good = Receiver::start();
        for (code, file, url) in [
            (0, "file.bin", &*good.endpoint()),
            (2, "file.bin", r"C:\upload"),
            (3, r"none\file.bin", &good.endpoint()),
            (4, "file.bin", &format!("http://{free}/upload")),
            (5, "file.bin", &forbidding.endpoint()),
            (6, "file.bin", &full.endpoint()),
            (7, "file.bin", &other.endpoint()),
        ] {
            let mut command = put(&wine);
            command.args(["--retries", "0", file, url]);
            let outcome = wine.bench.run(&mut command, super::wine::LIMIT);
            let (status, text) = (outcome.status.code(), outcome.stderr);
            assert_eq!(status, Some(code), "{}: {file} {url}: {text}", wine.arch);
        }
    }
}

#[test]
fn the_users_proxy_is_used() {
    for wine in both() {
        make(&wine.bench.path("."), "file.bin", 1000);
        let proxy = ScriptedServer::start(vec![Step::reply(200, &json("complete", 1000, "k"))]);
        with_proxy(&wine, proxy.addr(), || {
            let mut command = put(&wine);
            command.args(["--retries", "0", "file.bin", "http://far.invalid/upload"]);
            wine.run(&mut command);
        });
        assert_eq!(proxy.requests()[0].head.target, "http://far.invalid/upload");
    }
}

/// Runs the command in a terminal. (In wine the terminal itself has to give each key to the program, but for Ctrl-C.)
fn on_terminal(wine: &Wine, words: &str) -> Terminal {
    let script = super::harness::root().join("packaging/windows/wine.sh");
    let (dir, program) = (build_dir(), wine.program("resup.exe"));
    let command = format!(
        "cd '{}' && stty raw -echo isig cols 120 rows 40 && exec '{}' {} '{}' '{}' put {words}",
        wine.bench.path(".").display(),
        script.display(),
        wine.bits,
        dir.display(),
        program.display(),
    );
    Terminal::run(&command).expect("the program `script`")
}

/// Returns the header of logins that the server has got first.
fn login(server: &ScriptedServer) -> Option<String> {
    let requests = server.requests();
    let head = &requests.first()?.head;
    head.header("authorization").map(str::to_owned)
}

fn complete(size: u64) -> ScriptedServer {
    ScriptedServer::start(vec![Step::reply(200, &json("complete", size, "k"))])
}

#[test]
fn a_password_comes_from_the_environment_or_the_console() {
    const ANNA: &str = "Basic YW5uYTpnZWhlaW0="; // anna:geheim
    for wine in both() {
        make(&wine.bench.path("."), "file.bin", 1000);
        let server = complete(1000);
        let mut command = put(&wine);
        command.env("RESUP_PASSWORD", "geheim");
        command.args(["--basic", "anna", "file.bin", &server.endpoint()]);
        wine.run(&mut command);
        assert_eq!(login(&server).as_deref(), Some(ANNA));

        let server = complete(1000);
        let words = format!("--basic anna file.bin {}", server.endpoint());
        let mut terminal = on_terminal(&wine, &words);
        terminal.wait_for("password of anna:");
        terminal.type_keys(b"gx\x7feheim\r");
        let (code, screen) = terminal.finish();
        assert_eq!(code, Some(0), "{screen}");
        assert!(!screen.contains("heim"), "{screen}");
        assert_eq!(login(&server).as_deref(), Some(ANNA));

        let server = complete(1000);
        let words = format!("--basic anna file.bin {}", server.endpoint());
        let mut terminal = on_terminal(&wine, &words);
        terminal.wait_for("password of anna:");
        terminal.type_keys(b"geh\x03");
        // (wine ends the program without its having a say, by a code of its own.)
        terminal.finish();
        assert_eq!(server.connections(), 0);
    }
}

#[test]
fn ctrl_c_on_bars_ends_with_130_and_the_next_run_continues() {
    for wine in both() {
        let receiver = ModelReceiver::start();
        make(&wine.bench.path("."), "small.bin", 1000);
        make(&wine.bench.path("."), "large.bin", 8 << 20);
        let words = format!("--rate 2M small.bin large.bin {}", receiver.endpoint());
        let mut terminal = on_terminal(&wine, &words);
        for text in ["small.bin: done, 1.00 kB", "of 8.39 MB", "MB/s", "="] {
            terminal.wait_for(text);
        }
        terminal.type_keys(b"\x03");
        let (code, screen) = terminal.finish();
        assert_eq!(code, Some(130), "{screen}");
        assert!(screen.contains("run the same command again"), "{screen}");
        let mut command = put(&wine);
        command.args(["large.bin", &receiver.endpoint()]);
        let done = events(&wine, &mut command, "done");
        let skipped = done[0]["bytes_skipped"].as_u64();
        assert!(skipped > Some(0), "{done:?}");
        assert_eq!(receiver.held("large.bin"), Some(8 << 20));
    }
}
