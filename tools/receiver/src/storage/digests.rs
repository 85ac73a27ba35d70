//! The two digests of a file's first bytes. They can be saved and continued later.

use md5::digest::common::hazmat::{SerializableState, SerializedState};
use md5::{Digest, Md5};
use sha2::Sha256;

/// MD5 and SHA-256 of all bytes so far.
#[derive(Clone, Default)]
pub struct Digests {
    md5: Md5,
    sha256: Sha256,
}

impl Digests {
    /// Adds the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        self.sha256.update(bytes);
    }

    /// MD5 so far, in hexadecimal.
    pub fn md5(&self) -> String {
        hex::encode(self.md5.clone().finalize())
    }

    /// SHA-256 so far, in hexadecimal.
    pub fn sha256(&self) -> String {
        hex::encode(self.sha256.clone().finalize())
    }

    /// Writes the inner states as text, for the database.
    pub fn save(&self) -> String {
        let mut text = hex::encode(self.md5.serialize());
        text.push(':');
        text.push_str(&hex::encode(self.sha256.serialize()));
        text
    }

    /// Continues from what [`save`](Self::save) wrote; `None` when the text is not such a state.
    pub fn restore(text: &str) -> Option<Self> {
        let (md5, sha256) = text.split_once(':')?;
        Some(Self {
            md5: restore_one(md5)?,
            sha256: restore_one(sha256)?,
        })
    }
}

fn restore_one<D: SerializableState>(text: &str) -> Option<D> {
    let mut state = SerializedState::<D>::default();
    hex::decode_to_slice(text, &mut state).ok()?;
    D::deserialize(&state).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restored_state_continues_correctly() {
        let bytes: Vec<u8> = (0..1000u32).map(|n| n as u8).collect();
        let mut whole = Digests::default();
        whole.update(&bytes);
        for cut in [0, 1, 63, 64, 65, 127, 128, 999, 1000] {
            let mut start = Digests::default();
            start.update(&bytes[..cut]);
            let mut rest = Digests::restore(&start.save()).unwrap();
            rest.update(&bytes[cut..]);
            assert_eq!((rest.md5(), rest.sha256()), (whole.md5(), whole.sha256()));
        }
    }

    #[test]
    fn an_invalid_state_is_refused() {
        let good = Digests::default().save();
        for bad in ["", ":", "00:00", &good[1..], &good.replace(':', "")] {
            assert!(Digests::restore(bad).is_none(), "{bad}");
        }
    }
}
