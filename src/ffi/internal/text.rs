//! Strings from C.

use std::ffi::{c_char, CStr};
use std::path::PathBuf;

use super::boundary::Fault;
use crate::ffi::status::{RESUP_E_NULL, RESUP_E_UTF8};

/// Returns the text at `pointer`, which `what` names in messages.
///
/// # Safety
/// `pointer` is NULL or points to a NUL-terminated string that does not change for `'a`.
pub(crate) unsafe fn text<'a>(what: &str, pointer: *const c_char) -> Result<&'a str, Fault> {
    if pointer.is_null() {
        return Err(Fault::new(RESUP_E_NULL, format!("the {what} is NULL")));
    }
    // SAFETY: not NULL, and a C string by the caller's contract.
    let bytes = unsafe { CStr::from_ptr(pointer) };
    bytes.to_str().map_err(|e| {
        Fault::new(
            RESUP_E_UTF8,
            format!(
                "the {what} is not valid UTF-8 (from byte {} on); convert it",
                e.valid_up_to()
            ),
        )
    })
}

/// Returns the path at `pointer`: any bytes on Unix, UTF-8 elsewhere.
///
/// # Safety
/// As for [`text`].
pub(crate) unsafe fn native_path(what: &str, pointer: *const c_char) -> Result<PathBuf, Fault> {
    #[cfg(unix)]
    if !pointer.is_null() {
        use std::os::unix::ffi::OsStrExt;
        // SAFETY: not NULL, and a C string by the caller's contract.
        let bytes = unsafe { CStr::from_ptr(pointer) }.to_bytes();
        return Ok(std::ffi::OsStr::from_bytes(bytes).into());
    }
    // SAFETY: the same contract.
    Ok(unsafe { text(what, pointer) }?.into())
}

/// Returns the path at `pointer`, in UTF-16, up to the terminating 0.
///
/// # Safety
/// `pointer` is NULL or points to 0-terminated units.
pub(crate) unsafe fn utf16_path(what: &str, pointer: *const u16) -> Result<PathBuf, Fault> {
    if pointer.is_null() {
        return Err(Fault::new(RESUP_E_NULL, format!("the {what} is NULL")));
    }
    let mut length = 0;
    // SAFETY: every unit up to the terminating 0 is readable by the caller's contract.
    while unsafe { *pointer.add(length) } != 0 {
        length += 1;
    }
    // SAFETY: as above; `length` units were just read.
    path_of(what, unsafe { std::slice::from_raw_parts(pointer, length) })
}

#[cfg(windows)]
fn path_of(_: &str, units: &[u16]) -> Result<PathBuf, Fault> {
    use std::os::windows::ffi::OsStringExt;
    Ok(std::ffi::OsString::from_wide(units).into())
}

#[cfg(not(windows))]
fn path_of(what: &str, units: &[u16]) -> Result<PathBuf, Fault> {
    let path = String::from_utf16(units);
    let path =
        path.map_err(|_| Fault::new(RESUP_E_UTF8, format!("the {what} is not valid UTF-16")))?;
    Ok(path.into())
}
