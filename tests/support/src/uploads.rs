//! The uploads of the model receiver, and the rules by which they change.

mod response;
mod upload;

use std::io;
use std::time::Instant;

use md5::{Digest, Md5};
pub(crate) use response::Response;
use sha2::Sha256;
use upload::Upload;

use crate::files::hex;
use crate::model::{damaged, Flaw, Options, Stats};

pub(crate) type Fields = Vec<(String, String)>;

/// All uploads.
#[derive(Default)]
pub(crate) struct Uploads {
    list: Vec<Upload>,
    last_id: u64,
    pub stats: Stats,
}

/// The right to append to an upload, until somebody else asks for it.
#[derive(Clone)]
pub(crate) struct Ticket {
    id: String,
    turn: u64,
    from: u64,
    at: u64,
    pub length: u64,
}

impl Uploads {
    pub(crate) fn locate(&mut self, fields: &Fields, options: &Options) -> Response {
        self.stats.locates += 1;
        let any = options.has(Flaw::AnyLocate).then_some(0);
        let size = number(fields, "size").or(any);
        let (Some(name), Some(size)) = (get(fields, "name"), size) else {
            return Response::error(400, "locate needs name and size");
        };
        let name = &*match options.has(Flaw::AsciiNames) {
            true => name.replace(|char: char| !char.is_ascii(), "?"),
            false => name.to_owned(),
        };
        let some = |flaw, name| get(fields, name).filter(|_| !options.has(flaw));
        let user = get(fields, "user").unwrap_or_default();
        let dir = some(Flaw::IgnoresDir, "dir").unwrap_or_default();
        let mtime = some(Flaw::IgnoresMtime, "mtime").map(str::to_owned);
        let md5 = some(Flaw::IgnoresMd5, "md5").map(str::to_ascii_lowercase);
        let sha256 = some(Flaw::AnySha256, "sha256").map(str::to_ascii_lowercase);
        let found = self.list.iter().position(|upload| {
            let same_content = match (&upload.md5, &md5) {
                (Some(theirs), Some(ours)) => theirs == ours,
                _ => upload.mtime == mtime,
            };
            (upload.user == user || options.has(Flaw::SharedFiles))
                && (&*upload.dir, &*upload.name) == (dir, name)
                && upload.size == size
                && same_content
        });
        let index = found.unwrap_or_else(|| {
            let twin = self.list.iter().find(|upload| {
                upload.complete
                    && (upload.user == user || options.has(Flaw::SharedContent))
                    && (upload.size == size || options.has(Flaw::AnySize))
                    && md5.is_some()
                    && upload.md5 == md5
                    && (sha256.as_ref()).is_none_or(|it| *it == hex(&Sha256::digest(&upload.data)))
            });
            let data = twin.map(|twin| twin.data.clone());
            let digest = data.as_ref().map(Md5::new_with_prefix);
            self.last_id += 1;
            self.list.push(Upload {
                id: format!("u{}", self.last_id),
                user: user.to_owned(),
                dir: dir.to_owned(),
                name: name.to_owned(),
                size,
                mtime,
                md5: md5.clone(),
                complete: data.is_some(),
                data: data.unwrap_or_default(),
                digest: digest.unwrap_or_default(),
                verified: (0, Md5::new()),
                confirmed: 0,
                turn: 0,
                heard: None,
            });
            self.list.len() - 1
        });
        let upload = &mut self.list[index];
        if upload.is_busy(options) {
            return Response::error(423, "another client is writing this upload");
        }
        upload.turn += 1;
        if upload.md5.is_none() {
            upload.md5 = md5;
        }
        let wants_prefix = get(fields, "prefix") == Some("1") && !options.hide_prefix_md5;
        let mut prefix = wants_prefix.then(|| hex(&upload.digest.clone().finalize()));
        if options.has(Flaw::WrongPrefix) {
            prefix = prefix.map(|digest| hex(&Md5::digest(digest)));
        }
        upload.response(200, options, prefix)
    }

