//! What a server has of a file, and the request that completes one.

use std::sync::atomic::Ordering::Relaxed;

use super::key::Key;
use super::keys::bad;
use super::noting::Texts;
use super::send::{fill, urlencoded};
use super::spec::{Asked, Target, Test};
use super::template::Values;
use super::trial::Purpose;
use super::{random_identifier, Dialect};
use crate::error::Error;
use crate::http::{
    limited, reason, refusal_of, with_query, Body, Exchange, Link, Needs, Request, Response,
};
use crate::protocol::Job;

impl Dialect<'_> {
    /// Checks that all requests go to the endpoint's server.
    pub(super) fn check_targets(&self) -> Result<(), Error> {
        let spec = &self.spec;
        let targets = [
            spec.test.as_ref().map(|test| &test.target),
            spec.asked.as_ref().map(|asked| &asked.target),
            spec.done.as_ref().map(|done| &done.target),
        ];
        targets
            .into_iter()
            .flatten()
            .try_for_each(|it| self.url(it).map(drop))
    }

    fn url(&self, target: &Target) -> Result<String, Error> {
        let url = self.endpoint.resolve(&target.url);
        let url = url.filter(|url| url.origin() == self.endpoint.origin());
        let url = url.map(|url| url.uri().to_string());
        url.ok_or_else(|| {
            bad(format!(
                "has the \"url\" \"{}\", which is no address at the client's server",
                limited(&target.url)
            ))
        })
    }

    /// Gives the fields of a request about an upload.
    fn texts(&self, target: &Target, values: &Values<'_>) -> Vec<(String, String)> {
        match &target.fields {
            Some(fields) => fill(fields, values),
            None => self.fields(values),
        }
    }

    /// Makes a request about an upload.
    fn ask(
        &self,
        exchange: &dyn Exchange,
        target: &Target,
        (purpose, values): (Purpose, &Values<'_>),
        needs: Needs<'_>,
    ) -> Result<Response, Error> {
        let pairs = self.texts(target, values);
        let form = urlencoded(&pairs, self.spec.charset);
        let url = self.url(target)?;
        let has_body = target.method != "GET";
        let texts = match has_body {
            true => Texts {
                fields: &pairs,
                ..Texts::default()
            },
            false => Texts {
                query: &pairs,
                ..Texts::default()
            },
        };
        let request = Request {
            method: target.method,
            url: match has_body || form.is_empty() {
                true => url.clone(),
                false => with_query(&url, &form),
            },
            content_type: has_body.then(|| "application/x-www-form-urlencoded".to_owned()),
            headers: Vec::new(),
            body: has_body.then_some(Body::Text(form.as_bytes())),
            needs,
        };
        let response = self.make(exchange, request, (purpose, values), (&url, texts));
        response.or_else(|error| self.ended(Err(error)))
    }

    /// Asks how many bytes the server has from the file's beginning on, and whether these are all.
    pub(super) fn held(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        key: &Key,
    ) -> Result<(u64, bool), Error> {
        match (&self.spec.test, &self.spec.asked) {
            (Some(test), _) => self.test(exchange, test, job, key),
            // Before the first chunk it may tell the size of another file of the same name.
            (_, Some(asked)) if key.id.is_some() => {
                let values = self.values(job, key, (0, 0));
                let offset = self.offset(exchange, asked, &values)?;
                Ok((offset, offset == job.size))
            }
            _ => Ok((0, false)),
        }
    }

    /// Asks for one chunk after the other, until the server has one not. Those that it has accepted in this
    /// run are not asked for, nor those that were not sent in it.
    fn test(
        &self,
        exchange: &dyn Exchange,
        test: &Test,
        job: &Job,
        key: &Key,
    ) -> Result<(u64, bool), Error> {
        let mut offset = self.accepted.load(Relaxed);
        let end = match self.sent.load(Relaxed) {
            0 => job.size,
            sent if sent == offset => return Ok((offset, false)),
            sent => sent,
        };
        let mut is_sure = false;
        loop {
            let length = self.length(job.size - offset);
            let values = self.values(job, key, (offset, length));
            let about = (Purpose::Test, &values);
            let response = self.ask(exchange, &test.target, about, Needs::Head)?;
            if !is_sure && exchange.link() == Link::Kept {
                // It may be a late answer to an earlier request.
                exchange.renew();
                is_sure = true;
                continue;
            }
            is_sure = true;
            if !self.has_status("test.has", &test.has, &response) {
                let is_wanted = self.has_status("test.send", &test.send, &response);
                return self.ended(match is_wanted {
                    true => Ok((offset, false)),
                    false => Err(refusal_of(&response, None)),
                });
            }
            self.ended(Ok(()))?;
            offset += length;
            if offset >= end {
                if self.sent.load(Relaxed) == 0 {
                    self.check_pages(exchange, test, job, key)?;
                }
                return Ok((offset, offset == job.size));
            }
        }
    }

    /// Fails if the server has also a chunk of an upload that nobody has made, as a login page does.
    fn check_pages(
        &self,
        exchange: &dyn Exchange,
        test: &Test,
        job: &Job,
        key: &Key,
    ) -> Result<(), Error> {
        let identifier = random_identifier()?;
        let nobodys = Job {
            name: identifier.clone(),
            ..job.clone()
        };
        let other = Key {
            identifier,
            id: None,
            ..key.clone()
        };
        let bytes = (0, self.length(job.size));
        let values = self.values(&nobodys, &other, bytes);
        let asked = self.texts(&test.target, &self.values(job, key, bytes));
        if self.texts(&test.target, &values) == asked {
            // The question does not tell one upload from another.
            return Ok(());
        }
        let about = (Purpose::TestStranger, &values);
        let response = self.ask(exchange, &test.target, about, Needs::Head)?;
        let is_there = self.has_status("test.has", &test.has, &response);
        self.ended(match is_there {
            true => Err(Error::bad_response(reason(
                &response,
                "it says so of every chunk, also of one that was never sent; it may be a page, as of a login"
                    .to_owned(),
            ))),
            false => Ok(()),
        })
    }

    /// Asks for the number of bytes that the server has.
    fn offset(
        &self,
        exchange: &dyn Exchange,
        asked: &Asked,
        values: &Values<'_>,
    ) -> Result<u64, Error> {
        let about = (Purpose::State, values);
        let response = self.ask(exchange, &asked.target, about, Needs::Beginning)?;
        if self.has_status("state.none", &asked.none, &response) {
            return self.ended(Ok(0));
        }
        let offset = self.read_offset(asked, values, &response);
        let key = match asked.offset.is_last {
            true => "state.last_byte",
            false => "state.offset",
        };
        self.note_found(key, asked.offset.finder.rule(), || match &offset {
            Ok(offset) => Ok(format!("{offset} bytes")),
            Err(error) => Err(error.to_string()),
        });
        self.ended(offset)
    }

    /// Reads the number of bytes that the server has.
    fn read_offset(
        &self,
        asked: &Asked,
        values: &Values<'_>,
        response: &Response,
    ) -> Result<u64, Error> {
        if !(200..300).contains(&response.status) {
            return Err(refusal_of(response, None));
        }
        let offset = asked.offset.read_answer(response)?;
        let size = values.job.size;
        if offset > size {
            let why = format!("{offset} exceeds the file's size {size}");
            return Err(Error::BadOffset { why });
        }
        if self.are_counted() && offset != size && offset % values.chunk_size != 0 {
            let chunk = values.chunk_size;
            let why = format!("{offset} is amid a chunk, each of which has {chunk} bytes");
            return Err(Error::BadOffset { why });
        }
        Ok(offset)
    }

    /// Makes the request that completes the file, where there is one.
    pub(super) fn finish(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        key: &Key,
    ) -> Result<(), Error> {
        let Some(done) = &self.spec.done else {
            return Ok(());
        };
        let values = self.values(job, key, (0, job.size));
        if values.chunks == 1 && !done.is_always {
            return Ok(());
        }
        let about = (Purpose::Done, &values);
        let response = self.ask(exchange, &done.target, about, done.success.needs())?;
        let checked = self.check_success("done.success", &done.success, &response);
        self.ended(checked.map_err(|error| self.explain(error, &response, 0)))
    }
}
