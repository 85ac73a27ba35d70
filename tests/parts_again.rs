//! Random cuts of files that are sent in parts: no byte goes again that an answer has confirmed to the client.
//!
//! The client's log has its answers and its sends, in the order in which it took and began them. A byte is confirmed from
//! the first answer on that has it before the offset or in a range. (Of an answer that is lost, or on its way while a send
//! begins, the client cannot know. A server that counts those finds some bytes again.)

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use resup::{Client, Flow, LogLevel, SegmentSize, Upload};
use resup_test_support::chaos::{ChaosProxy, Cut, Faults};
use resup_test_support::files;
use resup_test_support::model::{ModelReceiver, Options};
use resup_test_support::{runs, seed};

/// The bytes per second of each connection.
const RATE: u64 = 1_000_000;

/// What a client has sent, and what was confirmed to it, by the lines of its log.
#[derive(Default)]
struct Book {
    /// The bytes that were confirmed, as ranges.
    confirmed: Vec<(u64, u64)>,
    sends: u64,
    /// The bytes in sends that were confirmed before.
    again: u64,
    lines: Vec<String>,
}

impl Book {
    fn note(&mut self, line: &str) {
        self.lines.push(line.to_owned());
        let words: Vec<&str> = line.split([' ', ',']).filter(|w| !w.is_empty()).collect();
        let number = |word: &str| word.parse::<u64>().unwrap();
        match words[..] {
            ["the", "server", "has", offset, "of", _, "bytes", ref behind @ ..] => {
                self.confirmed.push((0, number(offset)));
                for range in behind.chunks(3) {
                    assert!(range.len() == 3 && range[1] == "to", "{line}");
                    self.confirmed.push((number(range[0]), number(range[2])));
                }
            }
            ["sending", length, "bytes", "from", offset, ..]
            | ["sending", "a", "part", "of", length, "bytes", "from", offset, ..] => {
                self.sends += 1;
                let (from, to) = (number(offset), number(offset) + number(length));
                self.again += self.confirmed_in(from, to);
            }
            _ => {}
        }
    }

    /// Counts the confirmed bytes from one offset up to another.
    fn confirmed_in(&mut self, from: u64, to: u64) -> u64 {
        self.confirmed.sort_unstable();
        let (mut count, mut at) = (0, from);
        for (begin, end) in &self.confirmed {
            let (begin, end) = ((*begin).max(at), (*end).min(to));
            count += end.saturating_sub(begin);
            at = at.max(end);
        }
        count
    }
}

/// Uploads through a network on which connections are cut at random; gives the number of sends.
fn random_cuts(seed: u64, connections: u32) -> u64 {
    let mut rng = seed::rng(seed);
    let size = rng.u64(4 << 20..8 << 20);
    let options = Options {
        max_segment: (rng.u8(..3) == 0).then(|| rng.u64(100_000..1_000_000)),
        buffering: rng.u8(..5) == 0,
        late: rng.u8(..3) == 0,
        ..Options::newest()
    };
    let segments = match rng.u8(..3) {
        0 => SegmentSize::Fixed(rng.u64(100_000..1_000_000)),
        _ => SegmentSize::Unlimited,
    };
    let receiver = ModelReceiver::with(options.clone());
    let cuts = AtomicU64::new(14);
    let faults = move |_, rng: &mut fastrand::Rng| {
        let faults = Faults {
            rate_up: Some(RATE),
            ..Faults::default()
        };
        if rng.u8(..3) == 0 || cuts.load(Ordering::Relaxed) == 0 {
            return faults;
        }
        cuts.fetch_sub(1, Ordering::Relaxed);
        Faults {
            cut_up_after: (rng.u8(..4) > 0).then(|| rng.u64(..size / 4)),
            cut_down_after: (rng.u8(..4) == 0).then(|| rng.u64(..2000)),
            how: [Cut::Rst, Cut::Fin][rng.usize(..2)],
            ..faults
        }
    };
    let proxy = ChaosProxy::start(receiver.addr(), faults, seed);
    let client = Client::new(&receiver.endpoint_at(proxy.addr())).unwrap();
    let short = Duration::from_millis(5);
    client.set_retry_backoff(short, short * 8).unwrap();
    client.set_retry_limit(40);
    let book = Arc::<Mutex<Book>>::default();
    let (theirs, told) = (
        book.clone(),
        format!("seed {seed}: {size} {connections} {options:?} {segments:?}"),
    );
    client.on_log(LogLevel::Debug, move |_, line| {
        theirs.lock().unwrap().note(line);
        Flow::Continue
    });
    let content = files::bytes(size as usize, seed);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    std::fs::write(&path, &content).unwrap();
    let mut upload = Upload::from_file(&client, &path).unwrap();
    upload.set_connections(connections).unwrap();
    upload.set_segment_size(segments).unwrap();
    let result = upload.run();
    let book = book.lock().unwrap();
    let log = book.lines.join("\n");
    result.unwrap_or_else(|error| panic!("{told}: {error}\n{log}"));
    assert!(
        receiver
            .files()
            .iter()
            .any(|(_, stored)| *stored == content),
        "{told}"
    );
    let stats = receiver.stats();
    println!(
        "{told}: {} sends, {} bytes again; the server counts {}",
        book.sends, book.again, stats.bytes_again
    );
    if stats.bytes_again > 0 {
        println!("{log}");
    }
    assert_eq!(book.again, 0, "{told}\n{log}");
    if connections == 1 {
        assert_eq!(stats.bytes_again, 0, "{told}\n{log}");
    }
    book.sends
}

#[test]
fn no_confirmed_byte_is_sent_again() {
    let (seed, wanted, sends) = (seed::seed(), runs::count(12), AtomicU64::new(0));
    runs::on_threads(12, wanted, |run| {
        let connections = if run % 3 == 0 { 1 } else { 6 };
        let made = random_cuts(seed.wrapping_add(run), connections);
        sends.fetch_add(made, Ordering::Relaxed);
    });
    // Were the log's words other ones, nothing would be counted.
    assert!(sends.into_inner() > 4 * wanted);
}
