//! The bytes, in directories: `partial`, where they arrive in a file named after the upload's id, and `files`, where
//! finished files have their places. `partial.unknown` is for those that the database does not know.
//!
//! When the bytes of a finished upload are in `partial`, a crash has stopped a move:
//! [`move_to_place`](Files::move_to_place) completes it. So the new name is not synced: after a power cut a file has its
//! old name or its new one, and with both of them the upload is finished. Symbolic links are never followed.

use std::fs::File;
use std::io::{self, ErrorKind, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::{ensure, Context};
use cap_fs_ext::{DirExt, FollowSymlinks, OpenOptionsFollowExt};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};

use crate::storage::failpoint;
use crate::storage::record::{Record, State};

/// The name of a file that a health check makes. Neither an upload nor a user has it.
pub const PROBE: &str = ".probe";

/// The directories. All functions but `probe` block.
#[derive(Debug, Clone)]
pub struct Files {
    pub(super) partial: Arc<Dir>,
    pub(super) unknown: Arc<Dir>,
    finished: Arc<Dir>,
    /// Keeps directories from being removed while a file is put there: a move reads it, a removal writes.
    tree: Arc<RwLock<()>>,
}

/// The kind of what is at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// Nothing: a file can be put there.
    None,
    /// A file, or something else that is no directory.
    File,
    /// A directory.
    Directory,
    /// Nothing can be there: one of the directories above is a file.
    BelowFile,
}

impl Files {
    /// Opens the directories in the data directory; makes those that are missing.
    pub fn open(data: &Path) -> anyhow::Result<Self> {
        let data = &Dir::open_ambient_dir(data, ambient_authority())?;
        let open = |name| {
            let dir = open_or_make(data, name).and_then(|dir| sync_names(data).map(|()| dir));
            dir.map(Arc::new)
                .with_context(|| format!("cannot open the directory '{name}' for the uploads"))
        };
        let (partial, finished) = (open("partial")?, open("files")?);
        ensure!(
            device(&partial)? == device(&finished)?,
            "'partial' and 'files' are on different file systems: a finished file could not be \
             moved from one to the other at once"
        );
        Ok(Self {
            partial,
            unknown: open("partial.unknown")?,
            finished,
            tree: Arc::default(),
        })
    }

    /// Checks that files can be written in both.
    pub async fn probe(&self) -> io::Result<()> {
        let files = self.clone();
        let probe = move || {
            for dir in [&files.partial, &files.finished] {
                dir.write(PROBE, b"?")?;
                // Another receiver may have been quicker.
                unless_missing(dir.remove_file(PROBE))?;
            }
            Ok(())
        };
        tokio::task::spawn_blocking(probe).await?
    }

    /// Opens an upload's file to be written from `offset`, and read. What is behind it was never confirmed, and is cut
    /// off.
    pub fn write_from(&self, name: &str, offset: u64) -> io::Result<File> {
        if offset == 0 {
            // A new file: the old one may have a second name, under which it belongs to another upload.
            self.remove(name)?;
        }
        let file = self.open_part(name, offset)?;
        if file.metadata()?.len() != offset {
            file.set_len(offset)?;
        }
        Ok(file)
    }

