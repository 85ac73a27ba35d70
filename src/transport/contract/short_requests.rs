//! Short requests: head and body are one write, so that the server wakes once.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender};

use super::*;

/// A body that looks, before its first byte, whether the head has come to the server.
struct Looking {
    bytes: io::Cursor<Vec<u8>>,
    server: Receiver<TcpStream>,
    head_came: Sender<bool>,
}

impl Read for Looking {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if let Ok(stream) = self.server.recv() {
            stream.set_nonblocking(true)?;
            let head_came = stream.peek(&mut [0]).is_ok();
            stream.set_nonblocking(false)?;
            self.head_came.send(head_came).unwrap();
        }
        self.bytes.read(buf)
    }
}

/// Posts a body of `length` bytes. Gives whether the head came before it, and the end of the request.
fn request_of(length: usize) -> (bool, Vec<u8>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/up", listener.local_addr().unwrap());
    let (show, server) = mpsc::channel();
    let (head_came, looked) = mpsc::channel();
    let serve = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        show.send(stream.try_clone().unwrap()).unwrap();
        drop(show);
        let head_came = looked.recv().unwrap();
        let mut request = Vec::new();
        let end = b"\r\n\r\n";
        loop {
            let mut some = [0; 4096];
            let n = stream.read(&mut some).unwrap();
            request.extend_from_slice(&some[..n]);
            let head = request.windows(4).position(|window| window == end);
            if let Some(at) = head.filter(|at| request.len() >= at + 4 + length) {
                stream.write_all(&reply(200, "")).unwrap();
                return (head_came, request.split_off(at + 4));
            }
        }
    });
    let mut body = Looking {
        bytes: io::Cursor::new(content(length)),
        server,
        head_came,
    };
    let connection = new_connection(&options(&url));
    let response = post(&connection, url, &mut body, length as u64).unwrap();
    assert_eq!(response.status, 200);
    serve.join().unwrap()
}

fn content(length: usize) -> Vec<u8> {
    (0..length).map(|n| n as u8).collect()
}

#[test]
fn the_head_of_a_short_request_goes_out_with_its_body() {
    for length in [1, 100, 8 * 1024] {
        assert!(request_of(length) == (false, content(length)), "{length}");
    }
    let long = 9 * 1024;
    assert!(request_of(long) == (true, content(long)));
}
