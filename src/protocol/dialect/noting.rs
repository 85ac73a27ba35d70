//! What a trial gets to know of the requests of a dialect.

use super::success::{Statuses, Success};
use super::template::Values;
use super::trial::{fields, shown, Purpose, Step, Verdict};
use super::Dialect;
use crate::error::Error;
use crate::http::{Exchange, Request, Response};

/// The texts of a request, of which its body and URL are made.
#[derive(Default)]
pub(super) struct Texts<'t> {
    pub query: &'t [(String, String)],
    pub fields: &'t [(String, String)],
    pub file_field: Option<&'t str>,
}

impl Dialect<'_> {
    /// Makes a request, reads the response in the dialect's charset, and notes both where this is a trial. `url` is the one without the query of `texts`.
    pub(super) fn make(
        &self,
        exchange: &dyn Exchange,
        request: Request<'_>,
        (purpose, values): (Purpose, &Values<'_>),
        (url, texts): (&str, Texts<'_>),
    ) -> Result<Response, Error> {
        let Some(trial) = &self.spec.trial else {
            return Ok(self.spec.charset.read(exchange.exchange(request)?));
        };
        let named = |pairs: &[(String, String)]| {
            fields(pairs.iter().map(|(name, value)| (&**name, &**value)))
        };
        let headers = request.headers.iter();
        trial.begin(Step {
            purpose,
            chunk: (values.offset / values.chunk_size.max(1) + 1, values.chunks),
            bytes: (values.offset, values.length),
            method: request.method,
            url: shown(url),
            query: named(texts.query),
            headers: fields(headers.map(|(name, value)| (&**name, value.text()))),
            fields: named(texts.fields),
            file_field: texts.file_field.map(str::to_owned),
            response: None,
            verdicts: Vec::new(),
            error: None,
        })?;
        let response = self.spec.charset.read(exchange.exchange(request)?);
        trial.answer(&response);
        Ok(response)
    }

    /// Ends what a trial notes of a request.
    pub(super) fn ended<T>(&self, result: Result<T, Error>) -> Result<T, Error> {
        if let Some(trial) = &self.spec.trial {
            trial.end(result.as_ref().err());
        }
        result
    }

    fn note(&self, verdict: impl FnOnce() -> Verdict) {
        if let Some(trial) = &self.spec.trial {
            trial.note(verdict());
        }
    }

    /// Checks a response by the expression of a key.
    pub(super) fn check_success(
        &self,
        key: &'static str,
        success: &Success,
        response: &Response,
    ) -> Result<(), Error> {
        if let Some(trial) = &self.spec.trial {
            success.judge(response).for_each(|judged| {
                trial.note(Verdict {
                    key,
                    rule: judged.rule,
                    is_met: judged.result.is_ok(),
                    found: judged.found,
                });
            });
        }
        success.check(response)
    }

    /// Whether a response has one of a key's statuses.
    pub(super) fn has_status(
        &self,
        key: &'static str,
        statuses: &Statuses,
        response: &Response,
    ) -> bool {
        let is_met = statuses.contain(response.status);
        self.note(|| Verdict {
            key,
            rule: statuses.text(),
            is_met,
            found: response.status.to_string(),
        });
        is_met
    }

    /// Notes what was found at a place of a response.
    pub(super) fn note_found(
        &self,
        key: &'static str,
        rule: &str,
        found: impl FnOnce() -> Result<String, String>,
    ) {
        self.note(|| {
            let found = found();
            Verdict {
                key,
                rule: rule.to_owned(),
                is_met: found.is_ok(),
                found: found.unwrap_or_else(|none| none),
            }
        });
    }

    /// Notes what is found at the places that the dialect has for the response to a chunk.
    pub(super) fn note_places(&self, response: &Response) {
        let spec = self.spec;
        let told = spec.told.as_ref();
        let key = match told.is_some_and(|told| told.is_last) {
            true => "last_byte",
            false => "offset",
        };
        for (key, finder) in [
            ("message", spec.message.as_ref()),
            ("location", spec.location.as_ref()),
            ("id", spec.id.as_ref()),
            (key, told.map(|told| &told.finder)),
        ] {
            if let Some(finder) = finder {
                let found = || finder.text(response).ok_or("nothing there".to_owned());
                self.note_found(key, finder.rule(), found);
            }
        }
    }
}
