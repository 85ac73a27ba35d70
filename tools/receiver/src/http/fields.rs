//! The fields of a form, within limits, and their values by type.

use percent_encoding::percent_decode_str;
use resup_digests::{Algorithm, Digest};

use crate::http::reply::{excerpt, Reply};
use crate::storage::names;

/// The largest number of fields in a request.
pub const MAX_FIELDS: usize = 100;
/// The largest number of bytes in a value.
pub const MAX_VALUE: usize = 16 * 1024;
/// The largest number of bytes in an urlencoded body or a query, and in all fields of a multipart form.
pub const MAX_FORM: usize = 64 * 1024;
/// The largest number of bytes in a directory.
pub const MAX_DIR: usize = 1024;

/// Fields in the order of their arrival. If a name comes twice, the first field counts.
#[derive(Debug, Default)]
pub struct Fields {
    fields: Vec<(String, String)>,
    /// The bytes of all names and values.
    bytes: usize,
}

impl Fields {
    /// Parses `name=value&…` as a browser writes it.
    pub fn from_urlencoded(text: &[u8]) -> Result<Self, Reply> {
        if text.len() > MAX_FORM {
            return Err(Reply::too_large(format!(
                "the form has more than {MAX_FORM} bytes"
            )));
        }
        let text = std::str::from_utf8(text)
            .map_err(|_| Reply::bad_request("the urlencoded form is not UTF-8"))?;
        let mut fields = Self::default();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name).ok_or_else(|| Reply::bad_field("name of a field", name))?;
            let value = decode(value).ok_or_else(|| Reply::bad_field(&name, value))?;
            fields.push(name, value)?;
        }
        Ok(fields)
    }

    /// Adds a field, unless that exceeds a limit.
    pub fn push(&mut self, name: String, value: String) -> Result<(), Reply> {
        if self.fields.len() == MAX_FIELDS {
            return Err(Reply::bad_request(format!(
                "the form has more than {MAX_FIELDS} fields"
            )));
        }
        if value.len() > MAX_VALUE {
            return Err(too_long(&name, MAX_VALUE));
        }
        self.bytes += name.len() + value.len();
        if self.bytes > MAX_FORM {
            return Err(Reply::bad_request(format!(
                "the form's fields have more than {MAX_FORM} bytes"
            )));
        }
        self.fields.push((name, value));
        Ok(())
    }

    /// Lists names and values as they came.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (&**name, &**value))
    }

    /// Returns a value as it came.
    pub fn text(&self, name: &str) -> Option<&str> {
        let (_, value) = self.fields.iter().find(|(known, _)| known == name)?;
        Some(value)
    }

    /// Returns a value, which must be there.
    pub fn required(&self, name: &str) -> Result<&str, Reply> {
        self.text(name)
            .ok_or_else(|| Reply::bad_request(format!("field '{name}' is missing")))
    }

    /// Reads the file's name.
    pub fn name(&self) -> Result<&str, Reply> {
        let name = self.required("name")?;
        names::check_file(name).map_err(|why| Reply::bad_request(format!("field 'name' {why}")))?;
        Ok(name)
    }

    /// Reads the directory; empty when not given.
    pub fn dir(&self) -> Result<&str, Reply> {
        let value = self.text("dir").unwrap_or("");
        let dir = match value.strip_suffix('/') {
            Some(shorter) if !shorter.is_empty() => shorter,
            _ => value,
        };
        if dir.len() > MAX_DIR {
            return Err(too_long("dir", MAX_DIR));
        }
        names::check_dir(dir)
            .map_err(|why| Reply::bad_request(format!("a name in field 'dir' {why}")))?;
        Ok(dir)
    }

    /// Reads a number of bytes.
    pub fn bytes(&self, name: &str) -> Result<u64, Reply> {
        let value = self.required(name)?;
        if value.is_empty() || !value.bytes().all(|b| b.is_ascii_digit()) {
            return Err(Reply::bad_field(name, value));
        }
        match value.parse::<i64>() {
            Ok(number) => Ok(number.unsigned_abs()),
            Err(_) => Err(Reply::bad_field(name, value)),
        }
    }

    /// Reads the modification time, milliseconds since 1970, without leading zeros; empty when not given.
    pub fn mtime(&self) -> Result<String, Reply> {
        match self.text("mtime") {
            None | Some("") => Ok(String::new()),
            Some(value) => match value.parse::<i64>() {
                Ok(number) => Ok(number.to_string()),
                Err(_) => Err(Reply::bad_field("mtime", value)),
            },
        }
    }

    /// Reads the digests that the client can use and this receiver, too, the one that it likes most first. A client of
    /// version 1.0 gives none.
    pub fn digests(&self) -> Vec<Algorithm> {
        let names = self.text("digests").unwrap_or("").split(',');
        names
            .map(str::trim)
            .filter_map(Algorithm::of_name)
            .collect()
    }

    /// Reads the name of the agreed digest; `None` when not given.
    pub fn algorithm(&self) -> Result<Option<Algorithm>, Reply> {
        match self.text("digest") {
            None | Some("") => Ok(None),
            Some(name) => match Algorithm::of_name(name) {
                None => Err(Reply::bad_field("digest", name)),
                algorithm => Ok(algorithm),
            },
        }
    }

    /// Reads the digests in the fields that are named after their algorithms, behind a prefix.
    pub fn all_digests(&self, prefix: &str) -> Result<Vec<Digest>, Reply> {
        let read = |algorithm: Algorithm| {
            let name = format!("{prefix}{}", algorithm.name());
            self.digest(&name, algorithm).transpose()
        };
        Algorithm::ALL.into_iter().filter_map(read).collect()
    }

    /// Reads a hexadecimal digest; `None` when not given.
    pub fn digest(&self, name: &str, algorithm: Algorithm) -> Result<Option<Digest>, Reply> {
        match self.text(name) {
            None | Some("") => Ok(None),
            Some(value) => match Digest::of_hex(algorithm, value) {
                None => Err(Reply::bad_field(name, value)),
                digest => Ok(digest),
            },
        }
    }
}

/// Refuses a value with more than `limit` bytes.
pub fn too_long(name: &str, limit: usize) -> Reply {
    Reply::bad_request(format!(
        "the value of field '{}' has more than {limit} bytes",
        excerpt(name)
    ))
}

fn decode(text: &str) -> Option<String> {
    let text = text.replace('+', " ");
    let decoded = percent_decode_str(&text).decode_utf8().ok()?;
    Some(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Fields {
        Fields::from_urlencoded(text.as_bytes()).unwrap()
    }

    #[test]
    fn values_are_decoded_as_a_browser_encodes_them() {
        let fields = one("name=%E6%96%87+%22%0D%0A%2B&&empty&dir=");
        assert_eq!(fields.text("name"), Some("文 \"\r\n+"));
        assert_eq!(fields.text("empty"), Some(""));
        assert_eq!(fields.text("absent"), None);
    }

    #[test]
    fn what_is_not_utf_8_is_refused() {
        assert!(Fields::from_urlencoded(b"name=%FF").is_err());
        assert!(Fields::from_urlencoded(b"name=\xFF").is_err());
    }

    #[test]
    fn only_plain_decimal_numbers_are_sizes() {
        assert_eq!(
            one("size=9223372036854775807").bytes("size").unwrap(),
            i64::MAX as u64
        );
        for bad in ["", "-1", "%2B1", "1.0", "0x1", "9223372036854775808", "1 "] {
            assert!(one(&format!("size={bad}")).bytes("size").is_err(), "{bad}");
        }
    }
}
