//! Secrets that were let go are no longer in this process's memory.
//!
//! Only a Linux process can read its own memory as a file. The secrets are kept here with every
//! byte inverted, so that this test is not what finds itself.
#![cfg(target_os = "linux")]

use std::fs::{self, File};
use std::os::unix::fs::FileExt;

use base64::prelude::{Engine as _, BASE64_STANDARD};
use resup::Client;
use zeroize::Zeroizing;

/// How often the secret is in this process's writable memory.
fn found(inverted: &[u8]) -> usize {
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
        // What cannot be read any more is gone.
        let read = memory.read_at(&mut bytes, number(from)).unwrap_or(0);
        let same = |window: &&[u8]| window.iter().zip(inverted).all(|(a, b)| *a == !b);
        count += bytes[..read].windows(inverted.len()).filter(same).count();
        // Not to be found by the next look.
        bytes.fill(0);
    }
    count
}

/// Sets a secret, looks for what it is kept as, lets the client go, looks again. Only the end of it
/// is looked for: memory that was freed begins with the allocator's own notes.
fn let_go(
    seed: u8,
    set: impl Fn(&Client, &str),
    kept_as: impl Fn(&str) -> Zeroizing<String>,
) -> (usize, usize) {
    // Letters only, so that it fits everywhere; long enough for nothing else to be like it.
    let inverted: Vec<u8> = (0..48u32)
        .map(|i| !(b'a' + ((i * 7 + u32::from(seed)) % 26) as u8))
        .collect();
    let client = Client::new("http://127.0.0.1:1/upload").unwrap();
    let inverted: Vec<u8> = {
        let plain =
            Zeroizing::new(String::from_utf8(inverted.iter().map(|b| !b).collect()).unwrap());
        set(&client, &plain);
        kept_as(&plain)[24..].bytes().map(|b| !b).collect()
    };
    let held = found(&inverted);
    drop(client);
    (held, found(&inverted))
}

#[test]
fn secrets_are_overwritten_when_they_are_let_go() {
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
        let (held, left) = let_go(seed as u8 * 3, set, as_it_is);
        assert!(held > 0, "{name}: the look finds what is there");
        assert_eq!(left, 0, "{name}");
    }
    let basic = |client: &Client, secret: &str| client.set_basic_auth("joe", secret).unwrap();
    let encoded = |secret: &str| {
        let plain = Zeroizing::new(format!("joe:{secret}"));
        let mut encoded = Zeroizing::new(vec![0; 4 * plain.len().div_ceil(3)]);
        BASE64_STANDARD.encode_slice(&*plain, &mut encoded).unwrap();
        Zeroizing::new(String::from_utf8(std::mem::take(&mut encoded)).unwrap())
    };
    for (name, (held, left)) in [
        ("login", let_go(100, login, as_it_is)),
        ("basic", let_go(103, basic, encoded)),
    ] {
        assert!(held > 0, "{name}: the look finds what is there");
        assert_eq!(left, 0, "{name}");
    }
}
