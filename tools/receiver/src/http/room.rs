//! The data directory, and how much is free there, for the log.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::http::size::in_units;

static DATA: OnceLock<PathBuf> = OnceLock::new();

/// Sets the data directory. A receiver has one.
pub fn set_data(data: &Path) {
    let _ = DATA.set(data.to_owned());
}

/// Tells how many bytes are free where the uploads are.
pub fn free_room() -> Option<u64> {
    free(DATA.get()?)
}

/// Writes where the uploads are, and how much is free there: `the data directory is /srv, with 1.50 MB (…) free`.
pub fn room() -> String {
    let data = DATA.get().map_or(Path::new(""), PathBuf::as_path);
    let free = free(data).map_or(String::new(), |free| {
        format!(", with {} free", in_units(free))
    });
    format!("the data directory is {}{free}", data.display())
}

/// Tells how many bytes are free in a directory's file system; `None` where that cannot be told.
#[cfg(unix)]
pub fn free(data: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(data).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Tells how many bytes are free in a directory's file system; `None` where that cannot be told.
#[cfg(not(unix))]
pub fn free(_: &Path) -> Option<u64> {
    None
}
