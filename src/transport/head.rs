//! The heads of responses in a buffer.

/// Gives length and status of the head at the start of `input`, once the head is whole. Anything
/// but an HTTP head gets the status 0, and ureq refuses it.
pub(super) fn first_head(input: &[u8]) -> Option<(usize, u16)> {
    let end = input.windows(4).position(|w| w == b"\r\n\r\n")?;
    // "HTTP/1.1 100 Continue"
    let status = match input.starts_with(b"HTTP/1.") {
        true => input.get(9..12).and_then(|s| std::str::from_utf8(s).ok()),
        false => None,
    };
    Some((end + 4, status.and_then(|s| s.parse().ok()).unwrap_or(0)))
}

/// Whether `input` has the whole head of a final response, after any interim (1xx) ones.
pub(super) fn has_final_head(mut input: &[u8]) -> bool {
    while let Some((length, status)) = first_head(input) {
        if !(100..200).contains(&status) {
            return true;
        }
        input = &input[length..];
    }
    false
}

#[cfg(test)]
mod tests {
    use super::has_final_head;

    #[test]
    fn a_head_counts_when_it_is_whole_and_final() {
        assert!(!has_final_head(b""));
        assert!(!has_final_head(b"HTTP/1.1 413 Too"));
        assert!(!has_final_head(b"HTTP/1.1 413 x\r\nA: b\r\n"));
        assert!(has_final_head(b"HTTP/1.1 413 x\r\nA: b\r\n\r\n"));
        assert!(!has_final_head(b"HTTP/1.1 100 Continue\r\n\r\n"));
        assert!(has_final_head(
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 401 no\r\n\r\n{"
        ));
        assert!(!has_final_head(
            b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 401"
        ));
    }
}
