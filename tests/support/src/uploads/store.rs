//! A store: a small file in one request.

use super::content::Content;
use super::parts::writer;
use super::response::Response;
use super::upload::{Kind, Upload, Writer};
use super::{get, number, Fields, Ticket, Uploads};
use crate::model::{Flaw, Options};

impl Uploads {
    /// Checks the fields of a store.
    pub(super) fn begin_store(
        &mut self,
        fields: &Fields,
        options: &Options,
    ) -> Result<Ticket, Response> {
        self.stats.stores += 1;
        let client = self.client(fields)?;
        let most = options.small.filter(|_| client.newer);
        let (Some(most), Some(due)) = (most, get(fields, &client.digest)) else {
            return Err(Response::error(400, "a store needs digest and its value"));
        };
        let most = most.min(options.max_segment.unwrap_or(most));
        if number(fields, "size").is_some_and(|size| size > most) && !options.has(Flaw::AnyStore) {
            return Err(Response::error(413, "too large for a store"));
        }
        let (index, made) = self.find_or_make(fields, options)?;
        let upload = &mut self.list[index];
        if upload.is_busy(None, options) {
            return Err(Response::error(
                423,
                "another client is writing this upload",
            ));
        }
        upload.end_writers(|_| true);
        let refuse = |mut response: Response, upload: &Upload| {
            response.unwanted = Some((upload.id.clone(), 0, upload.size));
            Err(response)
        };
        if upload.complete && options.has(Flaw::StoreTwiceConflicts) && !made {
            return refuse(Response::error(409, "a mistake"), upload);
        }
        let holds = upload.content.len() > 0 || !upload.ranges.is_empty();
        if upload.complete || (holds && !options.has(Flaw::StoreOverPart)) {
            let prefix = (!options.hide_prefix_md5).then(|| upload.content.hex(&client.digest));
            let response = upload.response(200, options, &client, prefix);
            return refuse(response, upload);
        }
        self.last_turn += 1;
        let kind = Kind::Store { made };
        let whole = (0, upload.size);
        let writer = writer(self.last_turn, kind, whole, &client.digest);
        upload.writers.push(writer);
        Ok(Ticket {
            id: upload.id.clone(),
            turn: self.last_turn,
            from: 0,
            at: 0,
            length: upload.size,
            client,
            whole: Some(due.to_owned()),
        })
    }

    /// Drops an upload that a store has made and not completed.
    pub(super) fn leave_store(&mut self, id: &str, writer: Writer, options: &Options) {
        let Some(index) = self.list.iter().position(|upload| upload.id == id) else {
            return;
        };
        let upload = &mut self.list[index];
        if options.has(Flaw::KeepsBrokenStores) && !upload.complete {
            upload.content.append(writer.piece.content.bytes());
        }
        let empty = upload.content.len() == 0 && upload.ranges.is_empty() && !upload.complete;
        if writer.kind == (Kind::Store { made: true }) && empty {
            self.list.remove(index);
        }
    }
}

/// Ends a store that came as a whole.
pub(super) fn finish(
    upload: &mut Upload,
    writer: &mut Writer,
    ticket: &Ticket,
    options: &Options,
) -> Response {
    let mut content = std::mem::take(&mut writer.piece.content);
    let digest = &ticket.client.digest;
    let agrees = ticket
        .whole
        .as_ref()
        .is_some_and(|due| content.hex(digest).eq_ignore_ascii_case(due));
    if !agrees && !options.has(Flaw::StoresUnchecked) {
        return upload
            .response(422, options, &ticket.client, None)
            .of_digest();
    }
    upload.content = Content::new(content.bytes().to_vec(), true);
    upload.complete = true;
    upload.response(200, options, &ticket.client, None)
}
