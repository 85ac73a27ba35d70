//! Paths, in whatever encoding the operating system has them.

use std::path::PathBuf;

use jni::objects::JCharArray;
use jni::Env;

use crate::convert::FromJava;
use crate::failure::Failure;

/// A path as `io.resup.Text.path` writes it.
impl FromJava for PathBuf {
    type Java<'local> = JCharArray<'local>;

    fn from_java<'local>(
        env: &mut Env<'local>,
        chars: JCharArray<'local>,
    ) -> Result<Self, Failure> {
        String::from_java(env, chars).map(decode)
    }
}

/// Decodes the path of a URI, which keeps every byte of the file's name.
#[cfg(unix)]
fn decode(text: String) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    let bytes: Vec<u8> = percent_encoding::percent_decode_str(&text).collect();
    // The URI of a directory ends with a slash.
    let end = match bytes.as_slice() {
        [b'/'] => 1,
        [.., b'/'] => bytes.len() - 1,
        _ => bytes.len(),
    };
    std::ffi::OsString::from_vec(bytes[..end].to_vec()).into()
}

/// Takes the text as it is.
#[cfg(windows)]
fn decode(text: String) -> PathBuf {
    text.into()
}
