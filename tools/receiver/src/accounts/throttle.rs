//! How often somebody may try a password.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Wrong passwords that a user name, and an address, has for nothing. Many people may share an address.
const FREE: [u32; 2] = [5, 20];
/// The longest that a name has to wait, since its owner waits too, and an address.
const LONGEST: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(900)];
/// After so long without a wrong password all is forgiven.
const FORGOTTEN: Duration = Duration::from_secs(1800);
/// The most names, and addresses, that are remembered.
const MOST: usize = 10_000;

/// The failures of the last time.
#[derive(Default)]
pub struct Throttle {
    /// By user name, and by peer.
    tallies: Mutex<[HashMap<u64, Tally>; 2]>,
    /// Names are foreign text of any length: their hashes are remembered.
    hasher: RandomState,
}

struct Tally {
    failures: u32,
    last: Instant,
}

/// What an attempt is counted under.
#[derive(Debug, Clone, Copy)]
pub struct Attempt([u64; 2]);

impl Throttle {
    /// Counts an attempt as a failure until it is [taken back](Self::take_back), so that many at once
    /// are no way around. An error is the time to wait.
    pub fn begin(&self, user: &str, peer: IpAddr, now: Instant) -> Result<Attempt, Duration> {
        let keys = [
            self.hasher.hash_one(user),
            self.hasher.hash_one(network(peer)),
        ];
        let mut tallies = self.tallies.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = [0, 1].map(|kind| {
            let tally = tallies[kind].get(&keys[kind]);
            tally.map_or(Duration::ZERO, |tally| tally.wait(kind, now))
        });
        let wait = waits[0].max(waits[1]);
        if !wait.is_zero() {
            return Err(wait);
        }
        for (tallies, key) in tallies.iter_mut().zip(keys) {
            count(tallies, key, now);
        }
        Ok(Attempt(keys))
    }

    /// The attempt was none, or the password was right.
    pub fn take_back(&self, attempt: Attempt, right: bool) {
        let mut tallies = self.tallies.lock().unwrap_or_else(PoisonError::into_inner);
        for (kind, key) in attempt.0.into_iter().enumerate() {
            let Some(tally) = tallies[kind].get_mut(&key) else {
                continue;
            };
            tally.failures = tally.failures.saturating_sub(1);
            // An address's failures are not forgiven: who has one account could try the others.
            if tally.failures == 0 || (right && kind == 0) {
                tallies[kind].remove(&key);
            }
        }
    }
}

impl Tally {
    fn wait(&self, kind: usize, now: Instant) -> Duration {
        let Some(paid) = self.failures.checked_sub(FREE[kind]) else {
            return Duration::ZERO;
        };
        let wait = Duration::from_secs(1 << paid.min(20)).min(LONGEST[kind]);
        wait.saturating_sub(now.saturating_duration_since(self.last))
    }
}

fn count(tallies: &mut HashMap<u64, Tally>, key: u64, now: Instant) {
    let fresh = |tally: &Tally| now.saturating_duration_since(tally.last) < FORGOTTEN;
    if !tallies.contains_key(&key) && tallies.len() >= MOST {
        tallies.retain(|_, tally| fresh(tally));
        if tallies.len() >= MOST {
            let oldest = tallies.iter().min_by_key(|(_, tally)| tally.last);
            let oldest = oldest.map(|(key, _)| *key);
            oldest.map(|key| tallies.remove(&key));
        }
    }
    let tally = tallies.entry(key).or_insert(Tally {
        failures: 0,
        last: now,
    });
    tally.failures = if fresh(tally) { tally.failures + 1 } else { 1 };
    tally.last = now;
}

/// Who has one IPv6 address has the 2^64 beside it.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn waits_grow_with_a_names_failures_and_end_with_a_right_password() {
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
    fn an_address_with_many_names_waits_and_its_neighbour_does_not() {
        let throttle = Throttle::default();
        let now = Instant::now();
        for name in 0..20 {
            let attempt = throttle.begin(&name.to_string(), peer(1), now).unwrap();
            if name % 2 == 0 {
                // Right ones of its own do not pay for wrong ones.
                throttle.take_back(attempt, true);
            }
        }
        for name in 20..30 {
            throttle.begin(&name.to_string(), peer(1), now).unwrap();
        }
        assert!(throttle.begin("joe", peer(1), now).is_err());
        assert!(throttle.begin("joe", peer(2), now).is_ok());
        assert!(throttle.begin("joe", peer(1), now + FORGOTTEN).is_ok());
    }

    #[test]
    fn an_ipv6_network_is_one_address() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::2:3"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:192.0.2.1"), peer(1));
    }

    #[test]
    fn only_so_many_are_remembered() {
        let throttle = Throttle::default();
        let now = Instant::now();
        for name in 0..MOST as u32 + 100 {
            let address = IpAddr::from(name.to_be_bytes());
            throttle.begin(&name.to_string(), address, now).unwrap();
        }
        let tallies = throttle.tallies.lock().unwrap();
        assert_eq!([tallies[0].len(), tallies[1].len()], [MOST, MOST]);
    }
}
