//! What the sink answers.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Settings;

/// The digests of the protocol, by their names in it.
const DIGESTS: [&str; 3] = ["blake3", "sha256", "md5"];

/// The answers of a sink, and what it has to know of the uploads for them.
pub(crate) struct Answers {
    settings: Settings,
    uploads: Mutex<Uploads>,
}

#[derive(Default)]
struct Uploads {
    count: u64,
    parts: HashMap<u64, Parts>,
}

/// The parts that came of an upload.
#[derive(Default)]
struct Parts {
    /// Where the part ends before which nothing is missing.
    offset: u64,
    /// Where the others begin, where they end, and their digests.
    beyond: BTreeMap<u64, (u64, String)>,
}

impl Parts {
    fn add(&mut self, from: u64, to: u64, digest: String) {
        self.beyond.insert(from, (to, digest));
        while let Some(next) = self.beyond.first_entry() {
            if *next.key() > self.offset {
                break;
            }
            self.offset = self.offset.max(next.get().0);
            next.remove();
        }
    }
}

impl Answers {
    /// Makes the answers of a sink with these settings.
    pub(crate) fn new(settings: &Settings) -> Self {
        Answers {
            settings: settings.clone(),
            uploads: Mutex::default(),
        }
    }

    /// Answers a locate, with an id that no other upload has: a client would ask again.
    pub(crate) fn locate(&self, fields: &str) -> String {
        let (id, held) = (self.new_id(), &self.settings);
        if held.held > 0 {
            let (offset, md5) = (held.held, &held.md5);
            return format!(
                r#"{{"state":"partial","offset":{offset},"prefix_md5":"{md5}","id":"{id}"}}"#
            );
        }
        let list = fields.split('&').find_map(|f| f.strip_prefix("digests="));
        let more = list.and_then(|list| {
            let first = list.split("%2C").next()?.split(',').next()?;
            self.members(first)
        });
        format!(
            r#"{{"state":"new","offset":0,"id":"{id}"{}}}"#,
            more.unwrap_or_default()
        )
    }

    fn uploads(&self) -> MutexGuard<'_, Uploads> {
        self.uploads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn new_id(&self) -> u64 {
        let mut uploads = self.uploads();
        uploads.count += 1;
        uploads.count
    }

    /// Makes the members that version 1.1 adds, when this digest is agreed.
    fn members(&self, digest: &str) -> Option<String> {
        let known = self.settings.current && DIGESTS.contains(&digest);
        known.then(|| format!(r#","digest":"{digest}","small":262144,"parts":6"#))
    }

    /// Answers a send, from the fields before and after its file; curl's form has none of them.
    pub(crate) fn send(&self, start: &str, end: &str) -> String {
        let number = |name: &str| field(start, name).and_then(|text| text.parse::<u64>().ok());
        let id = number("id").unwrap_or_else(|| self.new_id());
        let (from, length) = (number("offset"), number("length"));
        let to = from.zip(length).map(|(a, b)| a + b);
        let has = |kind: &str| {
            DIGESTS.iter().find_map(|name| {
                let value = field(end, &format!("{kind}{name}"))?;
                Some((*name, value.to_owned()))
            })
        };
        if let (Some((name, value)), Some(from), Some(to)) = (has("part_"), from, to) {
            return self.part(id, from, to, name, value);
        }
        let (state, offset) = match (to, number("size")) {
            (Some(to), Some(size)) if to < size => ("partial", format!(r#","offset":{to}"#)),
            _ => ("complete", String::new()),
        };
        let digest = match state {
            "partial" => has("prefix_"),
            _ => has(""),
        };
        let proof = digest.map(|(name, value)| format!(r#","prefix_{name}":"{value}""#));
        let more = field(start, "digest").and_then(|name| self.members(name));
        format!(
            r#"{{"state":"{state}","id":"{id}"{offset}{}{}}}"#,
            proof.unwrap_or_default(),
            more.unwrap_or_default()
        )
    }

    fn part(&self, id: u64, from: u64, to: u64, name: &str, value: String) -> String {
        let mut uploads = self.uploads();
        let parts = uploads.parts.entry(id).or_default();
        parts.add(from, to, value);
        let ranges: Vec<_> = parts
            .beyond
            .iter()
            .map(|(from, (to, digest))| {
                format!(r#"{{"from":{from},"to":{to},"{name}":"{digest}"}}"#)
            })
            .collect();
        format!(
            r#"{{"state":"partial","id":"{id}","offset":{},"ranges":[{}]{}}}"#,
            parts.offset,
            ranges.join(","),
            self.members(name).unwrap_or_default()
        )
    }
}

/// Returns the value of a field of a form.
fn field<'a>(form: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = form.split_once(&format!("name=\"{name}\"\r\n\r\n"))?;
    rest.split("\r\n").next()
}
