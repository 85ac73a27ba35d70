//! The identity of a file, whatever its name: its device and its number there.

use std::fs::File;
use std::io;
use std::path::Path;

/// The device and the file's number there, where the system has them.
pub(super) type FileId = Option<(u64, u64)>;

/// Gives the identity of an open file.
#[cfg(unix)]
pub(super) fn of(file: &File) -> io::Result<FileId> {
    file.metadata().map(|meta| id(&meta))
}

/// Gives the identity of the file that has this name now.
#[cfg(unix)]
pub(super) fn at(path: &Path) -> io::Result<FileId> {
    // The file is not opened: it may have become a FIFO, and opening that would block.
    std::fs::metadata(path).map(|meta| id(&meta))
}

#[cfg(unix)]
fn id(meta: &std::fs::Metadata) -> FileId {
    use std::os::unix::fs::MetadataExt;
    Some((meta.dev(), meta.ino()))
}

/// Gives the identity of an open file; some network drives have none.
#[cfg(windows)]
pub(super) fn of(file: &File) -> io::Result<FileId> {
    Ok(winapi_util::file::information(file)
        .ok()
        .map(|file| (file.volume_serial_number(), file.file_index())))
}

/// Gives the identity of the file that has this name now.
#[cfg(windows)]
pub(super) fn at(path: &Path) -> io::Result<FileId> {
    of(&File::open(path)?)
}

#[cfg(not(any(unix, windows)))]
pub(super) fn of(_: &File) -> io::Result<FileId> {
    Ok(None)
}

#[cfg(not(any(unix, windows)))]
pub(super) fn at(_: &Path) -> io::Result<FileId> {
    Ok(None)
}
