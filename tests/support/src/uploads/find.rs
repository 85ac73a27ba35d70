//! Which upload a form is about, and which digest it is to have.

use super::content::Content;
use super::intervals::Intervals;
use super::ranges::Ranges;
use super::upload::{Client, Upload};
use super::{get, number, Fields, Response, Uploads};
use crate::digests::NAMES;
use crate::model::{Flaw, Options};

/// Digests of a whole file, by name.
type Known = Vec<(String, String)>;

impl Uploads {
    pub(crate) fn locate(&mut self, fields: &Fields, options: &Options) -> Response {
        self.stats.locates += 1;
        let client = self.agree(fields, options);
        let (index, _) = match self.find_or_make(fields, options) {
            Ok(found) => found,
            Err(response) => return response,
        };
        let given = self.given(fields, options);
        let upload = &mut self.list[index];
        if upload.is_busy(None, options) {
            return Response::error(423, "another client is writing this upload");
        }
        upload.end_writers(|_| true);
        if options.has(Flaw::LocateDropsRanges) {
            upload.ranges.clear();
        }
        for (name, value) in given {
            if upload.known.iter().all(|(known, _)| *known != name) {
                upload.known.push((name, value));
            }
        }
        let is_begun = upload.content.len() > 0 && !upload.complete;
        if is_begun && options.has(Flaw::OtherDigestBeginsAnew) && upload.begun != client.digest {
            upload.forget_content();
        }
        let wants_prefix = get(fields, "prefix") == Some("1") && !options.hide_prefix_md5;
        let of = match options.has(Flaw::PrefixStaysMd5) {
            true => "md5",
            false => &client.digest,
        };
        let mut prefix = wants_prefix.then(|| upload.content.hex(of));
        if options.has(Flaw::WrongPrefix) {
            prefix = prefix.map(|digest| digest.chars().rev().collect());
        }
        upload.response(200, options, &client, prefix)
    }

    /// Chooses the digest for a locate.
    pub(super) fn agree(&self, fields: &Fields, options: &Options) -> Client {
        let mut usable: Vec<_> = get(fields, "digests")
            .unwrap_or_default()
            .split(',')
            .filter_map(|theirs| self.digests.iter().find(|ours| **ours == theirs))
            .collect();
        if options.has(Flaw::LastDigest) {
            usable.reverse();
        }
        let mut agreed = usable.first().copied();
        if options.has(Flaw::OwnDigest) && get(fields, "digests").is_some() {
            agreed = self.digests.first();
        }
        Client {
            digest: agreed.unwrap_or(&"md5").to_string(),
            newer: agreed.is_some() || options.has(Flaw::NewMembersForAll),
        }
    }

    /// Reads the digests of the whole file that are before it in a form.
    fn given(&self, fields: &Fields, options: &Options) -> Known {
        let looked_at = |name: &str| match name {
            _ if options.has(Flaw::IgnoresMd5) => false,
            "md5" => true,
            "sha256" if options.has(Flaw::AnySha256) => false,
            // 1.0 does not know BLAKE3, and looks at SHA-256 for instant uploads only.
            _ => !self.digests.is_empty(),
        };
        let names = NAMES.into_iter().filter(|name| looked_at(name));
        names
            .filter_map(|name| {
                let value = get(fields, name)?.to_ascii_lowercase();
                Some((name.to_owned(), value))
            })
            .collect()
    }

    /// Finds the upload that a form is about.
    pub(super) fn find(&mut self, fields: &Fields, options: &Options) -> Option<usize> {
        let key = Key::read(fields, options)?;
        let given = self.given(fields, options);
        self.position(&key, &given, options)
    }

    fn position(&mut self, key: &Key, given: &Known, options: &Options) -> Option<usize> {
        self.list.iter_mut().position(|upload| {
            (upload.user == key.user || options.has(Flaw::SharedFiles))
                && (&upload.dir, &upload.name, upload.size) == (&key.dir, &key.name, key.size)
                && is_same_content(upload, given, key.mtime.as_ref())
        })
    }

    /// Finds the upload that a locate or a store is about, and whether it is a new one.
    pub(super) fn find_or_make(
        &mut self,
        fields: &Fields,
        options: &Options,
    ) -> Result<(usize, bool), Response> {
        let Some(key) = Key::read(fields, options) else {
            return Err(Response::error(400, "locate needs name and size"));
        };
        let given = self.given(fields, options);
        if let Some(index) = self.position(&key, &given, options) {
            return Ok((index, false));
        }
        let sha256 = get(fields, "sha256").filter(|_| !options.has(Flaw::AnySha256));
        let sha256 = sha256.map(str::to_ascii_lowercase);
        let twin = self.list.iter_mut().position(|upload| {
            upload.complete
                && (upload.user == key.user || options.has(Flaw::SharedContent))
                && (upload.size == key.size || options.has(Flaw::AnySize))
                && !given.is_empty()
                && given.iter().all(|(digest, value)| {
                    let locate = get(fields, "action") == Some("locate");
                    let any = locate && digest != "md5" && options.has(Flaw::AnyNewDigest);
                    any || upload.content.hex(digest) == *value
                })
                && (sha256.as_ref()).is_none_or(|it| *it == upload.content.hex("sha256"))
        });
        let content =
            twin.map(|index| Content::new(self.list[index].content.bytes().to_vec(), false));
        self.last_id += 1;
        self.list.push(Upload {
            id: format!("u{}", self.last_id),
            user: key.user,
            dir: key.dir,
            name: key.name,
            size: key.size,
            mtime: key.mtime,
            known: given,
            complete: content.is_some(),
            content: content.unwrap_or_default(),
            begun: String::new(),
            ranges: Ranges::default(),
            confirmed: Intervals::default(),
            writers: Vec::new(),
        });
        Ok((self.list.len() - 1, true))
    }
}

/// What tells which file a form is about, beside digests.
struct Key {
    user: String,
    dir: String,
    name: String,
    size: u64,
    mtime: Option<String>,
}

impl Key {
    /// Reads it from a form; `None` if that lacks a part.
    fn read(fields: &Fields, options: &Options) -> Option<Self> {
        let any = options.has(Flaw::AnyLocate).then_some(0);
        let name = get(fields, "name")?;
        let some = |flaw, name| get(fields, name).filter(|_| !options.has(flaw));
        Some(Self {
            user: get(fields, "user").unwrap_or_default().to_owned(),
            dir: some(Flaw::IgnoresDir, "dir").unwrap_or_default().to_owned(),
            name: match options.has(Flaw::AsciiNames) {
                true => name.replace(|char: char| !char.is_ascii(), "?"),
                false => name.to_owned(),
            },
            size: number(fields, "size").or(any)?,
            mtime: some(Flaw::IgnoresMtime, "mtime").map(str::to_owned),
        })
    }
}

/// Whether an upload of the same name and size is of the same content: its digest decides, else its time.
fn is_same_content(upload: &mut Upload, given: &Known, mtime: Option<&String>) -> bool {
    let common: Vec<bool> = given
        .iter()
        .filter_map(|(name, theirs)| Some(upload.whole(name)? == *theirs))
        .collect();
    if !common.is_empty() {
        return common.iter().all(|same| *same);
    }
    // Without a time, two digests of different kinds say nothing.
    let comparable = mtime.is_some() || given.is_empty() || upload.known.is_empty();
    comparable && upload.mtime.as_ref() == mtime
}
