//! Paths, in whatever encoding the operating system has them.

use std::path::PathBuf;

use jni::objects::JCharArray;
use jni::Env;

use crate::convert::FromJava;
use crate::failure::Failure;

/// A path as `io.resup.Text.path` writes it: the path of a URI, which keeps every byte of the file's
/// name.
#[cfg(unix)]
impl FromJava for PathBuf {
    type Java<'local> = JCharArray<'local>;

    fn from_java<'local>(
        env: &mut Env<'local>,
        chars: JCharArray<'local>,
    ) -> Result<Self, Failure> {
        String::from_java(env, chars).map(decode)
    }
}

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

/// A path as `io.resup.Text.path` writes it. Its units need not be valid UTF-16.
#[cfg(windows)]
impl FromJava for PathBuf {
    type Java<'local> = JCharArray<'local>;

    fn from_java<'local>(
        env: &mut Env<'local>,
        chars: JCharArray<'local>,
    ) -> Result<Self, Failure> {
        use std::os::windows::ffi::OsStringExt;
        let mut units = vec![0; chars.len(env)?];
        chars.get_region(env, 0, &mut units)?;
        Ok(std::ffi::OsString::from_wide(&units).into())
    }
}
