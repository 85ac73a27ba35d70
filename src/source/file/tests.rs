//! Files that change, are away, or have no true size.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::*;

fn file(content: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    std::fs::write(&path, content).unwrap();
    (dir, path)
}

fn why<T: std::fmt::Debug>(result: Result<T, Stop>) -> String {
    match result {
        Err(Stop::Failed(Error::SourceChanged { why, .. })) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn missing_files_directories_and_devices_have_errors_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    let open = |path: &Path| FileSource::open(path).err();
    let missing = dir.path().join("missing");
    assert!(
        matches!(open(&missing), Some(Error::SourceNotFound { path }) if path.ends_with("missing"))
    );
    assert!(matches!(
        open(dir.path()),
        Some(Error::SourceNotAFile {
            is: "a directory",
            ..
        })
    ));
    #[cfg(unix)]
    assert!(matches!(
        open(Path::new("/dev/null")),
        Some(Error::SourceNotAFile { .. })
    ));
}

#[test]
fn a_truncated_file_is_noticed_while_reading() {
    let (_dir, path) = file(b"0123456789");
    let mut source = FileSource::open(&path).unwrap();
    source.seek(4).unwrap();
    std::fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(4)
        .unwrap();
    let read = source.read(&mut [0; 8]);
    assert!(why(read).contains("10 bytes and is 4"));
}

#[test]
fn a_file_that_grows_is_noticed_at_its_end() {
    let (_dir, path) = file(b"0123456789");
    let mut source = FileSource::open(&path).unwrap();
    std::fs::write(&path, b"0123456789+").unwrap();
    assert!(why(source.read(&mut [0; 10])).contains("10 bytes and is 11"));

    std::fs::write(&path, b"").unwrap();
    let mut source = FileSource::open(&path).unwrap();
    std::fs::write(&path, b"+").unwrap();
    assert!(why(source.verify()).contains("0 bytes and is 1"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_whose_size_is_wrong_is_an_error_of_its_own() {
    let error = FileSource::open(Path::new("/proc/version")).err().unwrap();
    let told = "the size of \"/proc/version\" is not the number of its bytes: it has more than \
                its size, 0 bytes; copy it first, and upload the copy";
    assert_eq!(error.to_string(), told);
    assert!(!error.is_retryable());

    // One that says more than it has, as in /sys.
    let (_dir, path) = file(b"0123456789");
    let mut source = FileSource::open(&path).unwrap();
    source.position = 10;
    source.file.seek(SeekFrom::Start(10)).unwrap();
    let error = source.read(&mut [0; 8]).unwrap_err();
    assert!(
        matches!(&error, Stop::Failed(e @ Error::SourceSize { .. }) if e.to_string().contains("less than")),
        "{error:?}"
    );
}

#[test]
fn what_differed_from_the_start_is_no_change() {
    let (_dir, path) = file(b"0123456789");
    let mut source = FileSource::open(&path).unwrap();
    // What a drive says of the open file is not what it says of its name.
    source.opened.id = Some((7, 7));
    source.verify().unwrap();
    source.reopen().unwrap();
    std::fs::rename(&path, path.with_extension("old")).unwrap();
    std::fs::write(&path, b"0123456789+").unwrap();
    assert!(why(source.verify()).contains("size"));
}

#[test]
fn a_file_that_is_opened_anew_goes_on_from_its_position() {
    let (_dir, path) = file(b"0123456789");
    let mut source = FileSource::open(&path).unwrap();
    let mut buf = [0; 4];
    source.seek(2).unwrap();
    assert_eq!(source.read(&mut buf).unwrap(), 4);
    source.reopen().unwrap();
    assert_eq!(source.read(&mut buf).unwrap(), 4);
    assert_eq!(&buf, b"6789");
    std::fs::remove_file(&path).unwrap();
    let error = source.reopen().unwrap_err();
    assert!(error.to_string().contains("removed or renamed"), "{error}");
}

#[test]
fn grown_touched_replaced_and_removed_files_are_noticed() {
    let (_dir, path) = file(b"0123456789");
    let mut source = FileSource::open(&path).unwrap();
    source.verify().unwrap();
    std::fs::write(&path, b"0123456789+").unwrap();
    assert!(why(source.verify()).contains("size"));

    let mut source = FileSource::open(&path).unwrap();
    let later = SystemTime::now() + Duration::from_secs(5);
    File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_modified(later)
        .unwrap();
    assert!(why(source.verify()).contains("time"));

    let mut source = FileSource::open(&path).unwrap();
    std::fs::rename(&path, path.with_extension("old")).unwrap();
    assert!(why(source.verify()).contains("removed"));
    std::fs::write(&path, b"0123456789+").unwrap();
    assert!(why(source.verify()).contains("another file"));
}

#[test]
fn the_identity_changes_with_name_size_time_and_file() {
    let identity = |path: &Path| FileSource::open(path).unwrap().identity().unwrap();
    let (dir, path) = file(b"0123456789");
    let set = |after: Duration| {
        let file = File::options().write(true).open(&path).unwrap();
        file.set_modified(UNIX_EPOCH + after).unwrap();
    };
    set(Duration::from_secs(1));
    let first = identity(&path);
    let times = format!("{} 10 1000000000 ", path.display());
    assert!(first.starts_with(&times), "{first}");
    assert_eq!(identity(&path), first);

    set(Duration::from_micros(1_000_001));
    assert_ne!(identity(&path), first);
    // A write may have come before the time was put back.
    set(Duration::from_secs(1));
    #[cfg(unix)]
    assert_ne!(identity(&path), first);

    let other = dir.path().join("other");
    std::fs::hard_link(&path, &other).unwrap();
    assert_ne!(identity(&other), first);
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, b"0123456789").unwrap();
    set(Duration::from_secs(1));
    let second = identity(&path);
    assert_ne!(second, first, "of the same size and time");
    std::fs::write(&path, b"0123456789+").unwrap();
    set(Duration::from_secs(1));
    assert_ne!(identity(&path), second);
}
