//! The answers of a tus server.

use super::{RequestHead, Step};

/// A script of a tus server that takes whole requests only, for one upload at a time.
#[derive(Debug, Default)]
pub struct Tus {
    size: u64,
    /// The bytes that the upload has.
    pub offset: u64,
    /// The number of uploads that were begun; the last one has it in its URL.
    pub begun: u64,
}

impl Tus {
    /// Gives the step for a request.
    pub fn step(&mut self, head: &RequestHead) -> Step {
        let number = |name| {
            let value = head.header(name)?;
            value.parse::<u64>().ok()
        };
        let is_known = head.target.ends_with(&format!("/{}", self.begun));
        match head.method.as_str() {
            "OPTIONS" => answer(
                "204 No Content",
                "Tus-Version: 1.0.0\r\nTus-Extension: creation\r\n",
            ),
            _ if head.header("tus-resumable") != Some("1.0.0") => {
                answer("412 Precondition Failed", "Tus-Version: 1.0.0\r\n")
            }
            "POST" => {
                self.begun += 1;
                self.offset = 0;
                self.size = number("upload-length").unwrap_or_default();
                answer(
                    "201 Created",
                    &format!("Location: /upload/{}\r\n", self.begun),
                )
            }
            _ if !is_known => answer("404 Not Found", ""),
            "HEAD" => {
                let (offset, size) = (self.offset, self.size);
                let lines = format!("Upload-Offset: {offset}\r\nUpload-Length: {size}\r\n");
                answer("200 OK", &lines)
            }
            "PATCH" if number("upload-offset") == Some(self.offset) => {
                self.offset += head.content_length().unwrap_or_default();
                answer(
                    "204 No Content",
                    &format!("Upload-Offset: {}\r\n", self.offset),
                )
            }
            "PATCH" => answer("409 Conflict", ""),
            _ => answer("405 Method Not Allowed", ""),
        }
    }
}

/// Reads the request, and answers with these lines.
fn answer(status: &str, lines: &str) -> Step {
    let length = match status.starts_with("204") {
        true => "",
        false => "Content-Length: 0\r\n",
    };
    Step::new().read(super::Read::All).write(format!(
        "HTTP/1.1 {status}\r\nTus-Resumable: 1.0.0\r\n{length}{lines}\r\n"
    ))
}
