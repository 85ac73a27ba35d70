mod arrows;
mod chaos;
mod chaos_life;
mod files;
mod fronts;
mod model;
mod model_newer;
mod model_rules;
mod proxies;
mod receiver;
mod scripted;

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::mpsc::{channel, Receiver};
use std::thread;
use std::time::Duration;

use crate::tools;

/// How a connection ended, as seen by a reader.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
enum Ending {
    Fin,
    Rst,
    Silence,
}

const SILENCE: Duration = Duration::from_millis(150);
const LONG: Duration = Duration::from_secs(5);

/// Reads until the end, or until nothing comes for `patience`.
fn read_out(mut stream: &TcpStream, patience: Duration) -> (Vec<u8>, Ending) {
    stream.set_read_timeout(Some(patience)).unwrap();
    let mut all = Vec::new();
    let mut buffer = vec![0; 65536];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return (all, Ending::Fin),
            Ok(n) => all.extend_from_slice(&buffer[..n]),
            Err(error) => match error.kind() {
                ErrorKind::ConnectionReset => return (all, Ending::Rst),
                ErrorKind::WouldBlock | ErrorKind::TimedOut => return (all, Ending::Silence),
                other => panic!("unexpected {other:?}"),
            },
        }
    }
}

/// Writes, and reads to the end. When the write meets a reset, the read does not see it again.
fn talk(mut client: TcpStream, bytes: &[u8]) -> (Vec<u8>, Ending) {
    let reset = match client.write_all(bytes) {
        Ok(()) => false,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    };
    let (response, ending) = read_out(&client, LONG);
    (response, if reset { Ending::Rst } else { ending })
}

/// Runs curl; returns the status of the response, and its error messages.
fn curl(args: &[&str]) -> String {
    let curl = tools::find("curl").expect("curl, which the test looked for");
    let output = Command::new(curl)
        .env_clear()
        .args(["-sS", "-m", "20", "-o", "/dev/null", "-w", "%{http_code}"])
        .args(args)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8(text).unwrap().trim_end().to_owned()
}

/// Accepts connections one after the other, writes `greeting`, and sends what came, and how it ended, to the
/// receiver. Silence for `patience` counts as an end.
fn sink(greeting: &'static [u8], patience: Duration) -> (SocketAddr, Receiver<(Vec<u8>, Ending)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.write_all(greeting);
            let (bytes, ending) = read_out(&stream, patience);
            if sender.send((bytes, ending)).is_err() {
                return;
            }
        }
    });
    (addr, receiver)
}

/// Sends a request and FIN, and returns everything that comes back.
fn exchange(addr: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.write_all(request).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let (bytes, _) = read_out(&stream, LONG);
    String::from_utf8(bytes).unwrap()
}
