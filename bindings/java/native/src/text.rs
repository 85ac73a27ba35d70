//! Texts, as UTF-16 in both directions: nothing is lost, and what is no text is told.
#![forbid(unsafe_code)]

use jni::objects::JCharArray;
use jni::Env;

use crate::failure::Failure;

/// A text of Java's.
pub fn from_java(env: &mut Env<'_>, chars: &JCharArray<'_>) -> Result<String, Failure> {
    let mut units = vec![0; chars.len(env)?];
    chars.get_region(env, 0, &mut units)?;
    String::from_utf16(&units).map_err(|_| {
        let bad = char::decode_utf16(units)
            .enumerate()
            .find_map(|(at, unit)| unit.err().map(|e| (at, e.unpaired_surrogate())));
        let (at, unit) = bad.unwrap_or_default();
        Failure::Argument(format!(
            "the text has half a character in it (the surrogate U+{unit:04X} alone, after {at} \
             characters) and cannot be sent"
        ))
    })
}

/// A text for Java.
pub fn to_java<'local>(env: &mut Env<'local>, text: &str) -> Result<JCharArray<'local>, Failure> {
    let units: Vec<u16> = text.encode_utf16().collect();
    let chars = JCharArray::new(env, units.len())?;
    chars.set_region(env, 0, &units)?;
    Ok(chars)
}

/// A text for Java, or null.
pub fn to_java_or_null<'local>(
    env: &mut Env<'local>,
    text: Option<&str>,
) -> Result<JCharArray<'local>, Failure> {
    match text {
        Some(text) => to_java(env, text),
        None => Ok(JCharArray::default()),
    }
}
