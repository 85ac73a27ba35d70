//! The native library of the Java binding: the functions behind the `native` methods of `io.resup`, over the Rust API.
//!
//! Modules, each of which uses only those below it:
//!
//! - `library`: the native methods of `io.resup.Native`;
//! - `client`, `upload`: those of `NativeClient` and `NativeUpload`;
//! - `entry`: an upload with its lock, and what a run does;
//! - `run`: calls of `io.resup.Run` from within a run, on the thread of that run;
//! - `native`: the macro that declares native methods;
//! - `exception`: failures as Java exceptions;
//! - `code`: enum constants and their codes, both ways;
//! - `path`, `text`: paths and strings, which cross as UTF-16;
//! - `registry`: objects that Java knows by numbers, never by addresses;
//! - `convert`: the traits of arguments and results, and numbers;
//! - `failure`: why a native method failed.

mod client;
mod code;
mod convert;
mod entry;
mod exception;
mod failure;
mod library;
mod native;
mod path;
mod registry;
mod run;
mod text;
mod upload;
