//! The directory in which the uploaded files lie, each under its upload's id.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// The directory.
#[derive(Debug, Clone)]
pub struct Files {
    dir: PathBuf,
}

impl Files {
    /// Uses `files` in the data directory; makes it if missing.
    pub fn open(data: &Path) -> io::Result<Self> {
        let dir = data.join("files");
        fs::create_dir_all(&dir)?;
        sync_names(data)?;
        Ok(Self { dir })
    }

    fn path(&self, id: &str) -> PathBuf {
        self.dir.join(id)
    }

    /// How many bytes lie there; 0 when there is no such file.
    pub async fn length(&self, id: &str) -> io::Result<u64> {
        match tokio::fs::metadata(self.path(id)).await {
            Ok(metadata) => Ok(metadata.len()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(error),
        }
    }

    /// Opens a finished file.
    pub async fn read(&self, id: &str) -> io::Result<tokio::fs::File> {
        tokio::fs::File::open(self.path(id)).await
    }

    /// Opens a file to be written from `offset`; what lies behind it was never confirmed and goes.
    pub fn write_from(&self, id: &str, offset: u64) -> io::Result<File> {
        let path = self.path(id);
        if offset == 0 {
            // Never written into: it may have a second name, by which it is another upload's.
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        let mut file = match OpenOptions::new().write(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let file = OpenOptions::new()
                    .write(true)
                    .create_new(true)
                    .open(&path)?;
                sync_names(&self.dir)?;
                file
            }
            other => other?,
        };
        if file.metadata()?.len() != offset {
            file.set_len(offset)?;
        }
        file.seek(SeekFrom::Start(offset))?;
        Ok(file)
    }

    /// Gives a finished file a second id.
    pub async fn link(&self, id: &str, new: &str) -> io::Result<()> {
        tokio::fs::hard_link(self.path(id), self.path(new)).await?;
        let dir = self.dir.clone();
        tokio::task::spawn_blocking(move || sync_names(&dir)).await?
    }

    /// Removes an upload's bytes, if there are any.
    pub async fn remove(&self, id: &str) -> io::Result<()> {
        match tokio::fs::remove_file(self.path(id)).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// A new name is durable only when its directory is.
fn sync_names(dir: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(dir)?.sync_all()?;
    Ok(())
}
