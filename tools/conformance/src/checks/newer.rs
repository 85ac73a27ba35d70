//! What the checks of version 1.1 share.

use anyhow::{bail, ensure, Context, Result};
use serde_json::Value;

use crate::file::{TestFile, DIGESTS};
use crate::offer::Offer;
use crate::probe::Probe;
use crate::response::Response;
use crate::verdict::{not_supported, Outcome};

/// Finds out what the receiver has of version 1.1. Does so once in a run.
fn offer<'p>(probe: &'p Probe) -> Result<&'p Offer> {
    if let Some(offer) = probe.shared.offer.get() {
        return Ok(offer);
    }
    let mut offer = Offer::default();
    for digest in DIGESTS {
        let response = probe
            .locate(&probe.file(1000).agreed(digest))?
            .expect(200)?;
        if agreed(&response) != Some(digest) {
            continue;
        }
        if offer.digests.is_empty() {
            offer.small = response.number("small");
            offer.parts = response.number("parts").filter(|parts| *parts >= 2);
        }
        offer.digests.push(digest);
    }
    Ok(probe.shared.offer.get_or_init(|| offer))
}

/// Reads the agreed digest of a response.
pub fn agreed(response: &Response) -> Option<&str> {
    response.member("digest")?.as_str()
}

/// Runs a check for a client of 1.1.
pub fn with_digests(probe: &Probe, check: fn(&Probe, &Offer) -> Outcome) -> Outcome {
    let offer = offer(probe)?;
    match offer.digests.is_empty() {
        true => not_supported("the receiver speaks version 1.0"),
        false => check(probe, offer),
    }
}

/// Runs a check for each digest that the receiver can use.
pub fn with_each_digest(probe: &Probe, check: fn(&Probe, &'static str) -> Outcome) -> Outcome {
    let offer = offer(probe)?;
    let mut outcome = not_supported("the receiver speaks version 1.0");
    for digest in &offer.digests {
        outcome = Ok(check(probe, digest).with_context(|| format!("with {digest}"))?);
    }
    outcome
}

/// The smallest `small` that is checked.
const MIN_CHECKED: u64 = 100;

/// What a check of stores needs.
pub struct Stores<'p> {
    probe: &'p Probe<'p>,
    digest: &'static str,
    pub small: u64,
}

impl Stores<'_> {
    /// Makes a new file of `size` bytes, or of as many as a store may have.
    pub fn file(&self, size: u64) -> TestFile {
        self.probe.file(size.min(self.small)).agreed(self.digest)
    }
}

/// Runs a check of stores.
pub fn with_stores(probe: &Probe, check: fn(&Probe, &Stores) -> Outcome) -> Outcome {
    let offer = offer(probe)?;
    let (Some(digest), Some(small)) = (offer.digests.first(), offer.small) else {
        return not_supported("the receiver takes no stores");
    };
    match small < MIN_CHECKED {
        true => not_supported("its small is too small to be checked"),
        false => check(
            probe,
            &Stores {
                probe,
                digest,
                small,
            },
        ),
    }
}

/// Runs a check of parts. It gets a new file, its id, and how many parts there may be at a time.
pub fn with_parts(probe: &Probe, check: fn(&Probe, &TestFile, &str, u64) -> Outcome) -> Outcome {
    let offer = offer(probe)?;
    match (offer.digests.first(), offer.parts) {
        (Some(digest), Some(parts)) => {
            let file = probe.file(60_000).agreed(digest);
            let id = probe.find(&file)?.id;
            check(probe, &file, &id, parts)
        }
        _ => not_supported("the receiver takes no parts"),
    }
}

/// Makes a new name for a run.
pub fn new_run() -> String {
    format!("{:016x}", fastrand::u64(..))
}

/// What a receiver says to hold of a file: from the start, and behind that.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    pub offset: u64,
    /// Ranges that touch are one here.
    pub ranges: Vec<(u64, u64)>,
}

impl Extent {
    /// Reads the offset and the ranges of a response about a file, and compares their digests.
    pub fn read(response: &Response, file: &TestFile) -> Result<Self> {
        let offset = response.offset()?;
        let mut held = Self {
            offset,
            ..Self::default()
        };
        let list = match response.member("ranges") {
            None => return Ok(held),
            Some(Value::Array(list)) => list,
            Some(_) => bail!("ranges is no array in {}", response.summary()),
        };
        ensure!(list.len() <= 1000, "{} ranges", list.len());
        let mut end = offset;
        for range in list {
            let number = |name: &str| range.get(name).and_then(Value::as_u64);
            let (Some(from), Some(to)) = (number("from"), number("to")) else {
                bail!("a range without from or to in {}", response.summary());
            };
            let touches = from == end && end > offset;
            let is_next = from > end || touches;
            ensure!(
                is_next && from < to && to <= file.size(),
                "a range that overlaps or touches what is before it, goes backwards or past the size, or is empty: {}",
                response.summary()
            );
            let ours = file.digest_of(from, to);
            let theirs = range.get(file.digest()).and_then(Value::as_str);
            ensure!(
                theirs.is_some_and(|theirs| theirs.eq_ignore_ascii_case(&ours)),
                "the bytes {from} to {to} have the {} {ours}; the response is {}",
                file.digest(),
                response.summary()
            );
            end = to;
            match held.ranges.last_mut() {
                Some(last) if touches => last.1 = to,
                _ => held.ranges.push((from, to)),
            }
        }
        Ok(held)
    }

    /// Locates a file, and reads what is held of it.
    pub fn find(probe: &Probe, file: &TestFile) -> Result<Self> {
        Self::read(&probe.locate(file)?.expect(200)?, file)
    }
}