    /// Opens an upload's file to be written from `offset`, and read. What is behind it stays.
    pub fn open_part(&self, name: &str, offset: u64) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).follow(FollowSymlinks::No);
        let file = match self.partial.open_with(name, &options) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let file = self.partial.open_with(name, options.create_new(true))?;
                sync_names(&self.partial)?;
                file
            }
            other => other?,
        };
        let mut file = file.into_std();
        file.seek(SeekFrom::Start(offset))?;
        Ok(file)
    }

    /// Opens an upload's unfinished bytes for reading.
    pub fn read_partial(&self, name: &str) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).follow(FollowSymlinks::No);
        Ok(self.partial.open_with(name, &options)?.into_std())
    }

    /// Removes an upload's unfinished bytes, if there are any.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        unless_missing(self.partial.remove_file(name)).map(drop)
    }

    /// Lists the names in `partial`.
    pub fn partial_names(&self) -> io::Result<Vec<String>> {
        let names = self.partial.entries()?;
        names
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect()
    }

    /// Moves a finished file to its place, if it is not there yet. Returns how many bytes of the upload there
    /// are, finished or not.
    pub fn move_to_place(&self, record: &Record) -> io::Result<u64> {
        if record.state == State::Complete {
            if length(&self.partial, &record.file_name())?.is_some() {
                self.replace(record)?;
            }
            self.length_at(&record.place)
        } else {
            self.partial_length(&record.file_name())
        }
    }

    /// Moves a finished file to its place, and replaces what is there.
    fn replace(&self, record: &Record) -> io::Result<()> {
        let tree = self.tree.read().unwrap_or_else(PoisonError::into_inner);
        let (dir, name) = self.open_or_make_dirs(&record.place)?;
        self.partial.rename(record.file_name(), &dir, name)?;
        drop(tree);
        failpoint::hit("after-rename");
        // A rename does nothing when both names are of one file (a hard link): then the old name is still there.
        self.remove(&record.file_name())
    }

    /// Gives a finished file in `partial` its place as a second name, unless that is taken.
    pub(super) fn link_to_place(&self, record: &Record) -> io::Result<()> {
        let (dir, name) = self.open_or_make_dirs(&record.place)?;
        self.partial.hard_link(record.file_name(), &dir, name)
    }

    /// Moves a finished file back to `partial`, if it is at its place.
    pub fn move_back(&self, record: &Record) -> io::Result<()> {
        if let Some((dir, name)) = self.open_dirs(&record.place)? {
            let moved = unless_missing(dir.rename(name, &self.partial, record.file_name()))?;
            if moved.is_some() {
                failpoint::hit("after-withdraw");
                sync_names(&self.partial)?;
                self.remove_empty_dirs(&record.place);
            }
        }
        Ok(())
    }

    /// Moves an upload's bytes, finished or not, aside: its record is about to be deleted.
    pub fn withdraw(&self, record: &Record) -> io::Result<()> {
        if record.state == State::Complete {
            self.move_back(record)?;
        }
        let (name, withdrawn) = (record.file_name(), record.withdrawn_name());
        let moved = self.partial.rename(name, &self.partial, withdrawn);
        unless_missing(moved)?;
        sync_names(&self.partial)
    }

    /// Takes a withdrawal back: the record is still there.
    pub fn restore(&self, record: &Record) -> io::Result<()> {
        let (name, withdrawn) = (record.file_name(), record.withdrawn_name());
        unless_missing(self.partial.rename(withdrawn, &self.partial, name)).map(drop)
    }

    /// Whether a finished upload's file is nowhere: somebody has removed it or moved it away.
    pub fn is_gone(&self, record: &Record) -> io::Result<bool> {
        // In this order, since a file goes from `partial` to its place. One that could not be moved there is
        // withdrawn until the next start.
        for name in [record.file_name(), record.withdrawn_name()] {
            if length(&self.partial, &name)?.is_some() {
                return Ok(false);
            }
        }
        Ok(self.entry_at(&record.place)? != Entry::File)
    }

    /// Returns the length of the file at a place; 0 when there is none.
    pub fn length_at(&self, place: &str) -> io::Result<u64> {
        match self.open_dirs(place)? {
            Some((dir, name)) => Ok(length(&dir, name)?.unwrap_or(0)),
            None => Ok(0),
        }
    }

    /// Returns the length of a file in `partial`; 0 when there is none.
    pub fn partial_length(&self, name: &str) -> io::Result<u64> {
        Ok(length(&self.partial, name)?.unwrap_or(0))
    }

    /// Removes the directories of a place that are empty, so that files can have their names. The owner's own
    /// directory stays.
    fn remove_empty_dirs(&self, place: &str) {
        let _tree = self.tree.write().unwrap_or_else(PoisonError::into_inner);
        let mut place = place;
        while let Some((dir, _)) = place.rsplit_once('/').filter(|(dir, _)| dir.contains('/')) {
            let removed = self.open_dirs(dir).and_then(|found| match found {
                Some((parent, name)) => parent.remove_dir(name),
                None => Ok(()),
            });
            if removed.is_err() {
                break;
            }
            place = dir;
        }
    }

    /// Links the file of a finished upload, which may be changing, into `partial` as the file of another one.
    pub fn link(&self, finished: &Record, new: &str) -> io::Result<()> {
        self.remove(new)?;
        let link = |dir: &Dir, name: &str| dir.hard_link(name, &self.partial, new);
        self.with_file(finished, link)?;
        match length(&self.partial, new)? {
            Some(length) if length == finished.identity.size => Ok(()),
            _ => Err(ErrorKind::InvalidData.into()),
        }
    }

    /// Opens a finished file, which may be changing, for reading. What is not a file of the upload's size is no file here.
    pub fn read(&self, record: &Record) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).follow(FollowSymlinks::No);
        let file = self.with_whole(record, |dir, name| dir.open_with(name, &options))?;
        Ok(file.into_std())
    }

    /// Whether a finished upload has a file of its size.
    pub fn is_whole(&self, record: &Record) -> io::Result<bool> {
        let found = self.with_whole(record, |_, _| Ok(()));
        unless_missing(found).map(|found| found.is_some())
    }

    /// Calls `work` with a finished file, if it has its size.
    fn with_whole<T>(
        &self,
        record: &Record,
        work: impl Fn(&Dir, &str) -> io::Result<T>,
    ) -> io::Result<T> {
        let found = self.with_file(record, |dir, name| match length(dir, name)? {
            Some(length) if length == record.identity.size => work(dir, name),
            _ => Err(ErrorKind::NotFound.into()),
        });
        // A link in the place of a directory leads to nothing.
        found.map_err(|error| match error.kind() {
            ErrorKind::NotADirectory => ErrorKind::NotFound.into(),
            _ => error,
        })
    }

    /// Calls `work` with a finished file, which is in `partial` or at its place.
    fn with_file<T>(
        &self,
        record: &Record,
        work: impl Fn(&Dir, &str) -> io::Result<T>,
    ) -> io::Result<T> {
        if let Some(done) = unless_missing(work(&self.partial, &record.file_name()))? {
            return Ok(done);
        }
        match self.open_dirs(&record.place)? {
            Some((dir, name)) => work(&dir, name),
            None => Err(ErrorKind::NotFound.into()),
        }
    }

    /// Finds out what is at a place now.
    pub fn entry_at(&self, place: &str) -> io::Result<Entry> {
        let (dir, name) = match self.open_dirs(place) {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(Entry::None),
            Err(error) if error.kind() == ErrorKind::NotADirectory => return Ok(Entry::BelowFile),
            Err(error) => return Err(error),
        };
        let metadata = unless_missing(dir.symlink_metadata(name))?;
        Ok(metadata.map_or(Entry::None, |metadata| {
            if metadata.is_dir() {
                Entry::Directory
            } else {
                Entry::File
            }
        }))
    }

    /// Makes the directories of a place that are missing.
    pub fn make_dirs(&self, place: &str) -> io::Result<()> {
        let _tree = self.tree.read().unwrap_or_else(PoisonError::into_inner);
        self.open_or_make_dirs(place).map(drop)
    }

    /// Opens the directory of a place, and makes directories that are missing. Returns it and the file's name.
    fn open_or_make_dirs<'p>(&self, place: &'p str) -> io::Result<(Dir, &'p str)> {
        let (dirs, name) = split(place);
        let mut dir = self.finished.try_clone()?;
        for part in dirs {
            dir = open_or_make(&dir, part)?;
        }
        Ok((dir, name))
    }

    /// Opens the directory of a place; `None` when one is missing. Returns it and the file's name.
    pub(super) fn open_dirs<'p>(&self, place: &'p str) -> io::Result<Option<(Dir, &'p str)>> {
        let (dirs, name) = split(place);
        let mut dir = self.finished.try_clone()?;
        for part in dirs {
            match open_dir(&dir, part)? {
                Some(next) => dir = next,
                None => return Ok(None),
            }
        }
        Ok(Some((dir, name)))
    }
}

