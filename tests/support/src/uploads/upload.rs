//! One upload of the model receiver.

use std::time::{Duration, Instant};

use md5::{Digest, Md5};

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
    /// That of the whole file: the client announced it, or it was computed at the end.
    pub md5: Option<String>,
    pub data: Vec<u8>,
    pub digest: Md5,
    /// What the client's digests have proved: this many bytes, and the state after them.
    pub verified: (usize, Md5),
    /// The highest offset in a response.
    pub confirmed: u64,
    pub complete: bool,
    /// Changes with every locate and send, so that an older send that is still under way ends.
    pub turn: u64,
    /// When the last bytes came in a send that is under way.
    pub heard: Option<Instant>,
}

impl Upload {
    /// Whether a live client is writing it, which a patient receiver leaves alone.
    pub fn is_busy(&self, options: &Options) -> bool {
        let silence = match options.has(Flaw::KeepsDead) {
            true => Duration::MAX,
            false => SILENCE,
        };
        options.patient && self.heard.is_some_and(|heard| heard.elapsed() < silence)
    }

    pub fn response(&mut self, status: u16, options: &Options, prefix: Option<String>) -> Response {
        let offset = match self.complete {
            true => self.size,
            false if options.has(Flaw::OffsetTooHigh) && !self.data.is_empty() => {
                self.size.min(self.data.len() as u64 + 1)
            }
            false => self.data.len() as u64,
        };
        self.confirmed = self.confirmed.max(offset);
        let state = match (self.complete, offset) {
            (true, _) => "complete",
            (false, 0) => "new",
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
            body += &format!(r#","prefix_md5":"{prefix}""#);
        }
        if let Some(most) = options.max_segment {
            body += &format!(r#","max_segment":{most}"#);
        }
        body.push('}');
        Response {
            status,
            body,
            unwanted: None,
        }
    }

    pub fn forget_content(&mut self) {
        self.data.clear();
        self.complete = false;
        self.digest = Md5::new();
        self.verified = (0, Md5::new());
    }

    pub fn path(&self) -> String {
        match self.dir.as_str() {
            "" => self.name.clone(),
            dir => format!("{dir}/{}", self.name),
        }
    }
}
