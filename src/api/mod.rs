//! The public Rust API: clients, uploads and their settings. The C ABI wraps it.

mod check;
pub(crate) mod client;
#[cfg(feature = "dialect")]
pub mod dialect;
pub(crate) mod remote;
pub(crate) mod upload;
