//! The files to upload. All are found before anything is sent.
//!
//! A mistake in the command line, such as a file that is missing, ends the command before that. An
//! entry of a directory that cannot be uploaded fails alone: the others are uploaded.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::{is_separator, Path, PathBuf};

use resup::{DigestMode, Error, SIZE_UNKNOWN};

use crate::exit::Fault;
use crate::messages::{sentence, text, tr};
use crate::options::Put;
use crate::protocol::Protocol;
use crate::stderr::{self, escape_controls};

/// The path that stands for standard input.
const STDIN: &str = "-";

/// What is wrong where a file cannot be uploaded under its own name.
const FILE_NAME: &str = "file name";
/// The same of a directory, for which `--name` is no help.
const DIRECTORY_NAME: &str = "directory name";

/// A file to upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub path: PathBuf,
    /// The directory on the server.
    pub directory: String,
    /// The name on the server.
    pub name: String,
    /// The size when it was found; that of standard input is not known.
    pub size: u64,
    /// The reason why it cannot be uploaded.
    pub obstacle: Option<Error>,
}

impl Item {
    /// Whether it is standard input.
    pub fn is_stdin(&self) -> bool {
        self.path.as_os_str() == STDIN
    }

    /// Returns the path as text, for output; of standard input the name.
    pub fn label(&self) -> String {
        if self.is_stdin() {
            return escape_controls(&self.name);
        }
        escape_controls(&self.path.to_string_lossy())
    }
}

/// The files and directories that were found.
#[derive(Default)]
struct Found {
    items: Vec<Item>,
    /// The directories without a file, of which the server hears nothing.
    bare: Vec<PathBuf>,
}

/// Finds the files of the command line, in its order. The files of a directory are in the order of
/// their names.
pub fn items(put: &Put) -> Result<Vec<Item>, Fault> {
    let mut found = Found::default();
    let directory = put.file.directory.trim_end_matches('/');
    for path in put.files() {
        if path.as_os_str() == STDIN {
            let name = stdin_name(put)?;
            found.items.push(item(path, directory, name, SIZE_UNKNOWN));
            continue;
        }
        let metadata = fs::metadata(path).map_err(|error| read_fault(path, &error))?;
        if metadata.is_dir() {
            if !put.file.recursive {
                return Err(Fault::usage(tr!(
                    "\"{path}\" is a directory; add --recursive to upload what is in it",
                    path = path.display()
                )));
            }
            fs::read_dir(path).map_err(|error| read_fault(path, &error))?;
            let directory = join(directory, &directory_name(path)?);
            found.walk(path, &directory);
        } else if !metadata.is_file() {
            return Err(Fault::local(tr!(
                "\"{path}\" is not a regular file; copy its content into one first",
                path = path.display()
            )));
        } else {
            File::open(path).map_err(|error| read_fault(path, &error))?;
            let name = match &put.file.name {
                Some(name) => name.clone(),
                None => utf8_name(path).ok_or_else(|| {
                    let path = path.display();
                    Fault::local(tr!(
                        "the name of \"{path}\" is not UTF-8; give the name for the server by --name",
                        path
                    ))
                })?,
            };
            let item = item(path, directory, name, metadata.len());
            found.items.push(item);
        }
    }
    let Found { mut items, bare } = found;
    if !put.output.quiet && !put.output.json {
        tell_of_bare(&bare);
    }
    if let Some(name) = &put.file.name {
        match &mut items[..] {
            [item] => {
                item.name.clone_from(name);
                item.obstacle.take_if(|error| is_about_name(error));
            }
            items => {
                return Err(Fault::usage(tr!(
                    "--name is for a single file, and these are {count}",
                    count = items.len()
                )))
            }
        }
    }
    check_names_differ(&items)?;
    Ok(items)
}

/// Returns the name of standard input on the server, if the options fit one that is read once.
fn stdin_name(put: &Put) -> Result<String, Fault> {
    let wrong = match &put.file.name {
        None => tr!("standard input (-) has no name: give the name for the server by --name"),
        _ if put.identity.reads_stdin() => {
            tr!("standard input (-) is the file, so no secret can be read from it: name a file for that")
        }
        _ if !matches!(
            put.transfer.protocol,
            Protocol::Auto | Protocol::Tus | Protocol::Ietf
        ) =>
        {
            tr!(
                "this --protocol needs the size first, and that of standard input (-) is not known: leave out \
                 one of them, or write the input to a file"
            )
        }
        _ if put.transfer.digest_mode() == DigestMode::First => {
            tr!("--digest-first reads a file twice, and standard input (-) can be read only once: leave it out")
        }
        Some(name) => return Ok(name.clone()),
    };
    Err(Fault::usage(wrong))
}

/// Returns the name of a directory on the server, which is empty for "DIR/.", "." and "..".
fn directory_name(path: &Path) -> Result<String, Fault> {
    // `Path::file_name` drops the "/." (on Windows also "\.").
    let text = path.as_os_str().as_encoded_bytes();
    let content_only = matches!(text, [.., before, b'.'] if is_separator((*before).into()));
    if content_only || path.file_name().is_none() {
        return Ok(String::new());
    }
    utf8_name(path).ok_or_else(|| {
        let path = path.display();
        Fault::local(tr!(
            "the name of \"{path}\" is not UTF-8; write \"{path}/.\" and give the name for the \
             server by --directory",
            path
        ))
    })
}

