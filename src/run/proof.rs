//! The proof that a source has the same bytes as before, for when its change time has moved.
//!
//! A program can write to a file and then put its modification time back. The change time tells of
//! that, but also of a new mode, name or link. So the bytes are read once more and compared.

use resup_digests::Digest;

use super::reading;
use crate::control::log::LogLevel;
use crate::control::stop::Stop;
use crate::control::Control;
use crate::source::Source;

/// The change time at which a source is known to have the bytes that were read.
#[derive(Debug)]
pub(super) struct Proof {
    at: Option<i128>,
    /// Whether the digest is of bytes that were read apart from those that were sent.
    is_apart: bool,
}

impl Proof {
    /// Begins with the source as it was opened.
    pub(super) fn new(source: &dyn Source) -> Self {
        Proof {
            at: source.change_time(),
            is_apart: false,
        }
    }

    /// Notes that the digest is of bytes that are read apart from those that are sent. It tells nothing of these.
    pub(super) fn read_apart(&mut self) {
        self.is_apart = true;
    }

    /// Checks that the source has not changed. Its first `length` bytes were read before, and have
    /// this digest, if one was computed.
    pub(super) fn check(
        &mut self,
        source: &mut dyn Source,
        control: &Control,
        length: u64,
        digest: Option<Digest>,
    ) -> Result<(), Stop> {
        let now = source.verify()?;
        if now == self.at || length == 0 {
            return Ok(());
        }
        let Some(digest) = digest.filter(|_| !self.is_apart) else {
            let why = "its change time has moved, and without a digest nothing tells whether its \
                       bytes are the same";
            return Err(source.changed(why.to_owned()).into());
        };
        control.log(LogLevel::Info, || {
            format!(
                "the change time of {} has moved; reading it once more",
                source.name()
            )
        });
        if reading::digest(source, control, (0, length), digest.algorithm())? != digest {
            let why = "its bytes are others, though its size and modification time are the same";
            return Err(source.changed(why.to_owned()).into());
        }
        self.at = now;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use resup_digests::Algorithm;

    use super::*;
    use crate::error::Error;

    /// A source whose change time is what the test says.
    struct Timed {
        bytes: Vec<u8>,
        at: usize,
        changed: i128,
    }

    impl Source for Timed {
        fn name(&self) -> String {
            "f".to_owned()
        }
        fn size(&self) -> u64 {
            self.bytes.len() as u64
        }
        fn mtime(&self) -> Option<i64> {
            Some(1)
        }
        fn change_time(&self) -> Option<i128> {
            Some(self.changed)
        }
        fn identity(&self) -> Option<String> {
            None
        }
        fn seek(&mut self, offset: u64) -> Result<(), Error> {
            self.at = offset as usize;
            Ok(())
        }
        fn read(&mut self, buf: &mut [u8]) -> Result<usize, Stop> {
            let n = buf.len().min(self.bytes.len() - self.at);
            buf[..n].copy_from_slice(&self.bytes[self.at..self.at + n]);
            self.at += n;
            Ok(n)
        }
        fn verify(&mut self) -> Result<Option<i128>, Stop> {
            Ok(Some(self.changed))
        }
    }

    fn check(proof: &mut Proof, source: &mut Timed, length: u64, digest: Option<Digest>) -> String {
        match proof.check(source, &Control::default(), length, digest) {
            Ok(()) => String::new(),
            Err(Stop::Failed(error)) => error.to_string(),
            Err(stop) => panic!("{stop:?}"),
        }
    }

    #[test]
    fn the_bytes_decide_when_the_change_time_has_moved() {
        let mut source = Timed {
            bytes: vec![5; 300_000],
            at: 0,
            changed: 1,
        };
        let digest = Some(Digest::of(Algorithm::Md5, &source.bytes));
        let mut proof = Proof::new(&source);
        assert_eq!(check(&mut proof, &mut source, 300_000, digest), "");
        assert_eq!(source.at, 0, "nothing is read");
        source.changed = 2;
        assert_eq!(check(&mut proof, &mut source, 300_000, digest), "");
        assert_eq!(source.at, 300_000);
        source.at = 0;
        assert_eq!(check(&mut proof, &mut source, 300_000, digest), "");
        assert_eq!(source.at, 0, "once is enough");

        source.bytes[299_999] = 6;
        source.changed = 3;
        let told = check(&mut proof, &mut source, 300_000, digest);
        assert!(told.contains("its bytes are others"), "{told}");
        let told = check(&mut proof, &mut source, 300_000, None);
        assert!(told.contains("without a digest"), "{told}");
        // What was not read was not sent either.
        assert_eq!(check(&mut proof, &mut source, 0, None), "");
    }
}
