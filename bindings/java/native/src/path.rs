//! Paths as the system has them, whatever encoding they are in.
#![forbid(unsafe_code)]

use std::path::PathBuf;

/// The path that `io.resup.Text.path` wrote: the path of its URI, which keeps every byte.
#[cfg(unix)]
pub fn from_text(text: &str) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    let bytes: Vec<u8> = percent_encoding::percent_decode_str(text).collect();
    // The URI of a directory ends so.
    let end = match bytes.as_slice() {
        [b'/'] => 1,
        [.., b'/'] => bytes.len() - 1,
        _ => bytes.len(),
    };
    std::ffi::OsString::from_vec(bytes[..end].to_vec()).into()
}

/// The path that `io.resup.Text.path` wrote: itself.
#[cfg(windows)]
pub fn from_text(text: &str) -> PathBuf {
    text.into()
}
