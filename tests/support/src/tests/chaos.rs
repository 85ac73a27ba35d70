//! How the proxy cuts, changes and delays bytes.

use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use super::{read_out, sink, talk, Ending, LONG, SILENCE};
use crate::chaos::{ChaosProxy, Cut, Faults};
use crate::files;

fn payload() -> Vec<u8> {
    files::bytes(300, 7)
}

#[test]
fn without_faults_bytes_half_close_and_end_are_forwarded() {
    let (target, seen) = sink(b"hello", LONG);
    let proxy = ChaosProxy::clean(target);
    let mut client = TcpStream::connect(proxy.addr()).unwrap();
    client.write_all(&payload()).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_out(&client, LONG), (b"hello".to_vec(), Ending::Fin));
    assert_eq!(seen.recv().unwrap(), (payload(), Ending::Fin));
    assert_eq!((proxy.bytes_up(), proxy.bytes_down()), (300, 5));
    assert_eq!(proxy.connections(), 1);
}

#[test]
fn a_cut_up_is_exact_to_the_byte() {
    for how in [Cut::Fin, Cut::Rst] {
        let (target, seen) = sink(b"", LONG);
        let faults = move |index: u64, _: &mut fastrand::Rng| Faults {
            cut_up_after: Some(index),
            how,
            ..Faults::default()
        };
        let proxy = ChaosProxy::start(target, faults, 1);
        for n in 0..200 {
            let client = TcpStream::connect(proxy.addr()).unwrap();
            let (response, client_end) = talk(client, &payload());
            let (bytes, server_end) = seen.recv_timeout(LONG).unwrap();
            let expected = if how == Cut::Rst {
                Ending::Rst
            } else {
                Ending::Fin
            };
            assert_eq!(bytes, payload()[..n], "cut after {n} bytes, {how:?}");
            assert_eq!(response, b"");
            assert_eq!(
                (client_end, server_end),
                (expected, expected),
                "{n} {how:?}"
            );
        }
        assert_eq!(proxy.bytes_up(), (0..200).sum::<u64>());
    }
}

#[test]
fn a_cut_down_is_exact_to_the_byte() {
    for how in [Cut::Fin, Cut::Rst] {
        let greeting = b"0123456789012345678901234567890123456789";
        let (target, seen) = sink(greeting, LONG);
        let faults = move |index: u64, _: &mut fastrand::Rng| Faults {
            cut_down_after: Some(index),
            how,
            ..Faults::default()
        };
        let proxy = ChaosProxy::start(target, faults, 1);
        for n in 0..=greeting.len() {
            let client = TcpStream::connect(proxy.addr()).unwrap();
            let (response, client_end) = read_out(&client, LONG);
            drop(client);
            let (bytes, server_end) = seen.recv_timeout(LONG).unwrap();
            let expected = if how == Cut::Rst {
                Ending::Rst
            } else {
                Ending::Fin
            };
            assert_eq!(response, greeting[..n], "cut after {n} bytes, {how:?}");
            assert_eq!(bytes, b"");
            assert_eq!(
                (client_end, server_end),
                (expected, expected),
                "{n} {how:?}"
            );
        }
    }
}

#[test]
fn a_cut_is_exact_in_the_middle_of_megabytes() {
    let (target, seen) = sink(b"", LONG);
    let faults = |_: u64, rng: &mut fastrand::Rng| Faults {
        cut_up_after: Some(rng.u64(1_000_000..5_000_000)),
        how: Cut::Fin,
        ..Faults::default()
    };
    let proxy = ChaosProxy::start(target, faults, 3);
    let all = files::bytes(6_000_000, 3);
    let mut before = 0;
    for _ in 0..5 {
        let mut client = TcpStream::connect(proxy.addr()).unwrap();
        let _ = client.write_all(&all);
        drop(client);
        let (bytes, end) = seen.recv_timeout(LONG).unwrap();
        assert_eq!(end, Ending::Fin);
        assert_eq!(bytes.len() as u64, proxy.bytes_up() - before);
        assert!((1_000_000..5_000_000).contains(&bytes.len()));
        assert!(bytes == all[..bytes.len()]);
        before = proxy.bytes_up();
    }
}

