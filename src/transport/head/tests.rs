//! What is made of heads.

use super::*;
use ureq::unversioned::transport::LazyBuffers;

/// Tidies `input`; gives what is left of it.
fn tidied(input: &[u8]) -> Result<(Tidied, String), Error> {
    let mut buffers = LazyBuffers::new(128 * 1024, 1024);
    buffers.input_append_buf()[..input.len()].copy_from_slice(input);
    buffers.input_appended(input.len());
    let tidied = tidy(&mut buffers)?;
    let left = String::from_utf8_lossy(buffers.input()).into_owned();
    Ok((tidied, left))
}

fn head(input: &str) -> String {
    let (tidied, left) = tidied(input.as_bytes()).unwrap();
    assert!(tidied.is_ready, "{input:?}");
    left
}

#[test]
fn a_head_is_ready_when_it_is_whole_and_final() {
    for input in [
        "",
        "\r\n",
        "HTT",
        "HTTP/1.1 413 Too",
        "HTTP/1.1 413 x\r\nA: b\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 401",
    ] {
        let (tidied, left) = tidied(input.as_bytes()).unwrap();
        assert!(!tidied.is_ready, "{input:?}");
        assert_eq!(tidied.had_100, input.contains("100"), "{input:?}");
        assert!(input.ends_with(&left), "{input:?}: {left:?}");
    }
    for input in [
        "HTTP/1.1 413 x\r\n\r\n{",
        "HTTP/1.1 413 x\n\n{",
        "\r\nHTTP/1.1  413  x \r\n\r\n{",
        "HTTP/1.1 100 Continue\r\nServer: x\r\n\r\nHTTP/1.1 100\r\n\r\nHTTP/1.1 413 x\r\n\r\n{",
    ] {
        assert_eq!(head(input), "HTTP/1.1 413 x\r\n\r\n{", "{input:?}");
    }
    assert_eq!(head("HTTP/1.0 101 x\r\n\r\n"), "HTTP/1.0 101 x\r\n\r\n");
}

#[test]
fn odd_lines_are_read_as_other_clients_read_them() {
    for (line, wanted) in [
        ("Location: /a\r\n b", "location: /a b\r\n"),
        ("Location:\r\n\t /a \r\n  ", "location:  /a \r\n"),
        ("Location \t: /a", "location: /a\r\n"),
        ("LOCATION:/a", "location: /a\r\n"),
        ("Location", ""),
        ("PHP Warning x", ""),
        ("PHP Warning: x\r\n Location: /a", ""),
        (" Location: /a", ""),
        (": /a", ""),
        ("Loc ation: /a", ""),
        ("X-Location: /a", "x-location: /a\r\n"),
        ("X_Upload.Id: 7", "x_upload.id: 7\r\n"),
        ("Location: /a\x01", ""),
        ("Content-Length : 5", "content-length: 5\r\n"),
        ("Content-Length: 5\r\n 6", "content-length: 5 6\r\n"),
        ("Content-Length: 5\x006", "content-length: 5?6\r\n"),
        ("Content-Length 5", ""),
        ("Tus-Resumable: 1.0.0", "tus-resumable: 1.0.0\r\n"),
        ("x-amz-id-2: 7", "x-amz-id-2: 7\r\n"),
        ("X-Amz-Cf-Id: 7", "x-amz-cf-id: 7\r\n"),
    ] {
        let text = head(&format!("HTTP/1.1 200 OK\r\n{line}\r\n\r\n"));
        assert_eq!(text, format!("HTTP/1.1 200 OK\r\n{wanted}\r\n"), "{line:?}");
    }
}

