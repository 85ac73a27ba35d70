//! How connections of the proxy begin and end.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use super::{read_out, sink, Ending, LONG, SILENCE};
use crate::chaos::{ChaosProxy, Cut, Faults};
use crate::scripted::{reply, End, Read as Take, ScriptedServer, Step};

#[test]
fn a_refused_connection_never_reaches_the_server() {
    let (target, seen) = sink(b"hello", LONG);
    for (how, end) in [
        (Cut::Rst, Ending::Rst),
        (Cut::Fin, Ending::Fin),
        (Cut::Stall, Ending::Silence),
    ] {
        let faults = move |_: u64, _: &mut fastrand::Rng| Faults {
            refuse: true,
            how,
            ..Faults::default()
        };
        let proxy = ChaosProxy::start(target, faults, 1);
        let client = TcpStream::connect(proxy.addr()).unwrap();
        assert_eq!(read_out(&client, SILENCE), (vec![], end));
    }
    assert!(seen.try_recv().is_err());
}

#[test]
fn a_dropped_response_leaves_the_request_whole() {
    let (target, seen) = sink(b"hello", LONG);
    let faults = |_: u64, _: &mut fastrand::Rng| Faults {
        drop_response: true,
        ..Faults::default()
    };
    let proxy = ChaosProxy::start(target, faults, 1);
    let mut client = TcpStream::connect(proxy.addr()).unwrap();
    client.write_all(b"question").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_out(&client, LONG), (vec![], Ending::Fin));
    assert_eq!(seen.recv().unwrap(), (b"question".to_vec(), Ending::Fin));
    assert_eq!(proxy.bytes_down(), 0);
}

#[test]
fn cut_all_resets_both_sides_of_every_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = ChaosProxy::clean(listener.local_addr().unwrap());
    let pairs: Vec<_> = (0..20)
        .map(|_| {
            let mut client = TcpStream::connect(proxy.addr()).unwrap();
            client.write_all(b"x").unwrap();
            let mut server = listener.accept().unwrap().0;
            server.read_exact(&mut [0]).unwrap();
            (client, server)
        })
        .collect();
    proxy.cut_all();
    for (client, server) in &pairs {
        assert_eq!(read_out(client, LONG).1, Ending::Rst);
        assert_eq!(read_out(server, LONG).1, Ending::Rst);
    }
    // The proxy accepts new connections.
    let mut client = TcpStream::connect(proxy.addr()).unwrap();
    client.write_all(b"y").unwrap();
    listener.accept().unwrap().0.read_exact(&mut [0]).unwrap();
}

#[test]
fn a_server_may_get_another_address() {
    let (first, _) = sink(b"first", LONG);
    let (second, _) = sink(b"second", LONG);
    let proxy = ChaosProxy::clean(first);
    for (target, greeting) in [(first, "first"), (second, "second")] {
        proxy.set_target(target);
        let client = TcpStream::connect(proxy.addr()).unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        assert_eq!(read_out(&client, LONG).0, greeting.as_bytes());
    }
}

#[test]
fn a_connect_that_fails_is_a_reset() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = gone.local_addr().unwrap();
    drop(gone);
    let proxy = ChaosProxy::clean(target);
    let client = TcpStream::connect(proxy.addr()).unwrap();
    assert_eq!(read_out(&client, LONG).1, Ending::Rst);
}

#[test]
fn the_reset_of_a_client_is_forwarded() {
    let (target, seen) = sink(b"", LONG);
    let proxy = ChaosProxy::clean(target);
    let mut client = TcpStream::connect(proxy.addr()).unwrap();
    client.write_all(b"abc").unwrap();
    thread::sleep(Duration::from_millis(50));
    crate::acceptor::reset_on_close(&client);
    drop(client);
    let reset = (b"abc".to_vec(), Ending::Rst);
    assert_eq!(seen.recv_timeout(LONG).unwrap(), reset);
}

#[test]
fn an_early_response_is_forwarded_before_the_reset() {
    let server = ScriptedServer::start(vec![Step::new()
        .read(Take::HeadOnly)
        .write(reply(413, "{}"))
        .end(End::Close)]);
    let proxy = ChaosProxy::clean(server.addr());
    for _ in 0..50 {
        let mut client = TcpStream::connect(proxy.addr()).unwrap();
        let head = b"POST / HTTP/1.1\r\nContent-Length: 100000000\r\n\r\n";
        client.write_all(head).unwrap();
        let body = vec![0; 100_000];
        while client.write_all(&body).is_ok() {}
        let mut response = [0; 12];
        client.read_exact(&mut response).unwrap();
        assert_eq!(&response, b"HTTP/1.1 413");
    }
}

#[test]
fn dropping_ends_everything_promptly() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let faults = |index: u64, _: &mut fastrand::Rng| match index % 4 {
        0 => Faults::default(),
        1 => Faults {
            delay_connect: Duration::from_secs(60),
            ..Faults::default()
        },
        2 => Faults {
            rate_up: Some(1),
            ..Faults::default()
        },
        _ => Faults {
            cut_up_after: Some(1),
            how: Cut::Stall,
            ..Faults::default()
        },
    };
    let proxy = ChaosProxy::start(listener.local_addr().unwrap(), faults, 1);
    let clients: Vec<_> = (0..40)
        .map(|_| {
            let mut client = TcpStream::connect(proxy.addr()).unwrap();
            client.write_all(&[0; 1000]).unwrap();
            client
        })
        .collect();
    thread::sleep(Duration::from_millis(100));
    let began = Instant::now();
    drop(proxy);
    assert!(began.elapsed() < Duration::from_secs(1));
    for client in clients {
        assert_eq!(read_out(&client, LONG).1, Ending::Rst);
    }
}

#[test]
fn many_short_connections_leave_nothing_behind() {
    let (target, seen) = sink(b"hi", LONG);
    let proxy = ChaosProxy::clean(target);
    let began = Instant::now();
    for _ in 0..1000 {
        let mut client = TcpStream::connect(proxy.addr()).unwrap();
        client.write_all(b"abc").unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        assert_eq!(read_out(&client, LONG).0, b"hi");
        assert_eq!(seen.recv().unwrap().0, b"abc");
    }
    println!("1000 connections in {:?}", began.elapsed());
    assert_eq!(proxy.connections(), 1000);
    assert_eq!((proxy.bytes_up(), proxy.bytes_down()), (3000, 2000));
}

#[test]
fn a_gigabyte_passes_quickly() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = ChaosProxy::clean(listener.local_addr().unwrap());
    let addr = proxy.addr();
    let began = Instant::now();
    let client = thread::spawn(move || {
        let mut client = TcpStream::connect(addr).unwrap();
        let piece = vec![1; 1 << 20];
        for _ in 0..1024 {
            client.write_all(&piece).unwrap();
        }
    });
    let mut server = listener.accept().unwrap().0;
    let mut buffer = vec![0; 1 << 20];
    let mut total = 0;
    while let Ok(n @ 1..) = server.read(&mut buffer) {
        total += n;
    }
    client.join().unwrap();
    println!("1 GiB in {:?}", began.elapsed());
    assert_eq!(total, 1 << 30);
}
