//! Taking an upload back.

use super::{get, number, Fields, Response, Uploads};
use crate::model::{Flaw, Options};

/// The answer where nothing is there.
const NOTHING: &str = r#"{"state":"new","offset":0}"#;

impl Uploads {
    /// Answers a locate that only asks in order to discard.
    pub(crate) fn look(&mut self, fields: &Fields, options: &Options) -> Response {
        self.stats.locates += 1;
        let client = self.agree(fields, options);
        let index = match options.has(Flaw::LookMakes) {
            true => self.find_or_make(fields, options).map(|(index, _)| index),
            false => self.find(fields, options).ok_or_else(nothing),
        };
        let mut response = match index {
            Ok(index) => self.list[index].response(200, options, &client, None),
            Err(response) => response,
        };
        if !response.body.contains(r#""discard":"#) {
            response.body.insert_str(1, r#""discard":true,"#);
        }
        response
    }

    /// Answers a discard.
    pub(crate) fn discard(&mut self, fields: &Fields, options: &Options) -> Response {
        self.stats.discards += 1;
        let Some(index) = self.find_to_discard(fields, options) else {
            return match options.has(Flaw::DiscardUnknownIs404) {
                true => Response::error(404, "no such upload"),
                false => nothing(),
            };
        };
        let upload = &mut self.list[index];
        if upload.complete && !options.has(Flaw::DiscardDeletesFinished) {
            return Response::error(409, "the upload is finished");
        }
        if upload.is_busy(None, options) && !options.has(Flaw::DiscardEndsWriters) {
            return Response::error(423, "another client is writing this upload");
        }
        if !options.has(Flaw::DiscardKeeps) {
            self.list.remove(index);
        }
        nothing()
    }

    fn find_to_discard(&mut self, fields: &Fields, options: &Options) -> Option<usize> {
        let id = get(fields, "id").filter(|_| !options.has(Flaw::DiscardAnyId));
        let Some(id) = id else {
            return self.find(fields, options);
        };
        let own = [get(fields, "user"), get(fields, "dir"), get(fields, "name")];
        let own = (own.map(Option::unwrap_or_default), number(fields, "size"));
        self.list.iter().position(|upload| {
            let its = [&*upload.user, &*upload.dir, &*upload.name];
            upload.id == id && (its, Some(upload.size)) == own
        })
    }
}

fn nothing() -> Response {
    Response {
        status: 200,
        body: NOTHING.to_owned(),
        unwanted: None,
    }
}
