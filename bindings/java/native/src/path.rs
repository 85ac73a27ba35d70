//! Paths, in whatever encoding the operating system has them.

use std::ffi::OsString;
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
        read(env, chars).map(PathBuf::from)
    }
}

/// Reads the path of a URI, which keeps every byte of the file's name.
#[cfg(unix)]
fn read<'local>(env: &mut Env<'local>, chars: JCharArray<'local>) -> Result<OsString, Failure> {
    use std::os::unix::ffi::OsStringExt;
    let text = String::from_java(env, chars)?;
    let mut bytes: Vec<u8> = percent_encoding::percent_decode_str(&text).collect();
    // The URI of a directory ends with a slash.
    if bytes.len() > 1 && bytes.ends_with(b"/") {
        bytes.pop();
    }
    Ok(OsString::from_vec(bytes))
}

/// Reads UTF-16 code units, which need not be valid UTF-16.
#[cfg(windows)]
fn read<'local>(env: &mut Env<'local>, chars: JCharArray<'local>) -> Result<OsString, Failure> {
    use std::os::windows::ffi::OsStringExt;
    let units = crate::text::units(env, &chars)?;
    Ok(OsString::from_wide(&units))
}
