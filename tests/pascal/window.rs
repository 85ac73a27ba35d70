//! The window of examples/delphi, used as people use it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use resup_test_support::desktop::{Desktop, Running, Window};
use resup_test_support::files;
use resup_test_support::receiver::Receiver;

use crate::harness::Bench;

const ADD: (u32, u32) = (67, 61);
const UPLOAD: (u32, u32) = (180, 61);
const PAUSE: (u32, u32) = (288, 61);
const CANCEL: (u32, u32) = (396, 61);

/// The middle of a file's row.
fn row(number: u32) -> (u32, u32) {
    (300, 84 + 28 * number + 14)
}

/// Clicks until that has led to something: a dialog that is being closed may still swallow a click.
fn click_until(window: &Window, (x, y): (u32, u32), led: impl Fn() -> bool) {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        window.click(x, y);
        for _ in 0..40 {
            if led() {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
        assert!(Instant::now() < until, "a click leads to nothing");
    }
}

/// Uses the program that this command starts there. `named` is how it has to be told of a path; pictures are called
/// after `kind`.
pub fn upload_pause_and_cancel(
    desktop: &Desktop,
    bench: &Bench,
    mut command: Command,
    named: fn(&Path) -> String,
    kind: &str,
) {
    let receiver = Receiver::start();
    let shots = std::env::var_os("RESUP_TEST_PICTURES").map(PathBuf::from);
    let picture = |name: &str| {
        thread::sleep(Duration::from_millis(400)); // The window is drawn five times a second.
        if let Some(dir) = &shots {
            desktop.picture(&dir.join(format!("{kind}-{name}.png")));
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
    command.arg(receiver.endpoint());
    command.args([&small, &large, &other].map(|file| named(file)));
    let _running = Running::start(&mut command);
    let window = desktop.window("Uploads");
    picture("ready");

    window.click(ADD.0, ADD.1);
    let dialog = desktop.window("Add files");
    picture("choosing");
    dialog.press("Escape");
    while desktop.find("Add files").is_some() {
        thread::sleep(Duration::from_millis(50));
    }
    click_until(&window, UPLOAD, || receiver.requests("locate") > 0);
    let complete = |line: &str| line.contains("to=3000000 ") && line.contains("status=200");
    receiver.wait_for("the small file", complete);
    receiver.wait_for("three locates", |_| receiver.requests("locate") >= 3);
    picture("sending");

    let before = receiver.broken_sends();
    window.click(row(2).0, row(2).1);
    window.click(PAUSE.0, PAUSE.1);
    receiver.wait_for("an interrupted send", |_| receiver.broken_sends() > before);
    picture("paused");
    let asked = receiver.requests("locate");
    window.click(PAUSE.0, PAUSE.1);
    let again = |_: &str| receiver.requests("locate") > asked;
    receiver.wait_for("a locate after the pause", again);
    picture("resumed");
    let before = receiver.broken_sends();
    window.click(row(3).0, row(3).1);
    window.click(CANCEL.0, CANCEL.1);
    receiver.wait_for("a cancelled send", |_| receiver.broken_sends() > before);
    picture("cancelled");
}
