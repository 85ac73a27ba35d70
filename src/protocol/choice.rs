//! The protocol of a run.

use super::auto::Auto;
use super::form::Form;
use super::ietf::Ietf;
use super::learned::LearnedProtocol;
use super::tus::Tus;
use super::Protocol;
use crate::options::ProtocolName;

/// Chooses the protocol of a run: the program's, or else the one that an earlier request or run has
/// found. `saved` is the one of the state file.
pub(crate) fn choose<'a>(
    wanted: ProtocolName,
    form: Form,
    saved: Option<&str>,
    learned: &'a LearnedProtocol,
) -> Box<dyn Protocol + 'a> {
    let saved = saved.and_then(ProtocolName::of_name);
    let found = match wanted {
        ProtocolName::Auto => learned.found.get().copied().or(saved),
        wanted => Some(wanted),
    };
    match found.unwrap_or_default() {
        ProtocolName::Auto => Box::new(Auto::new(form, learned)),
        ProtocolName::Form => Box::new(form),
        ProtocolName::Tus => Box::new(Tus::at(form.endpoint, &learned.tus)),
        ProtocolName::Ietf => Box::new(Ietf::at(form.endpoint, &learned.ietf)),
    }
}
