//! The file that is sent to try a dialect.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use resup::dialect::Trial;
use tempfile::TempDir;

use super::options::Check;
use crate::exit::Fault;
use crate::messages::{sentence, tr};
use crate::units::bytes;

/// The size of a file that goes in one request.
const SMALL: u64 = 1000;

/// The most bytes that are made for a trial, unless the user says a chunk size.
const MOST: u64 = 1 << 30;

/// The file, and a place for the state of its upload.
pub struct Sample {
    /// Deleted with all that is in it at the end.
    dir: TempDir,
    pub path: PathBuf,
    pub size: u64,
    /// Bytes in a chunk; `None` where the file goes in one request.
    pub chunk_size: Option<u64>,
    pub chunks: u64,
    /// Whether the file was made now, so that no server can have it.
    pub is_new: bool,
}

impl Sample {
    /// Makes the file, or takes the user's.
    pub fn make(options: &Check, trial: &Trial) -> Result<Self, Fault> {
        if options.chunk_size.is_some() && trial.chunk_size().is_none() {
            return Err(Fault::usage(tr!(
                "--chunk-size: the dialect has no \"chunk_size\", so the file goes in one request"
            )));
        }
        let chunk_size = options.chunk_size.or(trial.chunk_size());
        let dir = tempfile::Builder::new()
            .prefix("resup-dialect-check-")
            .rand_bytes(8)
            .tempdir()
            .map_err(|e| {
                Fault::local(tr!(
                    "no directory for the file to send: {why}",
                    why = sentence(e)
                ))
            })?;
        let (path, size, is_new) = match &options.file {
            Some(path) => (path.clone(), size_of(path)?, false),
            None => {
                let size = chunk_size.map_or(SMALL, |it| {
                    it.saturating_mul(2)
                        .saturating_add((it / 2).clamp(1, SMALL))
                });
                if size > MOST && options.chunk_size.is_none() {
                    return Err(Fault::usage(tr!(
                        "two chunks and a bit have {size}: give --chunk-size for smaller ones, or --file",
                        size = bytes(size)
                    )));
                }
                let name = dir.path().file_name().unwrap_or_default();
                let path = dir.path().join(name).with_extension("bin");
                fill(&path, size).map_err(|e| {
                    let (path, why) = (path.display(), sentence(e));
                    Fault::local(tr!("\"{path}\" cannot be written: {why}", path, why))
                })?;
                (path, size, true)
            }
        };
        Ok(Sample {
            dir,
            path,
            size,
            chunk_size,
            chunks: trial.chunks(size, chunk_size),
            is_new,
        })
    }

    /// Gives the path of the state file.
    pub fn state_file(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    /// Gives the file's name.
    pub fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }
}

fn size_of(path: &Path) -> Result<u64, Fault> {
    let metadata = path.metadata();
    let path = path.display();
    let metadata = metadata.map_err(|e| {
        Fault::local(tr!(
            "\"{path}\" cannot be read: {why}",
            path,
            why = sentence(e)
        ))
    })?;
    match metadata.is_file() {
        true => Ok(metadata.len()),
        false => Err(Fault::local(tr!("\"{path}\" is no file", path))),
    }
}

/// Writes random bytes, so that no server has the content already.
fn fill(path: &Path, size: u64) -> io::Result<()> {
    let mut file = BufWriter::new(File::create_new(path)?);
    let mut block = vec![0; 64 * 1024];
    let mut left = size;
    while left > 0 {
        fastrand::fill(&mut block);
        let length = left.min(block.len() as u64);
        file.write_all(&block[..length as usize])?;
        left -= length;
    }
    file.flush()
}