    /// Checks the fields that come before a file. Gives the right to append the file.
    pub(crate) fn begin(&mut self, fields: &Fields, options: &Options) -> Result<Ticket, Response> {
        self.stats.sends += 1;
        let (Some(id), Some(offset), Some(length)) = (
            get(fields, "id"),
            number(fields, "offset"),
            number(fields, "length"),
        ) else {
            return Err(Response::error(400, "send needs id, offset and length"));
        };
        let user = get(fields, "user").unwrap_or_default();
        let mut own = self.list.iter_mut().filter(|upload| {
            upload.user == user || user.is_empty() || options.has(Flaw::SharedIds)
        });
        let Some(upload) = own.find(|upload| upload.id == id) else {
            let status = if options.has(Flaw::UnknownIdIs400) {
                400
            } else {
                404
            };
            return Err(Response::error(status, "no such upload"));
        };
        let refuse = |mut response: Response| {
            response.unwanted = Some((id.to_owned(), offset, length));
            Err(response)
        };
        // A `restart` that comes late has another digest, and is ignored.
        let held = hex(&upload.digest.clone().finalize());
        let restart = match get(fields, "restart") {
            None => false,
            Some(_) if offset > 0 || options.has(Flaw::NoRestart) => false,
            Some(digest) => digest == held || options.has(Flaw::AnyRestart),
        };
        if upload.complete && !restart {
            return refuse(upload.response(200, options, None));
        }
        if offset
            .checked_add(length)
            .is_none_or(|end| end > upload.size)
        {
            return refuse(Response::error(400, "more bytes than the file has"));
        }
        let long = options.max_segment.is_some_and(|most| length > most);
        if long && !options.has(Flaw::AnySegment) {
            return refuse(Response::error(413, "longer than max_segment"));
        }
        if upload.is_busy(options) {
            let locked = Response::error(423, "another client is writing this upload");
            return refuse(locked);
        }
        let misplaced = offset != upload.data.len() as u64 && !options.has(Flaw::AnyOffset);
        if restart {
            upload.forget_content();
        } else if misplaced && options.has(Flaw::ConflictWithoutOffset) {
            return refuse(Response::error(409, "elsewhere"));
        } else if misplaced {
            return refuse(upload.response(409, options, None));
        }
        upload.turn += 1;
        upload.heard = Some(Instant::now());
        Ok(Ticket {
            id: id.to_owned(),
            turn: upload.turn,
            from: offset,
            at: offset,
            length,
        })
    }

    /// Appends bytes of a file as they come. An error if the ticket is not valid any more.
    pub(crate) fn append(
        &mut self,
        ticket: &mut Ticket,
        bytes: &[u8],
        options: &Options,
    ) -> io::Result<()> {
        self.count(&ticket.id, ticket.at, bytes.len() as u64);
        let upload = self
            .valid(ticket)
            .ok_or_else(|| io::Error::from(io::ErrorKind::ConnectionAborted))?;
        let stored = damaged(bytes, ticket.at, options);
        upload.data.extend_from_slice(&stored);
        upload.digest.update(&stored);
        upload.heard = Some(Instant::now());
        let whole = upload.data.len() as u64 == upload.size;
        upload.complete |= whole && options.has(Flaw::CompleteUnproved);
        ticket.at += bytes.len() as u64;
        Ok(())
    }

    /// Ends a send, which was cut short or not.
    pub(crate) fn leave(&mut self, ticket: &Ticket, cut_short: bool, options: &Options) {
        let Some(upload) = self.valid(ticket) else {
            return;
        };
        upload.heard = None;
        if cut_short && options.has(Flaw::LosesBroken) {
            upload.data[ticket.from as usize..].fill(0);
            upload.digest = Md5::new_with_prefix(&upload.data);
        }
        if cut_short && options.has(Flaw::ClaimsLength) {
            let claimed = (ticket.from + ticket.length) as usize;
            upload.data.resize(claimed, 0);
            upload.digest = Md5::new_with_prefix(&upload.data);
        }
    }

