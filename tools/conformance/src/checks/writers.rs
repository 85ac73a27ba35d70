//! Several clients at one upload.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{scope, sleep};
use std::time::{Duration, Instant};

use anyhow::{ensure, Context, Result};

use super::broken::is_kept;
use super::{Check, SEND};
use crate::answer::Answer;
use crate::form::Send;
use crate::probe::Probe;
use crate::verdict::{not_supported, pass, Outcome};

pub const CHECKS: &[Check] = &[
    Check {
        id: "writer-dead",
        section: SEND,
        holds: "a writer that has fallen silent is taken over from, within some 2 seconds",
        run: dead,
    },
    Check {
        id: "writer-live",
        section: SEND,
        holds: "a writer that gets bytes stays, and a second one is answered 423",
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
        holds: "clients that ask for one new file at once can all go on with it",
        run: locates_race,
    },
];

/// What a takeover may take: 2 seconds by the protocol, and time for a slow machine.
const TAKEOVER: Duration = Duration::from_secs(6);

fn dead(probe: &Probe) -> Outcome {
    let file = probe.file(20_000);
    let id = probe.find(&file)?.id;
    let send = Send::of(&file, &id, 0, file.size());
    let mut dead = probe.begin(&send, file.at(2, 5))?;
    sleep(Duration::from_millis(300));
    let begun = Instant::now();
    let answer = probe
        .locate(&file)
        .context("a locate beside a dead writer")?;
    let answer = answer.expect(200)?;
    let from = answer.offset()?;
    ensure!(
        from <= file.at(2, 5),
        "offset {from} is told; no more than {} bytes were sent",
        file.at(2, 5)
    );
    let rest = Send::of(&file, &id, from, file.size());
    let mut answer = probe.send(&rest).context("a send beside a dead writer")?;
    if answer.status == 409 {
        // What the dead one had written was kept after the locate.
        let rest = Send::of(&file, &id, answer.offset()?, file.size());
        answer = probe.send(&rest)?;
    }
    answer.expect_complete(file.size())?;
    ensure!(
        begun.elapsed() < TAKEOVER,
        "it took {:.1} s to take over from a dead writer",
        begun.elapsed().as_secs_f64()
    );
    // The dead one wakes up.
    let _ = dead.write(&file.content[file.at(2, 5) as usize..]);
    sleep(Duration::from_millis(200));
    probe.locate(&file)?.expect_complete(file.size())?;
    pass()
}

fn live(probe: &Probe) -> Outcome {
    if !is_kept(probe)? {
        return not_supported("it seems to see a body only when it is whole, and so no writer");
    }
    for _ in 0..3 {
        let (first, second, longest_pause) = beside_a_live_writer(probe)?;
        if longest_pause > ALIVE {
            // This machine is too busy: the writer did look dead.
            continue;
        }
        second.context("the second writer")?.expect(423)?;
        let first = first.context("the first writer, which was sending all the time")?;
        ensure!(
            first.is_complete(),
            "the first writer's answer is {}",
            first.tell()
        );
        return pass();
    }
    not_supported("this machine is too busy to send something ten times a second")
}

/// A client that pauses no longer than this is alive without doubt.
const ALIVE: Duration = Duration::from_millis(500);

/// What a writer and one that comes while it is sending are answered, and the writer's longest pause.
fn beside_a_live_writer(probe: &Probe) -> Result<(Result<Answer>, Result<Answer>, Duration)> {
    let file = probe.file(20_000);
    let id = probe.find(&file)?.id;
    let send = Send::of(&file, &id, 0, file.size());
    let body = probe.body(&send);
    let mut first = probe.link()?;
    first.write(&[&*probe.post_head(&body), &*body.opening].concat())?;
    let done = AtomicBool::new(false);
    let newcomer = probe.by_same();
    let feed = || {
        let mut pieces = body.bytes.chunks((body.bytes.len() / 100).max(1));
        let (mut last, mut longest_pause) = (Instant::now(), Duration::ZERO);
        while !done.load(Ordering::Relaxed) {
            // Never the last ones before it is let go.
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
        Ok((first.read_answer(), longest_pause))
    };
    scope(|scope| {
        let feeder = scope.spawn(feed);
        sleep(Duration::from_millis(400));
        let second = newcomer.send(&send);
        done.store(true, Ordering::Relaxed);
        match feeder.join().expect("a thread that feeds") {
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
                let client = probe.by_same();
                let file = &file;
                scope.spawn(move || {
                    for _ in 0..3 {
                        let Ok(found) = client.find(file) else {
                            continue;
                        };
                        if found.complete {
                            return;
                        }
                        let to = client.between(found.offset, file.size()) + 1;
                        let _ = client.send(&Send::of(file, &found.id, found.offset, to));
                    }
                })
            })
            .collect();
        for client in clients {
            let _ = client.join();
        }
    });
    let found = probe.find(&file)?;
    // No digest is refused any more, or the bytes were mixed.
    if !found.complete {
        let rest = Send::of(&file, &found.id, found.offset, file.size());
        probe.send(&rest)?.expect_complete(file.size())?;
    }
    pass()
}

fn locates_race(probe: &Probe) -> Outcome {
    let file = probe.file(1000);
    let ids: Vec<_> = scope(|scope| {
        let clients: Vec<_> = (0..6)
            .map(|_| {
                let client = probe.by_same();
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
        let piece = Send::of(&file, &id?, offset, to);
        let answer = probe
            .send(&piece)
            .context("by the id that one of them got")?;
        answer.expect(200)?;
    }
    probe.finish(&file)?;
    pass()
}
