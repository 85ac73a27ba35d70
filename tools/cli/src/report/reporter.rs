//! The interface of all reports.

use resup::{Remote, UploadState};

use crate::results::{End, Summary};
use crate::tree::Item;

/// A report about uploads. Several threads use it at once.
pub trait Reporter: Send + Sync {
    /// Reports that an upload begins.
    fn start(&self, item: &Item);
    /// Reports another state of an upload.
    fn state(&self, _item: &Item, _state: UploadState, _remote: &Remote) {}
    /// Reports the progress of an upload, about ten times a second.
    fn progress(&self, item: &Item, remote: &Remote);
    /// Reports the end of an upload, successful or not.
    fn end(&self, item: &Item, end: &End);
    /// Writes a line of the library's log.
    fn log(&self, line: &str);
    /// Reports the end of all uploads.
    fn summary(&self, summary: &Summary);
}
