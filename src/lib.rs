//! Resumable uploads by ordinary HTML-form POST, with a C ABI.
//!
//! An [`Upload`] asks the server what it already has of a file (*locate*), sends the rest as a
//! `multipart/form-data` form (*send*), and does both again after every break, until the server
//! has confirmed the whole file. The server is the authority: nothing has to be saved on this
//! side for an upload to be resumed, not even after the program was killed. The wire protocol is
//! told in `docs/PROTOCOL.md`.
//!
//! ```no_run
//! let client = resup::Client::new("https://example.org/upload")?;
//! let mut upload = resup::Upload::from_file(&client, "video.mp4")?;
//! upload.on_progress(|now| {
//!     println!("{} of {} bytes", now.position, now.size);
//!     resup::Flow::Continue
//! });
//! upload.run()?;
//! # Ok::<(), resup::Error>(())
//! ```
//!
//! Programs in C and other languages use the functions of `include/resup.h`; they are thin
//! wrappers, made in the module `ffi`, which is also the only one with unsafe code.

#![deny(unsafe_code)]

mod body;
mod certificates;
mod client;
mod config;
mod content_type;
mod control;
mod credentials;
mod endpoint;
mod engine;
mod error;
#[allow(unsafe_code)]
pub mod ffi;
mod log;
mod progress;
mod protocol;
mod proxy;
mod random;
mod rate;
mod remote;
mod retry;
mod run;
mod secret;
mod segment;
mod session;
mod snapshot;
mod state_file;
mod transport;
mod upload;

pub use certificates::Trust;
pub use client::Client;
pub use config::{DigestMode, FilenameStyle, LocateMethod};
pub use credentials::SigningAlgorithm;
pub use error::{Error, ErrorKind, Refusal, RefusalKind};
pub use log::LogLevel;
pub use remote::Remote;
pub use segment::SegmentSize;
pub use snapshot::{Snapshot, UploadState};
pub use upload::{Flow, Upload};
