//! Presets of dialects: listed, shown, saved and used again.

mod common;

use std::fs;

use common::{make_file, put, resup, stderr_text};
use resup::dialect::presets;
use resup_test_support::scripted::{ScriptedServer, Step};

/// Runs `resup dialect`, and returns its exit code, standard output and standard error.
fn dialect(arguments: &[&str]) -> (i32, String, String) {
    let output = resup().arg("dialect").args(arguments).output().unwrap();
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    (output.status.code().unwrap(), text, stderr_text(&output))
}

#[test]
fn the_presets_are_listed_with_what_each_is_for() {
    let (exit, text, told) = dialect(&["list"]);
    assert_eq!((exit, told.as_str()), (0, ""));
    let names: Vec<_> = text
        .lines()
        .map(|line| line.split_once("  ").unwrap().0.trim())
        .collect();
    assert_eq!(
        names,
        presets().iter().map(|it| it.name).collect::<Vec<_>>()
    );
    assert_eq!(names[..2], ["plain", "resumable.js"]);
    assert!(text.lines().all(|line| line.len() <= 100), "{text}");
    let (_, text, _) = dialect(&["list", "--json"]);
    let first: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    assert_eq!(first["name"], "plain");
    assert!(
        first["purpose"].as_str().unwrap().contains("form"),
        "{first}"
    );
}

/// The requests of an upload by a dialect, without what is made by chance.
fn requests(dialect: &str) -> Vec<String> {
    let server = ScriptedServer::start(vec![Step::reply(
        200,
        r#"{"success": true, "files": [{"name": "f.bin"}]}"#,
    )]);
    let dir = tempfile::tempdir().unwrap();
    let file = make_file(&dir, "f.bin", 25);
    // So that the server is asked about the same file each time.
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
    fs::File::options()
        .write(true)
        .open(&file)
        .unwrap()
        .set_modified(time)
        .unwrap();
    let mut command = put();
    command.env("XDG_STATE_HOME", dir.path());
    command.args(["--dialect", dialect, "--segment", "10", "--retries", "0"]);
    let output = command.arg(file).arg(server.endpoint()).output().unwrap();
    let requests = server.requests();
    assert!(!requests.is_empty(), "{dialect}: {}", stderr_text(&output));
    requests
        .iter()
        .map(|request| {
            let text = format!(
                "{}\n{}",
                String::from_utf8_lossy(&request.head.raw),
                request.body_text()
            );
            // Boundaries, ports and names of uploads.
            let is_word = |c: char| !c.is_ascii_alphanumeric() && c != '-';
            let words = text.split_inclusive(is_word).map(|word| {
                let length = word.trim_end_matches(is_word).len();
                let by_chance = length >= 32 || word.parse::<u16>().is_ok();
                match by_chance {
                    true => format!("({length})"),
                    false => word.to_owned(),
                }
            });
            let text: String = words.collect();
            text.replace(&server.addr().to_string(), "(address)")
        })
        .collect()
}

#[test]
fn a_preset_that_was_saved_makes_the_same_requests() {
    let dir = tempfile::tempdir().unwrap();
    for preset in presets() {
        let (exit, text, told) = dialect(&["show", preset.name]);
        assert_eq!((exit, told.as_str()), (0, ""), "{}", preset.name);
        let path = dir.path().join("mine.json");
        fs::write(&path, &text).unwrap();
        let (own, saved) = (requests(preset.name), requests(path.to_str().unwrap()));
        assert_eq!(own, saved, "{}", preset.name);
        // As PowerShell's > writes it.
        let units = text.encode_utf16().flat_map(u16::to_le_bytes);
        fs::write(
            &path,
            [0xff, 0xfe].into_iter().chain(units).collect::<Vec<_>>(),
        )
        .unwrap();
        assert_eq!(
            own,
            requests(path.to_str().unwrap()),
            "{} in UTF-16",
            preset.name
        );
    }
}

#[test]
fn a_directory_of_the_same_name_hides_no_preset() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("dropzone")).unwrap();
    let file = make_file(&dir, "plain", 10);
    let server = ScriptedServer::start(vec![Step::reply(200, "")]);
    for name in ["dropzone", "plain"] {
        let mut command = put();
        command.env("XDG_STATE_HOME", dir.path()).current_dir(&dir);
        command.args(["--dialect", name]).arg(&file);
        let output = command.arg(server.endpoint()).output().unwrap();
        let told = stderr_text(&output);
        assert_eq!(output.status.code(), Some(0), "{name}: {told}");
    }
    // A path is a file.
    let mut command = put();
    command.current_dir(&dir).args(["--dialect", "./plain"]);
    let output = command.arg(&file).arg(server.endpoint()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn what_is_no_preset_is_refused() {
    let (exit, text, told) = dialect(&["show", "tus"]);
    assert_eq!((exit, text.as_str()), (2, ""));
    assert!(
        told.contains("\"tus\" is no preset; give one of plain, resumable.js"),
        "{told}"
    );
    assert!(told.contains("resup dialect show"), "{told}");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mine.json");
    fs::write(&path, [0x7b, 0xe4, 0x7d]).unwrap();
    let (exit, _, told) = dialect(&["check", path.to_str().unwrap(), "http://127.0.0.1:1/"]);
    assert_eq!(exit, 2);
    assert!(told.contains("is neither UTF-8 nor UTF-16"), "{told}");
}
