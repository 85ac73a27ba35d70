//! The native methods of `io.resup.Native`.

use jni::sys::jint;

use crate::client::CLIENTS;
use crate::entry::{NUMBERS, UPLOADS};
use crate::native::natives;

natives! {
    /// Returns the version of this library.
    Java_io_resup_Native_version() -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    /// Counts the clients and uploads that exist.
    Java_io_resup_Native_count() -> jint {
        (CLIENTS.len() + UPLOADS.len()) as jint
    }

    /// Returns the names of an upload's numbers in their order, separated by spaces.
    Java_io_resup_Native_numbers() -> Option<String> {
        Some(NUMBERS.map(|(name, _)| name).join(" "))
    }
}
