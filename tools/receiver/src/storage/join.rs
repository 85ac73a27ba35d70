//! Files that are joined from pieces, which are uploads of their own until then.
//!
//! The bytes of the first piece are not copied: the file is a second name of its file, and grows by those of the others.
//! Before the records change, the pieces are withdrawn. So after a crash the start has either all pieces or the file.

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};

use cap_fs_ext::{FollowSymlinks, OpenOptionsFollowExt};
use cap_std::fs::OpenOptions;
use resup_digests::Digest;

use crate::storage::changes::New;
use crate::storage::digests::Digests;
use crate::storage::error::StorageError;
use crate::storage::failpoint;
use crate::storage::files::{sync_names, Files};
use crate::storage::record::Record;
use crate::storage::threads::blocking;
use crate::storage::uploads::{Named, Uploads};

/// How many bytes are copied at once.
const BLOCK: usize = 256 * 1024;

impl Uploads {
    /// Makes a finished upload of the bytes of pieces, in their order, and deletes these. `false` when it would not have
    /// the digests that its client gave: then the pieces stay. The caller has the claims of all.
    pub async fn join(
        &self,
        record: &mut Record,
        pieces: Vec<Record>,
    ) -> Result<bool, StorageError> {
        let committed = self.commit_joined(record, &pieces).await;
        let (files, joined) = (self.files.clone(), record.clone());
        match committed {
            Ok(Some(_named)) => {
                let place = move || {
                    files.restore(&joined)?;
                    files.move_to_place(&joined)?;
                    files.drop_pieces(&pieces)
                };
                blocking(place).await.map(|()| true)
            }
            Ok(None) => {
                blocking(move || files.take_back(&joined, &pieces)).await?;
                Ok(false)
            }
            Err(error) => {
                // If the database has it all the same, these are its bytes. Else the next start removes them or moves them
                // aside.
                let may_be_done = error.may_be_done();
                let is_from_store = matches!(error, StorageError::Store(_));
                let back = blocking(move || {
                    if may_be_done {
                        files.restore(&joined)?;
                    }
                    match is_from_store {
                        true => files.restore_pieces(&pieces),
                        false => files.take_back(&joined, &pieces),
                    }
                });
                if let Err(error) = back.await {
                    tracing::warn!(id = record.id, "cannot take a join back: {error}");
                }
                Err(error)
            }
        }
    }

    /// Joins the bytes, and commits the upload. `None` when it does not have its digests.
    async fn commit_joined(
        &self,
        record: &mut Record,
        pieces: &[Record],
    ) -> Result<Option<Option<Named>>, StorageError> {
        let (files, name) = (self.files.clone(), record.withdrawn_name());
        let sources = pieces.to_vec();
        let digests = record.digests.none_yet();
        record.digests = blocking(move || files.join(&name, &sources, digests)).await?;
        let digests = &record.digests;
        let is_wrong = |given: &Digest| digests.get(given.algorithm()) != Some(*given);
        if record.identity.digests().iter().any(is_wrong) {
            return Ok(None);
        }
        let (files, sources) = (self.files.clone(), pieces.to_vec());
        let withdraw = move || sources.iter().try_for_each(|piece| files.withdraw(piece));
        blocking(withdraw).await?;
        failpoint::hit("after-withdraw");
        let new = New {
            pieces: Vec::from_iter(pieces.iter().map(|it| (it.id.clone(), it.lease))),
            ..New::default()
        };
        self.commit_new(record, Some(new)).await.map(Some)
    }
}

impl Files {
    /// Writes the bytes of pieces one behind the other, as those of an upload that is about to be finished or, if there is
    /// a crash, forgotten. Returns its digests.
    fn join(&self, name: &str, pieces: &[Record], mut digests: Digests) -> io::Result<Digests> {
        let first = pieces.first().map_or_else(String::new, Record::file_name);
        // Where there are no links, or no bytes, it is a file of its own.
        let is_linked = self.partial.hard_link(first, &self.partial, name).is_ok();
        let mut options = OpenOptions::new();
        options.write(true).create(true).follow(FollowSymlinks::No);
        let mut file = self.partial.open_with(name, &options)?.into_std();
        for (index, piece) in pieces.iter().enumerate() {
            let is_there = is_linked && index == 0;
            match digests.after(&piece.digests).filter(|_| is_there) {
                Some(after) => digests = after,
                None if piece.offset == 0 => {}
                None => {
                    let from = self.read_partial(&piece.file_name())?;
                    let to = Copy {
                        file: (!is_there).then_some(&file),
                        digests: &mut digests,
                    };
                    copy(from, piece.offset, to)?;
                }
            }
            if is_there {
                // What is behind it was never confirmed.
                file.set_len(piece.offset)?;
                file.seek(SeekFrom::End(0))?;
            }
        }
        file.sync_data()?;
        failpoint::hit("after-sync");
        sync_names(&self.partial)?;
        Ok(digests)
    }

    /// Removes the bytes of pieces that were withdrawn.
    fn drop_pieces(&self, pieces: &[Record]) -> io::Result<()> {
        let mut names = pieces.iter().map(Record::withdrawn_name);
        names.try_for_each(|name| self.remove(&name))
    }

    /// Takes a join back: the pieces are what they were.
    fn take_back(&self, joined: &Record, pieces: &[Record]) -> io::Result<()> {
        self.restore_pieces(pieces)?;
        if let Some(first) = pieces.first().filter(|first| first.offset > 0) {
            self.write_from(&first.file_name(), first.offset)?;
        }
        self.remove(&joined.withdrawn_name())
    }

    fn restore_pieces(&self, pieces: &[Record]) -> io::Result<()> {
        pieces.iter().try_for_each(|piece| self.restore(piece))
    }
}

/// Where the bytes of a piece go.
struct Copy<'a> {
    file: Option<&'a File>,
    digests: &'a mut Digests,
}

impl Write for Copy<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(file) = &mut self.file {
            file.write_all(bytes)?;
            failpoint::hit("after-write");
        }
        self.digests.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn copy(from: File, length: u64, mut to: Copy<'_>) -> io::Result<()> {
    let mut from = BufReader::with_capacity(BLOCK, from.take(length));
    match io::copy(&mut from, &mut to)? {
        copied if copied == length => Ok(()),
        _ => Err(ErrorKind::UnexpectedEof.into()),
    }
}
