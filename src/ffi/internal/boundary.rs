//! What every entry has around it: panics are caught, faults become statuses and messages, and
//! the program's floating-point state is kept (`float.rs`).

use std::cell::RefCell;
use std::ffi::{c_char, CString};
use std::panic::{catch_unwind, AssertUnwindSafe};

use super::float::in_library_state;
use crate::error::Error;
use crate::ffi::status::{
    self, RESUP_E_FREED, RESUP_E_HANDLE, RESUP_E_HANDLE_KIND, RESUP_E_INTERNAL, RESUP_OK,
};
use crate::ffi::types::resup_status;

/// A call's failure: its status, and a message that names the thing.
#[derive(Debug)]
pub(crate) struct Fault {
    pub status: resup_status,
    pub message: String,
}

impl Fault {
    pub(crate) fn new(status: resup_status, message: impl Into<String>) -> Self {
        Fault {
            status,
            message: message.into(),
        }
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Fault::new(status::of(&error), error.to_string())
    }
}

thread_local! {
    /// The last fault on this thread that no upload keeps, and the client that it belongs to.
    static LAST: RefCell<(usize, CString)> = RefCell::default();
}

/// Runs the body of an entry; `owner` is the client that a fault's message is kept for.
pub(crate) fn enter(
    owner: usize,
    body: impl FnOnce() -> Result<resup_status, Fault>,
) -> resup_status {
    let mut body = Some(body);
    enter_once(owner, &mut || body.take().expect("called once")())
}

/// One piece of machine code for all entries.
fn enter_once(owner: usize, body: &mut dyn FnMut() -> Result<resup_status, Fault>) -> resup_status {
    in_library_state(|| match catch(body) {
        Ok(status) => status,
        Err(fault) => {
            // Without a usable handle there is no client that the message could be kept for.
            let owner = match fault.status {
                RESUP_E_HANDLE | RESUP_E_FREED | RESUP_E_HANDLE_KIND => 0,
                _ => owner,
            };
            let message = c_text(&fault.message);
            // At the very end of a thread there is no place for it any more.
            let _ = LAST.try_with(|last| *last.borrow_mut() = (owner, message));
            fault.status
        }
    })
}

/// Does the same as [`enter`] for bodies that have nothing to say but that they succeeded.
pub(crate) fn perform(owner: usize, body: impl FnOnce() -> Result<(), Fault>) -> resup_status {
    enter(owner, || body().map(|()| RESUP_OK))
}

/// Runs a body whose panic is a fault like another.
pub(crate) fn catch<T>(body: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    // What a panic leaves half-done belongs to a handle, and that is poisoned then.
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| {
        let error = Error::from_panic(&*panic);
        Err(Fault::new(RESUP_E_INTERNAL, error.to_string()))
    })
}

/// Returns the kept message when it belongs to `owner`, else an empty text.
pub(crate) fn last_message(owner: usize) -> *const c_char {
    let kept = LAST.try_with(|last| {
        let last = last.borrow();
        (last.0 == owner).then(|| last.1.as_ptr())
    });
    kept.ok().flatten().unwrap_or(c"".as_ptr())
}

/// Makes a C string of `text`; a NUL in it, which no message should have, ends it.
pub(crate) fn c_text(text: &str) -> CString {
    let end = text.find('\0').unwrap_or(text.len());
    CString::new(&text[..end]).unwrap_or_default()
}