fn split(place: &str) -> (impl Iterator<Item = &str>, &str) {
    let (dirs, name) = place.rsplit_once('/').unwrap_or(("", place));
    (dirs.split('/').filter(|dir| !dir.is_empty()), name)
}

fn open_or_make(parent: &Dir, name: &str) -> io::Result<Dir> {
    if let Some(dir) = open_dir(parent, name)? {
        return Ok(dir);
    }
    match parent.create_dir(name) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    parent.open_dir_nofollow(name)
}

/// Opens a directory, if it is there. A symbolic link to one is an error.
fn open_dir(parent: &Dir, name: &str) -> io::Result<Option<Dir>> {
    match unless_missing(parent.symlink_metadata(name))? {
        None => Ok(None),
        // It may have been removed since it was looked at.
        Some(metadata) if metadata.is_dir() => unless_missing(parent.open_dir_nofollow(name)),
        Some(_) => Err(ErrorKind::NotADirectory.into()),
    }
}

/// The length of a file, if there is one.
fn length(dir: &Dir, name: &str) -> io::Result<Option<u64>> {
    let metadata = unless_missing(dir.symlink_metadata(name))?;
    let file = metadata.filter(|metadata| metadata.is_file());
    Ok(file.map(|file| file.len()))
}

pub(super) fn unless_missing<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Makes new names in a directory durable. (Windows has nothing for that.)
pub(super) fn sync_names(dir: &Dir) -> io::Result<()> {
    let synced = cfg!(unix).then(|| dir.open(".")?.sync_all());
    synced.transpose().map(drop)
}

#[cfg(unix)]
fn device(dir: &Dir) -> io::Result<u64> {
    use cap_std::fs::MetadataExt;
    Ok(dir.dir_metadata()?.dev())
}

#[cfg(windows)]
fn device(dir: &Dir) -> io::Result<u64> {
    let dir = dir.try_clone()?.into_std_file();
    Ok(winapi_util::file::information(&dir)?.volume_serial_number())
}
