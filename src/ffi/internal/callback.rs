//! What the program registers with a callback, and what callbacks return.

use std::ffi::c_void;

use super::float::in_program_state;
use crate::control::flow::Flow;
use crate::ffi::types::{resup_destroy_callback, RESUP_CONTINUE};

/// The `user_data` of a callback; its destroy function is called at the end of its life.
pub(crate) struct UserData {
    pointer: *mut c_void,
    destroy: resup_destroy_callback,
}

// SAFETY: the pointer is only handed back to the program, on the threads on which the program calls
// `run`, `wait`, the setters and `free`; one at a time, which the handle's lock ensures.
unsafe impl Send for UserData {}

// SAFETY: only the pointer's value is read through a shared reference. The header tells the program
// that a log callback may run on several threads at once, so what it points to is fit for that.
unsafe impl Sync for UserData {}

impl UserData {
    pub(crate) fn new(pointer: *mut c_void, destroy: resup_destroy_callback) -> Self {
        UserData { pointer, destroy }
    }

    pub(crate) fn pointer(&self) -> *mut c_void {
        self.pointer
    }
}

impl Drop for UserData {
    fn drop(&mut self) {
        if let Some(destroy) = self.destroy {
            // SAFETY: the program registered this function for this pointer; it is called once.
            in_program_state(|| unsafe { destroy(self.pointer) });
        }
    }
}

/// Returns what a callback's return value means.
pub(crate) fn flow(returned: i32) -> Flow {
    match returned {
        RESUP_CONTINUE => Flow::Continue,
        _ => Flow::Cancel,
    }
}
