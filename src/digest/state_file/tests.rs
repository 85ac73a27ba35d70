//! State files that are right, damaged, or none.

use super::*;

fn checkpoint(content: &[u8]) -> Checkpoint {
    checkpoint_of(Algorithm::Md5, content)
}

fn checkpoint_of(algorithm: Algorithm, content: &[u8]) -> Checkpoint {
    let mut checkpoint = Checkpoint::start(algorithm);
    checkpoint.at = content.len() as u64;
    checkpoint.state.update(content);
    checkpoint
}

fn direct(content: &[u8]) -> Digest {
    Digest::of(Algorithm::Md5, content)
}

fn file() -> (tempfile::TempDir, StateFile) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    (dir, StateFile::new(path, "a 7".to_owned(), "http://h/"))
}

#[test]
fn a_saved_digest_goes_on_as_if_it_had_never_stopped() {
    let (_dir, file) = file();
    file.save([checkpoint(b"hello"), checkpoint(b"hello, world")].iter())
        .unwrap();
    let checkpoints = file.load().unwrap();
    assert_eq!(
        checkpoints.iter().map(|m| m.at).collect::<Vec<_>>(),
        [5, 12]
    );
    let mut state = checkpoints[0].state.clone();
    state.update(b", world");
    assert_eq!(state.digest(), direct(b"hello, world"));
    file.remove();
    assert!(file.load().unwrap().is_empty());
}

#[test]
fn an_upload_that_was_saved_stays_until_another_is_set() {
    let (_dir, file) = file();
    file.set_upload("tus", "http://h/1");
    file.save([].iter()).unwrap();
    let new = || StateFile::new(file.path.clone(), "a 7".to_owned(), "http://h/");
    // The next run saves digests before it has the server's answer.
    let next = new();
    let saved = next.load_upload().unwrap();
    assert_eq!((&*saved.protocol, &*saved.key), ("tus", "http://h/1"));
    next.save([checkpoint(b"hello")].iter()).unwrap();
    assert_eq!(new().load_upload(), Some(saved));
    // What is not for this server and file is not kept.
    let elsewhere = StateFile::new(file.path.clone(), "a 7".to_owned(), "http://other/");
    assert_eq!(elsewhere.load_upload(), None);
    elsewhere.save([].iter()).unwrap();
    assert_eq!(new().load_upload(), None);
}

#[cfg(unix)]
#[test]
fn the_longest_record_of_parts_can_be_read_again() {
    let (_dir, file) = file();
    let record = format!(" ~{}", "x".repeat(200)).repeat(10_000);
    file.save_upload("presigned", &record).unwrap();
    assert_eq!(file.load_upload().unwrap().key, record);
    assert!(file.load().unwrap().is_empty());
}

#[test]
fn a_file_for_the_key_is_written_with_one_only() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let below = dir.path().join("made").join("too");
    let file = StateFile::new(below.join("s"), "a 7".to_owned(), "http://h/");
    let file = file.only_for_key();
    file.save([checkpoint(b"hello")].iter()).unwrap();
    assert!(!below.parent().unwrap().exists());
    file.set_upload("tus", "http://h/1");
    file.save([checkpoint(b"hello")].iter()).unwrap();
    assert_eq!(file.load_upload().unwrap().key, "http://h/1");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&below), mode(&file.path)), (0o700, 0o600));
}

#[test]
fn each_checkpoint_has_its_own_algorithm() {
    let (_dir, file) = file();
    let saved = Algorithm::ALL.map(|algorithm| checkpoint_of(algorithm, b"hello"));
    file.save(saved.iter()).unwrap();
    let digests = file.load().unwrap().into_iter().map(|it| it.state.digest());
    let wanted = Algorithm::ALL.map(|algorithm| Digest::of(algorithm, b"hello"));
    assert_eq!(digests.collect::<Vec<_>>(), wanted);
}

