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
    Ok(match wanted {
        ProtocolName::Form => Box::new(form),
        ProtocolName::Auto => {
            let saved = saved.and_then(ProtocolName::of_name);
            match learned.found.get().copied().or(saved) {
                Some(ProtocolName::Form) => Box::new(form),
                found => Box::new(Auto::new(form, learned, found)),
            }
        }
        name => other(name, &form.endpoint, learned).ok_or_else(|| Error::InvalidArgument {
            what: "protocol",
            why: format!("{} was left out when this library was built", name.name()),
        })?,
    })
}
