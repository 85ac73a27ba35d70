//! What a Rust program sees: clients, uploads, and their settings. The C ABI is made of it.

mod check;
pub(crate) mod client;
pub(crate) mod remote;
pub(crate) mod upload;
