//! The C ABI: checks, converts, catches; the Rust API does everything else.
//!
//! Each file here is a section of `include/resup.h`, in which its module doc stands at the head and
//! its public items follow in the order of the file; so both speak to C programmers.
//! `tests/header/sections.rs` has the sections' order. What holds for all functions is in
//! `cbindgen.toml`, the head of the header. What the sections share is in `internal`.
#![allow(non_camel_case_types)] // the names are C names
#![allow(clippy::missing_safety_doc)] // the C documentation is the contract

mod client;
mod client_identity;
mod client_log;
mod client_network;
mod client_requests;
mod client_tls;
mod internal;
mod status;
#[cfg(test)]
mod tests;
mod types;
mod upload;
mod upload_callbacks;
mod upload_numbers;
mod upload_run;
mod upload_settings;
mod upload_texts;
mod version;

pub use client::*;
pub use client_identity::*;
pub use client_log::*;
pub use client_network::*;
pub use client_requests::*;
pub use client_tls::*;
pub(crate) use internal::change_time::know_change_times;
#[doc(hidden)]
pub use internal::pin::stay_loaded;
pub use status::*;
pub use types::*;
pub use upload::*;
pub use upload_callbacks::*;
pub use upload_numbers::*;
pub use upload_run::*;
pub use upload_settings::*;
pub use upload_texts::*;
pub use version::*;
