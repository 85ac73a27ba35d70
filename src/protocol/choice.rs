//! The protocol of a run.

use super::auto::Auto;
use super::form::Form;
use super::learned::LearnedProtocol;
use super::others::other;
use super::sizeless::Sizeless;
use super::Protocol;
use crate::error::Error;
use crate::options::ProtocolName;

/// Chooses the protocol of a run: the program's, or else the one that an earlier request or run has
/// found. `saved` is the one of the state file or of the last run.
pub(crate) fn choose<'a>(
    wanted: ProtocolName,
    form: Form,
    (saved, has_size): (Option<&str>, bool),
    learned: &'a LearnedProtocol,
) -> Result<Box<dyn Protocol + 'a>, Error> {
    Ok(match wanted {
        ProtocolName::Form => Box::new(form),
        ProtocolName::Auto if !has_size => {
            let saved = saved.and_then(ProtocolName::of_name);
            Box::new(Sizeless::new(form, learned, saved))
        }
        ProtocolName::Auto => {
            let saved = saved.and_then(ProtocolName::of_name);
            match learned.found.get().copied() {
                Some(ProtocolName::Form) => Box::new(form),
                found => Box::new(Auto::new(form, learned, found, saved)),
            }
        }
        name => other(name, &form.endpoint, learned).ok_or_else(|| Error::InvalidArgument {
            what: "protocol",
            why: format!("{} was left out when this library was built", name.name()),
        })?,
    })
}
