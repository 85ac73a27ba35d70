//! The failures of a file, and those of them that pass by themselves.

use std::io;
use std::path::Path;

use crate::error::Error;

/// The Windows error for a file that another program has open without sharing it.
const SHARING_VIOLATION: i32 = 32;
/// The Windows error for bytes of a file that another program has locked.
const LOCK_VIOLATION: i32 = 33;

/// The errors of drives that are away for a while, or behind a network that is: `EIO`, and on Linux
/// `ESHUTDOWN`, `EHOSTDOWN` and `EREMOTEIO`.
#[cfg(not(windows))]
const PASSING: [i32; 4] = [5, 108, 112, 121];
/// The errors of drives that are away for a while, or behind a network that is:
/// `INVALID_DRIVE`, `NOT_READY`, `REM_NOT_LIST`, `BAD_NETPATH`, `NETWORK_BUSY`, `DEV_NOT_EXIST`, `UNEXP_NET_ERR`, `NETNAME_DELETED`,
/// `BAD_NET_NAME`, `SEM_TIMEOUT`, `IO_DEVICE`, `NO_SYSTEM_RESOURCES` and `CONNECTION_ABORTED`.
#[cfg(windows)]
const PASSING: [i32; 13] = [15, 21, 51, 53, 54, 55, 59, 64, 67, 121, 1117, 1450, 1236];

/// Whether a failure of a file may pass by itself, as those of network drives do.
pub(super) fn is_passing(error: &io::Error) -> bool {
    use io::ErrorKind::*;
    let kinds = matches!(
        error.kind(),
        StaleNetworkFileHandle
            | TimedOut
            | HostUnreachable
            | NetworkUnreachable
            | NetworkDown
            | ConnectionReset
            | ConnectionAborted
            | ConnectionRefused
            | NotConnected
            | BrokenPipe
            | ResourceBusy
    );
    kinds
        || error
            .raw_os_error()
            .is_some_and(|code| PASSING.contains(&code))
}

/// Makes the error of the upload for a failure of the file at `path`.
pub(super) fn source_error(path: &Path, error: &io::Error) -> Error {
    let path = path.display().to_string();
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
    let passing = is_passing(error);
    match error.kind() {
        io::ErrorKind::NotFound if !passing => Error::SourceNotFound { path },
        io::ErrorKind::PermissionDenied => Error::SourceDenied { path, why },
        _ => Error::SourceIo { path, why, passing },
    }
}