impl Found {
    /// Adds the files in `dir` and below.
    fn walk(&mut self, dir: &Path, directory: &str) {
        let before = self.items.len();
        let entries = match fs::read_dir(dir) {
            Ok(entries) => entries,
            Err(error) => return self.fail(dir, directory, read_error(dir, &error)),
        };
        let mut paths = Vec::new();
        for entry in entries {
            match entry {
                Ok(entry) => paths.push(entry.path()),
                Err(error) => self.fail(dir, directory, read_error(dir, &error)),
            }
        }
        paths.sort();
        for path in paths {
            self.add(&path, directory);
        }
        if self.items.len() == before {
            self.bare.push(dir.to_owned());
        }
    }

    /// Adds the entry of a directory at `path`, and what is below it.
    fn add(&mut self, path: &Path, directory: &str) {
        let is_link = path.is_symlink();
        let metadata = match fs::metadata(path) {
            Ok(of) if of.is_dir() && is_link => {
                return warn_skipped(path, text("a symbolic link to a directory"))
            }
            Ok(of) if !of.is_dir() && !of.is_file() => {
                return warn_skipped(path, text("not a regular file"))
            }
            Ok(of) => of,
            Err(error) if is_link && leads_nowhere(&error) => {
                return warn_skipped(path, text("a symbolic link to nothing"))
            }
            Err(error) => return self.fail(path, directory, read_error(path, &error)),
        };
        match (utf8_name(path), metadata.is_dir()) {
            (Some(name), true) => self.walk(path, &join(directory, &name)),
            (Some(name), false) => {
                self.items.push(item(path, directory, name, metadata.len()));
            }
            (None, true) => self.fail(path, directory, directory_name_error(path)),
            (None, false) => self.items.push(Item {
                size: metadata.len(),
                ..failed(path, directory, file_name_error(path))
            }),
        }
    }

    /// Adds an entry that cannot be uploaded.
    fn fail(&mut self, path: &Path, directory: &str, obstacle: Error) {
        self.items.push(failed(path, directory, obstacle));
    }
}

/// Tells once of the directories that are left out, for the protocol has files only.
fn tell_of_bare(bare: &[PathBuf]) {
    if let Some(first) = bare.first() {
        let first = first.display();
        stderr::error(&match bare.len() {
            1 => tr!("left out: 1 directory without a file, \"{first}\"", first),
            count => tr!(
                "left out: {count} directories without a file; the first is \"{first}\"",
                count,
                first
            ),
        });
    }
}

fn file_name_error(path: &Path) -> Error {
    Error::InvalidArgument {
        what: FILE_NAME,
        why: format!(
            "\"{}\" is not UTF-8; rename it, or upload it alone with --name",
            last_name(path)
        ),
    }
}

fn directory_name_error(path: &Path) -> Error {
    Error::InvalidArgument {
        what: DIRECTORY_NAME,
        why: format!(
            "\"{}\" is not UTF-8, so that nothing in it is uploaded; rename it, or upload \"{}/.\" \
             alone and give the name for the server by --directory",
            last_name(path),
            path.display()
        ),
    }
}

/// Returns the last name of a path, for output.
fn last_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// Whether a file cannot be uploaded only because of its name.
fn is_about_name(error: &Error) -> bool {
    matches!(error, Error::InvalidArgument { what, .. } if *what == FILE_NAME)
}

/// Whether a symbolic link leads to nothing, or in a circle.
fn leads_nowhere(error: &io::Error) -> bool {
    #[cfg(unix)]
    if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) {
        return true;
    }
    error.kind() == io::ErrorKind::NotFound
}

fn warn_skipped(path: &Path, what: &str) {
    stderr::error(&tr!(
        "\"{path}\" is skipped: it is {what}",
        path = path.display(),
        what
    ));
}

fn item(path: &Path, directory: &str, name: String, size: u64) -> Item {
    Item {
        path: path.to_owned(),
        directory: directory.to_owned(),
        name,
        size,
        obstacle: None,
    }
}

/// Makes the item of an entry that cannot be uploaded.
fn failed(path: &Path, directory: &str, obstacle: Error) -> Item {
    Item {
        obstacle: Some(obstacle),
        ..item(path, directory, last_name(path), 0)
    }
}

/// Refuses files that would have the same name on the server.
fn check_names_differ(items: &[Item]) -> Result<(), Fault> {
    let mut seen = HashMap::new();
    for item in items.iter().filter(|item| item.obstacle.is_none()) {
        if let Some(other) = seen.insert((&item.directory, &item.name), item) {
            return Err(Fault::usage(tr!(
                "\"{one}\" and \"{other}\" would both be \"{name}\" on the server; upload them with two \
                 commands, each with its own --directory",
                one = other.path.display(),
                other = item.path.display(),
                name = join(&item.directory, &item.name)
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

/// Returns the last name of a path, if that is UTF-8.
fn utf8_name(path: &Path) -> Option<String> {
    path.file_name()?.to_str().map(str::to_owned)
}

fn read_fault(path: &Path, error: &io::Error) -> Fault {
    let path = path.display();
    Fault::local(match error.kind() {
        io::ErrorKind::NotFound => tr!("the file \"{path}\" does not exist", path),
        _ => tr!(
            "\"{path}\" cannot be read: {why}",
            path,
            why = sentence(error)
        ),
    })
}

/// Makes the error of an entry that cannot be read.
fn read_error(path: &Path, error: &io::Error) -> Error {
    let (path, why) = (path.display().to_string(), error.to_string());
    match error.kind() {
        io::ErrorKind::NotFound => Error::SourceNotFound { path },
        io::ErrorKind::PermissionDenied => Error::SourceDenied { path, why },
        _ => Error::SourceIo {
            path,
            why,
            passing: false,
        },
    }
}
