//! Taking an upload back.

use super::request::{common_fields, digest_fields};
use super::{reply, Form, URLENCODED};
use crate::error::Error;
use crate::http::{Body, Exchange, Needs, Request};
use crate::protocol::Job;

impl Form {
    /// Whether the server has said that it takes discards.
    pub(crate) fn takes_discards(&self) -> bool {
        self.to_discard.get().is_some()
    }

    /// Takes an upload back, if the server offers that.
    pub(super) fn take_back(&self, exchange: &dyn Exchange, job: &Job) -> Result<(), Error> {
        // A late answer to an earlier request is on no new connection.
        exchange.renew();
        let id = match self.to_discard.get() {
            // The answer to the last discard was lost. An upload that was begun since has another id.
            Some(id) => id.clone(),
            None => self.find_to_discard(exchange, job)?,
        };
        let write = || {
            let mut fields = common_fields(job, "discard");
            fields.extend(id.iter().map(|id| ("id".into(), id.clone())));
            fields.extend(digest_fields(job));
            self.write(fields)
        };
        let url = self.answered_at().uri().to_string();
        let response = exchange.exchange(Request {
            method: "POST",
            url,
            content_type: Some(URLENCODED.to_owned()),
            headers: Vec::new(),
            body: Some(Body::Form(&write)),
            needs: Needs::Whole,
        })?;
        reply::discarded(&response, job.size).map_err(|error| self.explain(error, &response))
    }

    /// Asks whether the server offers that. Gives the upload's id, unless a digest finds it.
    fn find_to_discard(&self, exchange: &dyn Exchange, job: &Job) -> Result<Option<String>, Error> {
        let response = self.ask(exchange, &|| {
            // With a digest, a server that does not know the last field might find another upload of the
            // same content, and complete this one.
            let mut fields = common_fields(job, "locate");
            fields.push(("discard".into(), "1".to_owned()));
            self.write(fields)
        })?;
        let found = reply::to_discard(&response, job.size);
        let id = found
            .map_err(|error| self.explain(error, &response))?
            .ok_or_else(|| Error::NotDiscarded {
                why: "the server does not offer that; what it has of the file stays there until it expires"
                    .to_owned(),
            })?;
        let id = id.filter(|_| job.digests.is_empty());
        Ok(self.to_discard.get_or_init(|| id).clone())
    }
}
