//! The window of examples/delphi, used as people use it.

use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use resup_test_support::desktop::{Desktop, Running};
use resup_test_support::files;
use resup_test_support::receiver::Receiver;

use crate::host::{has, Bench};
use crate::{build, lcl};

const ADD: (u32, u32) = (67, 61);
const UPLOAD: (u32, u32) = (180, 61);
const PAUSE: (u32, u32) = (288, 61);
const CANCEL: (u32, u32) = (396, 61);

/// The middle of a file's row.
fn row(number: u32) -> (u32, u32) {
    (300, 84 + 28 * number + 14)
}

#[test]
fn the_window_uploads_pauses_and_cancels() {
    let Some(desktop) = Desktop::start() else {
        return;
    };
    if !has("fpc") || !has("lazbuild") {
        return;
    }
    let (bench, receiver) = (Bench::new(), Receiver::start());
    let flags = lcl();
    let flags: Vec<_> = flags.iter().map(String::as_str).collect();
    let program = build(&bench, "examples/delphi/window/window.lpr", &flags);
    let shots = std::env::var_os("RESUP_TEST_PICTURES").map(PathBuf::from);
    let picture = |name: &str| {
        thread::sleep(Duration::from_millis(400)); // The window is drawn five times a second.
        if let Some(dir) = &shots {
            desktop.picture(&dir.join(format!("lcl-{name}.png")));
        }
    };
    let sparse = |name: &str| {
        let path = bench.path(name);
        let file = std::fs::File::create(&path).unwrap();
        file.set_len(50_000_000_000).unwrap();
        path
    };
    let small = bench.path("photo 照片.jpg");
    files::make(&small, 3_000_000, 1).unwrap();
    let (large, other) = (sparse("video.mp4"), sparse("archive.zip"));
    let mut command = desktop.command(program);
    command.arg(receiver.endpoint());
    command.args([&small, &large, &other]);
    let _running = Running::start(&mut command);
    let window = desktop.window("Uploads");
    picture("ready");

    window.click(ADD.0, ADD.1);
    let dialog = desktop.window("Add files");
    picture("choosing");
    dialog.presses("Escape");
    while desktop.find("Add files").is_some() {
        thread::sleep(Duration::from_millis(50));
    }
    window.click(UPLOAD.0, UPLOAD.1);
    let complete = |line: &str| line.contains("to=3000000 bytes=3000000 status=200");
    receiver.wait_for("the small file", complete);
    receiver.wait_for("three locates", |_| receiver.requests("locate") >= 3);
    picture("sending");

    let sends = || receiver.requests("send");
    let before = sends();
    window.click(row(2).0, row(2).1);
    window.click(PAUSE.0, PAUSE.1);
    receiver.wait_for("an interrupted send", |_| sends() == before + 1);
    picture("paused");
    let asked = receiver.requests("locate");
    window.click(PAUSE.0, PAUSE.1);
    let again = |_: &str| receiver.requests("locate") == asked + 1;
    receiver.wait_for("a locate after the pause", again);
    picture("resumed");
    window.click(row(3).0, row(3).1);
    window.click(CANCEL.0, CANCEL.1);
    receiver.wait_for("a cancelled send", |_| sends() == before + 2);
    picture("cancelled");
}
