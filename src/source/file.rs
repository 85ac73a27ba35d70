//! A file on disk.

use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::file_id::{self, FileId};
use super::traits::Source;
use crate::control::stop::Stop;
use crate::error::Error;

/// A file on disk.
pub(super) struct FileSource {
    path: PathBuf,
    file: File,
    opened: Stamp,
}

/// The values that tell one version of a file from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    size: u64,
    /// In nanoseconds since 1970.
    modified: Option<i128>,
    id: FileId,
}

impl Stamp {
    /// Makes the stamp of an open file.
    fn of(file: &File) -> io::Result<Self> {
        Ok(Self::new(&file.metadata()?, file_id::of(file)?))
    }

    /// Makes the stamp of the file that has this name now.
    fn at(path: &Path) -> io::Result<Self> {
        Ok(Self::new(&std::fs::metadata(path)?, file_id::at(path)?))
    }

    fn new(meta: &Metadata, id: FileId) -> Self {
        Stamp {
            size: meta.len(),
            modified: meta.modified().ok().map(nanoseconds),
            id,
        }
    }
}

/// Gives a time in nanoseconds since 1970.
fn nanoseconds(time: SystemTime) -> i128 {
    // No Duration is too long for 127 bits.
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => after.as_nanos() as i128,
        Err(before) => -(before.duration().as_nanos() as i128),
    }
}

impl FileSource {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        // Before it is opened: opening a FIFO would block until somebody writes to it.
        let meta = std::fs::metadata(path).map_err(|e| source_error(path, &e))?;
        if !meta.is_file() {
            return Err(Error::SourceNotAFile {
                path: shown(path),
                is: if meta.is_dir() {
                    "a directory"
                } else {
                    "a device, pipe or socket"
                },
            });
        }
        let opened = |file: File| Ok((Stamp::of(&file)?, file));
        let (opened, file) = File::open(path)
            .and_then(opened)
            .map_err(|e| source_error(path, &e))?;
        Ok(FileSource {
            path: path.to_owned(),
            file,
            opened,
        })
    }

    fn compare(&self, now: Stamp) -> Result<(), Error> {
        let was = self.opened;
        if now.id != was.id {
            return Err(self.changed("another file is in its place".to_owned()));
        }
        if now.size != was.size {
            let why = format!("its size was {} bytes and is {}", was.size, now.size);
            return Err(self.changed(why));
        }
        if now.modified != was.modified {
            let show = |t: Option<i128>| t.map_or("unknown".to_owned(), |t| t.to_string());
            return Err(self.changed(format!(
                "its modification time (ns since 1970) was {} and is {}",
                show(was.modified),
                show(now.modified)
            )));
        }
        Ok(())
    }
}

impl FileSource {
    /// Checks that the open file, and the file that has its name now, are unchanged.
    fn check(&self) -> Result<(), Error> {
        let open = Stamp::of(&self.file);
        self.compare(open.map_err(|e| source_error(&self.path, &e))?)?;
        match Stamp::at(&self.path) {
            Ok(named) => self.compare(named),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                Err(self.changed("it was removed or renamed".to_owned()))
            }
            Err(e) => Err(source_error(&self.path, &e)),
        }
    }
}

impl Source for FileSource {
    fn name(&self) -> String {
        shown(&self.path)
    }

    fn size(&self) -> u64 {
        self.opened.size
    }

    fn mtime(&self) -> Option<i64> {
        let modified = self.opened.modified? / 1_000_000;
        Some(modified.try_into().unwrap_or(i64::MAX))
    }

    fn identity(&self) -> Option<String> {
        let path = std::path::absolute(&self.path).ok()?;
        let Stamp { size, modified, id } = self.opened;
        // The format is fixed here, because it is compared with the text of another version of the
        // library.
        let time = modified.map(|at| at.to_string()).unwrap_or_default();
        let (device, number) = id.unwrap_or_default();
        Some(format!(
            "{} {size} {time} {device} {number}",
            path.display()
        ))
    }

    fn seek(&mut self, offset: u64) -> Result<(), Error> {
        self.file
            .seek(SeekFrom::Start(offset))
            .map_err(|e| source_error(&self.path, &e))?;
        Ok(())
    }

    fn read(&mut self, buf: &mut [u8]) -> Result<usize, Stop> {
        loop {
            match self.file.read(buf) {
                Ok(0) => {
                    self.verify()?;
                    return Err(self.changed("it ended before its size".to_owned()).into());
                }
                Ok(n) => return Ok(n),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(source_error(&self.path, &e).into()),
            }
        }
    }

    fn verify(&mut self) -> Result<(), Stop> {
        Ok(self.check()?)
    }
}

/// The Windows error for a file that another program has open without sharing it.
const SHARING_VIOLATION: i32 = 32;
/// The Windows error for bytes of a file that another program has locked.
const LOCK_VIOLATION: i32 = 33;

fn source_error(path: &Path, error: &io::Error) -> Error {
    let path = shown(path);
    let why = error.to_string();
    if cfg!(windows)
        && matches!(
            error.raw_os_error(),
            Some(SHARING_VIOLATION | LOCK_VIOLATION)
        )
    {
        let why = format!("another program has it open for itself; close it there ({why})");
        return Error::SourceDenied { path, why };
    }
    match error.kind() {
        io::ErrorKind::NotFound => Error::SourceNotFound { path },
        io::ErrorKind::PermissionDenied => Error::SourceDenied { path, why },
        _ => Error::SourceIo { path, why },
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn file(content: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        std::fs::write(&path, content).unwrap();
        (dir, path)
    }

    fn why(result: Result<(), Stop>) -> String {
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
        let read = source.read(&mut [0; 8]).map(|_| ());
        assert!(why(read).contains("10 bytes and is 4"));
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
        set(Duration::from_secs(1));
        assert_eq!(identity(&path), first);

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
}
