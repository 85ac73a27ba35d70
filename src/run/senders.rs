//! The threads that send parts, each on a connection of its own.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{channel, Receiver, Sender};
use std::sync::Arc;
use std::thread::{Builder, Scope};
use std::time::Instant;

use resup_digests::{Algorithm, State};

use super::connector::Connector;
use super::driver::MAX_DEAD;
use super::keyed::SETTLING;
use super::pace::Pace;
use super::part_reader::PartReader;
use super::reading;
use crate::control::log::LogLevel;
use crate::control::rate::Limiter;
use crate::control::snapshot::UploadState;
use crate::control::stop::Stop;
use crate::control::Control;
use crate::engine::PartSend;
use crate::error::Error;
use crate::http::{Exchange, Link};
use crate::protocol::{Answer, ChecksumAlgorithm, ChecksumState, Job, Outcome, Protocol, Segment};
use crate::source::Source;

/// What all senders of parts use.
pub(super) struct Common<'a> {
    pub protocol: &'a dyn Protocol,
    pub control: &'a Control,
    pub rates: [&'a Limiter; 2],
    pub job: &'a Job,
    /// The algorithm of the parts' own digests, where they have one.
    pub algorithm: Option<Algorithm>,
    /// The checksum that goes before the bytes of each part.
    pub checksum: Option<ChecksumAlgorithm>,
    /// The text that all parts of the run have.
    pub key: &'a str,
    /// The number of bytes of parts that went to the network.
    pub sent: AtomicU64,
}

/// A part to send, to the upload with this key of the server.
struct Work {
    send: PartSend,
    id: Option<String>,
}

/// A part that has ended.
pub(super) struct Ended {
    pub send: PartSend,
    /// The source was read from here.
    pub from: u64,
    /// The source was read up to here.
    pub read: u64,
    pub result: Result<Outcome, Stop>,
    /// Whether the connection was kept from an earlier request, and was dead.
    pub was_dead: bool,
    /// The sender's place.
    seat: Option<usize>,
}

/// The place of one sender.
struct Seat {
    work: Sender<Work>,
    is_free: bool,
    /// How many bytes of its part were read.
    read: Arc<AtomicU64>,
}

/// The threads that send parts.
pub(super) struct Senders<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    common: &'env Common<'env>,
    connector: &'env dyn Connector,
    seats: Vec<Seat>,
    report: Sender<Ended>,
    ended: Receiver<Ended>,
}

impl<'scope, 'env> Senders<'scope, 'env> {
    pub(super) fn new(
        scope: &'scope Scope<'scope, 'env>,
        common: &'env Common<'env>,
        connector: &'env dyn Connector,
    ) -> Self {
        let (report, ended) = channel();
        Senders {
            scope,
            common,
            connector,
            seats: Vec::new(),
            report,
            ended,
        }
    }

    /// Begins to send a part. A failure comes back as its end.
    pub(super) fn begin(&mut self, send: PartSend, id: Option<String>, source: &dyn Source) {
        self.common.control.log(LogLevel::Debug, || {
            let (offset, length) = (send.offset, send.length);
            format!("sending a part of {length} bytes from {offset} on")
        });
        let free = self.seats.iter().position(|seat| seat.is_free);
        let seat = match free.map_or_else(|| self.add(source), Ok) {
            Ok(seat) => seat,
            Err(error) => {
                let _ = self.report.send(Ended {
                    send,
                    from: send.offset,
                    read: send.offset,
                    result: Err(error.into()),
                    was_dead: false,
                    seat: None,
                });
                return;
            }
        };
        self.seats[seat].is_free = false;
        // The thread takes work until this end is dropped.
        let _ = self.seats[seat].work.send(Work { send, id });
    }

    /// Adds a thread.
    fn add(&mut self, source: &dyn Source) -> Result<usize, Error> {
        let source = source.another().map_err(|error| match error {
            // The run can do without it.
            Error::SourceIo { passing: false, .. } | Error::SourceDenied { .. } => Error::System {
                why: format!("the file cannot be opened once more: {error}"),
            },
            error => error,
        })?;
        let (work, queue) = channel();
        let read = Arc::<AtomicU64>::default();
        let seat = self.seats.len();
        let sender = PartSender {
            common: self.common,
            source,
            read: read.clone(),
        };
        let (connector, report) = (self.connector, self.report.clone());
        let run = move || sender.run(connector, queue, (seat, report));
        let builder = Builder::new().name("resup-part".to_owned());
        let spawned = builder.spawn_scoped(self.scope, run);
        spawned.map_err(|e| Error::System {
            why: format!("no thread for a part: {e}"),
        })?;
        self.seats.push(Seat {
            work,
            is_free: true,
            read,
        });
        let count = self.seats.len();
        self.common.control.log(LogLevel::Debug, || match count {
            1 => "sending parts".to_owned(),
            _ => format!("sending parts on {count} connections"),
        });
        Ok(seat)
    }

    /// Waits for the end of a part; `None` if there is none by a time.
    pub(super) fn wait(&mut self, until: Instant) -> Option<Ended> {
        let time = until.saturating_duration_since(Instant::now());
        let ended = self.ended.recv_timeout(time).ok()?;
        if let Some(seat) = ended.seat {
            self.seats[seat].read.store(0, Relaxed);
            self.seats[seat].is_free = true;
        }
        Some(ended)
    }

    /// Whether a part is under way.
    pub(super) fn is_busy(&self) -> bool {
        self.seats.iter().any(|seat| !seat.is_free)
    }

