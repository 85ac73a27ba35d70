//! Servers that send something while they read nothing, and it is no final response.

use std::io::Write;
use std::net::TcpListener;

use super::*;

const STALL: Duration = Duration::from_millis(800);

/// Starts a server that reads nothing of a body, but sends interim responses: each time so many,
/// and then it waits. Gives its URL.
fn chattering(at_a_time: usize, wait: Duration) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/up", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let _ = socket.read(&mut [0; 1024]).unwrap();
        let words = b"HTTP/1.1 102 Processing\r\n\r\n".repeat(at_a_time);
        // The client's end of the connection ends the server.
        while socket.write_all(&words).is_ok() {
            thread::sleep(wait);
        }
    });
    url
}

#[test]
fn interim_responses_do_not_hide_that_a_server_reads_nothing() {
    let length = 1 << 28;
    for (at_a_time, wait) in [(1, STALL / 8), (5000, Duration::ZERO)] {
        let url = chattering(at_a_time, wait);
        let mut options = options(&url);
        options.limits.stall = STALL;
        options.limits.response = SOON / 4;
        let connection = new_connection(&options);
        connection.set_ignores_expect(true);
        let mut body = Counted(0);
        let error = post(&connection, url, &mut body, length).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("accepted no data"), "{at_a_time}: {text}");
        // The rest is not kept in memory, and does not count as sent.
        assert!(body.0 < length / 8, "{at_a_time}: {} bytes", body.0);
    }
}
