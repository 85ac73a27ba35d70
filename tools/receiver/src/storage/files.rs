//! The directories with the bytes: `partial`, where they arrive under their upload's id, and
//! `files`, where the finished files have their places.
//!
//! A finished upload whose bytes are still, or again, in `partial` is one that a crash has caught on
//! the way: [`settle`](Files::settle) takes it to its end. Symbolic links are never followed.

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

/// The directories. All of it blocks.
#[derive(Debug, Clone)]
pub struct Files {
    partial: Arc<Dir>,
    finished: Arc<Dir>,
    /// Whoever goes through directories to put a file there reads it, whoever removes some writes.
    ways: Arc<RwLock<()>>,
}

/// What is at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Nothing, and a file can be put there.
    Nothing,
    /// A file, or something else that is no directory.
    File,
    /// A directory.
    Directory,
    /// One of the directories above is none.
    NoWay,
}

impl Files {
    /// Uses `files` and `partial` in the data directory; makes them if missing.
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
            finished,
            ways: Arc::default(),
        })
    }

    /// Whether files can be made there.
    pub async fn probe(&self) -> io::Result<()> {
        // Neither an upload nor a user has this name.
        const PROBE: &str = ".probe";
        let files = self.clone();
        let probe = move || {
            for dir in [&files.partial, &files.finished] {
                dir.write(PROBE, b"?")?;
                // Another probe may have removed it.
                unless_missing(dir.remove_file(PROBE))?;
            }
            Ok(())
        };
        tokio::task::spawn_blocking(probe).await?
    }

    /// Opens an upload's bytes to be written from `offset`; what lies behind it was never
    /// confirmed and goes.
    pub fn write_from(&self, id: &str, offset: u64) -> io::Result<File> {
        if offset == 0 {
            // Never written into: it may have a second name, by which it is another upload's.
            self.remove(id)?;
        }
        let mut options = OpenOptions::new();
        options.write(true).follow(FollowSymlinks::No);
        let file = match self.partial.open_with(id, &options) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let file = self.partial.open_with(id, options.create_new(true))?;
                sync_names(&self.partial)?;
                file
            }
            other => other?,
        };
        let mut file = file.into_std();
        if file.metadata()?.len() != offset {
            file.set_len(offset)?;
        }
        file.seek(SeekFrom::Start(offset))?;
        Ok(file)
    }

    /// Removes an upload's unfinished bytes, if there are any.
    pub fn remove(&self, id: &str) -> io::Result<()> {
        unless_missing(self.partial.remove_file(id)).map(drop)
    }

    /// The ids of which there are unfinished bytes.
    pub fn partial_ids(&self) -> io::Result<Vec<String>> {
        let names = self.partial.entries()?;
        names
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect()
    }

    /// Puts a finished file into its place, if it is not there yet. How many bytes of the upload
    /// there are then.
    pub fn settle(&self, record: &Record) -> io::Result<u64> {
        if record.state == State::Complete {
            if length(&self.partial, &record.id)?.is_some() {
                self.put(record)?;
            }
            let Some((dir, name)) = self.walk(&record.place)? else {
                return Ok(0);
            };
            Ok(length(&dir, name)?.unwrap_or(0))
        } else {
            Ok(length(&self.partial, &record.id)?.unwrap_or(0))
        }
    }

    /// Puts a finished file into its place, in place of what is there.
    fn put(&self, record: &Record) -> io::Result<()> {
        let ways = self.ways.read().unwrap_or_else(PoisonError::into_inner);
        let (dir, name) = self.open_way(&record.place)?;
        self.partial.rename(&record.id, &dir, name)?;
        drop(ways);
        failpoint::hit("after-rename");
        // Two names of one file stay what they are when one is to replace the other.
        self.remove(&record.id)?;
        sync_names(&dir)
    }

    /// Takes a finished file back to where it arrived, if it is in its place.
    pub fn withdraw(&self, record: &Record) -> io::Result<()> {
        if let Some((dir, name)) = self.walk(&record.place)? {
            let gone = unless_missing(dir.rename(name, &self.partial, &record.id))?;
            if gone.is_some() {
                failpoint::hit("after-withdraw");
                sync_names(&self.partial)?;
                self.tidy(&record.place);
            }
        }
        Ok(())
    }

    /// Removes the directories of a place that have become empty, but for the owner's own: where there
    /// is a directory there can be no file of its name.
    fn tidy(&self, place: &str) {
        let _ways = self.ways.write().unwrap_or_else(PoisonError::into_inner);
        let mut place = place;
        while let Some((dir, _)) = place.rsplit_once('/').filter(|(dir, _)| dir.contains('/')) {
            let removed = self.walk(dir).and_then(|found| match found {
                Some((parent, name)) => parent.remove_dir(name),
                None => Ok(()),
            });
            if removed.is_err() {
                break;
            }
            place = dir;
        }
    }

    /// Has the bytes of a finished upload, which may be changing, arrive as those of another one too.
    pub fn link(&self, finished: &Record, id: &str) -> io::Result<()> {
        self.remove(id)?;
        let link = |dir: &Dir, name: &str| dir.hard_link(name, &self.partial, id);
        self.wherever(finished, link)?;
        match length(&self.partial, id)? {
            Some(length) if length == finished.identity.size => Ok(()),
            _ => Err(ErrorKind::InvalidData.into()),
        }
    }

    /// Opens a finished file, which may be changing.
    pub fn read(&self, record: &Record) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).follow(FollowSymlinks::No);
        let file = self.wherever(record, |dir, name| dir.open_with(name, &options))?;
        Ok(file.into_std())
    }

    /// Does something with a finished file, on its way or in its place.
    fn wherever<T>(
        &self,
        record: &Record,
        work: impl Fn(&Dir, &str) -> io::Result<T>,
    ) -> io::Result<T> {
        if let Some(done) = unless_missing(work(&self.partial, &record.id))? {
            return Ok(done);
        }
        match self.walk(&record.place)? {
            Some((dir, name)) => work(&dir, name),
            None => Err(ErrorKind::NotFound.into()),
        }
    }

    /// What is at a place now.
    pub fn look(&self, place: &str) -> io::Result<Found> {
        let (dir, name) = match self.walk(place) {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(Found::Nothing),
            Err(error) if error.kind() == ErrorKind::NotADirectory => return Ok(Found::NoWay),
            Err(error) => return Err(error),
        };
        let found = unless_missing(dir.symlink_metadata(name))?;
        Ok(found.map_or(Found::Nothing, |found| {
            if found.is_dir() {
                Found::Directory
            } else {
                Found::File
            }
        }))
    }

    /// Makes the directories of a place where they are missing.
    pub fn make_way(&self, place: &str) -> io::Result<()> {
        let _ways = self.ways.read().unwrap_or_else(PoisonError::into_inner);
        self.open_way(place).map(drop)
    }

    /// The directory of a place, with those above it, made where missing; and the name in it.
    fn open_way<'p>(&self, place: &'p str) -> io::Result<(Dir, &'p str)> {
        let (dirs, name) = split(place);
        let mut dir = self.finished.try_clone()?;
        for part in dirs {
            let next = open_or_make(&dir, part)?;
            // Whoever has made it may not have come to this.
            sync_names(&dir)?;
            dir = next;
        }
        Ok((dir, name))
    }

    /// The same where nothing is missing.
    fn walk<'p>(&self, place: &'p str) -> io::Result<Option<(Dir, &'p str)>> {
        let (dirs, name) = split(place);
        let mut dir = self.finished.try_clone()?;
        for part in dirs {
            match enter(&dir, part)? {
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
    if let Some(dir) = enter(parent, name)? {
        return Ok(dir);
    }
    match parent.create_dir(name) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    parent.open_dir_nofollow(name)
}

/// Opens a directory, if it is there; a link to one is none.
fn enter(parent: &Dir, name: &str) -> io::Result<Option<Dir>> {
    match unless_missing(parent.symlink_metadata(name))? {
        None => Ok(None),
        Some(found) if found.is_dir() => parent.open_dir_nofollow(name).map(Some),
        Some(_) => Err(ErrorKind::NotADirectory.into()),
    }
}

fn length(dir: &Dir, name: &str) -> io::Result<Option<u64>> {
    let found = unless_missing(dir.symlink_metadata(name))?;
    Ok(found
        .filter(|found| found.is_file())
        .map(|found| found.len()))
}

fn unless_missing<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A new name is durable only when its directory is.
fn sync_names(dir: &Dir) -> io::Result<()> {
    #[cfg(unix)]
    dir.open(".")?.sync_all()?;
    Ok(())
}

#[cfg(unix)]
fn device(dir: &Dir) -> io::Result<u64> {
    use cap_std::fs::MetadataExt;
    Ok(dir.dir_metadata()?.dev())
}

#[cfg(not(unix))]
fn device(_: &Dir) -> io::Result<u64> {
    Ok(0)
}
