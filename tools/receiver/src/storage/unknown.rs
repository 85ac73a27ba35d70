//! Bytes of uploads that the database does not know. Perhaps it is the wrong one, so they are only moved from `partial`
//! to `partial.unknown`. Each file there has the time of that as its modification time.

use std::io::{self, ErrorKind};
use std::time::{Duration, SystemTime};

use cap_fs_ext::{FollowSymlinks, OpenOptionsFollowExt};
use cap_std::fs::OpenOptions;

use crate::storage::files::{sync_names, unless_missing, Files};

/// How many days they are kept.
pub const KEPT_DAYS: u64 = 30;
/// How long they are kept.
pub const KEPT: Duration = Duration::from_secs(KEPT_DAYS * 24 * 3600);

/// The bytes of an upload that the database does not know.
pub struct Unknown {
    /// The upload's id.
    pub name: String,
    /// How many they are.
    pub bytes: u64,
    /// When they were moved.
    pub since: SystemTime,
}

impl Files {
    /// Moves a file from `partial` aside. Returns how many bytes it has.
    pub fn set_aside(&self, name: &str) -> io::Result<u64> {
        let mut options = OpenOptions::new();
        options.write(true).follow(FollowSymlinks::No);
        let file = self.partial.open_with(name, &options)?.into_std();
        file.set_modified(SystemTime::now())?;
        let bytes = file.metadata()?.len();
        drop(file);
        self.partial.rename(name, &self.unknown, name)?;
        sync_names(&self.unknown)?;
        Ok(bytes)
    }

    /// Moves a file back to `partial`.
    pub fn bring_back(&self, name: &str) -> io::Result<()> {
        self.unknown.rename(name, &self.partial, name)?;
        sync_names(&self.partial)
    }

    /// Lists the files that were moved aside.
    pub fn unknown(&self) -> io::Result<Vec<Unknown>> {
        let mut list = Vec::new();
        for entry in self.unknown.entries()? {
            let entry = entry?;
            // It may have been removed since.
            let Some(metadata) = unless_missing(entry.metadata())? else {
                continue;
            };
            list.push(Unknown {
                name: entry.file_name().to_string_lossy().into_owned(),
                bytes: metadata.len(),
                since: metadata.modified()?.into_std(),
            });
        }
        list.sort_by(|a, b| (a.since, &a.name).cmp(&(b.since, &b.name)));
        Ok(list)
    }

    /// Removes a file that was moved aside; `false` when there is none.
    pub fn remove_unknown(&self, name: &str) -> io::Result<bool> {
        if name.contains(['/', '\\']) {
            return Err(ErrorKind::InvalidInput.into());
        }
        Ok(unless_missing(self.unknown.remove_file(name))?.is_some())
    }

    /// Removes the files that were moved aside long ago.
    pub fn remove_old_unknown(&self) -> io::Result<()> {
        for found in self.unknown()? {
            let age = SystemTime::now().duration_since(found.since);
            if age.is_ok_and(|age| age > KEPT) && self.remove_unknown(&found.name)? {
                tracing::info!(
                    id = found.name,
                    "deleted {} bytes, {KEPT_DAYS} days after they were moved to 'partial.unknown'",
                    found.bytes
                );
            }
        }
        Ok(())
    }
}
