//! What the tool makes, as its readers see it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use resup_test_support::tools;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs the tool at the top of the tree.
fn tool(arguments: &[&Path]) -> Output {
    let mut tool = Command::new(env!("CARGO_BIN_EXE_resup-packaging"));
    tool.current_dir(root()).args(arguments).output().unwrap()
}

/// The manual pages, in a new directory.
fn pages() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let header = Path::new("include/resup.h");
    let made = tool(&[Path::new("man"), header, dir.path()]);
    assert!(made.status.success(), "{made:?}");
    dir
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// What a reader of a page sees.
fn shown(pages: &[PathBuf]) -> String {
    let mut man = Command::new("man");
    man.args(["--warnings", "-l"]).env("MANWIDTH", "500");
    let output = man.args(pages).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn every_function_has_a_page() {
    let pages = pages();
    let names = files(pages.path());
    let names = names.iter().map(|file| file.file_stem().unwrap());
    let names: Vec<_> = names.map(|name| name.to_str().unwrap()).collect();
    let exports = std::fs::read_to_string(root().join("tests/exports.txt")).unwrap();
    let mut wanted: Vec<_> = exports.lines().chain(["resup"]).collect();
    wanted.sort_unstable();
    assert_eq!(names, wanted);
}

#[test]
fn the_pages_are_sound() {
    if tools::find("man").is_none() {
        return;
    }
    let pages = pages();
    let files = files(pages.path());
    let all = shown(&files);
    assert!(all.matches("RETURN VALUE").count() == files.len() - 1);
    // As mandb reads them, for whatis and apropos.
    let mut lexgrog = Command::new("lexgrog");
    let read = lexgrog.arg("-m").args(&files).output().unwrap();
    let read = String::from_utf8_lossy(&read.stdout).into_owned();
    assert_eq!(read.lines().count(), files.len(), "{read}");
    assert!(!read.contains("parse failed"), "{read}");
}

#[test]
fn a_page_tells_what_the_header_tells() {
    if tools::find("man").is_none() {
        return;
    }
    let pages = pages();
    let page = |name: &str| shown(&[pages.path().join(name)]);
    let memory = page("resup_upload_new_memory.3");
    for words in [
        "resup_upload_new_memory - makes an upload of bytes in memory\n",
        "resup_status resup_upload_new_memory(resup_client *client,\n",
        "The bytes; copied; may be NULL when there are none.\n",
        "RESUP_E_SYSTEM when there is no memory for the copy",
        "Its digest is computed before it is sent",
        "Threads: any. Callbacks: none.\n",
        "resup(3), resup_client_error_message(3)\n",
    ] {
        assert!(memory.contains(words), "{words:?} is not in\n{memory}");
    }
    // What its section says for it.
    let cookie = page("resup_client_set_cookie.3");
    for words in [
        "       client A client.\n\n       name   A token (RFC 6265, 4.1.1).\n\n       value  Printable",
        "never to another scheme, host or port than the endpoint's",
        "RESUP_E_ARGUMENT for a value that cannot be used",
        "Threads: any. Callbacks: none.\n",
    ] {
        assert!(cookie.contains(words), "{words:?} is not in\n{cookie}");
    }
    let rules = page("resup.3");
    for words in [
        "is a key, not an address",
        "\n               if (resup_upload_new_file(client, \"video.mp4\", &upload) == RESUP_OK) {\n",
        "fprintf(stderr, \"%s\\n\", resup_upload_error_message(upload));",
        "RESUP_E_FREED = 12\n",
        "resup_read_callback\n",
        "resup_upload_free(3)\n",
        "   Client: identity\n       resup_client_set_user(3)\n",
    ] {
        assert!(rules.contains(words), "{words:?} is not in\n{rules}");
    }
    assert!(!rules.contains("cbindgen"), "{rules}");
}

#[test]
fn a_function_without_its_comment_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let header = dir.path().join("resup.h");
    let text = std::fs::read_to_string(root().join("include/resup.h")).unwrap();
    for (old, new, why) in [
        ("Threads: any", "Any thread", "has no \"Threads:\""),
        (
            "@param path ",
            "@param trail ",
            "no comment tells of path of",
        ),
        ("@defgroup ", "@addtogroup ", "no section has"),
    ] {
        std::fs::write(&header, text.replace(old, new)).unwrap();
        let made = tool(&[Path::new("man"), &header, dir.path()]);
        assert!(!made.status.success(), "{why}");
        let said = String::from_utf8_lossy(&made.stderr);
        assert!(said.contains(why), "{said}");
    }
}

#[test]
fn the_notices_have_each_linked_crate_and_its_licence() {
    let dir = tempfile::tempdir().unwrap();
    let windows = ["x86_64-pc-windows-gnu", "i686-pc-windows-gnu"].map(Path::new);
    let host = Path::new("x86_64-unknown-linux-gnu");
    let made = tool(&[
        Path::new("notices"),
        dir.path(),
        host,
        windows[0],
        windows[1],
    ]);
    assert!(made.status.success(), "{made:?}");
    let text = std::fs::read_to_string(dir.path().join("THIRD-PARTY.txt")).unwrap();
    // What the linked packages are is cargo's word.
    let mut tree = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    tree.current_dir(root()).args(["tree", "--locked"]);
    for product in ["resup", "resup-cli", "resup-jni", "resup-receiver"] {
        tree.args(["-p", product]);
    }
    for target in [host, windows[0], windows[1]] {
        tree.arg("--target").arg(target);
    }
    tree.args(["-e", "normal", "--prefix", "none", "--format", "{p}"]);
    let tree = String::from_utf8(tree.output().unwrap().stdout).unwrap();
    let mut seen = 0;
    for package in tree.lines() {
        let mut words = package.split(' ');
        let (Some(name), Some(version)) = (words.next(), words.next()) else {
            continue;
        };
        if name.starts_with("resup") {
            continue;
        }
        let line = format!("\n  {name} {}: ", version.trim_start_matches('v'));
        assert!(text.contains(&line), "{line:?} is not in it");
        seen += 1;
    }
    assert!(seen > 50, "{tree}");
    assert!(!text.contains("cbindgen"));
    for words in [
        "\n  windows_i686_gnu ",
        "ISC License",
        "Community Data License Agreement",
        "Redistribution and use",
        "\n  spark-md5 3.0.2 (in the receiver's page): ",
        "Dani Biró",
    ] {
        assert!(text.contains(words), "{words:?} is not in it");
    }
    assert!(dir.path().join("COPYRIGHT-library.html").is_file());
}
