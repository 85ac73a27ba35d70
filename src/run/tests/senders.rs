//! The threads that send parts.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use super::harness::NoNetwork;
use super::server::Fake;
use super::*;
use crate::engine::{PartId, PartSend};
use crate::error::ErrorKind;
use crate::run::parallel::event;
use crate::run::senders::{Common, Ended, Senders};

/// A source that can be opened so many times more.
struct Few {
    inner: Box<dyn Source>,
    left: AtomicU64,
}

impl Source for Few {
    fn name(&self) -> String {
        self.inner.name()
    }
    fn size(&self) -> u64 {
        self.inner.size()
    }
    fn mtime(&self) -> Option<i64> {
        None
    }
    fn identity(&self) -> Option<String> {
        None
    }
    fn seek(&mut self, offset: u64) -> Result<(), Error> {
        self.inner.seek(offset)
    }
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, Stop> {
        self.inner.read(buf)
    }
    fn verify(&mut self) -> Result<Option<i128>, Stop> {
        self.inner.verify()
    }
    fn another(&self) -> Result<Box<dyn Source>, Error> {
        match self.left.load(Relaxed) {
            0 => Err(Error::SourceIo {
                path: self.name(),
                why: "Too many open files".to_owned(),
                passing: false,
            }),
            left => {
                self.left.store(left - 1, Relaxed);
                self.inner.another()
            }
        }
    }
}

fn part(part: u64, offset: u64, length: u64) -> PartSend {
    PartSend {
        part: PartId(part),
        offset,
        length,
        asks: None,
    }
}

/// Sends parts of 5000 bytes that can be opened `readers` times; gives how the parts have ended. None ends
/// before all have begun.
fn send(readers: u64, server: Server, sends: &[PartSend]) -> (Vec<Ended>, Control) {
    let source = Few {
        inner: memory(&content(5000)),
        left: AtomicU64::new(readers),
    };
    let (fake, control) = (Fake(Mutex::new(server)), Control::default());
    let (unlimited, job) = (Limiter::default(), harness::job(5000));
    let common = Common {
        protocol: &fake,
        control: &control,
        rates: [&unlimited, &unlimited],
        job: &job,
        algorithm: Some(Algorithm::Md5),
        checksum: None,
        key: "k",
        sent: AtomicU64::new(0),
    };
    let ended = thread::scope(|scope| {
        let mut senders = Senders::new(scope, &common, &NoNetwork);
        let waits = fake.0.lock().unwrap();
        for send in sends {
            senders.begin(*send, None, &source);
        }
        drop(waits);
        let until = Instant::now() + Duration::from_secs(60);
        let wait = |_: &PartSend| senders.wait(until).expect("it hangs");
        sends.iter().map(wait).collect()
    });
    (ended, control)
}

#[test]
fn a_reader_that_is_one_too_many_is_no_failure_of_the_file() {
    let both = [part(1, 0, 2000), part(2, 2000, 3000)];
    for (readers, kinds) in [
        (2, [None, None]),
        (1, [None, Some(ErrorKind::System)]),
        (0, [Some(ErrorKind::System), Some(ErrorKind::System)]),
    ] {
        let (mut ended, _) = send(readers, Server::default(), &both);
        ended.sort_by_key(|it| it.send.offset);
        let kind = |ended: &Ended| match &ended.result {
            Ok(_) => None,
            Err(Stop::Failed(error)) => Some(error.kind()),
            Err(stop) => panic!("{stop:?}"),
        };
        assert_eq!(
            ended.iter().map(kind).collect::<Vec<_>>(),
            kinds,
            "{readers}"
        );
    }
}

#[test]
fn only_a_part_that_its_answer_shows_is_confirmed() {
    for (fates, confirmed) in [(vec![], 2000), (vec![Fate::KeepsNothing], 0)] {
        let server = Server {
            fates,
            ..Server::default()
        };
        let (mut ended, control) = send(1, server, &[part(1, 0, 2000)]);
        event(&control, ended.remove(0), false, &mut 0);
        assert_eq!(control.snapshot().offset, confirmed);
    }
}
