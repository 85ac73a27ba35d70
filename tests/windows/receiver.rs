//! The receiver, `resup-receiver.exe`: uploads from this side, names, and what is there after it was killed.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use resup::{Client, Upload};
use resup_test_support::chaos::ChaosProxy;
use resup_test_support::files;
use resup_test_support::receiver::{Receiver, Setup};
use resup_test_support::terminal::Terminal;

use super::harness::root;
use super::wine::{both, build_dir, windows_path, Wine};

/// Starts the receiver as a Windows program.
fn start(wine: &Wine) -> Receiver {
    let program = wine.program("resup-receiver.exe");
    let script = wine.bench.path("receiver");
    let text = format!(
        "#!/bin/sh\nexec '{}' {} '{}' '{}' \"$@\"\n",
        root().join("packaging/windows/wine.sh").display(),
        wine.bits,
        build_dir().display(),
        program.display()
    );
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut setup = Setup::new().data(wine.bench.dir("data"));
    setup.binary = Some(script);
    let setup = setup.args(&["--layout=tree", "--conflict=rename"]);
    setup.arg("--commit-bytes=1048576").start()
}

/// Uploads a file under a name. Returns how many bytes were there before.
fn upload(endpoint: &str, file: &Path, name: &str) -> u64 {
    let client = Client::new(endpoint).unwrap();
    let mut upload = Upload::from_file(&client, file).unwrap();
    upload.set_name(name).unwrap();
    upload.run().unwrap();
    upload.remote().snapshot().bytes_skipped
}

/// Returns the bytes of all finished files.
fn stored(dir: &Path) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(dir).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| match path.is_dir() {
            true => stored(&path),
            false => vec![std::fs::read(&path).unwrap()],
        })
        .collect()
}

#[test]
fn files_of_every_name_arrive_and_none_takes_the_place_of_another() {
    for wine in both() {
        let receiver = start(&wine);
        // What Windows cannot have as names, and names that are one to it.
        let names = [
            "plain.bin",
            "报告 é 😀.bin",
            "CON.txt",
            "a:b|c?.txt",
            "ends with a dot.",
            "README.txt",
            "readme.TXT",
        ];
        let mut sources = Vec::new();
        for (n, name) in names.into_iter().enumerate() {
            let file = wine.bench.path(&format!("source-{n}"));
            // Of one size, so that only the content tells them apart.
            files::make(&file, 300_000, n as u64).unwrap();
            upload(&receiver.endpoint(), &file, name);
            sources.push(std::fs::read(&file).unwrap());
        }
        let stored = stored(&receiver.data().join("files"));
        assert_eq!(stored.len(), sources.len());
        let missing = sources.iter().filter(|it| !stored.contains(it));
        assert_eq!(missing.count(), 0);
    }
}

#[test]
fn ctrl_c_ends_it_in_order() {
    for wine in both() {
        let program = wine.program("resup-receiver.exe");
        let command = format!(
            "stty raw -echo isig && exec '{}' {} '{}' '{}' --data '{}' --listen 127.0.0.1:0",
            root().join("packaging/windows/wine.sh").display(),
            wine.bits,
            build_dir().display(),
            program.display(),
            windows_path(&wine.bench.path("data"))
        );
        let mut terminal = Terminal::run(&command).expect("the program `script`");
        terminal.wait_for("listening on ");
        terminal.type_keys(b"\x03");
        let (code, screen) = terminal.finish();
        assert_eq!(code, Some(0), "{screen}");
    }
}

const SIZE: u64 = 24 << 20;

#[test]
fn an_upload_goes_on_after_the_receiver_was_killed() {
    for wine in both() {
        let mut receiver = start(&wine);
        let file = wine.bench.path("file.bin");
        files::make(&file, SIZE, 3).unwrap();
        let proxy = ChaosProxy::clean(receiver.addr());
        let client = Client::new(&format!("http://{}/upload", proxy.addr())).unwrap();
        client.set_rate_limit(8 << 20);
        let mut run = Upload::from_file(&client, &file).unwrap();
        run.start().unwrap();
        while proxy.bytes_up() < SIZE / 2 {
            let ended = run.wait(std::time::Duration::from_millis(10));
            assert!(ended.is_none(), "it ended too early: {ended:?}");
        }
        receiver.kill();
        drop(run);
        receiver.restart();
        let skipped = upload(&receiver.endpoint(), &file, "file.bin");
        assert!(stored(&receiver.data().join("files")) == [std::fs::read(&file).unwrap()]);
        assert!(skipped >= 1 << 20, "{skipped} bytes were there before");
    }
}
