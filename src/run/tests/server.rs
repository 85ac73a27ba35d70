//! A fake server, and the fates of the sends to it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::*;
use crate::protocol::Store;

/// The fate of one send.
#[derive(Debug, Clone, Copy)]
pub(super) enum Fate {
    /// The connection is lost after so many bytes; all of them arrive.
    LostAfter(usize),
    /// The send arrives whole, and the answer is lost.
    LostAnswer,
    /// A byte is damaged by the network.
    Damaged,
    /// The server forgets everything.
    UnknownUpload,
    /// The server keeps nothing and answers with its old offset.
    KeepsNothing,
    /// The server answers with an offset that is so many bytes too high.
    TooHighOffset(u64),
    /// The server calls the file complete after the first byte.
    EarlyComplete,
    /// The server accepts the send and answers with another digest.
    WrongProof,
    /// The server accepts every segment, and reports a checksum mismatch of the whole at the end.
    MismatchAtEnd,
    /// The server answers a restart with its old offset, without proof.
    IgnoresRestart,
    /// The server reads the send and loses it, and gives no proof from then on.
    RestartLost,
    /// The server reports a checksum mismatch, and falls back to this offset.
    MismatchAt(u64),
    /// The server accepts the send, and agrees to another digest from then on.
    OtherDigest(Algorithm),
}

#[derive(Default)]
pub(super) struct Server {
    pub held: Vec<u8>,
    /// The last offset that the server gave; no later send may begin before it.
    pub confirmed: u64,
    pub proves: bool,
    pub max_segment: Option<u64>,
    /// The fates of the next sends, the last one first.
    pub fates: Vec<Fate>,
    /// The fate of all sends after these; without one they succeed.
    pub always: Option<Fate>,
    pub sends: u32,
    /// Whether the client must send no digest.
    pub undigested: bool,
    /// The digests of the whole file in each locate.
    pub announced: Vec<Vec<Digest>>,
    /// The digest that the server agrees to; `None` for MD5, as in version 1.0.
    pub agreed: Option<Algorithm>,
    /// The digest that the server gives in place of the right one.
    pub claimed: Option<Digest>,
    /// Whether the server has a finished file.
    pub complete: bool,
    /// The number of source bytes that were read.
    pub read: Arc<AtomicU64>,
    /// The server answers a locate once so many were read.
    pub answers_after: u64,
    /// Whether the protocol is one in which the server compares no digest.
    pub compares_nothing: bool,
}

/// The fake server as a protocol.
pub(super) struct Fake(pub Mutex<Server>);

impl Server {
    fn agreed(&self) -> Algorithm {
        self.agreed.unwrap_or(Algorithm::Md5)
    }

    /// Gives the digest of the server's bytes.
    fn digest(&self) -> Digest {
        Digest::of(self.agreed(), &self.held)
    }

    fn answer(&mut self, state: State) -> Answer {
        self.confirmed = self.held.len() as u64;
        Answer {
            id: Some("1".to_owned()),
            agreed: (!self.compares_nothing).then(|| self.agreed()),
            prefix: self.claimed.or_else(|| self.proves.then(|| self.digest())),
            max_segment: self.max_segment,
            ..Answer::new(state, self.confirmed)
        }
    }
}

pub(super) fn connection_lost() -> Error {
    Error::ConnectionLost {
        host: "fake".to_owned(),
        why: "by the test".to_owned(),
    }
}

impl Protocol for Fake {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn abilities(&self) -> Abilities {
        Abilities {
            locates: true,
            proves_prefix: !self.0.lock().unwrap().compares_nothing,
            needs_key: false,
            checksum: None,
        }
    }

    fn locate(&self, _: &dyn Exchange, job: &Job, _: Option<&str>) -> Result<Answer, Error> {
        let mut server = self.0.lock().unwrap();
        if !job.digests.is_empty() {
            server.announced.push(job.digests.clone());
        }
        let begun = Instant::now();
        while server.read.load(Ordering::Relaxed) < server.answers_after {
            assert!(begun.elapsed() < Duration::from_secs(20), "nothing is read");
            thread::sleep(Duration::from_millis(1));
        }
        Ok(match server.held.is_empty() {
            _ if server.complete => server.answer(State::Complete),
            true => server.answer(State::New),
            false => server.answer(State::Partial),
        })
    }

    fn store(&self, _: &dyn Exchange, _: &Job, _: Store<'_>) -> Result<Option<Answer>, Error> {
        unreachable!("it says nothing of small files")
    }

