//! Several clients that send one file.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use anyhow::{ensure, Context, Result};

use crate::checks::broken::keeps_broken_requests;
use crate::checks::check::{Check, SEND};
use crate::file::TestFile;
use crate::probe::Probe;
use crate::response::Response;
use crate::send::SendRequest;
use crate::verdict::{not_supported, pass, Outcome};

pub const CHECKS: &[Check] = &[
    Check {
        id: "writer-dead",
        section: SEND,
        holds: "a newer request replaces a writer that is silent, within about 2 seconds",
        run: dead,
    },
    Check {
        id: "writer-live",
        section: SEND,
        holds: "a writer that is sending stays, and a second one gets 423",
        run: live,
    },
    Check {
        id: "writers-race",
        section: SEND,
        holds: "clients that send one file at once never mix their bytes",
        run: race,
    },
    Check {
        id: "locates-race",
        section: SEND,
        holds: "clients that locate one new file at once can all continue it",
        run: locates_race,
    },
];

/// The longest time for a takeover: 2 seconds by the protocol, and time for a slow machine.
const TAKEOVER: Duration = Duration::from_secs(6);

fn dead(probe: &Probe) -> Outcome {
    let file = probe.file(20_000);
    let id = probe.find(&file)?.id;
    let send = SendRequest::of(&file, &id, 0, file.size());
    let mut writer = probe.send_part(&send, file.at(2, 5))?;
    sleep(Duration::from_millis(300));
    let start = Instant::now();
    let response = probe
        .locate(&file)
        .context("a locate beside a silent writer")?
        .expect(200)?;
    let from = response.offset()?;
    ensure!(
        from <= file.at(2, 5),
        "the offset is {from}; no more than {} bytes were sent",
        file.at(2, 5)
    );
    let rest = SendRequest::of(&file, &id, from, file.size());
    let mut response = probe.send(&rest).context("a send beside a silent writer")?;
    if response.status == 409 {
        // The bytes of the silent writer were saved after the locate.
        let rest = SendRequest::of(&file, &id, response.offset()?, file.size());
        response = probe.send(&rest)?;
    }
    response.expect_complete(file.size())?;
    ensure!(
        start.elapsed() < TAKEOVER,
        "it took {:.1} s to replace a silent writer",
        start.elapsed().as_secs_f64()
    );
    // The silent writer continues.
    let _ = writer.write(&file.content[file.at(2, 5) as usize..]);
    sleep(Duration::from_millis(200));
    probe.locate(&file)?.expect_complete(file.size())?;
    pass()
}

fn live(probe: &Probe) -> Outcome {
    locked_out(probe, |probe, file, id| {
        probe.send(&SendRequest::of(file, id, 0, file.size()))
    })
}

/// A request about a file, by its id.
type Second = fn(&Probe, &TestFile, &str) -> Result<Response>;

/// Checks that a request gets 423 while a writer is sending, and that the writer stays.
pub fn locked_out(probe: &Probe, second: Second) -> Outcome {
    if !keeps_broken_requests(probe)? {
        return not_supported(
            "the receiver seems to see only complete bodies, so it cannot see who is sending",
        );
    }
    for _ in 0..3 {
        let (first, second, longest_pause) = ask_beside_a_live_writer(probe, second)?;
        if longest_pause > MAX_PAUSE {
            // This machine is too busy: the writer was silent for too long.
            continue;
        }
        second.context("the second request")?.expect(423)?;
        let first = first.context("the first writer, which was sending all the time")?;
        ensure!(
            first.is_complete(),
            "the first writer's response is {}",
            first.summary()
        );
        return pass();
    }
    not_supported("this machine is too busy to send every half second")
}

/// The longest pause of a writer that is not silent.
const MAX_PAUSE: Duration = Duration::from_millis(500);

/// Starts a writer, and makes a second request while the writer is sending. Returns both responses, and
/// the writer's longest pause.
fn ask_beside_a_live_writer(
    probe: &Probe,
    second: Second,
) -> Result<(Result<Response>, Result<Response>, Duration)> {
    let file = probe.file(20_000);
    let id = probe.find(&file)?.id;
    let send = SendRequest::of(&file, &id, 0, file.size());
    let body = probe.body(&send);
    let mut first = probe.connect()?;
    first.write(&[&*probe.post_head(&body), &*body.opening].concat())?;
    let done = AtomicBool::new(false);
    let second_client = probe.for_thread();
    let write_slowly = || {
        let mut pieces = body.bytes.chunks((body.bytes.len() / 100).max(1));
        let (mut last, mut longest_pause) = (Instant::now(), Duration::ZERO);
        while !done.load(Ordering::Relaxed) {
            // The last piece waits until the second writer has its response.
            if pieces.len() > 1 {
                first.write(pieces.next().unwrap_or_default())?;
            }
            longest_pause = longest_pause.max(last.elapsed());
            last = Instant::now();
            sleep(Duration::from_millis(50));
        }
        for piece in pieces {
            first.write(piece)?;
        }
        first.write(&body.closing)?;
        Ok((first.read_response(), longest_pause))
    };
    scope(|scope| {
        let first_writer = scope.spawn(write_slowly);
        sleep(Duration::from_millis(400));
        let second = second(&second_client, &file, &id);
        done.store(true, Ordering::Relaxed);
        match first_writer.join().expect("the first writer's thread") {
            Ok((first, longest_pause)) => Ok((first, second, longest_pause)),
            Err(error) => Ok((Err(error), second, Duration::ZERO)),
        }
    })
}

fn race(probe: &Probe) -> Outcome {
    let file = probe.file(60_000);
    probe.find(&file)?;
    scope(|scope| {
        let clients: Vec<_> = (0..4)
            .map(|_| {
                let client = probe.for_thread();
                let file = &file;
                scope.spawn(move || {
                    for _ in 0..3 {
                        let Ok(found) = client.find(file) else {
                            continue;
                        };
                        if found.complete {
                            return;
                        }
                        let to = client.random(found.offset, file.size()) + 1;
                        let _ = client.send(&SendRequest::of(file, &found.id, found.offset, to));
                    }
                })
            })
            .collect();
        for client in clients {
            let _ = client.join();
        }
    });
    let found = probe.find(&file)?;
    // If the bytes were mixed, the digest is refused.
    if !found.complete {
        let rest = SendRequest::of(&file, &found.id, found.offset, file.size());
        probe.send(&rest)?.expect_complete(file.size())?;
    }
    pass()
}

fn locates_race(probe: &Probe) -> Outcome {
    let file = probe.file(1000);
    let ids: Vec<_> = scope(|scope| {
        let clients: Vec<_> = (0..6)
            .map(|_| {
                let client = probe.for_thread();
                let file = &file;
                scope.spawn(move || client.find(file).map(|found| found.id))
            })
            .collect();
        let join = |client: std::thread::ScopedJoinHandle<'_, _>| client.join().expect("a client");
        clients.into_iter().map(join).collect()
    });
    for id in ids {
        let offset = probe.find(&file)?.offset;
        let to = (offset + file.size() / 10).min(file.size());
        let piece = SendRequest::of(&file, &id?, offset, to);
        let response = probe
            .send(&piece)
            .context("a send with the id of one of the locates")?;
        response.expect(200)?;
    }
    probe.finish(&file)?;
    pass()
}