#[test]
fn a_file_of_version_1_is_read() {
    let (_dir, file) = file();
    let state = checkpoint(b"hello").state.save();
    let check = direct(format!("a 7\n5 {state}").as_bytes()).hex();
    let write = |version| {
        let marks = format!(r#"[{{"at":5,"md5":"{state}"}}]"#);
        let text = format!(
            r#"{{"resup_state":{version},"identity":"a 7","marks":{marks},"check":"{check}"}}"#
        );
        fs::write(&file.path, text).unwrap();
        file.load()
    };
    let checkpoints = write(1).unwrap();
    assert_eq!(checkpoints[0].at, 5);
    assert_eq!(checkpoints[0].state.digest(), direct(b"hello"));
    for other in [0, 2, 3] {
        assert!(matches!(write(other), Err(Unusable::Stale(_))), "{other}");
    }
}

#[test]
fn the_longest_file_is_read() {
    let (_dir, file) = file();
    let mut longest = Checkpoint::start(Algorithm::Blake3);
    // Ten complete subtrees; a file of a tebibyte has twenty more.
    longest.state.update(&vec![1; (1 << 20) - 1]);
    let more = 20 * 64;
    file.save(vec![longest; 17].iter()).unwrap();
    let length = fs::metadata(&file.path).unwrap().len();
    assert!(length + 17 * more < LONGEST, "{length}");
    assert_eq!(file.load().unwrap().len(), 17);
}

#[test]
fn a_damaged_file_or_one_of_another_source_is_not_used() {
    let (_dir, file) = file();
    file.save([checkpoint(b"hello")].iter()).unwrap();
    let good = fs::read(&file.path).unwrap();
    for at in 0..good.len() {
        for bad in [good[at] ^ 1, b'}', b'0'] {
            let mut text = good.clone();
            text[at] = bad;
            fs::write(&file.path, &text).unwrap();
            if let Ok(checkpoints) = file.load() {
                assert_eq!(checkpoints[0].at, 5);
                assert_eq!(checkpoints[0].state.digest(), direct(b"hello"));
            }
        }
        fs::write(&file.path, &good[..at]).unwrap();
        let cut = file.load();
        assert!(matches!(cut, Err(Unusable::Stale(_))), "cut at {at}");
    }
    fs::write(&file.path, &good).unwrap();
    let other = StateFile::new(file.path.clone(), "b 7".to_owned(), "http://h/");
    assert!(matches!(other.load(), Err(Unusable::Stale(why)) if why.contains("another file")));
    fs::write(&file.path, vec![b' '; 100_000]).unwrap();
    assert!(file.load().is_err());
    let directory = StateFile::new("/".into(), String::new(), "");
    assert!(directory.load().is_err());
    assert!(directory.save([].iter()).is_err());
}

#[cfg(unix)]
#[test]
fn a_device_or_pipe_is_not_read_and_not_replaced() {
    let (_dir, file) = file();
    let made = std::process::Command::new("mkfifo")
        .arg(&file.path)
        .status();
    assert!(made.unwrap().success());
    for path in [file.path, "/dev/zero".into()] {
        let (tell, told) = std::sync::mpsc::channel();
        let other = StateFile::new(path.clone(), String::new(), "");
        // If it were read, its end would never come: a thread keeps the test from waiting.
        std::thread::spawn(move || tell.send(matches!(other.load(), Err(Unusable::NotOurs(_)))));
        let limit = std::time::Duration::from_secs(20);
        assert_eq!(told.recv_timeout(limit), Ok(true), "{path:?}");
    }
}

#[test]
fn what_is_no_state_file_is_neither_written_nor_removed() {
    let (_dir, mut file) = file();
    fs::write(&file.path, "notes").unwrap();
    let Err(Unusable::NotOurs(why)) = file.load() else {
        panic!("it was taken");
    };
    file.leave(&why);
    file.set_upload("tus", "http://h/1");
    let error = file.save([].iter()).unwrap_err();
    assert_eq!(error.to_string(), "it is not a state file");
    file.remove();
    assert_eq!(fs::read(&file.path).unwrap(), b"notes");
}
