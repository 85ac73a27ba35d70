//! The optional state file: digest states, so that a resume does not read the whole prefix again, and
//! the server's key of the upload, where a protocol needs that.
//!
//! Where it is missing, damaged or of another file, the prefix is read again, and an upload that only
//! its key finds begins anew. It holds no password and no content, and only its owner may read it.

#[cfg(test)]
mod tests;

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use resup_digests::{Algorithm, Digest, State};
use serde::{Deserialize, Serialize};

use super::checkpoint::Checkpoint;

/// The longest state file: 17 states of BLAKE3 have 4 KiB each.
/// Ten thousand parts of an upload have some 40 bytes each, and 202 at most.
const LONGEST: u64 = 4 * 1024 * 1024;

/// The state file of one source. Copies of it write the same.
#[derive(Debug, Clone)]
pub(crate) struct StateFile {
    path: PathBuf,
    /// The source and its version.
    identity: String,
    /// The digest of what an upload is made of at the server: its URL, which may have a password in
    /// it, and the description of the file.
    target: String,
    saved: Arc<Mutex<Saved>>,
    /// Whether nothing is written without an upload.
    only_for_key: bool,
    /// The reason why the file is left as it is, if it is none of ours.
    foreign: Option<String>,
}

/// What is in the file.
#[derive(Debug, Default)]
struct Saved {
    /// The upload at the server, where the protocol needs its key.
    upload: Option<SavedUpload>,
    checkpoints: Vec<SavedCheckpoint>,
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

#[derive(Debug, Clone, Serialize, Deserialize)]
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
            saved: Arc::default(),
            only_for_key: false,
            foreign: None,
        }
    }

    /// Makes this a file that is written only for an upload's key, together with its directory.
    pub(crate) fn only_for_key(self) -> Self {
        StateFile {
            only_for_key: true,
            ..self
        }
    }

    /// Gives the upload that was saved for this target. It stays in the file.
    pub(crate) fn load_upload(&self) -> Option<SavedUpload> {
        let upload = self.read().ok()??.upload;
        let upload = upload.filter(|upload| upload.target == self.target);
        self.lock().upload.clone_from(&upload);
        upload
    }

    fn lock(&self) -> MutexGuard<'_, Saved> {
        self.saved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drops the upload: the run speaks another protocol.
    pub(crate) fn forget_upload(&self) {
        self.lock().upload = None;
    }

    /// Sets the upload that goes into the file with the next save.
    pub(super) fn set_upload(&self, protocol: &str, key: &str) {
        self.lock().upload = Some(SavedUpload {
            target: self.target.clone(),
            protocol: protocol.to_owned(),
            key: key.to_owned(),
        });
    }

    /// Saves an upload, with the checkpoints that are in the file.
    pub(crate) fn save_upload(&self, protocol: &str, key: &str) -> io::Result<()> {
        self.set_upload(protocol, key);
        self.write(&self.lock())
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
        let mut saved = self.lock();
        saved.checkpoints = checkpoints.collect();
        self.write(&saved)
    }

    /// Writes the file, one writer at a time.
    fn write(&self, saved: &Saved) -> io::Result<()> {
        if let Some(why) = &self.foreign {
            return Err(io::Error::other(why.clone()));
        }
        if self.only_for_key {
            if saved.upload.is_none() {
                return Ok(());
            }
            make_directory(self.path.parent())?;
        }
        let mut content = Content {
            resup_state: match saved.upload {
                Some(_) => VERSION,
                None => WITHOUT_UPLOAD,
            },
            identity: self.identity.clone(),
            checkpoints: saved.checkpoints.clone(),
            upload: saved.upload.clone(),
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

    /// Leaves the file as it is from now on, for this reason.
    pub(super) fn leave(&mut self, why: &str) {
        self.foreign = Some(why.to_owned());
    }

    /// Gives the path, for messages.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes the file, if it is a state file: the upload was taken back.
    pub(crate) fn remove_unused(&self) {
        if !matches!(self.read(), Err(Unusable::NotOurs(_))) {
            self.remove();
        }
    }

    /// Removes the file: the upload is complete.
    pub(crate) fn remove(&self) {
        if self.foreign.is_none() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Makes a directory that only its owner may enter, unless it is there.
fn make_directory(path: Option<&Path>) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    path.map_or(Ok(()), |path| builder.create(path))
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
