//! Reading a source only for its digest.

use resup_digests::{Algorithm, Digest, State};

use crate::control::stop::Stop;
use crate::control::Control;
use crate::source::Source;

/// How many bytes are read at a time.
pub(super) const STEP: usize = 128 * 1024;

/// Reads the bytes of a source from one offset up to another, and gives them to `take`.
pub(super) fn read(
    source: &mut dyn Source,
    control: &Control,
    (from, to): (u64, u64),
    mut take: impl FnMut(&[u8]),
) -> Result<(), Stop> {
    source.seek(from)?;
    let mut left = to - from;
    let mut buf = vec![0; left.min(STEP as u64) as usize];
    while left > 0 {
        control.check()?;
        let most = left.min(buf.len() as u64) as usize;
        let n = source.read(&mut buf[..most])?;
        take(&buf[..n]);
        left -= n as u64;
    }
    Ok(())
}

/// Reads the bytes of a source from one offset up to another, and gives their digest.
pub(super) fn digest(
    source: &mut dyn Source,
    control: &Control,
    range: (u64, u64),
    algorithm: Algorithm,
) -> Result<Digest, Stop> {
    let mut state = State::new(algorithm);
    read(source, control, range, |bytes| state.update(bytes))?;
    Ok(state.digest())
}
