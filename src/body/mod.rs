//! The bytes of a request: from the source, past the digest and the pace, into the form.
#![forbid(unsafe_code)]

pub(crate) mod digest;
mod file_id;
pub(crate) mod hasher;
pub(crate) mod multipart;
pub(crate) mod pace;
pub(crate) mod reader;
pub(crate) mod source;