#[test]
fn a_stalled_connection_stays_open_and_silent() {
    let (target, seen) = sink(b"", SILENCE);
    let faults = |_: u64, _: &mut fastrand::Rng| Faults {
        cut_up_after: Some(10),
        how: Cut::Stall,
        ..Faults::default()
    };
    let proxy = ChaosProxy::start(target, faults, 1);
    let mut client = TcpStream::connect(proxy.addr()).unwrap();
    client.write_all(&payload()).unwrap();
    assert_eq!(read_out(&client, SILENCE), (vec![], Ending::Silence));
    let silent = (payload()[..10].to_vec(), Ending::Silence);
    assert_eq!(seen.recv_timeout(LONG).unwrap(), silent);
    // The threads of the stalled connection are gone by now; it can still be reset.
    proxy.cut_all();
    assert_eq!(read_out(&client, LONG), (vec![], Ending::Rst));
}

#[test]
fn one_bit_of_one_byte_is_flipped() {
    let (target, seen) = sink(b"0123456789", LONG);
    let faults = |_: u64, _: &mut fastrand::Rng| Faults {
        corrupt_up_at: Some(123),
        corrupt_down_at: Some(4),
        ..Faults::default()
    };
    let proxy = ChaosProxy::start(target, faults, 5);
    let mut client = TcpStream::connect(proxy.addr()).unwrap();
    for piece in payload().chunks(7) {
        client.write_all(piece).unwrap();
    }
    client.shutdown(Shutdown::Write).unwrap();
    let (down, _) = read_out(&client, LONG);
    let (up, _) = seen.recv_timeout(LONG).unwrap();
    for (sent, came, at) in [(payload(), up, 123), (b"0123456789".to_vec(), down, 4)] {
        assert_eq!(sent.len(), came.len());
        let differing: Vec<_> = (0..sent.len()).filter(|i| sent[*i] != came[*i]).collect();
        assert_eq!(differing, [at]);
        assert_eq!((sent[at] ^ came[at]).count_ones(), 1);
    }
}

#[test]
fn the_same_seed_does_the_same_again() {
    let run = |seed| {
        let (target, seen) = sink(b"", LONG);
        let faults = |_: u64, rng: &mut fastrand::Rng| Faults {
            cut_up_after: Some(rng.u64(..300)),
            corrupt_up_at: Some(rng.u64(..100)),
            how: if rng.bool() { Cut::Rst } else { Cut::Fin },
            ..Faults::default()
        };
        let proxy = ChaosProxy::start(target, faults, seed);
        let one = |_| {
            let client = TcpStream::connect(proxy.addr()).unwrap();
            let (_, end) = talk(client, &payload());
            (seen.recv_timeout(LONG).unwrap(), end)
        };
        (0..20).map(one).collect::<Vec<_>>()
    };
    assert_eq!(run(11), run(11));
    assert_ne!(run(11), run(12));
}

#[test]
fn rates_and_delays_are_as_planned() {
    let (target, seen) = sink(b"", LONG);
    let faults = |index: u64, _: &mut fastrand::Rng| match index {
        0 => Faults {
            rate_up: Some(100_000),
            ..Faults::default()
        },
        1 => Faults {
            delay_connect: Duration::from_millis(200),
            ..Faults::default()
        },
        _ => Faults {
            delay_up: Duration::from_millis(200),
            ..Faults::default()
        },
    };
    let proxy = ChaosProxy::start(target, faults, 1);
    for size in [40_000, 1, 1] {
        let began = Instant::now();
        let mut client = TcpStream::connect(proxy.addr()).unwrap();
        client.write_all(&vec![1; size]).unwrap();
        drop(client);
        assert_eq!(seen.recv_timeout(LONG).unwrap().0.len(), size);
        let took = began.elapsed().as_millis();
        let least = if size == 1 { 200 } else { 350 };
        assert!((least..3000).contains(&took), "{size} bytes took {took} ms");
    }
}

#[test]
fn a_fault_may_wait_for_other_connections() {
    let (addr, _) = sink(b"hello", LONG);
    let plan = |_: u64, _: &mut fastrand::Rng| Faults {
        refuse: true,
        only_beside: 1,
        ..Faults::default()
    };
    let proxy = ChaosProxy::start(addr, plan, 1);
    let greeting = |client: &TcpStream| read_out(client, SILENCE);
    let first = TcpStream::connect(proxy.addr()).unwrap();
    assert_eq!(greeting(&first), (b"hello".to_vec(), Ending::Silence));
    let second = TcpStream::connect(proxy.addr()).unwrap();
    assert_eq!(greeting(&second), (vec![], Ending::Rst));
    first.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_out(&first, LONG), (vec![], Ending::Fin));
}
