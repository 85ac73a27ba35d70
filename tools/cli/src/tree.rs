//! The files to upload, found before anything is sent.

use std::collections::HashMap;
use std::fs::{self, DirEntry, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use crate::exit::Fault;
use crate::options::Put;
use crate::stderr::{self, plain};

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
    /// The path as text, for output.
    pub fn label(&self) -> String {
        plain(&self.path.to_string_lossy())
    }
}

/// Finds the files of the command line, in its order; those of a directory in the order of their names.
pub fn items(put: &Put) -> Result<Vec<Item>, Fault> {
    let mut items = Vec::new();
    let directory = put.place.directory.trim_end_matches('/');
    for path in put.files() {
        let metadata = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
        if metadata.is_dir() {
            if !put.place.recursive {
                return Err(Fault::usage(format!(
                    "\"{}\" is a directory; add --recursive to upload what is in it",
                    path.display()
                )));
            }
            let directory = join(directory, &own_name(path)?);
            walk(path, &directory, &mut items)?;
        } else if !metadata.is_file() {
            return Err(Fault::local(format!(
                "\"{}\" is not a regular file; copy its content into one first",
                path.display()
            )));
        } else {
            File::open(path).map_err(|error| unreadable(path, &error))?;
            items.push(item(path, directory, &metadata)?);
        }
    }
    if let Some(name) = &put.place.name {
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
    differ(&items)?;
    Ok(items)
}

/// Returns the name that a directory has on the server; empty for "DIR/.", "." and "..".
fn own_name(path: &Path) -> Result<String, Fault> {
    // To `Path`, "DIR/." is "DIR".
    let bare = path.as_os_str().as_encoded_bytes().ends_with(b"/.");
    match path.file_name() {
        Some(_) if !bare => utf8_name(path),
        _ => Ok(String::new()),
    }
}

/// Adds the files below `dir`.
fn walk(dir: &Path, directory: &str, items: &mut Vec<Item>) -> Result<(), Fault> {
    let unreadable = |error: io::Error| unreadable(dir, &error);
    let all: io::Result<Vec<_>> = fs::read_dir(dir).map_err(unreadable)?.collect();
    let mut entries = all.map_err(unreadable)?;
    entries.sort_by_key(DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        let kind = entry.file_type().map_err(unreadable)?;
        match fs::metadata(&path) {
            Ok(of) if of.is_file() => items.push(item(&path, directory, &of)?),
            Ok(of) if of.is_dir() && !kind.is_symlink() => {
                walk(&path, &join(directory, &utf8_name(&path)?), items)?;
            }
            Ok(of) if of.is_dir() => left_out(&path, "a symbolic link to a directory"),
            Ok(_) => left_out(&path, "not a regular file"),
            Err(_) if kind.is_symlink() => left_out(&path, "a symbolic link to nothing"),
            Err(error) => return Err(self::unreadable(&path, &error)),
        }
    }
    Ok(())
}

fn left_out(path: &Path, what: &str) {
    stderr::error(&format!("\"{}\" is left out: it is {what}", path.display()));
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
fn differ(items: &[Item]) -> Result<(), Fault> {
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
    let name = path.file_name().unwrap_or_default();
    name.to_str().map(str::to_owned).ok_or_else(|| {
        Fault::local(format!(
            "the name of \"{}\" is not UTF-8; rename it, or copy it under another name",
            path.display()
        ))
    })
}

fn unreadable(path: &Path, error: &io::Error) -> Fault {
    let path = path.display();
    Fault::local(match error.kind() {
        io::ErrorKind::NotFound => format!("the file \"{path}\" does not exist"),
        _ => format!("\"{path}\" cannot be read: {error}"),
    })
}
