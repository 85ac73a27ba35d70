//! The limit of one request, `max_segment`.

use anyhow::ensure;

use crate::checks::check::{Check, ERRORS};
use crate::probe::Probe;
use crate::send::SendRequest;
use crate::verdict::{not_supported, pass, Outcome};

pub const CHECKS: &[Check] = &[
    Check {
        id: "limit-too-long",
        section: ERRORS,
        holds: "a send of more than max_segment gets 413, and changes nothing",
        run: too_long,
    },
    Check {
        id: "limit-just-right",
        section: ERRORS,
        holds: "sends of max_segment bytes are accepted, one after the other",
        run: just_right,
    },
];

/// The largest max_segment that is checked.
const MAX_CHECKED: u64 = 8 << 20;

/// Returns the receiver's max_segment, or the reason why it is not checked.
fn limit(probe: &Probe) -> Result<u64, &'static str> {
    match probe.shared.max_segment {
        None => Err("it announces no max_segment"),
        Some(most) if most > MAX_CHECKED => Err("its max_segment is too large to be checked"),
        Some(most) => Ok(most),
    }
}

fn too_long(probe: &Probe) -> Outcome {
    let most = match limit(probe) {
        Ok(most) => most,
        Err(why) => return not_supported(why),
    };
    let mut file = probe.file(most);
    file.content.extend([0; 3]);
    let id = probe.find(&file)?.id;
    probe
        .send(&SendRequest::of(&file, &id, 0, most + 1))?
        .expect(413)?;
    let found = probe.find(&file)?;
    ensure!(
        found.offset == 0 && !found.complete,
        "a refused send has changed the offset to {}",
        found.offset
    );
    pass()
}

fn just_right(probe: &Probe) -> Outcome {
    let most = match limit(probe) {
        Ok(most) => most,
        Err(why) => return not_supported(why),
    };
    let mut file = probe.file(most);
    file.content.extend([0; 3]);
    let id = probe.find(&file)?.id;
    let first = SendRequest::of(&file, &id, 0, most);
    probe.send(&first)?.expect_partial(most)?;
    let rest = SendRequest::of(&file, &id, most, file.size());
    probe.send(&rest)?.expect_complete(file.size())?;
    pass()
}
