//! The options about presigned parts of S3.

use std::fmt;
use std::fs;

use clap::Args;
use serde_json::{Map, Value};

use crate::messages::{sentence, tr};

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
    pub url: String,
}

impl fmt::Debug for PartsFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

impl PartsFile {
    fn read(path: &str) -> Result<Self, String> {
        let text = fs::read_to_string(path)
            .map_err(|e| tr!("it cannot be read: {why}", why = sentence(e)))?;
        let map: Option<Map<String, Value>> = serde_json::from_str(&text).ok();
        let url = map.and_then(|map| map.get("complete")?.as_str().map(str::to_owned));
        let url =
            url.ok_or_else(|| tr!("it is no JSON object with a URL for the key \"complete\""))?;
        let url = url.split('?').next().unwrap_or_default().to_owned();
        Ok(PartsFile { text, url })
    }
}
