//! The optional state file: digest states, so that a resume does not read the whole prefix again, and
//! the server's key of the upload, where a protocol needs that.
//!
//! Where it is missing, damaged or of another file, the prefix is read again, and an upload that only
//! its key finds begins anew. It holds no password and no content, and only its owner may read it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use resup_digests::{Algorithm, Digest, State};
use serde::{Deserialize, Serialize};

use super::checkpoint::Checkpoint;

/// The longest state file: 17 states of BLAKE3 have 4 KiB each.
const LONGEST: u64 = 128 * 1024;

/// The state file of one source.
#[derive(Debug, Clone)]
pub(crate) struct StateFile {
    path: PathBuf,
    /// The source and its version.
    identity: String,
    /// The digest of what an upload is made of at the server: its URL, which may have a password in
    /// it, and the description of the file.
    target: String,
    /// The upload at the server, where the protocol needs its key.
    upload: Option<SavedUpload>,
}

/// An upload that only its key finds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SavedUpload {
    target: String,
    /// The protocol's name.
    pub protocol: String,
    /// The server's key of the upload.
    pub key: String,
}

/// The version of the format with an upload.
const VERSION: u32 = 3;
/// The version without an upload, which older libraries read, too. Version 1 had no algorithm: all
/// states were of MD5.
const WITHOUT_UPLOAD: u32 = 2;

/// The beginning of every state file. A file that begins otherwise is not touched.
const MAGIC: &[u8] = b"{\"resup_state\":";

#[derive(Serialize, Deserialize)]
struct Content {
    /// The version of the format. It comes first, because [`MAGIC`] is its name.
    resup_state: u32,
    identity: String,
    /// Called `marks` in the files that exist already.
    #[serde(rename = "marks")]
    checkpoints: Vec<SavedCheckpoint>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    upload: Option<SavedUpload>,
    /// The MD5 of the rest, to detect damage.
    check: String,
}

#[derive(Serialize, Deserialize)]
struct SavedCheckpoint {
    at: u64,
    /// The algorithm's name in the protocol.
    #[serde(default = "md5")]
    algorithm: String,
    /// The digest's inner state, in hex.
    #[serde(alias = "md5")]
    state: String,
}

/// Gives the algorithm of version 1.
fn md5() -> String {
    Algorithm::Md5.name().to_owned()
}

/// The reason why a file gives no checkpoints.
#[derive(Debug)]
pub(crate) enum Unusable {
    /// It is a state file, but damaged, of another version or of another file.
    Stale(String),
    /// It is not a state file, and must not be overwritten.
    NotOurs(String),
}

impl Content {
    fn checksum(&self) -> String {
        let mut md5 = State::new(Algorithm::Md5);
        md5.update(self.identity.as_bytes());
        for checkpoint in &self.checkpoints {
            let algorithm = match self.resup_state {
                1 => String::new(),
                _ => format!("{} ", checkpoint.algorithm),
            };
            let line = format!("\n{} {algorithm}{}", checkpoint.at, checkpoint.state);
            md5.update(line.as_bytes());
        }
        if let Some(upload) = &self.upload {
            let line = format!("\n{} {} {}", upload.target, upload.protocol, upload.key);
            md5.update(line.as_bytes());
        }
        md5.digest().hex()
    }
}

impl StateFile {
    /// Makes the state file at `path` for one version of a source, and for the uploads that are
    /// created with `target`.
    pub(crate) fn new(path: PathBuf, identity: String, target: &str) -> Self {
        StateFile {
            path,
            identity,
            target: Digest::of(Algorithm::Sha256, target.as_bytes()).hex(),
            upload: None,
        }
    }

    /// Gives the upload that was saved for this target. It stays in the file.
    pub(crate) fn load_upload(&mut self) -> Option<SavedUpload> {
        let upload = self.read().ok()??.upload;
        self.upload = upload.filter(|upload| upload.target == self.target);
        self.upload.clone()
    }

    /// Drops the upload: the run speaks another protocol.
    pub(crate) fn forget_upload(&mut self) {
        self.upload = None;
    }

    /// Sets the upload that goes into the file with the next save.
    pub(super) fn set_upload(&mut self, protocol: &str, key: &str) {
        self.upload = Some(SavedUpload {
            target: self.target.clone(),
            protocol: protocol.to_owned(),
            key: key.to_owned(),
        });
    }

