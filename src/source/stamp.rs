//! The values that tell one version of a file from another.

use std::fs::{File, Metadata};
use std::io;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// The values that tell one version of a file from another, as one look at it gave them.
///
/// On a network drive a look at the open file and a look at its name may give different times and
/// numbers for the same file. So a stamp is compared only with one of the same kind of look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    pub size: u64,
    /// In nanoseconds since 1970.
    pub modified: Option<i128>,
    /// The change time, in nanoseconds since 1970. Every write sets it, and so does a new mode, name
    /// or link. Hardly a program sets it to a value of its own.
    pub changed: Option<i128>,
    /// The device and the file's number there, where the system has them.
    pub id: Option<(u64, u64)>,
}

impl Stamp {
    /// Makes the stamp of an open file.
    #[cfg(not(windows))]
    pub(super) fn of(file: &File) -> io::Result<Self> {
        Ok(Self::new(&file.metadata()?))
    }

    /// Makes the stamp of the file that has this name now.
    #[cfg(not(windows))]
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        // The file is not opened: it may have become a FIFO, and opening that would block.
        Ok(Self::new(&std::fs::metadata(path)?))
    }

    /// Makes the stamp of the file that has this name, and of which `meta` tells already.
    pub(super) fn of_name(path: &Path, meta: &Metadata) -> io::Result<Self> {
        match cfg!(windows) {
            // There the name alone tells less.
            true => Self::at(path),
            false => Ok(Self::new(meta)),
        }
    }

    /// Makes the stamp of an open file. Some network drives have no number for it.
    #[cfg(windows)]
    pub(super) fn of(file: &File) -> io::Result<Self> {
        let id = winapi_util::file::information(file)
            .ok()
            .map(|file| (file.volume_serial_number(), file.file_index()));
        Ok(Stamp {
            id,
            changed: CHANGE_TIME.get().and_then(|change_time| change_time(file)),
            ..Self::new(&file.metadata()?)
        })
    }

    /// Makes the stamp of the file that has this name now.
    #[cfg(windows)]
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        Self::of(&File::open(path)?)
    }

    fn new(meta: &Metadata) -> Self {
        let (changed, id) = system_values(meta);
        Stamp {
            size: meta.len(),
            modified: meta.modified().ok().map(nanoseconds),
            changed,
            id,
        }
    }

    /// Says how the file differs from what it was at the first look of the same kind; `None` where it
    /// does not. `has_ids` says whether the numbers tell one file from another.
    pub(super) fn difference(&self, now: &Stamp, has_ids: bool) -> Option<String> {
        // Some drives give a file a new number when they look at its name once more. Another file
        // has another change time, too.
        let is_other = now.changed.is_none() || now.changed != self.changed;
        if has_ids && now.id != self.id && is_other {
            return Some("another file is in its place".to_owned());
        }
        if now.size != self.size {
            return Some(format!(
                "its size was {} bytes and is {}",
                self.size, now.size
            ));
        }
        if now.modified != self.modified {
            let show = |t: Option<i128>| t.map_or("unknown".to_owned(), |t| t.to_string());
            return Some(format!(
                "its modification time (ns since 1970) was {} and is {}",
                show(self.modified),
                show(now.modified)
            ));
        }
        None
    }
}

/// A function that gives the change time of an open file.
#[cfg(windows)]
type ChangeTime = fn(&File) -> Option<i128>;

/// The function that asks Windows. It needs unsafe code, so it comes from `src/ffi`.
#[cfg(windows)]
static CHANGE_TIME: std::sync::OnceLock<ChangeTime> = std::sync::OnceLock::new();

/// Sets the function that asks Windows for a change time. Only the first call counts.
#[cfg(windows)]
pub(crate) fn set_change_time(change_time: ChangeTime) {
    let _ = CHANGE_TIME.set(change_time);
}

/// Gives the change time, and the device and number.
#[cfg(unix)]
fn system_values(meta: &Metadata) -> (Option<i128>, Option<(u64, u64)>) {
    use std::os::unix::fs::MetadataExt;
    let changed = i128::from(meta.ctime()) * 1_000_000_000 + i128::from(meta.ctime_nsec());
    (Some(changed), Some((meta.dev(), meta.ino())))
}

#[cfg(not(unix))]
fn system_values(_: &Metadata) -> (Option<i128>, Option<(u64, u64)>) {
    (None, None)
}

/// Gives a time in nanoseconds since 1970.
fn nanoseconds(time: SystemTime) -> i128 {
    // No Duration is too long for 127 bits.
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => after.as_nanos() as i128,
        Err(before) => -(before.duration().as_nanos() as i128),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Stamp = Stamp {
        size: 10,
        modified: Some(7),
        changed: Some(8),
        id: Some((1, 2)),
    };

    #[test]
    fn a_number_alone_is_no_difference() {
        let other = Stamp {
            id: Some((1, 3)),
            ..FIRST
        };
        // The drive numbers the file anew: its change time is the same.
        assert_eq!(FIRST.difference(&other, true), None);
        // Numbers that differed from the start tell nothing.
        let later = Stamp {
            changed: Some(9),
            ..other
        };
        assert_eq!(FIRST.difference(&later, false), None);
        // Another file of the same size and time was moved there.
        let why = FIRST.difference(&later, true).unwrap();
        assert!(why.contains("another file"), "{why}");
    }

    #[test]
    fn a_system_without_change_times_has_only_the_numbers() {
        let first = Stamp {
            changed: None,
            ..FIRST
        };
        let other = Stamp {
            id: Some((1, 3)),
            ..first
        };
        assert!(first.difference(&other, true).is_some());
    }

    #[test]
    fn another_size_or_time_is_a_difference_whatever_the_number() {
        for (now, word) in [
            (Stamp { size: 11, ..FIRST }, "size was 10 bytes and is 11"),
            (
                Stamp {
                    modified: None,
                    ..FIRST
                },
                "was 7 and is unknown",
            ),
        ] {
            let why = FIRST.difference(&now, false).unwrap();
            assert!(why.contains(word), "{why}");
        }
        let touched = Stamp {
            changed: Some(9),
            ..FIRST
        };
        // Only the bytes tell whether this is a change: see run/proof.rs.
        assert_eq!(FIRST.difference(&touched, true), None);
    }
}
