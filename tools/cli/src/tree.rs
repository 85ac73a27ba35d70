//! The files to upload. All are found before anything is sent.

use std::collections::HashMap;
use std::fs::{self, DirEntry, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use crate::exit::Fault;
use crate::options::Put;
use crate::stderr::{self, escape_controls};

/// A file to upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub path: PathBuf,
    /// The directory on the server.
    pub directory: String,
    /// The name on the server.
    pub name: String,
    /// The size when it was found.
    pub size: u64,
}

impl Item {
    /// Returns the path as text, for output.
    pub fn label(&self) -> String {
        escape_controls(&self.path.to_string_lossy())
    }
}

/// Finds the files of the command line, in its order. The files of a directory are in the order of
/// their names.
pub fn items(put: &Put) -> Result<Vec<Item>, Fault> {
    let mut items = Vec::new();
    let directory = put.file.directory.trim_end_matches('/');
    for path in put.files() {
        let metadata = fs::metadata(path).map_err(|error| read_fault(path, &error))?;
        if metadata.is_dir() {
            if !put.file.recursive {
                return Err(Fault::usage(format!(
                    "\"{}\" is a directory; add --recursive to upload what is in it",
                    path.display()
                )));
            }
            let directory = join(directory, &directory_name(path)?);
            walk(path, &directory, &mut items)?;
        } else if !metadata.is_file() {
            return Err(Fault::local(format!(
                "\"{}\" is not a regular file; copy its content into one first",
                path.display()
            )));
        } else {
            File::open(path).map_err(|error| read_fault(path, &error))?;
            items.push(item(path, directory, &metadata)?);
        }
    }
    if let Some(name) = &put.file.name {
        match &mut items[..] {
            [item] => item.name.clone_from(name),
            items => {
                return Err(Fault::usage(format!(
                    "--name is for a single file, and these are {}",
                    items.len()
                )))
            }
        }
    }
    check_names_differ(&items)?;
    Ok(items)
}

/// Returns the name of a directory on the server, which is empty for "DIR/.", "." and "..".
fn directory_name(path: &Path) -> Result<String, Fault> {
    // `Path::file_name` drops the "/.".
    let content_only = path.as_os_str().as_encoded_bytes().ends_with(b"/.");
    match path.file_name() {
        Some(_) if !content_only => utf8_name(path),
        _ => Ok(String::new()),
    }
}

/// Adds the files in `dir` and below.
fn walk(dir: &Path, directory: &str, items: &mut Vec<Item>) -> Result<(), Fault> {
    let read_fault = |error: io::Error| read_fault(dir, &error);
    let mut entries = fs::read_dir(dir)
        .and_then(|entries| entries.collect::<io::Result<Vec<_>>>())
        .map_err(read_fault)?;
    entries.sort_by_key(DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let kind = entry.file_type().map_err(read_fault)?;
        match fs::metadata(&path) {
            Ok(of) if of.is_file() => items.push(item(&path, directory, &of)?),
            Ok(of) if of.is_dir() && !kind.is_symlink() => {
                walk(&path, &join(directory, &utf8_name(&path)?), items)?;
            }
            Ok(of) if of.is_dir() => warn_skipped(&path, "a symbolic link to a directory"),
            Ok(_) => warn_skipped(&path, "not a regular file"),
            Err(_) if kind.is_symlink() => warn_skipped(&path, "a symbolic link to nothing"),
            Err(error) => return Err(self::read_fault(&path, &error)),
        }
    }
    Ok(())
}

fn warn_skipped(path: &Path, what: &str) {
    stderr::error(&format!("\"{}\" is skipped: it is {what}", path.display()));
}

fn item(path: &Path, directory: &str, metadata: &Metadata) -> Result<Item, Fault> {
    Ok(Item {
        path: path.to_owned(),
        directory: directory.to_owned(),
        name: utf8_name(path)?,
        size: metadata.len(),
    })
}

/// Refuses files that would have the same name on the server.
fn check_names_differ(items: &[Item]) -> Result<(), Fault> {
    let mut seen = HashMap::new();
    for item in items {
        if let Some(other) = seen.insert((&item.directory, &item.name), item) {
            return Err(Fault::usage(format!(
                "\"{}\" and \"{}\" would both be \"{}\" on the server; upload them with two \
                 commands, each with its own --directory",
                other.path.display(),
                item.path.display(),
                join(&item.directory, &item.name)
            )));
        }
    }
    Ok(())
}

fn join(directory: &str, name: &str) -> String {
    match (directory, name) {
        ("", one) | (one, "") => one.to_owned(),
        (directory, name) => format!("{directory}/{name}"),
    }
}

fn utf8_name(path: &Path) -> Result<String, Fault> {
    match path.file_name().unwrap_or_default().to_str() {
        Some(name) => Ok(name.to_owned()),
        None => Err(Fault::local(format!(
            "the name of \"{}\" is not UTF-8; rename it, or copy it under another name",
            path.display()
        ))),
    }
}

fn read_fault(path: &Path, error: &io::Error) -> Fault {
    let path = path.display();
    Fault::local(match error.kind() {
        io::ErrorKind::NotFound => format!("the file \"{path}\" does not exist"),
        _ => format!("\"{path}\" cannot be read: {error}"),
    })
}
