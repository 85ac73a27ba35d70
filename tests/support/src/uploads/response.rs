//! Answers.

pub(crate) struct Answer {
    pub status: u16,
    pub body: String,
    /// Set where a send was refused: which bytes of which upload its body carries.
    pub unwanted: Option<(String, u64, u64)>,
}

impl Answer {
    pub(crate) fn error(status: u16, message: &str) -> Self {
        Self {
            status,
            body: format!(r#"{{"message":{}}}"#, quote(message)),
            unwanted: None,
        }
    }
}

/// A JSON string.
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
