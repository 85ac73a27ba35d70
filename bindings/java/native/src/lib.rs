//! The native half of the Java binding: what the classes `io.resup.NativeClient` and
//! `io.resup.NativeUpload` call, over the library's Rust API.
//!
//! Objects are known to Java by numbers, never by addresses (`registry.rs`), texts go both ways as
//! UTF-16 (`text.rs`), failures become Java's exceptions in one place (`failure.rs`). Java is
//! called on its own threads only, from within `NativeUpload.run` (`run.rs`).

#![deny(unsafe_code)]

mod client;
mod code;
mod failure;
mod native;
mod path;
mod registry;
mod run;
mod text;
mod upload;