    /// Gives how many bytes of the parts under way went to the network.
    pub(super) fn under_way(&self) -> u64 {
        self.seats.iter().map(|seat| seat.read.load(Relaxed)).sum()
    }
}

/// The sender of one thread.
struct PartSender<'env> {
    common: &'env Common<'env>,
    source: Box<dyn Source>,
    read: Arc<AtomicU64>,
}

impl PartSender<'_> {
    /// Sends parts until the queue is closed.
    fn run(
        mut self,
        connector: &dyn Connector,
        queue: Receiver<Work>,
        (seat, report): (usize, Sender<Ended>),
    ) {
        let mut exchange = None;
        for Work { send, id } in queue {
            let mut guard = Report {
                report: &report,
                ended: Some(Ended {
                    send,
                    from: send.offset,
                    read: send.offset,
                    result: Err(Stop::Failed(Error::Internal {
                        why: "the thread of a part has panicked".to_owned(),
                    })),
                    was_dead: false,
                    seat: Some(seat),
                }),
            };
            let mut from = send.offset;
            let result = self.send(connector, &mut exchange, (send, &mut from), id.as_deref());
            let lost = exchange.take_if(|_| result.is_err());
            if let Some(ended) = &mut guard.ended {
                ended.from = from;
                ended.read = from + self.read.load(Relaxed);
                ended.was_dead = lost.is_some_and(|exchange| exchange.link() == Link::Dead);
                ended.result = result;
            }
        }
    }

    /// Asks what the server has of a part's section, of which at most `most` can have arrived.
    fn ask(
        &self,
        exchange: &dyn Exchange,
        (send, most): (PartSend, u64),
        id: Option<&str>,
    ) -> Result<Answer, Stop> {
        let Common {
            protocol,
            control,
            job,
            checksum,
            ..
        } = *self.common;
        let mut waits = SETTLING.into_iter();
        loop {
            let answer = protocol.ask_section(exchange, job, id, send.offset)?;
            let reach = answer.reach();
            if reach > most {
                let why = format!("the server has bytes up to {reach}, but only those up to {most} were sent here");
                return Err(Error::SentByAnother { why }.into());
            }
            // What no checksum has proved may be dropped a moment later.
            let may_change = checksum.is_some() && send.offset < reach && reach < most;
            match waits.next().filter(|_| may_change) {
                Some(wait) => {
                    // Whatever the other parts change wakes it.
                    let until = Instant::now() + wait;
                    while Instant::now() < until {
                        control.sleep(until.saturating_duration_since(Instant::now()))?;
                    }
                }
                None => return Ok(answer),
            }
        }
    }

    fn is_unread(&self) -> bool {
        self.read.load(Relaxed) == 0
    }

    /// Sends a part, on the connection of the last one if there is one: all of it, or from where the server says that it
    /// has to go on.
    fn send<'c>(
        &mut self,
        connector: &'c dyn Connector,
        exchange: &mut Option<Box<dyn Exchange + 'c>>,
        (send, from): (PartSend, &mut u64),
        id: Option<&str>,
    ) -> Result<Outcome, Stop> {
        let Common {
            protocol,
            control,
            rates,
            job,
            algorithm,
            checksum,
            key,
            ref sent,
        } = *self.common;
        let end = send.offset + send.length;
        let mut asks = send.asks;
        let mut dead = 0;
        loop {
            control.check()?;
            let exchange = match exchange {
                Some(exchange) => exchange,
                None => exchange.insert(connector.connect()?),
            };
            if let Some(most) = asks.take() {
                let answer = self.ask(&**exchange, (send, most), id)?;
                let reach = answer.reach();
                control.keep_part(reach.saturating_sub(send.offset));
                match reach {
                    _ if reach < send.offset => return Ok(Outcome::OffsetMismatch(answer)),
                    _ if reach >= end => return Ok(Outcome::Accepted(answer)),
                    _ => *from = reach,
                }
            }
            let checksum = checksum.map(|algorithm| {
                let mut state = ChecksumState::new(algorithm);
                let source = &mut *self.source;
                reading::read(source, control, (*from, end), |bytes| state.update(bytes))
                    .map(|()| state.finish())
            });
            let checksum = checksum.transpose()?;
            self.source.seek(*from)?;
            control.enter(UploadState::Sending);
            let segment = Segment {
                id,
                part: Some(key),
                checksum,
                offset: *from,
                length: end - *from,
                restart: None,
                bytes: &mut PartReader {
                    source: &mut *self.source,
                    pace: Pace::new(control, rates),
                    state: algorithm.map(State::new),
                    read: [&*self.read, sent],
                },
            };
            let result = protocol.send(&**exchange, job, segment);
            for note in exchange.notes() {
                control.log(LogLevel::Debug, || note);
            }
            match result {
                Ok(outcome) => return Ok(outcome),
                // Nothing of the part has arrived. Of one that was read, some may have, and answers to others may have
                // shown it.
                Err(_) if exchange.link() == Link::Dead && dead < MAX_DEAD && self.is_unread() => {
                    dead += 1;
                    exchange.renew();
                }
                Err(error) => {
                    exchange.renew();
                    return Err(error.into());
                }
            }
        }
    }
}

/// The report about a part, which is sent also after a panic.
struct Report<'a> {
    report: &'a Sender<Ended>,
    ended: Option<Ended>,
}

impl Drop for Report<'_> {
    fn drop(&mut self) {
        if let Some(ended) = self.ended.take() {
            // The other end is dropped only after the last part.
            let _ = self.report.send(ended);
        }
    }
}
