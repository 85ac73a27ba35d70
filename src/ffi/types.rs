//! Types
//!
//! The handles, what functions return, and what all callbacks share.

use std::ffi::c_void;

/// A server, and what all uploads to it share.
pub struct resup_client(());

/// The upload of one file.
pub struct resup_upload(());

/// What a function returns: #RESUP_OK, or another of the status codes. They are positive, grouped
/// by what a program can do about them, and never renumbered.
pub type resup_status = i32;

/// What a callback returns when the upload is to go on. Any other value cancels it.
pub const RESUP_CONTINUE: i32 = 0;

/// Releases a callback's `user_data`, once: when another callback takes its place or the handle is
/// freed, on the thread that does so; at once when the registration fails. May be NULL.
pub type resup_destroy_callback = Option<unsafe extern "C" fn(user_data: *mut c_void)>;
