//! The place that files go to: a URL, or presigned parts of S3.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Map, Value};

use crate::exit::Fault;
use crate::options::Put;

/// The options about presigned parts.
#[derive(Debug, Args)]
pub struct PartsOptions {
    /// Presigned URLs of S3 and its likes, in a JSON file, in place of the URL: resup put --parts parts.json FILE
    ///
    /// The file has {"part_size": 8388608, "parts": ["https://...", ...], "complete": "https://..."}, as
    /// docs/OTHER-SERVERS.md describes it. With new URLs for the same upload, the same command goes on.
    #[arg(long = "parts", value_name = "FILE", value_parser = PartsFile::read,
          conflicts_with_all = ["protocol", "dialect", "file_field", "success", "recursive"])]
    pub file: Option<PartsFile>,
}

/// The text of a file with presigned URLs, which are secrets.
#[derive(Clone)]
pub struct PartsFile {
    pub text: String,
    /// The URL of the file to come, without what is secret.
    url: String,
}

impl fmt::Debug for PartsFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

impl PartsFile {
    fn read(path: &str) -> Result<Self, String> {
        let text = fs::read_to_string(path).map_err(|e| format!("it cannot be read: {e}"))?;
        let map: Option<Map<String, Value>> = serde_json::from_str(&text).ok();
        let url = map.and_then(|map| map.get("complete")?.as_str().map(str::to_owned));
        let url = url.ok_or("it is no JSON object with a URL for the key \"complete\"")?;
        let url = url.split('?').next().unwrap_or_default().to_owned();
        Ok(PartsFile { text, url })
    }
}

impl Put {
    /// Returns the files and directories to upload.
    pub fn files(&self) -> &[PathBuf] {
        if self.transfer.parts.file.is_some() {
            return &self.files_and_url;
        }
        self.files_and_url
            .split_last()
            .map_or(&[], |(_, files)| files)
    }

    /// Returns the URL to upload to.
    pub fn url(&self) -> Result<&str, Fault> {
        if let Some(parts) = &self.transfer.parts.file {
            return match self.files() {
                [file] if !is_url(file) => Ok(&parts.url),
                [_] => Err(Fault::usage(
                    "--parts takes the place of the URL, and needs a FILE",
                )),
                _ => Err(Fault::usage(
                    "--parts has the URLs of one upload: give one FILE, and no URL",
                )),
            };
        }
        let last = self.files_and_url.last().and_then(|url| url.to_str());
        match last {
            Some(url) if is_url(url) && !self.files().is_empty() => Ok(url),
            Some(url) if is_url(url) => Err(Fault::usage("there is no FILE before the URL")),
            _ if self.files().first().is_some_and(is_url) => {
                Err(Fault::usage("the URL comes last: resup put FILE... URL"))
            }
            last => Err(Fault::usage(format!(
                "the last argument must be a URL such as https://example.org/upload, not \"{}\"",
                last.unwrap_or("...")
            ))),
        }
    }
}

/// Whether an argument looks like a URL.
fn is_url(argument: impl AsRef<Path>) -> bool {
    let text = argument.as_ref().to_str();
    text.is_some_and(|text| text.contains("://"))
}
