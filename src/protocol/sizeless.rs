//! Finding out which protocol a server speaks that takes a file whose size is not known.

use std::sync::OnceLock;

use super::auto::{check_settings, may_speak_another, request};
use super::form::Form;
use super::learned::LearnedProtocol;
use super::others::other;
use super::{nothing_to_discard, Abilities, Answer, Job, Note, Outcome, Protocol, Segment, Store};
use crate::error::Error;
use crate::http::endpoint::Endpoint;
use crate::http::{refusal_of, speaks_ietf, spoken, Exchange, Response, Spoken};
use crate::options::ProtocolName;

/// A protocol for a file whose size is not known: the server's response to `OPTIONS` shows which one.
/// What it shows is not for the client's other uploads: the server may speak the form protocol, too.
pub(super) struct Sizeless<'a> {
    endpoint: Endpoint,
    is_signed: bool,
    learned: &'a LearnedProtocol,
    found: OnceLock<Box<dyn Protocol + 'a>>,
}

impl<'a> Sizeless<'a> {
    /// Makes the protocol; `saved` is the one of an earlier run.
    pub(super) fn new(
        form: Form,
        learned: &'a LearnedProtocol,
        saved: Option<ProtocolName>,
    ) -> Self {
        let sizeless = Sizeless {
            endpoint: form.endpoint,
            is_signed: form.signer.is_some(),
            learned,
            found: OnceLock::new(),
        };
        let known = saved.or(learned.found.get().copied().filter(|name| {
            // It may speak the IETF's protocol, too.
            *name != ProtocolName::Tus || learned.tus_defers_size() != Some(false)
        }));
        if let Some(known) = known.and_then(|name| other(name, &sizeless.endpoint, learned)) {
            let _ = sizeless.found.set(known);
        }
        sizeless
    }

    /// Asks for the server's protocol.
    fn find(&self, exchange: &dyn Exchange) -> Result<&dyn Protocol, Error> {
        if let Some(found) = self.found.get() {
            return Ok(&**found);
        }
        let response = exchange.exchange(request("OPTIONS", self.endpoint.uri().to_string()))?;
        let name = match spoken(&response) {
            Some(Spoken::Tus) if speaks_ietf(&response) && !defers_size(&response) => {
                Some(ProtocolName::Ietf)
            }
            Some(Spoken::Tus) => Some(ProtocolName::Tus),
            Some(Spoken::Ietf) => Some(ProtocolName::Ietf),
            // There is nothing, or something that does not want the question.
            _ if matches!(response.status, 404 | 410) || !may_speak_another(response.status) => {
                return Err(refusal_of(&response, None))
            }
            _ => None,
        };
        let found = name.and_then(|name| other(name, &self.endpoint, self.learned));
        match found {
            Some(found) => Ok(&**self.found.get_or_init(|| found)),
            None => Err(Error::size_needed(&format!(
                "the server's response to OPTIONS (HTTP status {}) shows neither tus nor the IETF's protocol, and \
                 others need the size first",
                response.status
            ))),
        }
    }

    fn current(&self) -> Result<&dyn Protocol, Error> {
        let found = self.found.get();
        found.map(|found| &**found).ok_or_else(|| Error::Internal {
            why: "bytes before a protocol was found".to_owned(),
        })
    }
}

/// Whether a server of tus says that it takes an upload before its size is known.
fn defers_size(response: &Response) -> bool {
    let mut lists = response.values("tus-extension");
    lists.any(|list| {
        list.split(',')
            .any(|it| it.trim() == "creation-defer-length")
    })
}