    /// Checks the digest that comes after the file.
    pub(crate) fn finish(&mut self, ticket: &Ticket, tail: &Fields, options: &Options) -> Response {
        let Some(upload) = self.valid(ticket) else {
            let upload = self.list.iter_mut().find(|upload| upload.id == ticket.id);
            return match upload {
                Some(upload) => upload.response(409, options, None),
                None => Response::error(404, "no such upload"),
            };
        };
        let whole = upload.data.len() as u64 == upload.size;
        let field = if whole { "md5" } else { "prefix_md5" };
        let theirs = get(tail, field);
        if !whole && options.end_digest_only {
            return upload.response(200, options, None);
        }
        if theirs.is_none() && !options.digests_optional {
            return Response::error(400, &format!("{field} is missing after the file"));
        }
        let ours = hex(&upload.digest.clone().finalize());
        let agrees = theirs.is_none_or(|theirs| ours.eq_ignore_ascii_case(theirs));
        let agreed = agrees || options.has(Flaw::NoDigestCheck);
        if !agreed && options.has(Flaw::KeepsWrongBytes) {
            return upload.response(422, options, None);
        }
        if !agreed {
            let (length, digest) = upload.verified.clone();
            upload.data.truncate(length);
            upload.digest = digest;
            upload.confirmed = length as u64;
            let mut response = upload.response(422, options, None);
            response.body.insert_str(1, r#""error":"digest","#);
            return response;
        }
        if options.has(Flaw::RefusesSha256) && get(tail, "sha256").is_some() {
            return Response::error(400, "a mistake");
        }
        upload.verified = (upload.data.len(), upload.digest.clone());
        if whole {
            upload.complete = true;
            upload.md5 = Some(ours);
        }
        let wrong = options.has(Flaw::WrongPrefixInSends);
        let mut response = upload.response(200, options, wrong.then(|| "0".repeat(32)));
        if options.has(Flaw::OtherIdInSends) {
            response.body = response.body.replace(r#""id":""#, r#""id":"other-"#);
        }
        response
    }

    /// Counts file bytes that came, for any offset that a client names, and those of them that
    /// were confirmed before.
    pub(crate) fn count(&mut self, id: &str, at: u64, length: u64) {
        self.stats.file_bytes += length;
        if let Some(upload) = self.list.iter().find(|upload| upload.id == id) {
            let end = at.saturating_add(length);
            self.stats.bytes_again += upload.confirmed.min(end).saturating_sub(at);
        }
    }

    /// Returns the finished files, path and content.
    pub(crate) fn finished(&self) -> Vec<(String, Vec<u8>)> {
        let finished = self.list.iter().filter(|upload| upload.complete);
        finished
            .map(|upload| (upload.path(), upload.data.clone()))
            .collect()
    }

    /// Returns how many bytes of a file are held; the latest upload of that path counts.
    pub(crate) fn held(&self, path: &str) -> Option<u64> {
        let mut latest = self.list.iter().rev();
        latest
            .find(|upload| upload.path() == path)
            .map(|upload| upload.data.len() as u64)
    }

    /// Flips a bit of what is held of an unfinished file.
    pub(crate) fn damage(&mut self, path: &str, at: u64) -> bool {
        let mut latest = self.list.iter_mut().rev();
        let Some(upload) = latest.find(|upload| upload.path() == path && !upload.complete) else {
            return false;
        };
        let Some(byte) = upload.data.get_mut(at as usize) else {
            return false;
        };
        *byte ^= 1;
        upload.digest = Md5::new_with_prefix(&upload.data);
        upload.verified = (0, Md5::new());
        true
    }

    pub(crate) fn forget(&mut self) {
        self.list.clear();
    }

    fn valid(&mut self, ticket: &Ticket) -> Option<&mut Upload> {
        self.list
            .iter_mut()
            .find(|upload| upload.id == ticket.id && upload.turn == ticket.turn)
    }
}

/// Returns the first field of this name that is not empty.
pub(crate) fn get<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    fields
        .iter()
        .find(|(key, value)| key == name && !value.is_empty())
        .map(|(_, value)| value.as_str())
}

fn number(fields: &Fields, name: &str) -> Option<u64> {
    get(fields, name)?.parse().ok()
}
