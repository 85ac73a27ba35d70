//! Form resume, version 1.1: locate and send as ordinary HTML-form requests (docs/PROTOCOL.md).

pub(crate) mod content_type;
mod discard;
pub(in crate::protocol) mod multipart;
mod reply;
pub(in crate::protocol) mod request;
mod signature;
#[cfg(test)]
mod tests;

pub(crate) use request::is_reserved;
pub(crate) use signature::Signer;

use std::cell::RefCell;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use resup_digests::{Algorithm, Digest};

use super::{Abilities, Answer, FileBytes, Job, Outcome, Protocol, Segment, Store};
use crate::error::Error;
use crate::http::endpoint::Endpoint;
use crate::http::{
    clock_hint, limited, refusal, Body, Exchange, Needs, Request, Response, MAX_REDIRECTS,
};
use crate::options::{FilenameStyle, LocateMethod};
use crate::protocol::charset::Charset;
use multipart::{escaped, Field, FilePart, Multipart};
use request::{check_length, common_fields, digest_fields};

/// The form protocol against one endpoint.
#[derive(Debug)]
pub(crate) struct Form {
    pub endpoint: Endpoint,
    /// The endpoint that answered the last locate. Sends go there.
    answered_at: Mutex<Endpoint>,
    /// The id that the server gave the upload to discard, once it has offered that; `None` within if there was
    /// none.
    to_discard: OnceLock<Option<String>>,
    pub locate_method: LocateMethod,
    pub file_name_style: FilenameStyle,
    pub signer: Option<Signer>,
}

/// The type of a form without a file.
const URLENCODED: &str = "application/x-www-form-urlencoded";

impl Protocol for Form {
    fn name(&self) -> &'static str {
        "form"
    }

    fn abilities(&self) -> Abilities {
        Abilities {
            locates: true,
            proves_prefix: true,
            needs_key: false,
            checksum: None,
        }
    }

    fn locate(&self, exchange: &dyn Exchange, job: &Job, _: Option<&str>) -> Result<Answer, Error> {
        let response = self.ask(exchange, &|| self.locate_form(job))?;
        let result = reply::located(&response, job.size, job.offer);
        result.map_err(|error| self.explain(error, &response))
    }

    fn send(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        segment: Segment<'_>,
    ) -> Result<Outcome, Error> {
        let mut fields = common_fields(job, "send");
        if let Some(id) = segment.id {
            fields.insert(1, ("id".into(), id.to_owned()));
        }
        let agreed = segment.bytes.algorithm().unwrap_or(Algorithm::Md5);
        if agreed != Algorithm::Md5 {
            fields.push(("digest".into(), agreed.name().to_owned()));
        }
        fields.push(("offset".into(), segment.offset.to_string()));
        fields.push(("length".into(), segment.length.to_string()));
        if let Some(digest) = segment.restart {
            fields.push(("restart".into(), digest.hex()));
        }
        if let Some(key) = segment.part {
            fields.push(("part".into(), key.to_owned()));
        }
        let prefix = match segment.part {
            Some(_) => "part_",
            None if segment.offset + segment.length == job.size => "",
            None => "prefix_",
        };
        let tail = |digest: Digest| {
            let name = digest.algorithm().name();
            Some((format!("{prefix}{name}").into(), digest.hex()))
        };
        let file = (segment.length, segment.bytes);
        let response = self.post(exchange, job, fields, file, &tail)?;
        let outcome = reply::sent(&response, job.size, (job.offer, agreed))
            .map_err(|error| self.explain(error, &response))?;
        check_id(segment.id, &outcome)?;
        Ok(outcome)
    }

    fn store(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        store: Store<'_>,
    ) -> Result<Option<Answer>, Error> {
        let Some(digest) = store.digest else {
            return Ok(None);
        };
        let mut fields = common_fields(job, "store");
        let agreed = digest.algorithm();
        fields.push(("digest".into(), agreed.name().to_owned()));
        fields.push((agreed.name().into(), digest.hex()));
        let file = (job.size, store.bytes);
        let response = self.post(exchange, job, fields, file, &|_| None)?;
        reply::stored(&response, job.size, (job.offer, agreed))
            .map_err(|error| self.explain(error, &response))
    }

    fn discard(&self, exchange: &dyn Exchange, job: &Job, _: Option<&str>) -> Result<(), Error> {
        self.take_back(exchange, job)
    }
}

/// A function that gives the field after a file from its digest.
type Tail<'a> = &'a dyn Fn(Digest) -> Option<Field<'static>>;

impl Form {
    /// Makes a locate's request, whose form `write` writes. Follows redirects.
    fn ask(
        &self,
        exchange: &dyn Exchange,
        write: &dyn Fn() -> Result<String, Error>,
    ) -> Result<Response, Error> {
        // Redirects count for this locate only: the next one starts here again.
        let mut at = self.endpoint.clone();
        let written = RefCell::default();
        for _ in 0..=MAX_REDIRECTS {
            let url = at.uri().to_string();
            let write = || {
                let form = write()?;
                written.replace(form.clone());
                match self.locate_method {
                    LocateMethod::Post => Ok(form),
                    LocateMethod::Get => check_length(&url, form),
                }
            };
            let (method, content_type) = match self.locate_method {
                LocateMethod::Get => ("GET", None),
                LocateMethod::Post => ("POST", Some(URLENCODED)),
            };
            let response = exchange.exchange(Request {
                method,
                url: url.clone(),
                content_type: content_type.map(str::to_owned),
                headers: Vec::new(),
                body: Some(Body::Form(&write)),
                needs: Needs::Whole,
            })?;
            if !matches!(response.status, 307 | 308) {
                *self.answered_at() = at;
                return Ok(response);
            }
            at = follow(&at, &response, &written.borrow())?;
        }
        Err(Error::bad_response(format!(
            "it redirects more than {MAX_REDIRECTS} times in a row"
        )))
    }

