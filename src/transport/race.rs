//! A TCP connection to one of a server's addresses (RFC 8305, "Happy Eyeballs").
//!
//! Where an address swallows connects, such as that of a broken IPv6, the next one is tried soon,
//! and the first connection wins.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{channel, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::habits::Habits;

/// The time that an address has before the next one is tried, too (RFC 8305, 5).
const HEAD_START: Duration = Duration::from_millis(250);

/// The time limit where there is none.
pub(super) const NO_LIMIT: Duration = Duration::from_secs(365 * 86400);

/// An attempt to connect.
type Attempt = Box<dyn FnOnce() + Send>;

/// Connects to one of `addrs` within `limit`. The address is the first one the next time, unless
/// nothing comes from there.
pub(super) fn connect(
    addrs: &[SocketAddr],
    limit: Duration,
    habits: &Habits,
) -> io::Result<TcpStream> {
    let stream = match addrs {
        [only] => TcpStream::connect_timeout(only, limit)?,
        _ => {
            let mut order = in_turn(addrs, habits.address());
            habits.put_silent_last(&mut order);
            race(&order, limit, |attempt| {
                let builder = thread::Builder::new().name("resup-connect".to_owned());
                builder.spawn(attempt).is_ok()
            })?
        }
    };
    if addrs.len() > 1 {
        habits.set_address(stream.peer_addr()?);
    }
    Ok(stream)
}

/// Connects to the first of `addrs` that accepts. `spawn` starts an attempt in a second thread, and
/// gives whether it could.
fn race(
    addrs: &[SocketAddr],
    limit: Duration,
    spawn: impl Fn(Attempt) -> bool,
) -> io::Result<TcpStream> {
    let until = Instant::now() + limit;
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    let mut addrs = addrs.iter().copied().peekable();
    let (report, results) = channel();
    let mut running = 0;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let mut wait = left;
        let untried = u32::try_from(addrs.len()).unwrap_or(u32::MAX);
        if let Some(&addr) = addrs.peek() {
            let their_report = report.clone();
            let started = spawn(Box::new(move || {
                // If it comes too late, its connection is closed.
                let _ = their_report.send(TcpStream::connect_timeout(&addr, left));
            }));
            if !started && running == 0 {
                // No address has more than its part of the time here.
                let _ = report.send(TcpStream::connect_timeout(&addr, left / untried));
            }
            if started || running == 0 {
                running += 1;
                addrs.next();
            }
            wait = left.min(HEAD_START);
        } else if running == 0 {
            return Err(last);
        }
        match results.recv_timeout(wait) {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(e)) => {
                running -= 1;
                last = e;
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
    }
}

/// Gives the addresses in the order in which they are tried: the `known` one, or else the first;
/// then those of the other family and of the same one in turn (RFC 8305, 4).
fn in_turn(addrs: &[SocketAddr], known: Option<SocketAddr>) -> Vec<SocketAddr> {
    let known = known.filter(|addr| addrs.contains(addr));
    let Some(first) = known.or(addrs.first().copied()) else {
        return Vec::new();
    };
    let rest = addrs.iter().copied().filter(|addr| *addr != first);
    let (same, other): (Vec<_>, Vec<_>) = rest.partition(|addr| addr.is_ipv4() == first.is_ipv4());
    let mut order = vec![first];
    for at in 0..same.len().max(other.len()) {
        order.extend(other.get(at));
        order.extend(same.get(at));
    }
    order
}

#[cfg(test)]
mod tests {
    use super::{in_turn, race};
    use std::net::{SocketAddr, TcpListener};
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    use std::thread;
    use std::time::Duration;

    #[test]
    fn without_second_threads_the_addresses_are_tried_all_the_same() {
        let gone = TcpListener::bind("127.0.0.1:0").unwrap();
        let gone_addr = gone.local_addr().unwrap();
        drop(gone);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addrs = [gone_addr, gone_addr, listener.local_addr().unwrap()];
        for threads in 0..3 {
            let left = AtomicU32::new(threads);
            let spawn = |attempt| {
                let is_left = left.load(Relaxed) > 0;
                if is_left {
                    left.fetch_sub(1, Relaxed);
                    thread::spawn(attempt);
                }
                is_left
            };
            let stream = race(&addrs, Duration::from_secs(20), spawn).unwrap();
            assert_eq!(stream.peer_addr().unwrap(), addrs[2]);
        }
    }

    #[test]
    fn families_take_turns_and_the_known_address_is_first() {
        let addrs: Vec<SocketAddr> = ["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1", "1.1.1.2:1"]
            .map(|addr| addr.parse().unwrap())
            .to_vec();
        let order = |known: Option<usize>| -> Vec<usize> {
            in_turn(&addrs, known.map(|at| addrs[at]))
                .iter()
                .map(|addr| addrs.iter().position(|other| other == addr).unwrap())
                .collect()
        };
        assert_eq!(order(None), [0, 3, 1, 4, 2]);
        assert_eq!(order(Some(4)), [4, 0, 3, 1, 2]);
        let elsewhere = "9.9.9.9:1".parse().unwrap();
        assert_eq!(in_turn(&addrs[..1], Some(elsewhere)), addrs[..1]);
        assert!(in_turn(&[], Some(elsewhere)).is_empty());
    }
}
