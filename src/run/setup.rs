//! The parts that a run is put together from.

use super::connector::Connector;
use super::ids::KnownIds;
use super::learned_digest::LearnedDigest;
use super::learned_store::LearnedStore;
use crate::control::rate::Limiter;
use crate::control::Control;
use crate::digest::StateFile;
use crate::engine::LearnedLimit;
use crate::options::{DigestAlgorithm, DigestMode, RetryPolicy, SegmentSize};
use crate::protocol::{Job, Protocol};
use crate::source::Source;

/// The parts of one run.
pub(super) struct Setup<'a> {
    pub protocol: &'a dyn Protocol,
    pub connector: &'a dyn Connector,
    pub control: &'a Control,
    pub source: &'a mut dyn Source,
    pub job: Job,
    /// The server's key of the upload, where an earlier run has saved it.
    pub key: Option<String>,
    pub retry: RetryPolicy,
    pub digest: DigestMode,
    pub algorithm: DigestAlgorithm,
    /// The file for states of the digest, for a later run.
    pub state_file: Option<StateFile>,
    pub segment_size: SegmentSize,
    pub learned_limit: LearnedLimit,
    pub learned_digest: &'a LearnedDigest,
    /// Whether the server is asked before anything is sent.
    pub asks_first: bool,
    pub learned_store: &'a LearnedStore,
    /// Whether the program lets the request that creates an upload carry a small file.
    pub creates_with_file: bool,
    /// How many parts may be sent at a time; 0 if the source cannot be read at several places.
    pub connections: usize,
    pub ids: &'a KnownIds,
    /// Whether a complete file is read back, where no digest of the server's proves it.
    pub reads_back: bool,
    /// Limits of the bytes per second: the upload's and the client's.
    pub rates: [&'a Limiter; 2],
}

impl Setup<'_> {
    /// Whether the file may go to the server in one request: by an agreement of both sides, which `is_agreed` says that
    /// there is, or because the program lets the request that creates an upload carry it.
    pub(super) fn may_store(&self, is_agreed: bool) -> bool {
        let (size, learned) = (self.job.size, self.learned_store);
        // What was agreed on by one protocol of the client is not for its other ones.
        let compares = self.protocol.abilities().proves_prefix;
        let by_agreement = || compares && is_agreed && learned.takes(size);
        let by_creation = || {
            let is_new = self.creates_with_file && self.key.is_none();
            let fits = !matches!(self.segment_size, SegmentSize::Fixed(most) if most < size);
            is_new && fits && self.protocol.creates_with_file() && learned.may_create(size)
        };
        !self.asks_first && (by_agreement() || by_creation())
    }
}
