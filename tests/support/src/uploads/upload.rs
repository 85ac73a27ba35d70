//! One upload of the model receiver.

use std::time::{Duration, Instant};

use super::content::Content;
use super::intervals::Intervals;
use super::ranges::{Range, Ranges};
use super::response::{quote, Response};
use crate::model::{Flaw, Options};

/// How long a client may send nothing before a patient receiver takes it for dead.
const SILENCE: Duration = Duration::from_secs(1);

/// One upload.
pub(super) struct Upload {
    pub id: String,
    pub user: String,
    pub dir: String,
    pub name: String,
    pub size: u64,
    pub mtime: Option<String>,
    /// Digests of the whole file, by name: the client announced them, or they were computed at the end.
    pub known: Vec<(String, String)>,
    pub content: Content,
    /// The digest that its first bytes came with.
    pub begun: String,
    pub ranges: Ranges,
    pub confirmed: Intervals,
    pub complete: bool,
    pub writers: Vec<Writer>,
}

/// A request that brings bytes.
pub(super) struct Writer {
    pub turn: u64,
    pub kind: Kind,
    /// What came of a part or a store. The bytes of a send go to the upload at once.
    pub piece: Range,
    pub to: u64,
    /// When its last bytes came.
    pub heard: Instant,
}

/// What a writer is.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    Send,
    /// A part of the run with this name.
    Part(String),
    /// A whole file. It made its upload, or found it.
    Store {
        made: bool,
    },
}

/// The digest that a client uses, and the version that it speaks.
#[derive(Clone)]
pub(crate) struct Client {
    pub digest: String,
    /// Whether it gets the members of 1.1.
    pub newer: bool,
}

impl Upload {
    /// Returns the digest of the whole file, if it is known.
    pub fn whole(&mut self, digest: &str) -> Option<String> {
        if self.complete {
            return Some(self.content.hex(digest));
        }
        let known = self.known.iter().find(|(name, _)| name == digest);
        known.map(|(_, value)| value.clone())
    }

    /// Whether a live client is writing it, which a patient receiver leaves alone. Parts of one run are one client.
    pub fn is_busy(&self, kind: Option<&Kind>, options: &Options) -> bool {
        let silence = match options.has(Flaw::KeepsDead) {
            true => Duration::MAX,
            false => SILENCE,
        };
        let is_own =
            |writer: &Writer| matches!(kind, Some(kind @ Kind::Part(_)) if *kind == writer.kind);
        let is_live = |writer: &Writer| match is_own(writer) {
            true => options.has(Flaw::OnePartAtATime),
            false => writer.heard.elapsed() < silence,
        };
        options.patient && self.writers.iter().any(is_live)
    }

    /// Ends the writers that `which` chooses, and keeps what they brought.
    pub fn end_writers(&mut self, which: impl Fn(&Writer) -> bool) {
        let (ended, others) = std::mem::take(&mut self.writers)
            .into_iter()
            .partition(|writer| which(writer));
        self.writers = others;
        for writer in ended {
            self.keep(writer);
        }
    }

    /// Ends a writer that is not any more, and keeps what it brought, which no digest has proved.
    pub fn keep(&mut self, writer: Writer) {
        if matches!(writer.kind, Kind::Part(_)) {
            self.ranges.fill(writer.piece);
            self.join();
        }
    }

    /// Moves ranges that touch the offset before it.
    pub fn join(&mut self) {
        self.ranges.cut_before(self.content.len());
        while let Some(range) = self.ranges.take_first(self.content.len()) {
            self.content.join(&range.content);
        }
    }

    /// Makes the response that tells a client where its upload is.
    pub fn response(
        &mut self,
        status: u16,
        options: &Options,
        client: &Client,
        prefix: Option<String>,
    ) -> Response {
        let held = self.content.len();
        let offset = match self.complete {
            true => self.size,
            false if options.has(Flaw::OffsetTooHigh) && held > 0 => self.size.min(held + 1),
            false if options.has(Flaw::OffsetOverGaps) => self.ranges.end().unwrap_or(held),
            false => held,
        };
        self.confirmed.add(0, offset);
        let ranges = match client.newer && !self.complete {
            true => self.ranges(options, &client.digest),
            false => String::new(),
        };
        let state = match (self.complete, offset) {
            (true, _) => "complete",
            (false, 0) if ranges.is_empty() => "new",
            (false, _) => "partial",
        };
        let mut body = format!(
            r#"{{"state":"{state}","offset":{offset},"id":"{}""#,
            self.id
        );
        if self.complete {
            let location = format!("/files/{}", self.id);
            body += &format!(r#","location":{}"#, quote(&location));
        }
        if let Some(prefix) = prefix {
            body += &format!(r#","prefix_{}":"{prefix}""#, client.digest);
        }
        if let Some(most) = options.max_segment {
            body += &format!(r#","max_segment":{most}"#);
        }
        if client.newer {
            body += &format!(r#","digest":"{}""#, client.digest);
            let quote = match options.has(Flaw::NewNumbersAreText) {
                true => "\"",
                false => "",
            };
            for (name, value) in [("small", options.small), ("parts", options.parts)] {
                if let Some(value) = value {
                    body += &format!(r#","{name}":{quote}{value}{quote}"#);
                }
            }
            body += &ranges;
        }
        if options.has(Flaw::DiscardForAll) {
            body += r#","discard":true"#;
        }
        body.push('}');
        Response {
            status,
            body,
            unwanted: None,
        }
    }

    /// Writes the member `ranges`; nothing if there are none.
    fn ranges(&mut self, options: &Options, digest: &str) -> String {
        if self.ranges.is_empty() || options.parts.is_none() {
            return String::new();
        }
        let mut list = Vec::new();
        for range in self.ranges.told() {
            let (from, mut to) = (range.from, range.to());
            self.confirmed.add(from, to);
            let mut hex = range.content.hex(digest);
            if options.has(Flaw::WrongRangeDigests) {
                hex = hex.chars().rev().collect();
            }
            if options.has(Flaw::RangesOverlap) {
                to += 1;
            }
            list.push(format!(r#"{{"from":{from},"to":{to},"{digest}":"{hex}"}}"#));
        }
        format!(r#","ranges":[{}]"#, list.join(","))
    }

    pub fn forget_content(&mut self) {
        self.content = Content::default();
        self.ranges.clear();
        self.complete = false;
    }

    pub fn path(&self) -> String {
        match self.dir.as_str() {
            "" => self.name.clone(),
            dir => format!("{dir}/{}", self.name),
        }
    }
}
