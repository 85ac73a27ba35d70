//! Resumable uploads by ordinary HTML-form POST, with a C ABI.
//!
//! An [`Upload`] asks the server what it already has of a file (*locate*), sends the rest as a
//! `multipart/form-data` form (*send*), and does both again after every lost connection, until the
//! server has confirmed the whole file. The server is the authority: nothing has to be saved on
//! this side for an upload to be resumed, not even after the program was killed. `docs/PROTOCOL.md`
//! specifies the wire protocol.
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
//! wrappers in the module [`ffi`], the only one with unsafe code.

// A build without a protocol has what only that one uses, until the linker drops it.
#![cfg_attr(
    not(all(
        feature = "dav",
        feature = "dialect",
        feature = "ietf",
        feature = "presigned",
        feature = "session",
        feature = "tus"
    )),
    allow(dead_code, unused_imports, unused_variables)
)]

mod api;
mod control;
mod digest;
mod engine;
mod error;
#[allow(unsafe_code)]
pub mod ffi;
mod http;
mod options;
mod protocol;
mod random;
mod run;
mod source;
mod transport;

pub use crate::http::certificates::Trust;
pub use crate::http::credentials::SigningAlgorithm;
pub use api::client::Client;
#[cfg(feature = "dialect")]
pub use api::dialect;
pub use api::remote::Remote;
pub use api::upload::Upload;
pub use control::flow::Flow;
pub use control::log::LogLevel;
pub use control::snapshot::{Snapshot, UploadState};
pub use error::{Error, ErrorKind, Refusal, RefusalKind};
pub use options::{
    DigestAlgorithm, DigestMode, FilenameStyle, LocateMethod, ProtocolName, SegmentSize,
    SIZE_UNKNOWN,
};

/// The beginning of every program, in whatever language.
impl Client {
    /// Makes a client for the server at `endpoint`, an `http` or `https` URL.
    ///
    /// # Errors
    /// [`Error::InvalidUrl`].
    pub fn new(endpoint: &str) -> Result<Self, Error> {
        // It stands here, above all wings: the sources of files need it, and it is unsafe code.
        ffi::know_change_times();
        Client::with_endpoint(endpoint)
    }
}
