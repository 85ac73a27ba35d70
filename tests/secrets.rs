//! Secrets that were released are not in the memory of the process any more.
//!
//! Only a Linux process can read its own memory as a file. The tests hold the secrets with every byte
//! inverted, so that the search does not find their own copies.
#![cfg(target_os = "linux")]

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use base64::prelude::{Engine as _, BASE64_STANDARD};
use resup::Client;
use zeroize::Zeroizing;

/// Counts how often the secret is in the writable memory of this process.
fn count_copies(inverted: &[u8]) -> usize {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let memory = File::open("/proc/self/mem").unwrap();
    let mut count = 0;
    for line in maps.lines() {
        let (range, rest) = line.split_once(' ').unwrap();
        if !rest.starts_with("rw") {
            continue;
        }
        let (from, to) = range.split_once('-').unwrap();
        let number = |hex| u64::from_str_radix(hex, 16).unwrap();
        let mut bytes = vec![0; (number(to) - number(from)) as usize];
        // A range that cannot be read any more is gone.
        let read = memory.read_at(&mut bytes, number(from)).unwrap_or(0);
        let same = |window: &&[u8]| window.iter().zip(inverted).all(|(a, b)| *a == !b);
        count += bytes[..read].windows(inverted.len()).filter(same).count();
        // The next search must not find this copy.
        bytes.fill(0);
    }
    count
}

/// Sets a secret, and counts the copies of its `form` before and after the client is dropped. Only the end of it
/// is searched for: the allocator writes to the beginning of memory that was freed.
fn copies_before_and_after(
    seed: u8,
    set: impl Fn(&Client, &str),
    form: impl Fn(&str) -> Zeroizing<String>,
) -> (usize, usize) {
    // Letters, which every setting takes; so many that nothing else in memory is equal.
    let inverted_secret: Vec<u8> = (0..48u32)
        .map(|i| !(b'a' + ((i * 7 + u32::from(seed)) % 26) as u8))
        .collect();
    let client = Client::new("http://127.0.0.1:1/upload").unwrap();
    let inverted: Vec<u8> = {
        let plain = Zeroizing::new(
            String::from_utf8(inverted_secret.iter().map(|b| !b).collect()).unwrap(),
        );
        set(&client, &plain);
        form(&plain)[24..].bytes().map(|b| !b).collect()
    };
    let before = count_copies(&inverted);
    drop(client);
    (before, count_copies(&inverted))
}

#[test]
fn secrets_are_overwritten_when_they_are_released() {
    let login = |client: &Client, secret: &str| {
        client.set_login_form("http://127.0.0.1:1/login").unwrap();
        client.set_login_field("password", secret).unwrap();
    };
    let as_it_is = |secret: &str| Zeroizing::new(secret.to_owned());
    type Set = fn(&Client, &str);
    let sets: [(&str, Set); 5] = [
        ("bearer", |client, secret| {
            client.set_bearer_token(secret).unwrap()
        }),
        ("header", |client, secret| {
            client.set_header("x-key", secret).unwrap()
        }),
        ("cookie", |client, secret| {
            client.set_cookie("sid", secret).unwrap()
        }),
        ("signing", |client, secret| {
            client.set_signing_secret(secret.as_bytes()).unwrap()
        }),
        ("proxy", |client, secret| {
            let url = Zeroizing::new(format!("http://joe:{secret}@127.0.0.1:1"));
            client.set_proxy(&url).unwrap();
        }),
    ];
    for (seed, (name, set)) in sets.into_iter().enumerate() {
        let (before, after) = copies_before_and_after(seed as u8 * 3, set, as_it_is);
        assert!(before > 0, "{name}: the search finds what is there");
        assert_eq!(after, 0, "{name}");
    }
    let basic = |client: &Client, secret: &str| client.set_basic_auth("joe", secret).unwrap();
    let encoded = |secret: &str| {
        let plain = Zeroizing::new(format!("joe:{secret}"));
        let mut encoded = Zeroizing::new(vec![0; 4 * plain.len().div_ceil(3)]);
        BASE64_STANDARD.encode_slice(&*plain, &mut encoded).unwrap();
        Zeroizing::new(String::from_utf8(std::mem::take(&mut encoded)).unwrap())
    };
    for (name, (before, after)) in [
        ("login", copies_before_and_after(100, login, as_it_is)),
        ("basic", copies_before_and_after(103, basic, encoded)),
    ] {
        assert!(before > 0, "{name}: the search finds what is there");
        assert_eq!(after, 0, "{name}");
    }
}
