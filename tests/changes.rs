//! Files that change while they are uploaded.

mod common;

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::time::Duration;

use common::{client, make_file};
use resup::{DigestMode, Error, Upload};
use resup_test_support::files;
use resup_test_support::model::{ModelReceiver, Options};

/// Starts an upload, changes its file on the way, and returns the outcome.
fn outcome_of_a_change(digest: DigestMode, change: impl Fn(&PathBuf)) -> Result<(), Error> {
    let old = outcome_at(Options::default(), digest, &change);
    let new = outcome_at(Options::newest(), digest, &change);
    assert_eq!(old.is_ok(), new.is_ok(), "{old:?} {new:?}");
    new
}

fn outcome_at(
    options: Options,
    digest: DigestMode,
    change: impl Fn(&PathBuf),
) -> Result<(), Error> {
    let receiver = ModelReceiver::with(options);
    let dir = tempfile::tempdir().unwrap();
    let path = make_file(&dir, "changing", 8 << 20);
    let client = client(&receiver.endpoint());
    let mut upload = Upload::from_file(&client, &path).unwrap();
    upload.set_digest(digest).unwrap();
    // Slow until the change is made, however long that takes.
    let remote = upload.remote();
    remote.set_rate_limit(1 << 20);
    upload.start().unwrap();
    while remote.snapshot().bytes_sent == 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    // The clock of change times ticks every few milliseconds.
    std::thread::sleep(Duration::from_millis(20));
    change(&path);
    remote.set_rate_limit(0);
    upload.wait(Duration::from_secs(60)).expect("it hangs")
}

#[test]
fn a_file_that_changes_while_it_is_uploaded_is_an_error_of_its_own() {
    let open = |path: &PathBuf| File::options().write(true).open(path).unwrap();
    type Change<'a> = &'a dyn Fn(&PathBuf);
    let changes: [(&str, Change); 5] = [
        ("truncated", &|path| open(path).set_len(1000).unwrap()),
        ("grown", &|path| open(path).set_len(9 << 20).unwrap()),
        ("touched", &|path| {
            let mut file = open(path);
            file.seek(SeekFrom::Start(7 << 20)).unwrap();
            file.write_all(b"new").unwrap();
        }),
        ("replaced", &|path| {
            let other = path.with_extension("new");
            files::make(&other, 8 << 20, 12).unwrap();
            std::fs::rename(other, path).unwrap();
        }),
        ("rewritten with its time put back", &|path| {
            let mut file = open(path);
            let time = file.metadata().unwrap().modified().unwrap();
            file.write_all(&files::bytes(8 << 20, 12)).unwrap();
            file.set_modified(time).unwrap();
        }),
    ];
    for digest in [DigestMode::OnePass, DigestMode::None] {
        for (name, change) in changes {
            let outcome = outcome_of_a_change(digest, change);
            assert!(
                matches!(outcome, Err(Error::SourceChanged { .. })),
                "{name}, {digest:?}: {outcome:?}"
            );
        }
    }
}

#[cfg(unix)]
#[test]
fn a_new_mode_or_link_during_an_upload_is_no_failure_where_a_digest_tells() {
    use std::os::unix::fs::PermissionsExt;

    let mode = |path: &PathBuf| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
    };
    let link = |path: &PathBuf| std::fs::hard_link(path, path.with_extension("link")).unwrap();
    for digest in [DigestMode::OnePass, DigestMode::First] {
        assert_eq!(outcome_of_a_change(digest, mode), Ok(()), "{digest:?}");
        assert_eq!(outcome_of_a_change(digest, link), Ok(()), "{digest:?}");
    }
    let error = outcome_of_a_change(DigestMode::None, mode).unwrap_err();
    assert!(error.to_string().contains("without a digest"), "{error}");
    assert!(error.is_retryable());
}
