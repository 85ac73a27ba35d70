//! The uploads of the model receiver, and the rules by which they change.

mod content;
mod discard;
mod find;
mod intervals;
mod parts;
mod ranges;
mod response;
mod store;
mod upload;

use std::io;
use std::time::Instant;

pub(crate) use response::Response;
use upload::{Client, Kind, Upload};

use crate::model::{damaged, Flaw, Options, Stats};

pub(crate) type Fields = Vec<(String, String)>;

/// All uploads.
#[derive(Default)]
pub(crate) struct Uploads {
    list: Vec<Upload>,
    last_id: u64,
    last_turn: u64,
    /// The digests that a client of 1.1 can choose from; none at a receiver of 1.0.
    pub digests: Vec<&'static str>,
    pub stats: Stats,
}

/// The right to bring bytes to an upload, until somebody else asks for it.
pub(crate) struct Ticket {
    id: String,
    turn: u64,
    from: u64,
    at: u64,
    pub length: u64,
    client: Client,
    /// The digest of the whole file, where it comes before the file.
    whole: Option<String>,
}

impl Uploads {
    /// Makes no uploads, and digests to choose from.
    pub(crate) fn with(digests: &[&'static str]) -> Self {
        Self {
            digests: digests.to_vec(),
            ..Self::default()
        }
    }

    /// Checks the fields that come before a file. Gives the right to bring the file.
    pub(crate) fn begin(&mut self, fields: &Fields, options: &Options) -> Result<Ticket, Response> {
        if get(fields, "action") == Some("store") {
            return self.begin_store(fields, options);
        }
        self.stats.sends += 1;
        let (Some(id), Some(offset), Some(length)) = (
            get(fields, "id"),
            number(fields, "offset"),
            number(fields, "length"),
        ) else {
            return Err(Response::error(400, "send needs id, offset and length"));
        };
        let mut client = self.client(fields)?;
        let run = parts::run_of(fields, options)?;
        client.newer |= run.is_some();
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
        let restart = match get(fields, "restart") {
            None => false,
            Some(_) if offset > 0 || run.is_some() || options.has(Flaw::NoRestart) => false,
            // One that comes late has another digest, and is ignored.
            Some(digest) => {
                let of = match options.has(Flaw::RestartByMd5) {
                    true => "md5",
                    false => &client.digest,
                };
                digest == upload.content.hex(of) || options.has(Flaw::AnyRestart)
            }
        };
        if upload.complete && !restart {
            return refuse(upload.response(200, options, &client, None));
        }
        let Some(end) = offset.checked_add(length).filter(|end| *end <= upload.size) else {
            return refuse(Response::error(400, "more bytes than the file has"));
        };
        let long = options.max_segment.is_some_and(|most| length > most);
        if long && !options.has(Flaw::AnySegment) {
            return refuse(Response::error(413, "longer than max_segment"));
        }
        let kind = run.map_or(Kind::Send, Kind::Part);
        let busy = upload.is_busy(Some(&kind), options);
        if busy && !(options.has(Flaw::AnyRun) && kind != Kind::Send) {
            let locked = Response::error(423, "another client is writing this upload");
            return refuse(locked);
        }
        if matches!(kind, Kind::Part(_)) {
            let begun = parts::begin(upload, &kind, (offset, end), options, &client);
            if let Err(response) = begun {
                return refuse(response);
            }
        } else {
            let misplaced = |held: u64| offset != held && !restart && !options.has(Flaw::AnyOffset);
            if !misplaced(upload.content.len()) {
                // What they brought may move the offset.
                upload.end_writers(|_| true);
            }
            if misplaced(upload.content.len()) {
                return refuse(match options.has(Flaw::ConflictWithoutOffset) {
                    true => Response::error(409, "elsewhere"),
                    false => upload.response(409, options, &client, None),
                });
            }
            if restart {
                upload.forget_content();
            }
        }
        upload.begun.clone_from(&client.digest);
        self.last_turn += 1;
        let range = (offset, end);
        let writer = parts::writer(self.last_turn, kind, range, &client.digest);
        upload.writers.push(writer);
        Ok(Ticket {
            id: id.to_owned(),
            turn: self.last_turn,
            from: offset,
            at: offset,
            length,
            client,
            whole: None,
        })
    }

    /// Reads the digest that a send or a store names.
    fn client(&self, fields: &Fields) -> Result<Client, Response> {
        // 1.0 does not know the field.
        let named = get(fields, "digest").filter(|_| !self.digests.is_empty());
        let known = named.is_none_or(|named| self.digests.contains(&named));
        match known {
            true => Ok(Client {
                digest: named.unwrap_or("md5").to_owned(),
                newer: named.is_some(),
            }),
            false => Err(Response::error(400, "this digest cannot be used here")),
        }
    }

    /// Adds bytes of a file as they come. An error if the ticket is not valid any more.
    pub(crate) fn append(
        &mut self,
        ticket: &mut Ticket,
        bytes: &[u8],
        options: &Options,
    ) -> io::Result<()> {
        self.count(&ticket.id, ticket.at, bytes.len() as u64);
        let (upload, turn) = self
            .valid(ticket)
            .ok_or_else(|| io::Error::from(io::ErrorKind::ConnectionAborted))?;
        let stored = damaged(bytes, ticket.at, options);
        let writer = &mut upload.writers[turn];
        writer.heard = Instant::now();
        match writer.kind {
            Kind::Send => {
                if !options.has(Flaw::RangesStay) {
                    upload.ranges.clear();
                }
                upload.content.append(&stored);
            }
            _ => writer.piece.content.append(&stored),
        }
        let whole = upload.content.len() == upload.size;
        upload.complete |= whole && options.has(Flaw::CompleteUnproved);
        ticket.at += bytes.len() as u64;
        Ok(())
    }

    /// Ends a send, which was cut short or not.
    pub(crate) fn leave(&mut self, ticket: &Ticket, cut_short: bool, options: &Options) {
        let Some((upload, turn)) = self.valid(ticket) else {
            return;
        };
        let mut writer = upload.writers.swap_remove(turn);
        match writer.kind {
            Kind::Send => {}
            Kind::Part(_) => {
                if cut_short && options.has(Flaw::ClaimsLength) {
                    let length = (writer.to - writer.piece.from) as usize;
                    writer.piece.content.change(|bytes| bytes.resize(length, 0));
                }
                return upload.keep(writer);
            }
            Kind::Store { .. } => return self.leave_store(&ticket.id, writer, options),
        }
        if cut_short && options.has(Flaw::LosesBroken) {
            let from = ticket.from as usize;
            upload.content.change(|bytes| bytes[from..].fill(0));
        }
        if cut_short && options.has(Flaw::ClaimsLength) {
            let claimed = (ticket.from + ticket.length) as usize;
            upload.content.change(|bytes| bytes.resize(claimed, 0));
        }
    }

    /// Checks the digest that comes after the file.
    pub(crate) fn finish(&mut self, ticket: &Ticket, tail: &Fields, options: &Options) -> Response {
        let client = &ticket.client;
        let Some((upload, turn)) = self.valid(ticket) else {
            let upload = self.list.iter_mut().find(|upload| upload.id == ticket.id);
            return match upload {
                Some(upload) => upload.response(409, options, client, None),
                None => Response::error(404, "no such upload"),
            };
        };
        let mut writer = upload.writers.swap_remove(turn);
        let response = match writer.kind {
            Kind::Send => finish_send(upload, client, tail, options),
            Kind::Part(_) => parts::finish(upload, &mut writer, tail, options, client),
            Kind::Store { .. } => store::finish(upload, &mut writer, ticket, options),
        };
        upload.writers.push(writer);
        response
    }

    /// Counts file bytes that came, for any offset that a client names, and those of them that
    /// were confirmed before.
    pub(crate) fn count(&mut self, id: &str, at: u64, length: u64) {
        self.stats.file_bytes += length;
        if let Some(upload) = self.list.iter().find(|upload| upload.id == id) {
            self.stats.bytes_again += upload.confirmed.count(at, at.saturating_add(length));
        }
    }

    /// Returns the finished files, path and content.
    pub(crate) fn finished(&self) -> Vec<(String, Vec<u8>)> {
        let finished = self.list.iter().filter(|upload| upload.complete);
        finished
            .map(|upload| (upload.path(), upload.content.bytes().to_vec()))
            .collect()
    }

    /// Returns how many bytes of a file are held; the latest upload of that path counts.
    pub(crate) fn held(&self, path: &str) -> Option<u64> {
        let mut latest = self.list.iter().rev();
        latest
            .find(|upload| upload.path() == path)
            .map(|upload| upload.content.len())
    }

    /// Returns what is held behind that.
    pub(crate) fn ranges(&mut self, path: &str) -> Vec<(u64, u64)> {
        let mut latest = self.list.iter_mut().rev();
        let upload = latest.find(|upload| upload.path() == path);
        let ranges = upload.into_iter().flat_map(|upload| upload.ranges.told());
        ranges.map(|range| (range.from, range.to())).collect()
    }

    /// Flips a bit of what is held of an unfinished file.
    pub(crate) fn damage(&mut self, path: &str, at: u64) -> bool {
        let mut latest = self.list.iter_mut().rev();
        let Some(upload) = latest.find(|upload| upload.path() == path && !upload.complete) else {
            return false;
        };
        let mut ranges = upload.ranges.told().iter_mut();
        let range = ranges.find(|range| range.reaches(at, at + 1));
        let (content, at) = match range {
            Some(range) => (&mut range.content, at - range.from),
            None => (&mut upload.content, at),
        };
        let flip = |byte: &mut u8| *byte ^= 1;
        let flipped = content.change(|bytes| bytes.get_mut(at as usize).map(flip));
        content.forget_proof();
        flipped.is_some()
    }

    pub(crate) fn forget(&mut self) {
        self.list.clear();
    }

    /// Finds the upload of a ticket, and the number of its writer.
    fn valid(&mut self, ticket: &Ticket) -> Option<(&mut Upload, usize)> {
        let mut list = self.list.iter_mut();
        let upload = list.find(|upload| upload.id == ticket.id)?;
        let mut writers = upload.writers.iter();
        let turn = writers.position(|writer| writer.turn == ticket.turn)?;
        Some((upload, turn))
    }
}

/// Ends a send that came as a whole.
fn finish_send(upload: &mut Upload, client: &Client, tail: &Fields, options: &Options) -> Response {
    let digest = &client.digest;
    let whole = upload.content.len() == upload.size;
    let field = match whole {
        true => digest.clone(),
        false => format!("prefix_{digest}"),
    };
    let theirs = get(tail, &field);
    if !whole && options.end_digest_only {
        return upload.response(200, options, client, None);
    }
    if theirs.is_none() && !options.digests_optional {
        return Response::error(400, &format!("{field} is missing after the file"));
    }
    let ours = upload.content.hex(digest);
    let agrees = theirs.is_none_or(|theirs| ours.eq_ignore_ascii_case(theirs));
    let unchecked =
        options.has(Flaw::NoDigestCheck) || (digest != "md5" && options.has(Flaw::OnlyMd5Checked));
    if !agrees && !unchecked {
        if options.has(Flaw::KeepsWrongBytes) {
            return upload.response(422, options, client, None);
        }
        upload.content.drop_unproved();
        upload.ranges.drop_unproved();
        upload.confirmed.clear();
        return upload.response(422, options, client, None).of_digest();
    }
    if options.has(Flaw::RefusesSha256) && get(tail, "sha256").is_some() && digest != "sha256" {
        return Response::error(400, "a mistake");
    }
    upload.content.prove();
    if whole {
        upload.complete = true;
        upload.known.retain(|(name, _)| name != digest);
        upload.known.push((digest.clone(), ours));
    }
    let wrong = options.has(Flaw::WrongPrefixInSends);
    let mut response = upload.response(200, options, client, wrong.then(|| "0".repeat(32)));
    if options.has(Flaw::OtherIdInSends) {
        response.body = response.body.replace(r#""id":""#, r#""id":"other-"#);
    }
    if options.has(Flaw::DigestInLocatesOnly) {
        response.body = response.body.replace(r#""digest":"#, r#""digested":"#);
    }
    response
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
