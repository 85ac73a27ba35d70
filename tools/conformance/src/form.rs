//! Fields of forms, encoded as browsers do.

/// Names and values, in order.
pub type Fields = Vec<(String, String)>;

/// Encodes fields as `application/x-www-form-urlencoded`.
pub fn urlencoded(fields: &Fields) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish()
}

/// Writes fields as parts of a multipart body.
pub fn parts(fields: &Fields, boundary: &str) -> String {
    fields
        .iter()
        .map(|(name, value)| {
            let name = escape(name);
            format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            )
        })
        .collect()
}

/// Escapes a name for a part's header, by WHATWG HTML, "multipart/form-data encoding algorithm".
pub fn escape(name: &str) -> String {
    name.replace('"', "%22")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}
