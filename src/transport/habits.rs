//! What the connections of one client have noticed of its server.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// So many dead connections in a row are the server's habit.
const DEAD_IN_A_ROW: u32 = 2;

/// So many silent addresses are remembered.
const MAX_SILENT: usize = 16;

/// The habits of a server, for all connections of one client.
#[derive(Debug, Default)]
pub(super) struct Habits {
    ignores_expect: AtomicBool,
    /// How many kept connections were dead when they were used, since one was not.
    dead: AtomicU32,
    /// The address of the last connection.
    address: Mutex<Option<SocketAddr>>,
    /// The addresses that took a connection, and did not answer; the latest is the last.
    silent: Mutex<Vec<SocketAddr>>,
}

impl Habits {
    /// Whether the server ignores `Expect: 100-continue`.
    pub(super) fn ignores_expect(&self) -> bool {
        self.ignores_expect.load(Relaxed)
    }

    pub(super) fn set_ignores_expect(&self, ignores: bool) {
        self.ignores_expect.store(ignores, Relaxed);
    }

    /// Whether the server closes kept connections without a word, so that none is worth keeping.
    pub(super) fn closes_kept(&self) -> bool {
        self.dead.load(Relaxed) >= DEAD_IN_A_ROW
    }

    /// Notes whether a connection that was kept turned out to be dead.
    pub(super) fn note_kept(&self, was_dead: bool) {
        if was_dead {
            self.dead.fetch_add(1, Relaxed);
        } else if !self.closes_kept() {
            self.dead.store(0, Relaxed);
        }
    }

    /// Gives the address of the last connection.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        *self.address.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_address(&self, address: SocketAddr) {
        *self.address.lock().unwrap_or_else(PoisonError::into_inner) = Some(address);
        self.silent().retain(|other| *other != address);
    }

    /// Notes that an address took a connection, and that nothing came from there.
    pub(super) fn note_silent(&self, address: SocketAddr) {
        let mut last = self.address.lock().unwrap_or_else(PoisonError::into_inner);
        last.take_if(|last| *last == address);
        drop(last);
        let mut silent = self.silent();
        silent.retain(|other| *other != address);
        silent.push(address);
        let excess = silent.len().saturating_sub(MAX_SILENT);
        silent.drain(..excess);
    }

    /// Moves the addresses that were silent to the end, the latest one last.
    pub(super) fn put_silent_last(&self, addrs: &mut [SocketAddr]) {
        let silent = self.silent();
        addrs.sort_by_key(|addr| {
            silent
                .iter()
                .position(|other| other == addr)
                .map(|at| at + 1)
        });
    }

    fn silent(&self) -> MutexGuard<'_, Vec<SocketAddr>> {
        self.silent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::Habits;
    use std::net::SocketAddr;

    #[test]
    fn two_dead_connections_in_a_row_are_a_habit() {
        let habits = Habits::default();
        for was_dead in [true, false, true] {
            habits.note_kept(was_dead);
            assert!(!habits.closes_kept());
        }
        habits.note_kept(true);
        assert!(habits.closes_kept());
        habits.note_kept(false);
        assert!(habits.closes_kept(), "a habit stays");
    }

    #[test]
    fn silent_addresses_take_turns_after_the_others() {
        let habits = Habits::default();
        let addrs: Vec<SocketAddr> = (1..4).map(|port| ([127, 0, 0, 1], port).into()).collect();
        let order = || -> Vec<u16> {
            let mut order = addrs.clone();
            habits.put_silent_last(&mut order);
            order.iter().map(SocketAddr::port).collect()
        };
        habits.set_address(addrs[0]);
        for (silent, wanted) in [
            (0, [2, 3, 1]),
            (1, [3, 1, 2]),
            (2, [1, 2, 3]),
            (0, [2, 3, 1]),
        ] {
            habits.note_silent(addrs[silent]);
            assert_eq!(order(), wanted);
            assert_eq!(habits.address(), None);
        }
        habits.set_address(addrs[1]);
        habits.note_silent(addrs[2]);
        assert_eq!(order(), [2, 1, 3]);
        assert_eq!(habits.address(), Some(addrs[1]));
    }
}
