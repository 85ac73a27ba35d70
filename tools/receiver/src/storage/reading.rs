//! Digests of bytes that are on the disk already.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};

use resup_digests::{Algorithm, Digest, State as DigestState};

use crate::config::digest_set::DigestSet;
use crate::storage::digests::Digests;
use crate::storage::error::StorageError;
use crate::storage::files::Files;
use crate::storage::object_files::place_key;
use crate::storage::record::{Record, State};
use crate::storage::threads::blocking;
use crate::storage::uploads::Uploads;

/// How many bytes are read at once.
const BLOCK: usize = 256 * 1024;

/// Reads the bytes `from..to` of a file.
pub fn read(mut file: &File, from: u64, to: u64, mut add: impl FnMut(&[u8])) -> io::Result<()> {
    file.seek(SeekFrom::Start(from))?;
    let mut left = to - from;
    let mut block = vec![0; BLOCK.min(left as usize)];
    while left > 0 {
        let most = block.len().min(left as usize);
        match file.read(&mut block[..most])? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            count => {
                add(&block[..count]);
                left -= count as u64;
            }
        }
    }
    Ok(())
}

/// Computes a digest's state after the bytes `from..to` of a file.
pub fn digest(file: &File, algorithm: Algorithm, from: u64, to: u64) -> io::Result<DigestState> {
    let mut state = DigestState::new(algorithm);
    read(file, from, to, |bytes| state.update(bytes))?;
    Ok(state)
}

impl Uploads {
    /// Adds a digest to those of an upload, and saves it. All its bytes are read if there is none yet.
    pub async fn add_digest(
        &self,
        record: &mut Record,
        algorithm: Algorithm,
    ) -> Result<(), StorageError> {
        if record.digests.get(algorithm).is_none() {
            // The parts of an object cannot be read. Another client begins again.
            if self.objects.is_some() && record.state != State::Complete && record.offset > 0 {
                self.reset(record).await?;
                record.digests = Digests::new(DigestSet::default() | algorithm);
                return Ok(self.store.save(record).await?);
            }
            self.compute(record, algorithm).await?;
            self.store.save_digests(record).await?;
        }
        Ok(())
    }

    /// Whether an upload whose bytes are all there has these digests. Where it has but an MD5, which proves little,
    /// the others are computed.
    pub async fn has_digests(
        &self,
        record: &mut Record,
        expected: &[Digest],
    ) -> Result<bool, StorageError> {
        let is_known = |it: &&Digest| record.digests.get(it.algorithm()).is_some();
        let (known, others): (Vec<_>, Vec<_>) = expected.iter().partition(is_known);
        let is_proof = |it: &&Digest| it.algorithm() != Algorithm::Md5;
        if !known.iter().any(is_proof) {
            for digest in others {
                self.compute(record, digest.algorithm()).await?;
            }
        }
        Ok(record.digests.match_known(expected))
    }

    async fn compute(&self, record: &mut Record, algorithm: Algorithm) -> Result<(), StorageError> {
        if let Some(objects) = self.objects.as_ref().filter(|_| record.offset > 0) {
            let key = match record.state {
                State::Complete => place_key(&record.place),
                State::New | State::Partial => match &record.object {
                    Some(object) => object.key.clone(),
                    None => objects.working_key(record),
                },
            };
            let state = objects.digest(&key, algorithm, record.offset).await?;
            record.digests.add(state);
            return Ok(());
        }
        let (files, read) = (self.files.clone(), record.clone());
        let state = blocking(move || match (read.state, read.offset) {
            (State::New | State::Partial, 0) => Ok(DigestState::new(algorithm)),
            (_, offset) => digest(&open(&files, &read)?, algorithm, 0, offset),
        });
        record.digests.add(state.await?);
        Ok(())
    }
}

fn open(files: &Files, record: &Record) -> io::Result<File> {
    match record.state {
        State::Complete => files.read(record),
        State::New | State::Partial => files.read_partial(&record.file_name()),
    }
}