    fn discard(&self, _: &dyn Exchange, _: &Job, _: Option<&str>) -> Result<(), Error> {
        unreachable!("its uploads are not taken back")
    }

    fn send(&self, _: &dyn Exchange, job: &Job, segment: Segment<'_>) -> Result<Outcome, Error> {
        let mut server = self.0.lock().unwrap();
        let (from, length) = (segment.offset, segment.length as usize);
        server.sends += 1;
        let fate = server.fates.pop().or(server.always);
        if segment.restart.is_some() && matches!(fate, Some(Fate::IgnoresRestart)) {
            server.proves = false;
            return Ok(Outcome::OffsetMismatch(server.answer(State::Partial)));
        }
        if let Some(Fate::RestartLost) = fate {
            let mut bytes = vec![0; length];
            segment
                .bytes
                .read_exact(&mut bytes)
                .map_err(|_| connection_lost())?;
            server.proves = false;
            return Err(connection_lost());
        }
        // A restart with another digest is out of date, and ignored.
        if segment.restart == Some(server.digest()) {
            assert_eq!(from, 0);
            server.held.clear();
            server.complete = false;
        } else if segment.restart.is_none() {
            assert!(from >= server.confirmed, "confirmed bytes are sent again");
        }
        if from != server.held.len() as u64 {
            return Ok(Outcome::OffsetMismatch(server.answer(State::Partial)));
        }
        let arrives = match fate {
            Some(Fate::LostAfter(bytes)) => length.min(bytes),
            Some(Fate::EarlyComplete) => length.min(1),
            _ => length,
        };
        let mut bytes = vec![0; arrives];
        segment
            .bytes
            .read_exact(&mut bytes)
            .map_err(|_| connection_lost())?;
        let digest = segment.bytes.finish().map_err(|_| connection_lost())?;
        assert_eq!(digest.is_none(), server.undigested);
        let algorithm = digest.map_or(server.agreed(), |digest| digest.algorithm());
        assert_eq!(algorithm, server.agreed());
        let before = server.held.len();
        match fate {
            Some(Fate::Damaged) if arrives > 0 => bytes[arrives / 2] ^= 1,
            Some(Fate::KeepsNothing) => {
                return Ok(Outcome::Accepted(server.answer(State::Partial)));
            }
            Some(Fate::UnknownUpload) => {
                server.held.clear();
                server.confirmed = 0;
                return Ok(Outcome::UnknownUpload(connection_lost()));
            }
            _ => {}
        }
        server.held.extend_from_slice(&bytes);
        if let Some(Fate::OtherDigest(other)) = fate {
            server.agreed = Some(other);
            return Ok(Outcome::Accepted(server.answer(State::Partial)));
        }
        match fate {
            Some(Fate::LostAfter(_)) if arrives < length => return Err(connection_lost()),
            Some(Fate::LostAnswer) => return Err(connection_lost()),
            Some(Fate::EarlyComplete) => {
                let mut answer = server.answer(State::Complete);
                answer.offset = job.size;
                return Ok(Outcome::Accepted(answer));
            }
            Some(Fate::WrongProof) => {
                let mut answer = server.answer(State::Partial);
                answer.prefix = Some(Digest::of(Algorithm::Md5, b"wrong"));
                return Ok(Outcome::Accepted(answer));
            }
            Some(Fate::MismatchAt(offset)) => {
                let mut answer = server.answer(State::Partial);
                answer.offset = offset;
                return Ok(Outcome::ChecksumMismatch(answer));
            }
            Some(Fate::MismatchAtEnd) if server.held.len() as u64 == job.size => {
                server.held.clear();
                return Ok(Outcome::ChecksumMismatch(server.answer(State::Partial)));
            }
            Some(Fate::TooHighOffset(more)) => {
                let mut answer = server.answer(State::Partial);
                answer.offset = (answer.offset + more).min(job.size);
                return Ok(Outcome::Accepted(answer));
            }
            _ => {}
        }
        if digest.is_some_and(|digest| digest != server.digest()) {
            // After a segment the server falls back to its start, after the whole file to 0.
            let whole = server.held.len() as u64 == job.size;
            server.held.truncate(if whole { 0 } else { before });
            return Ok(Outcome::ChecksumMismatch(server.answer(State::Partial)));
        }
        let state = match server.held.len() as u64 == job.size {
            true => State::Complete,
            false => State::Partial,
        };
        Ok(Outcome::Accepted(server.answer(state)))
    }
}
