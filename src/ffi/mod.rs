//! The C ABI: checks, converts, catches; everything else is the Rust API's.
//!
//! The doc comments of the functions become those of `include/resup.h` and speak to C
//! programmers. What holds for all functions is said once, at the head of that header
//! (`cbindgen.toml`).
//!
//! One file for each noun; the plumbing that they share is in `boundary` (panics, faults),
//! `float` (the floating-point state), `pin` (staying loaded), `handle` (the registry), `entry` (what an
//! upload's handle stands for), `text` (strings in and out) and `callback` (the host's functions).
#![allow(non_camel_case_types)] // the names are C names
#![allow(clippy::missing_safety_doc)] // the C documentation is the contract

mod boundary;
mod callback;
mod client;
mod client_identity;
mod client_network;
mod entry;
mod float;
mod handle;
mod pin;
mod status;
#[cfg(test)]
mod tests;
mod text;
mod upload;
mod upload_events;
mod upload_getters;
mod upload_settings;
mod upload_stream;
mod version;

pub use callback::{
    resup_complete_callback, resup_destroy_callback, resup_log_callback, resup_progress_callback,
    resup_read_callback, resup_seek_callback, resup_size_callback, resup_state_callback,
    RESUP_CONTINUE,
};
pub use client::*;
pub use client_identity::*;
pub use client_network::*;
#[doc(hidden)]
pub use pin::stay_loaded;
pub use status::*;
pub use upload::*;
pub use upload_events::*;
pub use upload_getters::*;
pub use upload_settings::*;
pub use upload_stream::*;
pub use version::*;