impl Protocol for Sizeless<'_> {
    fn name(&self) -> &'static str {
        self.found.get().map_or("auto", |found| found.name())
    }

    fn abilities(&self) -> Abilities {
        let unknown = Abilities {
            locates: true,
            proves_prefix: false,
            needs_key: true,
            checksum: None,
        };
        self.found.get().map_or(unknown, |found| found.abilities())
    }

    fn max_size(&self) -> Option<u64> {
        self.found.get()?.max_size()
    }

    fn locate(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        key: Option<&str>,
    ) -> Result<Answer, Error> {
        let found = self.find(exchange)?;
        check_settings(self.is_signed, job, found.name())?;
        found.locate(exchange, job, key)
    }

    fn send(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        segment: Segment<'_>,
    ) -> Result<Outcome, Error> {
        self.current()?.send(exchange, job, segment)
    }

    fn notes(&self) -> Vec<Note> {
        self.found
            .get()
            .map(|found| found.notes())
            .unwrap_or_default()
    }

    fn store(
        &self,
        exchange: &dyn Exchange,
        job: &Job,
        store: Store<'_>,
    ) -> Result<Option<Answer>, Error> {
        self.current()?.store(exchange, job, store)
    }

    fn discard(&self, exchange: &dyn Exchange, job: &Job, key: Option<&str>) -> Result<(), Error> {
        match self.found.get() {
            Some(found) => found.discard(exchange, job, key),
            None => Err(nothing_to_discard()),
        }
    }
}

#[cfg(all(
    test,
    feature = "dav",
    feature = "ietf",
    feature = "session",
    feature = "tus"
))]
mod tests {
    use super::*;
    use crate::options::{FilenameStyle, LocateMethod, SIZE_UNKNOWN};
    use crate::protocol::script::{job, Reply, Script};

    const AT: &str = "http://host/up";
    const MADE: Reply<'static> = (201, &[("location", "/up/1")]);

    /// Locates a stream whose size is not known; gives the protocol and the methods of the requests.
    fn locate(learned: &LearnedProtocol, replies: &[Reply<'_>]) -> (String, Vec<String>) {
        let at = Endpoint::parse(AT).unwrap();
        let form = Form::new(at, LocateMethod::default(), FilenameStyle::default(), None);
        let sizeless = Sizeless::new(form, learned, None);
        let job = Job {
            size: SIZE_UNKNOWN,
            ..job()
        };
        let script = Script::new(replies);
        let located = sizeless.locate(&script, &job, None);
        let name = located.map_or_else(|error| error.to_string(), |_| sizeless.name().to_owned());
        let lines = script.lines().into_iter();
        let methods = lines.map(|line| line.split(' ').next().unwrap().to_owned());
        (name, methods.collect())
    }

    #[test]
    fn the_protocol_is_one_that_takes_no_size() {
        const DEFERS: &str = "creation, creation-defer-length";
        let limit = ("upload-limit", "max-size=9");
        let patch = ("accept-patch", "application/partial-upload");
        for (headers, name) in [
            (&[("tus-extension", DEFERS)][..], "tus"),
            (&[("tus-extension", DEFERS), limit], "tus"),
            (&[("tus-extension", "creation"), limit], "ietf"),
            (&[("tus-version", "1.0.0"), patch], "ietf"),
            (&[limit], "ietf"),
        ] {
            let options: Reply<'_> = (204, headers);
            let replies = match name {
                "tus" => [options, options, MADE].to_vec(),
                _ => [options, MADE].to_vec(),
            };
            let (found, methods) = locate(&LearnedProtocol::default(), &replies);
            assert_eq!(found, name, "{headers:?}");
            assert_eq!(methods.last().map(String::as_str), Some("POST"));
        }
        let neither: Reply<'_> = (204, &[("tus-extension", "creation")]);
        let (error, _) = locate(&LearnedProtocol::default(), &[neither, neither]);
        assert!(error.contains("creation-defer-length"), "{error}");
    }

    #[test]
    fn what_was_learned_of_tus_by_files_does_not_bind_a_stream() {
        for (defers_size, methods) in [(true, &["POST"][..]), (false, &["OPTIONS", "POST"])] {
            let learned = LearnedProtocol::default();
            learned.found.set(ProtocolName::Tus).unwrap();
            let offers = crate::protocol::tus::Offers {
                defers_size,
                ..Default::default()
            };
            learned.tus.set(offers).unwrap();
            let options: Reply<'_> = (204, &[("tus-version", "1.0.0"), ("upload-limit", "")]);
            let replies = [options, MADE];
            let (name, seen) = locate(&learned, &replies[2 - methods.len()..]);
            assert_eq!(name, ["ietf", "tus"][usize::from(defers_size)]);
            assert_eq!(seen, methods);
        }
    }
}
