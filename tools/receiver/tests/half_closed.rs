//! Forms whose connection ends inside them: its sending side is shut down, and the client still reads.

mod common;

use std::io::Write;

use common::{check_prefix, md5_hex, Receiver, Reply, Upload};

#[test]
fn a_form_that_ends_with_its_connection_may_be_sent_again() {
    let receiver = Receiver::start(&[]);
    let half_closed = |request: &[u8]| {
        let mut stream = receiver.connect();
        stream.write_all(request).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        Reply::try_read(&mut stream)
    };
    // In the headers of a part, in those after the file, and in the closing boundary.
    for (text, kept) in [
        ("name=\"offset\"", 0),
        ("name=\"md5\"", 100_000),
        ("--\r\n", 100_000),
    ] {
        let file = Upload::new(&kept.to_string(), 100_000);
        let (id, _) = receiver.locate_ok(&file);
        let send = file.send(&id, 0).tail("md5", &md5_hex(&file.content));
        let request = send.build();
        let mut parts = request.windows(text.len());
        let cut = parts.rposition(|part| part == text.as_bytes()).unwrap();
        let reply = half_closed(&request[..cut + 1]).unwrap();
        reply.expect(408, "the connection ended before the form did");
        assert_eq!(check_prefix(&receiver, &file), (id.clone(), kept));
        receiver.delete(&format!("/uploads/{id}"));
    }
    // In the header block there is nothing to answer.
    assert!(half_closed(b"POST /upload HTTP/1.1\r\nHost: localhost").is_none());
    // In the framing of chunks, and in a form without parts.
    let form = "Host: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    let length = format!("POST /upload HTTP/1.1\r\n{form}Content-Length: 50\r\n\r\naction=");
    let chunked = format!("POST /upload HTTP/1.1\r\n{form}Transfer-Encoding: chunked\r\n\r\n");
    let login = length
        .replace("/upload", "/login")
        .replace("Host", "Accept: application/json\r\nHost");
    for request in [
        length,
        login,
        chunked.clone() + "7",
        chunked.clone() + "7\r\nact",
        chunked.clone(),
    ] {
        let reply = half_closed(request.as_bytes()).unwrap();
        reply.expect(408, "the connection ended before the form did");
    }
    // Chunks that are wrong do not become right by trying again.
    let wrong = half_closed((chunked + "x\r\n").as_bytes()).unwrap();
    wrong.expect(400, "the form was cut");
}
