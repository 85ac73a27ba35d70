//! The files in which the library keeps the URLs of unfinished uploads, where a protocol needs them.

use std::env;
use std::fs;
use std::path::{self, PathBuf};
use std::time::{Duration, SystemTime};

use resup_digests::{Algorithm, Digest};

use crate::options::Put;
use crate::protocol::Protocol;
use crate::tree::Item;

/// The age at which a file is deleted: by then most servers have deleted the upload, too.
const LONGEST_AGE: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The length of a file's name, a digest in hex.
const NAME_LENGTH: usize = 64;

/// The state files of one user, one for each unfinished upload.
#[derive(Debug)]
pub struct StateFiles {
    directory: Option<PathBuf>,
    protocol: Protocol,
}

impl StateFiles {
    /// Finds the directory, which may not be there yet: the library makes it together with a file.
    pub fn find(protocol: Protocol) -> Self {
        StateFiles {
            directory: directory(),
            protocol,
        }
    }

    /// Tells what it means that there is no directory.
    pub fn warning(&self) -> Option<&'static str> {
        let are_missed = self.directory.is_none() && self.protocol.has_urls();
        are_missed.then_some(
            "resup: there is no directory for the URLs of uploads, so another run begins anew: set \
             XDG_STATE_HOME or HOME (on Windows LOCALAPPDATA)",
        )
    }

    /// Deletes the files of uploads that were not resumed for long. What else is in the directory stays.
    pub fn delete_old(&self) {
        let entries = self.directory.as_ref().map(fs::read_dir);
        for entry in entries.into_iter().flatten().flatten().flatten() {
            let name = entry.file_name();
            // The library writes NAME.RANDOM first, and then gives it its name.
            let is_ours = name
                .to_string_lossy()
                .split('.')
                .next()
                .is_some_and(|name| {
                    name.len() == NAME_LENGTH && name.bytes().all(|byte| byte.is_ascii_hexdigit())
                });
            let modified = entry.metadata().and_then(|metadata| metadata.modified());
            let is_old = modified.is_ok_and(|modified| {
                let age = SystemTime::now().duration_since(modified);
                age.is_ok_and(|age| age > LONGEST_AGE)
            });
            if is_ours && is_old {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// Gives the file for an upload: the same one each time that the same file goes to the same place.
    pub fn file(&self, put: &Put, item: &Item) -> Option<PathBuf> {
        let directory = self.directory.as_ref()?;
        if self.protocol == Protocol::Form || item.is_stdin() {
            return None;
        }
        let metadata = fs::metadata(&item.path).ok()?;
        let modified = metadata.modified().ok()?;
        let time = modified.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        let path = path::absolute(&item.path).ok()?;
        // What the server was told with the first request cannot be changed by a later one.
        let file = &put.file;
        let mut parts = vec![
            put.url().ok()?.to_owned(),
            metadata.len().to_string(),
            time.as_nanos().to_string(),
            item.directory.clone(),
            item.name.clone(),
            file.content_type.clone().unwrap_or_default(),
            file.user.clone().unwrap_or_default(),
        ];
        let fields = file.fields.iter();
        parts.extend(fields.map(|(name, value)| format!("{name}={value}")));
        let mut upload = parts.join("\0").into_bytes();
        upload.push(0);
        upload.extend(path.as_os_str().as_encoded_bytes());
        let name = Digest::of(Algorithm::Sha256, &upload).hex();
        Some(directory.join(name))
    }
}

/// Gives the user's directory for the command's state.
fn directory() -> Option<PathBuf> {
    let variable = |name| {
        let value = env::var_os(name).map(PathBuf::from);
        value.filter(|path| path.is_absolute())
    };
    let base = match cfg!(windows) {
        true => variable("LOCALAPPDATA"),
        false => {
            variable("XDG_STATE_HOME").or_else(|| Some(variable("HOME")?.join(".local/state")))
        }
    };
    Some(base?.join("resup"))
}
