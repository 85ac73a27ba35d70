//! What the connections of one client have noticed of its server.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

/// So many dead connections in a row are the server's habit.
const DEAD_IN_A_ROW: u32 = 2;

/// The habits of a server, for all connections of one client.
#[derive(Debug, Default)]
pub(super) struct Habits {
    ignores_expect: AtomicBool,
    /// How many kept connections were dead when they were used, since one was not.
    dead: AtomicU32,
    /// The address of the last connection.
    address: Mutex<Option<SocketAddr>>,
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
    }
}

#[cfg(test)]
mod tests {
    use super::Habits;

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
}
