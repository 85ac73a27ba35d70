//! The dialect of forms that a server speaks.
//!
//! | file | what is in it |
//! | --- | --- |
//! | [`options`] | the command line of `list`, `show` and `check` |
//! | [`tasks`] | does what it says |
//! | [`check`] | tries a dialect at a server |
//! | [`sample`] | the file that is sent for that |
//! | [`advice`] | which key of a dialect is wrong |
//! | [`text`] | the text of a dialect, by its name or from a file |
//! | [`report`] | what a check has to tell, in `words` or `json` |

mod advice;
mod check;
mod json;
mod options;
mod report;
mod sample;
mod tasks;
mod text;
mod words;

use clap::Args;
use serde_json::{Map, Value};

pub use options::DialectTask;
pub use tasks::run;

use crate::exit::Fault;
use crate::messages::{sentence, tr};

/// The options about a dialect.
#[derive(Debug, Args)]
pub struct DialectOptions {
    /// Dialect of forms that the server speaks, in place of a protocol
    ///
    /// "plain" is one POST, as a browser makes it. Others are those of upload widgets: resumable.js, flow.js,
    /// simple-uploader, webuploader, plupload, fineuploader, dropzone, jquery-file-upload, ng-file-upload and
    /// nginx-upload-module. A FILE has a JSON object, as docs/DIALECTS.md describes it.
    #[arg(long, value_name = "NAME|FILE", conflicts_with = "protocol")]
    dialect: Option<String>,

    /// Name of the form field with the file, in a dialect [default: that of the dialect; plain: file]
    #[arg(long, value_name = "NAME", conflicts_with = "protocol")]
    file_field: Option<String>,

    /// What counts as success, in a dialect [default: that of the dialect; plain: 200-299 302 303]
    ///
    /// Statuses such as "200-299 303", json:POINTER, json:POINTER=VALUE, text:WORDS, regex:PATTERN, header:NAME,
    /// header:NAME=VALUE or header:NAME regex:PATTERN, joined by " and "; "not " before one of them reverses it.
    #[arg(long, value_name = "EXPRESSION", conflicts_with = "protocol")]
    success: Option<String>,
}

impl DialectOptions {
    /// Whether a dialect was chosen.
    pub fn is_some(&self) -> bool {
        self.dialect.is_some() || self.file_field.is_some() || self.success.is_some()
    }

    /// Gives the text of the dialect, as the library takes it.
    pub fn text(&self) -> Result<Option<String>, Fault> {
        if !self.is_some() {
            return Ok(None);
        }
        let text = match self.dialect.as_deref() {
            None => "plain".to_owned(),
            Some(name) => {
                text::read(name).map_err(|why| Fault::usage(tr!("--dialect: {why}", why)))?
            }
        };
        let changes = [("file_field", &self.file_field), ("success", &self.success)];
        let changes = changes
            .into_iter()
            .filter_map(|(key, value)| Some((key, value.clone()?)));
        let changes: Vec<_> = changes.collect();
        if changes.is_empty() {
            return Ok(Some(text));
        }
        let mut object: Map<String, Value> = match text.trim_start().starts_with('{') {
            true => serde_json::from_str(&text).map_err(|e| {
                Fault::usage(tr!(
                    "--dialect is not a JSON object: {why}",
                    why = sentence(e)
                ))
            })?,
            false => [("base".to_owned(), Value::from(text))]
                .into_iter()
                .collect(),
        };
        for (key, value) in changes {
            object.insert(key.to_owned(), value.into());
        }
        Ok(Some(Value::from(object).to_string()))
    }
}
