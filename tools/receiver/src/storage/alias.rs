//! Two places that are one file: file systems may equate names that differ in case or in the form of their
//! characters. So the file itself tells, not the text.

use std::io;

use cap_std::fs::Dir;

use crate::storage::files::{unless_missing, Files};

impl Files {
    /// Whether two places with different texts are one entry of one directory. Two hard links are two entries.
    pub fn is_alias(&self, place: &str, other: &str) -> io::Result<bool> {
        let (Some((dir, name)), Some((other_dir, other_name))) =
            (self.open_dirs(place)?, self.open_dirs(other)?)
        else {
            return Ok(false);
        };
        if identity(&dir, ".")? != identity(&other_dir, ".")? {
            return Ok(false);
        }
        let file = identity(&dir, name)?;
        if file.is_none() || file != identity(&other_dir, other_name)? {
            return Ok(false);
        }
        if name == other_name {
            return Ok(true);
        }
        let mut found = 0;
        for entry in dir.entries()? {
            let entry = entry?.file_name();
            found += usize::from(entry == name || entry == other_name);
        }
        Ok(found < 2)
    }
}

/// The device and number of a file, if it is there.
#[cfg(unix)]
fn identity(dir: &Dir, name: &str) -> io::Result<Option<(u64, u64)>> {
    use cap_std::fs::MetadataExt;
    let metadata = unless_missing(dir.symlink_metadata(name))?;
    Ok(metadata.map(|metadata| (metadata.dev(), metadata.ino())))
}

/// The volume and number of a file, if it is there.
#[cfg(windows)]
fn identity(dir: &Dir, name: &str) -> io::Result<Option<(u64, u64)>> {
    use cap_fs_ext::{FollowSymlinks, OpenOptionsFollowExt, OpenOptionsMaybeDirExt};
    let mut options = cap_std::fs::OpenOptions::new();
    options
        .read(true)
        .follow(FollowSymlinks::No)
        .maybe_dir(true);
    let file = unless_missing(dir.open_with(name, &options))?;
    let number = |file: cap_std::fs::File| {
        let found = winapi_util::file::information(&file.into_std())?;
        Ok((found.volume_serial_number(), found.file_index()))
    };
    file.map(number).transpose()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_hard_link_is_no_alias() {
        let data = tempfile::tempdir().unwrap();
        let files = Files::open(data.path()).unwrap();
        let dir = data.path().join("files/joe");
        std::fs::create_dir(&dir).unwrap();
        std::fs::write(dir.join("README.txt"), "a").unwrap();
        std::fs::hard_link(dir.join("README.txt"), dir.join("readme.TXT")).unwrap();
        std::fs::write(dir.join("other"), "a").unwrap();
        for other in ["joe/readme.TXT", "joe/other", "joe/none", "jim/README.txt"] {
            assert!(!files.is_alias("joe/README.txt", other).unwrap(), "{other}");
        }
        // As a file system does that has one entry for both texts.
        assert!(files.is_alias("joe/README.txt", "joe//README.txt").unwrap());
    }
}
