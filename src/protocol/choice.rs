//! The protocol of a run.

use super::auto::Auto;
use super::form::Form;
use super::learned::LearnedProtocol;
use super::others::other;
use super::Protocol;
use crate::error::Error;
use crate::options::ProtocolName;

/// Chooses the protocol of a run: the program's, or else the one that an earlier request or run has
/// found. `saved` is the one of the state file.
pub(crate) fn choose<'a>(
    wanted: ProtocolName,
    form: Form,
    saved: Option<&str>,
    learned: &'a LearnedProtocol,
) -> Result<Box<dyn Protocol + 'a>, Error> {
    let saved = saved.and_then(ProtocolName::of_name);
    let found = match wanted {
        ProtocolName::Auto => learned.found.get().copied().or(saved),
        wanted => Some(wanted),
    };
    Ok(match found.unwrap_or_default() {
        ProtocolName::Auto => Box::new(Auto::new(form, learned)),
        ProtocolName::Form => Box::new(form),
        name => other(name, &form.endpoint, learned).ok_or_else(|| Error::InvalidArgument {
            what: "protocol",
            why: format!("{name:?} was left out when this library was built"),
        })?,
    })
}
