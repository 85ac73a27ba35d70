//! Tests with a script that only prints what the receiver prints.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::receiver::{Receiver, Setup};

fn stand_in(dir: &std::path::Path, script: &str) -> Receiver {
    let path = dir.join("stand-in");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let mut setup = Setup::new().arg("--more").env("WORD", "spoken");
    setup.binary = Some(path);
    setup.start()
}

const GOOD: &str = "echo \"$@ $WORD\" >&2
echo 'listening on http://127.0.0.1:4711/upload'
exec sleep 60";

#[test]
fn it_is_started_killed_and_restarted_on_the_same_data() {
    let dir = tempfile::tempdir().unwrap();
    let mut receiver = stand_in(dir.path(), GOOD);
    assert_eq!(receiver.endpoint(), "http://127.0.0.1:4711/upload");
    assert_eq!(receiver.addr().port(), 4711);
    let data = receiver.data().to_owned();
    assert_eq!(receiver.stored_file("a1"), data.join("files/a1"));
    let first = receiver.pid().unwrap();
    receiver.kill();
    assert_eq!(receiver.pid(), None);
    receiver.restart();
    assert_ne!(receiver.pid(), Some(first));
    assert!(!receiver.has_ended());
    let line = format!(
        "--data {} --listen 127.0.0.1:0 --more spoken\n",
        data.display()
    );
    for _ in 0..100 {
        if receiver.stderr() == format!("{line}{line}") {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert_eq!(receiver.stderr(), format!("{line}{line}"));
    drop(receiver);
    assert!(!data.exists());
}

#[test]
#[should_panic(expected = "its first line is \"\"")]
fn one_that_ends_at_once_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    stand_in(dir.path(), "echo 'no such option' >&2; exit 2");
}
