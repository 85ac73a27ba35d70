//! Strings from C.

use std::ffi::{c_char, CStr};

use super::boundary::Fault;
use super::status::{RESUP_E_NULL, RESUP_E_UTF8};

/// The text at `pointer`, which `what` names in messages.
///
/// # Safety
/// `pointer` is NULL or points to a NUL-terminated string that does not change for `'a`.
pub(super) unsafe fn text<'a>(what: &str, pointer: *const c_char) -> Result<&'a str, Fault> {
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

/// The UTF-16 units at `pointer`, up to the terminating 0.
///
/// # Safety
/// `pointer` is NULL or points to 0-terminated units that do not change for `'a`.
pub(super) unsafe fn utf16<'a>(what: &str, pointer: *const u16) -> Result<&'a [u16], Fault> {
    if pointer.is_null() {
        return Err(Fault::new(RESUP_E_NULL, format!("the {what} is NULL")));
    }
    let mut length = 0;
    // SAFETY: every unit up to the terminating 0 is readable by the caller's contract.
    while unsafe { *pointer.add(length) } != 0 {
        length += 1;
    }
    // SAFETY: as above; `length` units were just read.
    Ok(unsafe { std::slice::from_raw_parts(pointer, length) })
}