#[test]
fn lines_that_are_passed_over_are_noted_without_their_values() {
    for (line, wanted) in [
        ("PHP Warning x", Some("is no field: \"PHP Warning x\"")),
        (
            "PHP Warning: x\r\n more",
            Some("is no field: \"PHP Warning:\""),
        ),
        ("Set Cookie: secret", Some("is no field: \"Set Cookie:\"")),
        (": /a", Some("is no field: \":\"")),
        (
            "Location: /a\x01",
            Some("the response's location has control characters"),
        ),
        ("Location \t: /a\r\n b", None),
        ("X-Powered_By.1: secret\r\n more", None),
        ("Content-Length: 5\x006", None),
    ] {
        let input = format!("HTTP/1.1 100\r\nodd\r\n\r\nHTTP/1.1 200 OK\r\n{line}\r\n\r\n");
        let notes = tidied(input.as_bytes()).unwrap().0.notes;
        match wanted {
            Some(wanted) => assert!(notes.len() == 1 && notes[0].ends_with(wanted), "{notes:?}"),
            None => assert!(notes.is_empty(), "{notes:?}"),
        }
    }
    let many = "odd\r\n".repeat(100);
    let input = format!("HTTP/1.1 200 OK\r\n{many}\r\n");
    assert_eq!(tidied(input.as_bytes()).unwrap().0.notes.len(), MAX_NOTES);
}

#[test]
fn of_many_fields_the_last_cookies_are_dropped() {
    let many = "Set-Cookie: a=b\r\n".repeat(1000);
    let text = head(&format!(
        "HTTP/1.1 200 OK\r\n{many}Connection: close\r\nContent-Length: 2\r\n\r\n{{}}"
    ));
    assert!(
        text.starts_with(
            "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\nset-cookie: a=b\r\n"
        ),
        "{text}"
    );
    assert!(text.ends_with("\r\n\r\n{}"), "{text}");
    assert_eq!(text.matches("set-cookie").count(), MAX_FIELDS - 1);
}

#[test]
fn what_only_a_dialect_reads_goes_before_nothing_else() {
    let many = "X-Own: a\r\n".repeat(200);
    let cookies = "Set-Cookie: a=b\r\n".repeat(50);
    let text = head(&format!(
        "HTTP/1.1 200 OK\r\n{many}{cookies}Location: /a\r\n\r\n"
    ));
    let first = format!(
        "HTTP/1.1 200 OK\r\nlocation: /a\r\n{}",
        cookies.to_lowercase()
    );
    assert!(text.starts_with(&first), "{text}");
    assert_eq!(text.matches("x-own: a").count(), MAX_FIELDS - 51);
    // One that is too long is dropped alone.
    let long = "x".repeat(LONGEST - 100);
    let text = head(&format!(
        "HTTP/1.1 200 OK\r\nX-Long: {long}\r\nX-Own: a\r\nLocation: /a\r\n\r\n"
    ));
    assert_eq!(text, "HTTP/1.1 200 OK\r\nlocation: /a\r\nx-own: a\r\n\r\n");
}

#[test]
fn what_is_no_http_is_named() {
    for (input, wanted) in [
        (
            &b"SSH-2.0-OpenSSH_9.2\r\n"[..],
            "it begins: SSH-2.0-OpenSSH_9.2",
        ),
        (b"220 ready\r\n", "it begins: 220 ready"),
        (b"\x15\x03\x01\0\x02", "https://"),
        (b"\0\0\x12\x04\0\0\0\0\0", "HTTP/2"),
        (b"HTTP/2 200\r\n\r\n", "it begins: HTTP/2 200"),
        (b"HTTP/1.1 99 x\r\n\r\n", "it begins: HTTP/1.1 99"),
        (b"HTTP/1.1 2000 x\r\n\r\n", "it begins: HTTP/1.1 2000"),
        (b"HTTP/1.x 200 x\r\n\r\n", "it begins"),
    ] {
        let error = tidied(input).unwrap_err().to_string();
        assert!(error.contains("not valid HTTP"), "{error}");
        assert!(error.contains(wanted), "{error}");
    }
    let endless = format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(LONGEST));
    assert!(tidied(endless.as_bytes()).is_err());
    let long = format!("{endless}\r\n\r\n");
    assert!(tidied(long.as_bytes()).is_err());
}
