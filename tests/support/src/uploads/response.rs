//! Responses of the model receiver.

/// A response.
pub(crate) struct Response {
    pub status: u16,
    pub body: String,
    /// Set when a send is refused: the id, offset and length of the bytes in its body.
    pub unwanted: Option<(String, u64, u64)>,
}

impl Response {
    pub(crate) fn error(status: u16, message: &str) -> Self {
        Self {
            status,
            body: format!(r#"{{"message":{}}}"#, quote(message)),
            unwanted: None,
        }
    }

    /// Adds that a digest is wrong.
    pub(super) fn of_digest(mut self) -> Self {
        self.body.insert_str(1, r#""error":"digest","#);
        self
    }
}

/// Quotes text as a JSON string.
pub(super) fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for char in text.chars() {
        match char {
            '"' | '\\' => out.extend(['\\', char]),
            control if control < ' ' => out += &format!("\\u{:04x}", control as u32),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}