    /// Gives the checkpoints that were saved for this version of the source, or the reason why they
    /// cannot be used.
    pub(crate) fn load(&self) -> Result<Vec<Checkpoint>, Unusable> {
        let Some(content) = self.read()? else {
            return Ok(Vec::new());
        };
        let checkpoints = content.checkpoints.iter().map(restore);
        checkpoints
            .collect::<Option<_>>()
            .ok_or_else(|| Unusable::Stale("its digest states cannot be read".to_owned()))
    }

    /// Reads the file; `None` if there is none.
    fn read(&self) -> Result<Option<Content>, Unusable> {
        let size = match fs::metadata(&self.path) {
            Ok(meta) if meta.is_file() => meta.len(),
            // Reading a pipe or a device might never end.
            Ok(_) => return Err(Unusable::NotOurs("it is not a file".to_owned())),
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(Unusable::NotOurs(e.to_string())),
        };
        if size > LONGEST {
            let why = format!("it has {size} bytes and is not a state file");
            return Err(Unusable::NotOurs(why));
        }
        let text = fs::read(&self.path).map_err(|e| Unusable::NotOurs(e.to_string()))?;
        // The file is never synced: after a power cut it may be shorter than it was, or empty.
        if !text.starts_with(MAGIC) && !MAGIC.starts_with(&text) {
            return Err(Unusable::NotOurs("it is not a state file".to_owned()));
        }
        self.parse(&text).map(Some).map_err(Unusable::Stale)
    }

    fn parse(&self, text: &[u8]) -> Result<Content, String> {
        let content: Content = serde_json::from_slice(text).map_err(|e| e.to_string())?;
        if !(1..=VERSION).contains(&content.resup_state) || content.check != content.checksum() {
            return Err("it is damaged or of another version of the library".to_owned());
        }
        if content.identity != self.identity {
            return Err("it is of another file, or of another version of it".to_owned());
        }
        Ok(content)
    }

    /// Saves `checkpoints` in place of those before: all of them or none.
    pub(crate) fn save<'a>(
        &self,
        checkpoints: impl Iterator<Item = &'a Checkpoint>,
    ) -> io::Result<()> {
        let checkpoints = checkpoints.map(|checkpoint| SavedCheckpoint {
            at: checkpoint.at,
            algorithm: checkpoint.state.algorithm().name().to_owned(),
            state: checkpoint.state.save(),
        });
        let mut content = Content {
            resup_state: match self.upload {
                Some(_) => VERSION,
                None => WITHOUT_UPLOAD,
            },
            identity: self.identity.clone(),
            checkpoints: checkpoints.collect(),
            upload: self.upload.clone(),
            check: String::new(),
        };
        content.check = content.checksum();
        let random = crate::random::u128().map_err(io::Error::other)?;
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{random:032x}"));
        let new = PathBuf::from(name);
        let result = write_new(&new, &serde_json::to_vec(&content)?)
            .and_then(|()| fs::rename(&new, &self.path));
        if result.is_err() {
            let _ = fs::remove_file(&new);
        }
        result
    }

    /// Removes the file: the upload is complete.
    pub(crate) fn remove(&self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Writes a new file that only its owner may read.
fn write_new(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text)
}

/// Makes a checkpoint from its saved form; `None` if that is damaged.
fn restore(saved: &SavedCheckpoint) -> Option<Checkpoint> {
    let algorithm = Algorithm::of_name(&saved.algorithm)?;
    Some(Checkpoint {
        at: saved.at,
        state: State::restore(algorithm, &saved.state)?,
    })
}

#[cfg(test)]
mod tests {
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
        let (_dir, mut file) = file();
        file.set_upload("tus", "http://h/1");
        file.save([].iter()).unwrap();
        let new = || StateFile::new(file.path.clone(), "a 7".to_owned(), "http://h/");
        // The next run saves digests before it has the server's answer.
        let mut next = new();
        let saved = next.load_upload().unwrap();
        assert_eq!((&*saved.protocol, &*saved.key), ("tus", "http://h/1"));
        next.save([checkpoint(b"hello")].iter()).unwrap();
        assert_eq!(new().load_upload(), Some(saved));
        // What is not for this server and file is not kept.
        let mut elsewhere = StateFile::new(file.path.clone(), "a 7".to_owned(), "http://other/");
        assert_eq!(elsewhere.load_upload(), None);
        elsewhere.save([].iter()).unwrap();
        assert_eq!(new().load_upload(), None);
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
            std::thread::spawn(move || {
                tell.send(matches!(other.load(), Err(Unusable::NotOurs(_))))
            });
            let limit = std::time::Duration::from_secs(20);
            assert_eq!(told.recv_timeout(limit), Ok(true), "{path:?}");
        }
    }
}
