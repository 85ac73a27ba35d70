//! Strings, which cross as arrays of UTF-16 code units, so that nothing is lost or replaced.

use jni::objects::JCharArray;
use jni::Env;
use zeroize::Zeroizing;

use crate::convert::{FromJava, IntoJava};
use crate::failure::Failure;

/// Reads the UTF-16 code units of an array.
pub(crate) fn units(env: &Env<'_>, chars: &JCharArray<'_>) -> Result<Zeroizing<Vec<u16>>, Failure> {
    let mut units = Zeroizing::new(vec![0; chars.len(env)?]);
    chars.get_region(env, 0, &mut units)?;
    Ok(units)
}

impl FromJava for String {
    type Java<'local> = JCharArray<'local>;

    fn from_java<'local>(
        env: &mut Env<'local>,
        chars: JCharArray<'local>,
    ) -> Result<Self, Failure> {
        let units = units(env, &chars)?;
        // It never grows, which would leave a part of a secret behind.
        let mut text = String::with_capacity(3 * units.len());
        for character in char::decode_utf16(units.iter().copied()) {
            let character = character.map_err(|_| Failure::Argument(describe_surrogate(&units)));
            text.push(character?);
        }
        Ok(text)
    }
}

/// Describes the first surrogate that is not part of a pair.
fn describe_surrogate(units: &[u16]) -> String {
    let first = char::decode_utf16(units.iter().copied())
        .enumerate()
        .find_map(|(index, unit)| unit.err().map(|e| (index, e.unpaired_surrogate())));
    let (index, unit) = first.unwrap_or_default();
    format!(
        "the text has half a character in it (the surrogate U+{unit:04X} alone, after {index} \
         characters) and cannot be sent"
    )
}

impl IntoJava for &str {
    type Java<'local> = JCharArray<'local>;

    fn into_java<'local>(self, env: &mut Env<'local>) -> Result<JCharArray<'local>, Failure> {
        let units: Vec<u16> = self.encode_utf16().collect();
        let chars = JCharArray::new(env, units.len())?;
        chars.set_region(env, 0, &units)?;
        Ok(chars)
    }
}

/// `None` is null.
impl IntoJava for Option<&str> {
    type Java<'local> = JCharArray<'local>;

    fn into_java<'local>(self, env: &mut Env<'local>) -> Result<JCharArray<'local>, Failure> {
        match self {
            Some(text) => text.into_java(env),
            None => Ok(JCharArray::default()),
        }
    }
}

/// `None` is null.
impl IntoJava for Option<String> {
    type Java<'local> = JCharArray<'local>;

    fn into_java<'local>(self, env: &mut Env<'local>) -> Result<JCharArray<'local>, Failure> {
        self.as_deref().into_java(env)
    }
}