    /// Sends a form with so many bytes of a file.
    fn post(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        mut fields: Vec<Field<'_>>,
        (length, bytes): (u64, &mut dyn FileBytes),
        tail: Tail<'_>,
    ) -> Result<Response, Error> {
        // A receiver sees only the escaped names, so these are signed.
        for (name, _) in &mut fields {
            *name = escaped(name).into_owned().into();
        }
        let sign = self.sign(&mut fields)?;
        let mut body = Multipart::new(
            &fields,
            FilePart {
                field: "file",
                file_name: &job.name,
                content_type: &job.content_type,
                length,
                bytes,
                style: self.file_name_style,
                charset: Charset::default(),
            },
            |digest| {
                let mut fields: Vec<_> = digest.and_then(tail).into_iter().collect();
                if let Some((signer, sign)) = self.signer.as_ref().zip(sign.as_deref()) {
                    fields.push(signer.tail(&fields, sign));
                }
                fields
            },
        )?;
        // The lock is released before the exchange.
        let url = self.answered_at().uri().to_string();
        exchange.exchange(Request {
            method: "POST",
            url,
            content_type: Some(body.content_type()),
            headers: Vec::new(),
            body: Some(Body::Stream {
                length: body.length(),
                bytes: &mut body,
            }),
            needs: Needs::Whole,
        })
    }

    fn answered_at(&self) -> MutexGuard<'_, Endpoint> {
        let endpoint = self.answered_at.lock();
        endpoint.unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn new(
        endpoint: Endpoint,
        locate_method: LocateMethod,
        file_name_style: FilenameStyle,
        signer: Option<Signer>,
    ) -> Self {
        Form {
            answered_at: Mutex::new(endpoint.clone()),
            to_discard: OnceLock::new(),
            endpoint,
            locate_method,
            file_name_style,
            signer,
        }
    }

    /// Adds to the refusal of a signed request that the clock is wrong, where it is.
    fn explain(&self, error: Error, response: &Response) -> Error {
        match self.signer {
            Some(_) => clock_hint(error, response),
            None => error,
        }
    }

    /// Writes a locate's form, signed now.
    fn locate_form(&self, job: &Job) -> Result<String, Error> {
        let mut fields = common_fields(job, "locate");
        fields.extend(digest_fields(job));
        fields.push(("prefix".into(), "1".to_owned()));
        if !job.offer.is_empty() {
            let names: Vec<_> = job.offer.iter().map(|it| it.name()).collect();
            fields.push(("digests".into(), names.join(",")));
        }
        self.write(fields)
    }

    /// Writes a form without a file, signed now.
    fn write(&self, mut fields: Vec<Field<'_>>) -> Result<String, Error> {
        self.sign(&mut fields)?;
        let mut form = form_urlencoded::Serializer::new(String::new());
        Ok(form.extend_pairs(fields).finish())
    }

    /// Adds a signature to the fields, where there is a secret. Gives the value of `sign`.
    fn sign(&self, fields: &mut Vec<Field<'_>>) -> Result<Option<String>, Error> {
        let Some(signer) = &self.signer else {
            return Ok(None);
        };
        let since_1970 = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let signature = signer.head(fields, since_1970.as_secs(), crate::random::u128()?);
        let sign = signature[2].1.clone();
        fields.extend(signature);
        Ok(Some(sign))
    }
}

/// Fails if the answer to a send with this `id` is about another upload.
fn check_id(id: Option<&str>, outcome: &Outcome) -> Result<(), Error> {
    let answer = match outcome {
        Outcome::Accepted(answer)
        | Outcome::OffsetMismatch(answer)
        | Outcome::ChecksumMismatch(answer) => answer,
        Outcome::UnknownUpload(_) => return Ok(()),
    };
    match (id, answer.id.as_deref()) {
        (Some(sent), Some(other)) if sent != other => Err(Error::bad_response(format!(
            "it is about the upload \"{}\", but bytes of \"{}\" were sent",
            limited(other),
            limited(sent)
        ))),
        _ => Ok(()),
    }
}

/// Gives the endpoint that a response redirects to, if that has the same origin. The redirect's
/// query may repeat the `form` of the request; it is cut off.
fn follow(at: &Endpoint, response: &Response, form: &str) -> Result<Endpoint, Error> {
    let without_form = |location| match str::strip_suffix(location, form) {
        Some(bare) => bare.trim_end_matches(['?', '&']),
        None => location,
    };
    let location = response.location();
    location
        .as_deref()
        .map(without_form)
        .and_then(|location| at.resolve(location))
        .filter(|target| target.origin() == at.origin())
        .ok_or_else(|| refusal(response))
}
