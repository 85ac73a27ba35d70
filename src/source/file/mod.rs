//! A file on disk.

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::failure::{is_passing, source_error};
use super::stamp::Stamp;
use super::traits::Source;
use crate::control::stop::Stop;
use crate::error::Error;

/// A file on disk.
pub(super) struct FileSource {
    path: PathBuf,
    file: File,
    /// The position of the next read.
    position: u64,
    /// The first look at the open file.
    opened: Stamp,
    /// The first look at its name.
    named: Stamp,
}

impl FileSource {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        match Self::try_open(path) {
            Err(Error::SourceIo { passing: true, .. }) => Self::try_open(path),
            result => result,
        }
    }

    fn try_open(path: &Path) -> Result<Self, Error> {
        let failed = |e: io::Error| source_error(path, &e);
        // Before it is opened: opening a FIFO would block until somebody writes to it.
        let meta = std::fs::metadata(path).map_err(failed)?;
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
        let named = Stamp::of_name(path, &meta).map_err(failed)?;
        let file = File::open(path).map_err(failed)?;
        let opened = Stamp::of(&file).map_err(failed)?;
        let mut source = FileSource {
            path: path.to_owned(),
            file,
            position: 0,
            opened,
            named,
        };
        if opened.size == 0 {
            source.look_past_end()?;
        }
        Ok(source)
    }

    /// Compares a look at the file with the first look of the same kind.
    fn compare(&self, first: &Stamp, now: &Stamp) -> Result<(), Error> {
        // On some drives the numbers of the name and of the open file differ from the start.
        let has_ids = self.named.id == self.opened.id;
        match first.difference(now, has_ids) {
            Some(why) => Err(self.changed(why)),
            None => Ok(()),
        }
    }

    /// Checks that the open file, and the file that has its name now, are unchanged. Gives the open
    /// file's change time.
    fn check(&mut self) -> Result<Option<i128>, Error> {
        let now = match Stamp::of(&self.file) {
            Err(e) if is_passing(&e) => {
                self.reopen()?;
                Stamp::of(&self.file)
            }
            result => result,
        };
        let now = now.map_err(|e| source_error(&self.path, &e))?;
        self.compare(&self.opened, &now)?;
        let named = match Stamp::at(&self.path) {
            Err(e) if is_passing(&e) => Stamp::at(&self.path),
            result => result,
        };
        let named = named.map_err(|e| self.name_error(&e))?;
        self.compare(&self.named, &named)?;
        Ok(now.changed)
    }

    /// Makes the error of a look at the name of the file, which was there before.
    fn name_error(&self, error: &io::Error) -> Error {
        match error.kind() {
            // Windows says so of a network drive that is away, too.
            io::ErrorKind::NotFound if !is_passing(error) => {
                self.changed("it was removed or renamed".to_owned())
            }
            _ => source_error(&self.path, error),
        }
    }

    /// Opens the file anew, since a network drive that was away no longer knows the open file.
    fn reopen(&mut self) -> Result<(), Error> {
        self.file = self.open_again()?;
        self.seek(self.position)
    }

    /// Opens the same version of the file once more.
    fn open_again(&self) -> Result<File, Error> {
        let failed = |e: io::Error| source_error(&self.path, &e);
        // Before it is opened: opening a FIFO that has the name now would block.
        let named = Stamp::at(&self.path).map_err(|e| self.name_error(&e))?;
        self.compare(&self.named, &named)?;
        let file = File::open(&self.path).map_err(|e| self.name_error(&e))?;
        self.compare(&self.opened, &Stamp::of(&file).map_err(failed)?)?;
        Ok(file)
    }

    /// Reads some bytes; opens the file anew after a failure that may pass.
    fn read_some(&mut self, buf: &mut [u8]) -> Result<usize, Error> {
        let mut is_new = false;
        loop {
            match self.file.read(buf) {
                Ok(n) => {
                    self.position += n as u64;
                    return Ok(n);
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) if is_passing(&e) && !is_new => {
                    self.reopen()?;
                    is_new = true;
                }
                Err(e) => return Err(source_error(&self.path, &e)),
            }
        }
    }

    /// Checks that the file ends at its size. The system gives a size of 0 for files that it makes up
    /// when they are read, such as those in /proc.
    fn look_past_end(&mut self) -> Result<(), Error> {
        if self.read_some(&mut [0])? == 0 {
            return Ok(());
        }
        // A file that grows has another size by now.
        self.check()?;
        Err(self.wrong_size("it has more than"))
    }

    /// Makes the error of a file whose size is not the number of its bytes.
    fn wrong_size(&self, has: &str) -> Error {
        let size = self.opened.size;
        Error::SourceSize {
            path: self.name(),
            why: format!("{has} its size, {size} bytes; copy it first, and upload the copy"),
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

    fn change_time(&self) -> Option<i128> {
        self.opened.changed
    }

    fn identity(&self) -> Option<String> {
        let path = std::path::absolute(&self.path).ok()?;
        let Stamp {
            size,
            modified,
            changed,
            id,
        } = self.opened;
        // The format is fixed here, because it is compared with the text of another version of the
        // library.
        let time = |at: Option<i128>| at.map(|at| at.to_string()).unwrap_or_default();
        let (device, number) = id.unwrap_or_default();
        Some(format!(
            "{} {size} {} {} {device} {number}",
            path.display(),
            time(modified),
            time(changed)
        ))
    }

    fn seek(&mut self, offset: u64) -> Result<(), Error> {
        self.file
            .seek(SeekFrom::Start(offset))
            .map_err(|e| source_error(&self.path, &e))?;
        self.position = offset;
        Ok(())
    }

    fn read(&mut self, buf: &mut [u8]) -> Result<usize, Stop> {
        let n = self.read_some(buf)?;
        if n == 0 {
            self.check()?;
            return Err(self.wrong_size("it has less than").into());
        }
        if self.position == self.opened.size {
            self.look_past_end()?;
        }
        Ok(n)
    }

    fn verify(&mut self) -> Result<Option<i128>, Stop> {
        Ok(self.check()?)
    }

    fn another(&self) -> Result<Box<dyn Source>, Error> {
        Ok(Box::new(FileSource {
            path: self.path.clone(),
            file: self.open_again()?,
            position: 0,
            opened: self.opened,
            named: self.named,
        }))
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
