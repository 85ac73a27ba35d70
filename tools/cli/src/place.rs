//! The place that files go to: a URL, or presigned parts of S3.

use std::path::{Path, PathBuf};

use crate::exit::Fault;
use crate::messages::tr;
use crate::options::Put;

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
                [_] => Err(Fault::usage(tr!(
                    "--parts takes the place of the URL, and needs a FILE"
                ))),
                _ => Err(Fault::usage(tr!(
                    "--parts has the URLs of one upload: give one FILE, and no URL"
                ))),
            };
        }
        let last = self.files_and_url.last().and_then(|url| url.to_str());
        match last {
            Some(url) if is_url(url) && !self.files().is_empty() => Ok(url),
            Some(url) if is_url(url) => Err(Fault::usage(tr!("there is no FILE before the URL"))),
            _ if self.files().first().is_some_and(is_url) => {
                Err(Fault::usage(tr!("the URL comes last: resup put FILE... URL")))
            }
            last => Err(Fault::usage(tr!(
                "the last argument must be a URL such as https://example.org/upload, not \"{last}\"",
                last = last.unwrap_or("...")
            ))),
        }
    }
}

/// Whether an argument looks like a URL.
fn is_url(argument: impl AsRef<Path>) -> bool {
    let text = argument.as_ref().to_str();
    text.is_some_and(|text| text.contains("://"))
}
