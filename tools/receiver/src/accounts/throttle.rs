//! A limit for wrong passwords.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How many wrong passwords cause no wait, for a user name and for an address. Many people may share an address.
const FREE_FAILURES: [u32; 2] = [5, 20];
/// The longest wait of a user name, whose owner waits too, and of an address.
const MAX_WAIT: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(900)];
/// After this time without a wrong password the count begins again.
pub(super) const FORGET_AFTER: Duration = Duration::from_secs(1800);
/// The largest number of names, and of addresses, that are counted.
const MAX_KEYS: usize = 10_000;

/// The counts of wrong passwords.
#[derive(Default)]
pub struct Throttle {
    /// By user name, and by peer.
    tallies: Mutex<[HashMap<u64, Tally>; 2]>,
    /// Keys are hashes, since names may be of any length.
    hasher: RandomState,
}

struct Tally {
    failures: u32,
    last: Instant,
}

/// The keys that an attempt is counted under; no address if many people share it.
#[derive(Debug, Clone, Copy)]
pub struct Attempt([Option<u64>; 2]);

impl Throttle {
    /// Counts an attempt as a failure, until it is [taken back](Self::take_back): so many attempts at once do not
    /// get around the limit. Without an address only the name counts. The error is the time to wait.
    pub fn begin(
        &self,
        user: &str,
        peer: Option<IpAddr>,
        now: Instant,
    ) -> Result<Attempt, Duration> {
        let keys = [
            Some(self.hasher.hash_one(user)),
            peer.map(|peer| self.hasher.hash_one(network(peer))),
        ];
        let mut tallies = self.tallies.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = [0, 1].map(|kind| {
            let tally = keys[kind].and_then(|key| tallies[kind].get(&key));
            tally.map_or(Duration::ZERO, |tally| tally.wait(kind, now))
        });
        let wait = waits[0].max(waits[1]);
        if !wait.is_zero() {
            return Err(wait);
        }
        for (tallies, key) in tallies.iter_mut().zip(keys) {
            if let Some(key) = key {
                count(tallies, key, now);
            }
        }
        Ok(Attempt(keys))
    }

    /// Takes an attempt back, because the password was `right` or was not checked.
    pub fn take_back(&self, attempt: Attempt, right: bool) {
        let mut tallies = self.tallies.lock().unwrap_or_else(PoisonError::into_inner);
        for (kind, key) in attempt.0.into_iter().enumerate() {
            let Some(key) = key else { continue };
            let Some(tally) = tallies[kind].get_mut(&key) else {
                continue;
            };
            tally.failures = tally.failures.saturating_sub(1);
            // The address's other failures stay: a user could try the passwords of others.
            if tally.failures == 0 || (right && kind == 0) {
                tallies[kind].remove(&key);
            }
        }
    }
}

impl Tally {
    fn wait(&self, kind: usize, now: Instant) -> Duration {
        wait(
            kind,
            self.failures,
            now.saturating_duration_since(self.last),
        )
    }
}

/// How long to wait after so many failures, of a user name (0) or an address (1), the last of which was so long ago.
pub(super) fn wait(kind: usize, failures: u32, age: Duration) -> Duration {
    let Some(excess) = failures.checked_sub(FREE_FAILURES[kind]) else {
        return Duration::ZERO;
    };
    let wait = Duration::from_secs(1 << excess.min(20)).min(MAX_WAIT[kind]);
    wait.saturating_sub(age)
}

fn count(tallies: &mut HashMap<u64, Tally>, key: u64, now: Instant) {
    let fresh = |tally: &Tally| now.saturating_duration_since(tally.last) < FORGET_AFTER;
    if !tallies.contains_key(&key) && tallies.len() >= MAX_KEYS {
        tallies.retain(|_, tally| fresh(tally));
        if tallies.len() >= MAX_KEYS {
            let oldest = tallies.iter().min_by_key(|(_, tally)| tally.last);
            if let Some(key) = oldest.map(|(key, _)| *key) {
                tallies.remove(&key);
            }
        }
    }
    let tally = tallies.entry(key).or_insert(Tally {
        failures: 0,
        last: now,
    });
    tally.failures = if fresh(tally) { tally.failures + 1 } else { 1 };
    tally.last = now;
}

/// Reduces an IPv6 address to its /64 network: who has one address of it has all.
pub(super) fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([192, 0, 2, last]))
    }

    #[test]
    fn waits_grow_with_failures_and_end_with_a_right_password() {
        let throttle = Throttle::default();
        let mut now = Instant::now();
        for try_number in 0..5 {
            assert!(throttle.begin("joe", peer(try_number), now).is_ok());
        }
        for seconds in [1, 2, 4, 8, 16, 32, 60, 60] {
            let wait = Duration::from_secs(seconds);
            assert_eq!(throttle.begin("joe", peer(9), now).unwrap_err(), wait);
            assert!(throttle.begin("ann", peer(9), now).is_ok());
            now += wait;
            assert!(throttle.begin("joe", peer(9), now).is_ok());
        }
        now += Duration::from_secs(60);
        let attempt = throttle.begin("joe", peer(8), now).unwrap();
        throttle.take_back(attempt, true);
        assert!(throttle.begin("joe", peer(8), now).is_ok());
    }

    #[test]
    fn an_address_that_tries_many_names_waits_and_another_does_not() {
        let throttle = Throttle::default();
        let now = Instant::now();
        for name in 0..20 {
            let attempt = throttle.begin(&name.to_string(), peer(1), now).unwrap();
            if name % 2 == 0 {
                // A right password does not make up for a wrong one.
                throttle.take_back(attempt, true);
            }
        }
        for name in 20..30 {
            throttle.begin(&name.to_string(), peer(1), now).unwrap();
        }
        assert!(throttle.begin("joe", peer(1), now).is_err());
        assert!(throttle.begin("joe", peer(2), now).is_ok());
        assert!(throttle.begin("joe", peer(1), now + FORGET_AFTER).is_ok());
    }

    #[test]
    fn an_address_that_many_share_locks_nobody_out() {
        let throttle = Throttle::default();
        let now = Instant::now();
        for name in 0..100 {
            throttle.begin(&name.to_string(), None, now).unwrap();
        }
        for _ in 0..5 {
            throttle.begin("joe", None, now).unwrap();
        }
        assert!(throttle.begin("joe", None, now).is_err());
    }

    #[test]
    fn an_ipv6_network_is_one_address() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::2:3"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(Some(of("::ffff:192.0.2.1")), peer(1));
    }

    #[test]
    fn the_number_of_counts_is_limited() {
        let throttle = Throttle::default();
        let now = Instant::now();
        for name in 0..MAX_KEYS as u32 + 100 {
            let address = IpAddr::from(name.to_be_bytes());
            throttle
                .begin(&name.to_string(), Some(address), now)
                .unwrap();
        }
        let tallies = throttle.tallies.lock().unwrap();
        assert_eq!([tallies[0].len(), tallies[1].len()], [MAX_KEYS, MAX_KEYS]);
    }
}
