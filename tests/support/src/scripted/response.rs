//! Responses as bytes.

/// Makes a whole response with a JSON body and its Content-Length.
pub fn reply(status: u16, json_body: &str) -> Vec<u8> {
    reply_with(status, &[], json_body)
}

/// Makes a whole response with more headers.
pub fn reply_with(status: u16, headers: &[(&str, &str)], json_body: &str) -> Vec<u8> {
    let more: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    format!(
        "HTTP/1.1 {status} {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{more}\r\n{json_body}",
        reason(status),
        json_body.len(),
    )
    .into_bytes()
}

/// Makes the JSON of a response of the protocol.
pub fn json(state: &str, offset: u64, id: &str) -> String {
    format!(r#"{{"state":"{state}","offset":{offset},"id":"{id}"}}"#)
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        409 => "Conflict",
        413 => "Content Too Large",
        422 => "Unprocessable Content",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Response",
    }
}
